//! `engine process-notifications`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::run::{Stops, deliverer};
use crate::delivery::{Event, Stopped};
use crate::rules::notification::Notification;
use crate::rules::status::Status;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// What a run came to.
#[derive(Default)]
struct Tally {
    some_failed: bool,
    /// For `--output json`, which prints one value at the end.
    done: Vec<Value>,
    /// Printing failed, and why; delivery goes on all the same.
    broken: Option<std::io::Error>,
}

pub async fn execute(context: &Context) -> anyhow::Result<Code> {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let format = context.output;
    let of_observer = tally.clone();
    let observer = move |event: &Event<'_>| {
        let mut tally = of_observer.lock().unwrap_or_else(PoisonError::into_inner);
        tally.take(event, format);
    };
    let deliverer = deliverer(context, Arc::new(observer))?;
    let mut stops = Stops::listen()?;
    let stopped = deliverer.process_due(stops.first()).await?;

    let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = tally.broken.take() {
        return Err(error.into());
    }
    if format == Format::Json {
        output::json(&tally.done)?;
    }
    match stopped {
        Stopped::CutOff => Ok(Code::Failed),
        Stopped::Drained if tally.some_failed => Ok(Code::SomeFailed),
        Stopped::Drained => Ok(Code::Done),
    }
}

impl Tally {
    fn take(&mut self, event: &Event<'_>, format: Format) {
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
        let (username, notification, sentence) = said(event);
        match format {
            Format::Json => self.done.push(json!({
                "id": notification.id,
                "username": username,
                "title": notification.title,
                "scheduled_delivery": notification.scheduled_delivery,
                "status": event.status(),
                "message": sentence,
            })),
            Format::Text => {
                if let Err(error) = write!(std::io::stdout().lock(), "{}", block(username, notification, &sentence)) {
                    self.broken.get_or_insert(error);
                }
            }
        }
    }
}

fn said<'a>(event: &'a Event<'a>) -> (&'a str, &'a Notification, String) {
    match event {
        Event::Attempted { claimed, outcome, settlement } => {
            let sentence = match outcome.message() {
                "" => format!("{}.", settlement.status),
                message => message.to_owned(),
            };
            (&claimed.user.username, &claimed.notification, sentence)
        }
        Event::Ended(ended) => {
            let why = match ended.status {
                Status::InactiveDevice => "The target user record is not active.",
                Status::OptedOut => "The user has opted out of notifications.",
                Status::Expired => "It expired before it could be sent.",
                _ => "It ended without an attempt.",
            };
            (&ended.user.username, &ended.notification, why.to_owned())
        }
        Event::Waits { user, notification, reason } => (&user.username, notification, (*reason).to_owned()),
    }
}

/// The predecessor's block: three lines and 33 asterisks, with the status before the attempt.
fn block(username: &str, notification: &Notification, sentence: &str) -> String {
    format!(
        "{username} - {} - {}\n{} - {}\n{sentence}\n{}\n",
        predecessors_time(notification.scheduled_delivery),
        notification.status,
        notification.title,
        notification.body,
        "*".repeat(33)
    )
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
    fn times_are_written_as_the_predecessor_did() {
        for (time, written) in [
            ("2020-12-06T19:57:38Z", "2020-12-06 19:57:38+00:00"),
            ("2020-12-06T19:57:38.123Z", "2020-12-06 19:57:38.123000+00:00"),
        ] {
            assert_eq!(predecessors_time(time.parse().unwrap()), written);
        }
    }
}
