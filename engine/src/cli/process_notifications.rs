//! `engine process-notifications`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::printer::Printer;
use super::run::{CUT_OFF, Stops, deliverer};
use super::target_show;
use crate::delivery::{Chosen, Event, Stopped};
use crate::rules::grants::{self, Inspected};
use crate::rules::notification::Notification;
use crate::rules::status::Status;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::store::{Claimed, Targets};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::io::{ErrorKind, IsTerminal};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many bytes of results wait for who reads them.
const MOST_RESULTS: usize = 64 << 20;
/// How often the number of those handled is shown anew.
const TICK: Duration = Duration::from_millis(200);

/// What a run came to.
struct Tally {
    format: Format,
    quiet: bool,
    /// How many were handled; it shows where the blocks do not.
    progress: ProgressBar,
    /// Whether there was nothing to deliver, or to show.
    nothing: bool,
    some_failed: bool,
    /// For `--output json`, which prints one value at the end.
    done: Vec<Value>,
    printer: Arc<Printer>,
}

#[derive(Debug, Args)]
pub struct ProcessNotifications {
    /// Deliver at most so many, the earliest due first.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Only in this target, by its name or its module's; may be repeated.
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,
    /// Show what is due, and deliver nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print nothing of what was delivered; the exit code says whether some failed, and standard error what is wrong.
    #[arg(long)]
    quiet: bool,
}

impl ProcessNotifications {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        target_show::tell_stray_sections(context).await?;
        let mut chosen = Chosen { targets: None, limit: self.limit };
        for name in &self.targets {
            let target = context.store.find_target(Tenant::DEFAULT, name).await?;
            chosen.targets.get_or_insert_default().push(target.id);
        }
        let tally = Tally::new(context.output, self.quiet, Arc::new(Printer::start(std::io::stdout(), MOST_RESULTS)));
        if self.dry_run { preview(context, chosen, tally).await } else { deliver(context, chosen, tally).await }
    }
}

/// Shows what is due in the form in which its delivery would be shown.
async fn preview(context: &Context, chosen: Chosen, mut tally: Tally) -> anyhow::Result<Code> {
    let targets = chosen.targets.map_or(Targets::All, Targets::Only);
    let limit = chosen.limit.map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
    let due = context.store.preview_due(context.clock.now(), limit, &targets).await?;
    for ended in &due.ended {
        tally.show(&Event::Ended(ended));
    }
    for Claimed { user, notification, target, .. } in &due.claimed {
        tally.show(&Event::Waits { user, notification, target, reason: "It is due; nothing was sent." });
    }
    // Somebody has asked, at a terminal or not.
    tally.end(true)?;
    told(tally.printer.printed().await)?;
    let mut targets: Vec<_> = due.claimed.iter().map(|claimed| claimed.target.clone()).collect();
    targets.sort_by_key(|target| target.id);
    targets.dedup_by_key(|target| target.id);
    tell_of_denials(context, &targets).await?;
    tell_of_waiting(context).await?;
    Ok(Code::Done)
}

/// Says what the components of these targets would be denied, of the doors that they ask for.
async fn tell_of_denials(context: &Context, targets: &[Arc<Target>]) -> anyhow::Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let catalog = context.catalog()?;
    for target in targets {
        match target_show::found(&context.store, &catalog, target).await? {
            Err(why) => output::aside(&format!("engine: the target {} is not ready: {why}", target.name)),
            Ok(ready) => {
                for Inspected { why, .. } in grants::shut(&ready.powers.grants) {
                    output::aside(&format!("engine: {why}"));
                }
            }
        }
    }
    Ok(())
}

async fn deliver(context: &Context, chosen: Chosen, tally: Tally) -> anyhow::Result<Code> {
    let printer = tally.printer.clone();
    let tally = Arc::new(Mutex::new(tally));
    let of_observer = tally.clone();
    let observer = move |event: &Event<'_>| of_observer.lock().unwrap_or_else(PoisonError::into_inner).take(event);
    let deliverer = deliverer(context, Arc::new(observer))?;
    let mut stops = Stops::listen()?;
    let stopped = deliverer.process_due(chosen, stops.first(), stops.second()).await?;

    let some_failed = {
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        // For people only: cron would send each line as a mail.
        tally.end(std::io::stdout().is_terminal())?;
        tally.some_failed
    };
    let printed = tokio::select! {
        printed = printer.printed() => printed,
        () = stops.second() => Ok(0),
    };
    tell_of_waiting(context).await?;
    match stopped {
        Stopped::CutOff => output::aside(CUT_OFF),
        Stopped::Early => output::aside("engine: stopped before all that was due was handled; the rest stays due"),
        Stopped::Drained => {}
    }
    told(printed)?;
    Ok(match stopped {
        Stopped::CutOff | Stopped::Early => Code::Failed,
        Stopped::Drained if some_failed => Code::SomeFailed,
        Stopped::Drained => Code::Done,
    })
}

/// Says what could not be printed. Whoever has seen enough, and reads no more, needs no word of it.
fn told(printed: std::io::Result<usize>) -> anyhow::Result<()> {
    match printed {
        Ok(0) => {}
        Ok(left_out) => output::aside(&format!(
            "engine: {left_out} results were not printed, as nobody read those before them; `engine notification list` shows them"
        )),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => anyhow::bail!(
            "What was due is handled, as `engine notification list` shows, but the results could not be printed: {error}."
        ),
    }
    Ok(())
}

