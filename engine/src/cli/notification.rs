//! `engine notification …`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use super::target_show;
use crate::rules::status::Status;
use crate::rules::tenant::Tenant;
use crate::store::{Canceling, ListedNotification, NotificationFilter, NotificationHistory};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub enum Notification {
    /// All notifications, newest first.
    List(List),
    /// One notification with its attempts.
    Show {
        /// As `engine notification list` shows it.
        #[arg(value_parser = id)]
        id: Uuid,
    },
    /// Take back a notification that waits. What is being sent already may arrive all the same.
    Cancel {
        #[arg(value_parser = id)]
        id: Uuid,
    },
    /// Try a notification again, at once, that failed, is UNKNOWN, or waits for another attempt.
    Retry {
        #[arg(value_parser = id)]
        id: Uuid,
    },
    /// Say what became of a notification that is UNKNOWN.
    Resolve {
        #[arg(value_parser = id)]
        id: Uuid,
        #[arg(value_enum)]
        outcome: Resolution,
    },
    /// Remove a notification with its history.
    Remove {
        #[arg(value_parser = id)]
        id: Uuid,
    },
}

/// What a person knows of a message whose outcome the engine does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Resolution {
    Delivered,
    Failed,
}

#[derive(Debug, Args)]
pub struct List {
    /// Such as SCHEDULED or "DELIVERY FAILURE".
    #[arg(long)]
    status: Option<Status>,
    /// The user's name.
    #[arg(long)]
    user: Option<String>,
    /// The target's name or its module's.
    #[arg(long)]
    target: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

impl Notification {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let (store, now) = (&context.store, context.clock.now());
        match self {
            Notification::List(list) => list.execute(context).await,
            Notification::Show { id } => {
                let found = context.store.find_notification(Tenant::DEFAULT, id).await?;
                let waits = waits(context, &found.listed).await?;
                match context.output {
                    Format::Json => {
                        let mut value = serde_json::to_value(&found)?;
                        value["waits"] = waits.into();
                        output::json(&value)?;
                    }
                    Format::Text => show(&found, waits)?,
                }
                Ok(Code::Done)
            }
            Notification::Cancel { id } => match store.cancel_notification(Tenant::DEFAULT, id, now).await? {
                Canceling::Canceled => said(context, id, "canceled", "is canceled"),
                Canceling::Marked => {
                    said(context, id, "marked", "is in an engine's hands: it is canceled unless its send has begun")
                }
            },
            Notification::Retry { id } => {
                store.retry_notification(Tenant::DEFAULT, id, now).await?;
                said(context, id, "retried", "is due at once")
            }
            Notification::Resolve { id, outcome } => {
                let delivered = outcome == Resolution::Delivered;
                store.resolve_notification(Tenant::DEFAULT, id, delivered, now).await?;
                said(context, id, "resolved", if delivered { "is DELIVERED" } else { "is a DELIVERY FAILURE" })
            }
            Notification::Remove { id } => {
                store.remove_notification(Tenant::DEFAULT, id).await?;
                said(context, id, "removed", "is removed")
            }
        }
    }
}

/// What was done, as one member for programs and as a sentence for people.
fn said(context: &Context, id: Uuid, done: &str, sentence: &str) -> anyhow::Result<Code> {
    match context.output {
        Format::Text => output::text(&format!("The notification {id} {sentence}."))?,
        Format::Json => output::json(&serde_json::json!({ done: id }))?,
    }
    Ok(Code::Done)
}

impl List {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let is_filtered = self.status.is_some() || self.user.is_some() || self.target.is_some();
        let mut filter = NotificationFilter {
            status: self.status,
            limit: self.limit.unwrap_or(u32::MAX),
            ..NotificationFilter::default()
        };
        if let Some(user) = self.user {
            filter.user = Some(context.store.find_user(Tenant::DEFAULT, &user).await?.id);
        }
        if let Some(target) = self.target {
            filter.target = Some(context.store.find_target(Tenant::DEFAULT, &target).await?.id);
        }
        let found = context.store.list_notifications(Tenant::DEFAULT, &filter).await?;
        match context.output {
            Format::Json => output::json(&found)?,
            Format::Text => {
                let rows: Vec<_> = found
                    .into_iter()
                    .map(|listed| {
                        let n = listed.notification;
                        vec![
                            n.id.to_string(),
                            listed.username,
                            listed.target_name,
                            n.status.to_string(),
                            n.scheduled_delivery.to_string(),
                            n.title,
                        ]
                    })
                    .collect();
                let headings = ["id", "user", "target", "status", "scheduled delivery", "title"];
                let none = match is_filtered {
                    true => "There are no such notifications.",
                    false => "There are no notifications; `engine notify` makes one.",
                };
                output::table(none, &headings, &rows)?;
            }
        }
        Ok(Code::Done)
    }
}

