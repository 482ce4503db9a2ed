//! `engine notify`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_show;
use crate::creation::{self, CreationError, Message, Refusal, Report, Request};
use crate::host::Catalog;
use crate::rules::moment::Moment;
use crate::rules::notification::OnUnknown;
use crate::rules::quantities::parse_duration;
use crate::rules::tenant::Tenant;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

#[derive(Debug, Args)]
pub struct Notify {
    /// The user's name.
    #[arg(long)]
    user: String,
    /// A target's name or its module's; may be repeated. Without any: every target in which the user has an active record.
    #[arg(long = "target", value_name = "TARGET")]
    targets: Vec<String>,
    #[arg(long, allow_hyphen_values = true)]
    title: String,
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    body: String,
    /// What else the target understands, as a JSON object.
    #[arg(long, value_name = "JSON", value_parser = extra, default_value = "{}", hide_default_value = true)]
    extra: Extra,
    /// Another body for one of the targets; may be repeated.
    #[arg(long, value_name = "TARGET=TEXT", value_parser = body_for)]
    body_for: Vec<(String, String)>,
    /// Another `extra` for one of the targets; may be repeated.
    #[arg(long, value_name = "TARGET=JSON", value_parser = extra_for)]
    extra_for: Vec<(String, Extra)>,
    /// When to send it; at once if not given. With an offset (2030-12-31T18:00:00Z), on the user's clock ("2030-12-31 18:00", 18:00), or
    /// after a while ("in 10m").
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// When it is no longer worth sending, in the same way.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Moment>,
    /// How many further attempts there may be after the first.
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_retries: u32,
    /// The wait before the second attempt: seconds, or such as 90m; what the target proposes if not given.
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    retry_interval: Option<u32>,
    /// What to do when the message may have been taken and no answer came: "resend" or "hold"; as the settings and the target say if not given.
    #[arg(long, value_name = "POLICY")]
    on_unknown: Option<OnUnknown>,
    /// A name of your own for this request, at most 180 characters: the same one again makes nothing new, and gives the first answer.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Store the notification as it is, without asking the target's component.
    #[arg(long)]
    raw: bool,
    /// Say nothing, and exit with 0, when the user has opted out, has no record in the target, or there is nothing to send.
    #[arg(long)]
    quiet: bool,
}

/// By how much a time may be over before it is said.
const A_SLIP: SignedDuration = SignedDuration::from_mins(1);

type Extra = Map<String, Value>;

fn extra(text: &str) -> Result<Extra, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(extra)) => Ok(extra),
        Ok(_) => Err("it must be a JSON object, such as {\"key\": \"value\"}".to_owned()),
        Err(e) => Err(format!("it is not valid JSON ({e})")),
    }
}

fn body_for(text: &str) -> Result<(String, String), String> {
    let (target, body) = text.split_once('=').ok_or("it must be TARGET=TEXT, such as email=\"Tea is ready.\"")?;
    Ok((target.to_owned(), body.to_owned()))
}

fn extra_for(text: &str) -> Result<(String, Extra), String> {
    let (target, json) = text.split_once('=').ok_or("it must be TARGET=JSON, such as email='{\"html\": true}'")?;
    Ok((target.to_owned(), extra(json)?))
}

fn interval(text: &str) -> Result<u32, String> {
    let seconds = parse_duration(text)?.as_secs();
    u32::try_from(seconds).map_err(|_| "it is too long".to_owned())
}