/// Says in which targets what is due waits, and why.
async fn tell_of_waiting(context: &Context) -> anyhow::Result<()> {
    for target in context.store.list_targets(Tenant::DEFAULT).await? {
        let until = target.slowed_until.filter(|until| *until > context.clock.now());
        match (target_show::paused(&target), until) {
            (Some(why), _) => output::aside(&format!("engine: the target {}", output::line(&why))),
            (None, Some(until)) => output::aside(&format!(
                "engine: the provider of the target {} asked for time: what is due there waits until {until}.",
                target.name
            )),
            (None, None) => {}
        }
    }
    Ok(())
}

impl Tally {
    fn new(format: Format, quiet: bool, printer: Arc<Printer>) -> Self {
        let shown_anyway = format == Format::Text && !quiet && std::io::stdout().is_terminal();
        let progress = if shown_anyway { ProgressBar::hidden() } else { progress() };
        Tally { format, quiet, progress, nothing: true, some_failed: false, done: Vec::new(), printer }
    }

    /// Prints what was kept for the end; that nothing is due, too, if somebody is there to read it.
    fn end(&mut self, is_read: bool) -> anyhow::Result<()> {
        self.progress.disable_steady_tick();
        // The last number, and then nothing.
        self.progress.tick();
        self.progress.finish_and_clear();
        if self.nothing && self.format == Format::Text && !self.quiet && is_read {
            output::aside("Nothing is due.");
        }
        if self.format == Format::Json && !self.quiet {
            self.printer.print(output::json_text(&self.done)?);
        }
        Ok(())
    }

    fn take(&mut self, event: &Event<'_>) {
        self.some_failed |= match event.status() {
            Status::DeliveryFailure | Status::Expired | Status::Unknown => true,
            Status::Scheduled
            | Status::Retry
            | Status::Sent
            | Status::Delivered
            | Status::InactiveDevice
            | Status::OptedOut
            | Status::Canceled => false,
        };
        self.progress.inc(1);
        self.show(event);
    }

    fn show(&mut self, event: &Event<'_>) {
        self.nothing = false;
        if self.quiet {
            return;
        }
        let (username, notification, sentence) = said(event);
        match self.format {
            Format::Json => self.done.push(json!({
                "id": notification.id,
                "username": username,
                "target": target(event),
                "title": notification.title,
                "scheduled_delivery": notification.scheduled_delivery,
                "status": event.status(),
                "message": sentence,
            })),
            Format::Text => {
                let block = block(username, notification, &output::line(&sentence));
                self.printer.print(output::harmless(&block).into_owned());
            }
        }
    }
}

/// A line on standard error, which shows only where that is a terminal.
fn progress() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {pos} handled, {per_sec}");
    let progress = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    // By a thread of its own: a terminal may be stopped.
    progress.enable_steady_tick(TICK);
    progress
}

fn target<'a>(event: &'a Event<'a>) -> &'a str {
    match event {
        Event::Attempted { claimed, .. } => &claimed.target.name,
        Event::Ended(ended) => &ended.target.name,
        Event::Waits { target, .. } => &target.name,
    }
}

fn said<'a>(event: &'a Event<'a>) -> (&'a str, &'a Notification, String) {
    match event {
        Event::Attempted { claimed, outcome, settlement, .. } => {
            let sentence = match outcome.message() {
                "" => format!("{}.", settlement.status),
                message => message.to_owned(),
            };
            (&claimed.user.username, &claimed.notification, sentence)
        }
        Event::Ended(ended) => {
            let why = ended.status.why_ended().unwrap_or("It ended without an attempt.");
            (&ended.user.username, &ended.notification, why.to_owned())
        }
        Event::Waits { user, notification, reason, .. } => (&user.username, notification, (*reason).to_owned()),
    }
}

/// The predecessor's block: three lines and 33 asterisks, with the status before the attempt.
fn block(username: &str, notification: &Notification, sentence: &str) -> String {
    let sentence = set_in(sentence);
    format!(
        "{username} - {} - {}\n{} - {}\n{sentence}\n{}\n",
        predecessors_time(notification.scheduled_delivery),
        notification.status,
        set_in(&notification.title),
        set_in(&notification.body),
        "*".repeat(33)
    )
}

/// A text as it is; or with its further lines set in, if one of them would end the block, and what follows pass for another.
fn set_in(text: &str) -> String {
    let ends_it = |line: &str| line.trim_end() == "*".repeat(33);
    if text.lines().any(ends_it) { text.lines().collect::<Vec<_>>().join("\n  ") } else { text.to_owned() }
}

/// `2020-12-06 19:57:38+00:00`, with six digits of the second's fraction if it is not zero.
fn predecessors_time(time: Timestamp) -> String {
    let format = if time.subsec_nanosecond() == 0 { "%Y-%m-%d %H:%M:%S+00:00" } else { "%Y-%m-%d %H:%M:%S.%6f+00:00" };
    time.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_pass_for_a_block() {
        let end = "*".repeat(33);
        for (text, shown) in [
            ("two\nlines\n".to_owned(), "two\nlines\n".to_owned()),
            (format!("x\n{end}\nada - now"), format!("x\n  {end}\n  ada - now")),
            (format!("x\r\n{end} \r\nada"), format!("x\n  {end} \n  ada")),
        ] {
            assert_eq!(set_in(&text), shown);
        }
    }

    #[test]
    fn times_are_written_as_the_predecessor_did() {
        for (time, written) in [
            ("2020-12-06T19:57:38Z", "2020-12-06 19:57:38+00:00"),
            ("2020-12-06T19:57:38.123Z", "2020-12-06 19:57:38.123000+00:00"),
        ] {
            assert_eq!(predecessors_time(time.parse().unwrap()), written);
        }
    }
}