/// For what it waits beside its time, if that is its target's.
async fn waits(context: &Context, listed: &ListedNotification) -> anyhow::Result<Option<String>> {
    if !matches!(listed.notification.status, Status::Scheduled | Status::Retry) {
        return Ok(None);
    }
    let targets = context.store.list_targets(Tenant::DEFAULT).await?;
    Ok(targets.iter().find(|target| target.name == listed.target_name).and_then(target_show::paused))
}

fn show(found: &NotificationHistory, waits: Option<String>) -> anyhow::Result<()> {
    let listed = &found.listed;
    let n = &listed.notification;
    let time = |time: Option<Timestamp>| time.map_or_else(|| "never".to_owned(), |time| time.to_string());
    let extra = serde_json::to_string(&n.extra).unwrap_or_default();
    for (name, value) in [
        ("id", n.id.to_string()),
        ("user", listed.username.clone()),
        ("target", format!("{}, {}", listed.target_name, listed.target_user_id)),
        ("title", n.title.clone()),
        ("body", n.body.clone()),
        ("extra", extra),
        ("status", n.status.to_string()),
        ("scheduled delivery", n.scheduled_delivery.to_string()),
        ("attempted delivery", time(n.attempted_delivery)),
        ("expires", time(n.expires_at)),
        (
            "failed attempts",
            format!("{} of {}, {} s apart at first", n.retry_attempts, n.max_retries + 1, n.retry_time_interval),
        ),
    ] {
        // None of its lines passes for another field.
        output::text(&format!("{name:>18}: {}", value.replace('\n', &format!("\n{:20}", ""))))?;
    }
    if let Some(why) = n.status.why_ended() {
        let helps = match n.status {
            Status::InactiveDevice => format!(
                " `engine record list` says why, and `engine record activate {}` switches it on for new ones.",
                n.target_user_record
            ),
            _ => String::new(),
        };
        output::text(&format!("{:>18}: {why}{helps}", "why"))?;
    }
    if let Some(waits) = waits {
        output::text(&output::line(&format!("{:>18}: {waits}", "waits")))?;
    }
    if n.status == Status::Unknown {
        let id = n.id;
        output::text(&format!(
            "Whether it arrived is not known: `engine notification resolve {id} delivered` (or `failed`) says it, and `engine notification retry {id}` sends it again."
        ))?;
    }
    for attempt in &found.attempts {
        output::text("")?;
        output::text(&format!("attempt {} at {}: {}", attempt.number, attempt.started_at, attempt.outcome.as_str()))?;
        // What others said keeps to its line, or it could pass for what the engine says below.
        if !attempt.code.is_empty() {
            output::text(&format!("  code: {}", output::line(&attempt.code)))?;
        }
        if !attempt.message.is_empty() {
            output::text(&format!("  message: {}", output::line(&attempt.message)))?;
        }
        if let Some(phase) = attempt.phase {
            output::text(&format!("  phase: {}", phase.as_str()))?;
        }
        if !attempt.provider_id.is_empty() {
            output::text(&format!("  provider's id: {}", output::line(&attempt.provider_id)))?;
        }
        if let Some(used) = &attempt.usage {
            output::text(&format!(
                "  used: {} ms of computing, {} KiB of memory, {} HTTP requests, {} mails",
                used.cpu_ms,
                used.memory.div_ceil(1024),
                used.http,
                used.smtp
            ))?;
        }
        for line in attempt.log.lines() {
            output::text(&format!("  | {line}"))?;
        }
    }
    Ok(())
}

/// An id as it is typed.
fn id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "it is no id: `engine notification list` shows them".to_owned())
}