impl Notify {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let quiet = self.quiet;
        let request = self.request();
        let catalog = context.catalog()?;
        let made = creation::create(&context.store, &catalog, &request, context.clock.now(), || context.new_id()).await;
        match made {
            Ok(reports) => {
                let now = context.clock.now();
                let due = if request.scheduled_delivery.is_some() { due(context, &reports).await } else { None };
                let waits = waits(context, &catalog, &reports).await?;
                match context.output {
                    Format::Text => {
                        say(&reports, due.filter(|due| *due > now), quiet)?;
                        waits.values().filter(|_| !quiet).for_each(|why| output::aside(&format!("engine: {why}")));
                    }
                    Format::Json => output::json(
                        &reports.iter().map(|report| as_json(report, waits.get(&report.target))).collect::<Vec<_>>(),
                    )?,
                }
                // It may be meant: what is late is sent at once. Or it is a slip, of which somebody should hear.
                if let Some(due) = due.filter(|due| now.duration_since(*due) > A_SLIP) {
                    output::aside(&format!("engine: {due} is over, so it is due at once."));
                }
                Ok(Code::Done)
            }
            Err(CreationError::Nothing(refusals)) => {
                if context.output == Format::Json {
                    let refused =
                        |(target, refusal): &(Option<String>, Refusal)| refusal_as_json(target.as_deref(), refusal);
                    output::json(&refusals.iter().map(refused).collect::<Vec<_>>())?;
                }
                if quiet { Ok(Code::Done) } else { Err(CreationError::Nothing(refusals).into()) }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn request(self) -> Request {
        let message = Message { title: self.title, body: self.body, extra: self.extra };
        let mut messages: Vec<(String, Message)> = Vec::new();
        for (target, body) in self.body_for {
            messages.push((target, Message { body, ..message.clone() }));
        }
        for (target, extra) in self.extra_for {
            match messages.iter_mut().find(|(name, _)| *name == target) {
                Some((_, message)) => message.extra = extra,
                None => messages.push((target, Message { extra, ..message.clone() })),
            }
        }
        Request {
            tenant: Tenant::DEFAULT,
            user: self.user,
            targets: self.targets,
            message,
            messages,
            scheduled_delivery: self.at,
            expires_at: self.expires_at,
            retry_time_interval: self.retry_interval,
            max_retries: self.max_retries,
            on_unknown: self.on_unknown,
            idempotency_key: self.idempotency_key,
            raw: self.raw,
        }
    }
}

/// When the first of what was made is due, as a time was understood.
async fn due(context: &Context, reports: &[Report]) -> Option<Timestamp> {
    let first = reports.iter().find_map(|report| report.result.as_ref().ok()?.first())?;
    // It may be gone again already, or delivered and due later.
    let made = context.store.find_notification(Tenant::DEFAULT, *first).await.ok()?;
    Some(made.listed.notification.scheduled_delivery)
}

fn say(reports: &[Report], later: Option<Timestamp>, quiet: bool) -> anyhow::Result<()> {
    let due = later.map_or_else(String::new, |due| format!(", due {due}"));
    for Report { target, result } in reports {
        match result {
            Ok(ids) => {
                for id in ids {
                    output::text(&format!("{target}: notification {id} is made{due}."))?;
                }
            }
            Err(_) if quiet => {}
            Err(refusal) => output::text(&format!("{target}: {refusal}"))?,
        }
    }
    Ok(())
}

/// For what that will wait which was made in a target.
async fn waits(context: &Context, catalog: &Catalog, reports: &[Report]) -> anyhow::Result<HashMap<String, String>> {
    let mut waits = HashMap::new();
    for target in context.store.list_targets(Tenant::DEFAULT).await? {
        if !reports.iter().any(|report| report.target == target.name && report.result.is_ok()) {
            continue;
        }
        let found = target_show::found(&context.store, catalog, &target).await?;
        if let Some(why) = target_show::waits(&target, &found) {
            waits.insert(target.name, why);
        }
    }
    Ok(waits)
}

fn as_json(report: &Report, waits: Option<&String>) -> Value {
    match &report.result {
        Ok(ids) => json!({ "target": report.target, "result": "created", "notifications": ids, "waits": waits }),
        Err(refusal) => refusal_as_json(Some(&report.target), refusal),
    }
}

fn refusal_as_json(target: Option<&str>, refusal: &Refusal) -> Value {
    json!({ "target": target, "result": refusal.name(), "message": refusal.to_string(), "notifications": [] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_cannot_be() {
        for text in ["", "{", "[]", "\"x\"", "nonsense"] {
            assert!(extra(text).is_err(), "{text}");
            assert!(extra_for(&format!("email={text}")).is_err(), "{text}");
        }
        assert!(body_for("email").is_err());
        for text in ["-1", "", "soon", "9999999999999"] {
            assert!(interval(text).is_err(), "{text}");
        }
        assert_eq!(interval("90m"), Ok(5400));
        assert_eq!(body_for("email=a=b"), Ok(("email".to_owned(), "a=b".to_owned())));
    }
}
