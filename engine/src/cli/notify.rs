//! `engine notify`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::creation::{self, Request};
use crate::rules::quantities::parse_duration;
use crate::rules::tenant::Tenant;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

#[derive(Debug, Args)]
pub struct Notify {
    /// The user's name.
    #[arg(long)]
    user: String,
    /// The target's name or its module's.
    #[arg(long)]
    target: String,
    #[arg(long, allow_hyphen_values = true)]
    title: String,
    #[arg(long, default_value = "", allow_hyphen_values = true)]
    body: String,
    /// What else the target understands, as a JSON object.
    #[arg(long, value_name = "JSON", value_parser = extra, default_value = "{}", hide_default_value = true)]
    extra: Extra,
    /// When to send it, such as 2030-12-31T18:00:00Z; at once if not given.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// When it is no longer worth sending.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires_at: Option<Timestamp>,
    /// How many further attempts there may be after the first.
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_retries: u32,
    /// The wait before the second attempt: seconds, or such as 90m; what the target proposes if not given.
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    retry_interval: Option<u32>,
    /// Say nothing, and exit with 0, when the user has opted out, has no record in the target, or there is nothing to send.
    #[arg(long)]
    quiet: bool,
}

type Extra = Map<String, Value>;

fn extra(text: &str) -> Result<Extra, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(extra)) => Ok(extra),
        Ok(_) => Err("it must be a JSON object, such as {\"key\": \"value\"}".to_owned()),
        Err(e) => Err(format!("it is not valid JSON ({e})")),
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "it must be a date and time with an offset, such as 2030-12-31T18:00:00Z".to_owned())
}

fn interval(text: &str) -> Result<u32, String> {
    let seconds = parse_duration(text)?.as_secs();
    u32::try_from(seconds).map_err(|_| "it is too long".to_owned())
}

impl Notify {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let request = Request {
            tenant: Tenant::DEFAULT,
            user: self.user,
            target: self.target,
            title: self.title,
            body: self.body,
            extra: self.extra,
            scheduled_delivery: self.at,
            expires_at: self.expires_at,
            retry_time_interval: self.retry_interval,
            max_retries: self.max_retries,
            on_unknown: None,
        };
        let catalog = context.catalog()?;
        let made = creation::create(&context.store, &catalog, &request, context.clock.now(), || context.new_id()).await;
        match made {
            Ok(ids) => {
                match context.output {
                    Format::Text => {
                        for id in &ids {
                            output::text(&format!("{}: notification {id} is made.", request.target))?;
                        }
                    }
                    Format::Json => {
                        output::json(
                            &json!([{ "target": request.target, "result": "created", "notifications": ids }]),
                        )?;
                    }
                }
                Ok(Code::Done)
            }
            Err(error) => match Code::of(&error) {
                Code::UserIsOptedOut | Code::UserHasNoTargetRecords | Code::NotificationsNotCreated if self.quiet => {
                    Ok(Code::Done)
                }
                _ => Err(error.into()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_cannot_be() {
        for text in ["", "{", "[]", "\"x\"", "nonsense"] {
            assert!(extra(text).is_err(), "{text}");
        }
        for text in ["", "tomorrow", "2030-02-30T00:00:00Z", "2030-01-01", "2030-01-01T25:00:00Z"] {
            assert!(time(text).is_err(), "{text}");
        }
        for text in ["-1", "", "soon", "9999999999999"] {
            assert!(interval(text).is_err(), "{text}");
        }
        assert_eq!(interval("90m"), Ok(5400));
    }
}
