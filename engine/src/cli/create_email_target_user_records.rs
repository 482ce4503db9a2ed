//! `engine create-email-target-user-records`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::creation::{self, Changed};
use crate::rules::tenant::Tenant;
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub struct CreateEmailTargetUserRecords {
    /// The target's name or its module's.
    #[arg(long, default_value = "email")]
    target: String,
}

impl CreateEmailTargetUserRecords {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let (store, now) = (&context.store, context.clock.now());
        let target = store.find_target(Tenant::DEFAULT, &self.target).await?;
        let catalog = context.catalog()?;
        let mut all: Vec<(String, Changed)> = Vec::new();
        creation::keep_email_records(
            store,
            &catalog,
            Tenant::DEFAULT,
            &target,
            now,
            || context.new_id(),
            |user, changed| {
                all.push((user.username.clone(), changed));
            },
        )
        .await?;
        let refused = all.iter().any(|(_, changed)| matches!(changed, Changed::Refused(_)));
        match context.output {
            Format::Json => {
                output::json(&all.iter().map(|(user, changed)| as_json(user, changed)).collect::<Vec<_>>())?
            }
            Format::Text => {
                for (user, changed) in &all {
                    output::text(&line(user, changed))?;
                }
                output::text(&summary(&all))?;
            }
        }
        Ok(if refused { Code::Failed } else { Code::Done })
    }
}

fn line(user: &str, changed: &Changed) -> String {
    match changed {
        Changed::NoAddress => format!("{user} has no email address on record."),
        Changed::Refused(why) => format!("{user} gets no record: {why}"),
        Changed::Added(address) => format!("{user} is reached at {address}."),
        Changed::Described(address) => format!("{user}'s record of {address} has a new description."),
        Changed::SwitchedOff(address) => format!("{user}'s record of {address} is switched off."),
    }
}

fn summary(all: &[(String, Changed)]) -> String {
    let count = |of: fn(&Changed) -> bool| all.iter().filter(|(_, changed)| of(changed)).count();
    format!(
        "{} added, {} described anew, {} switched off, {} refused, {} without an address.",
        count(|c| matches!(c, Changed::Added(_))),
        count(|c| matches!(c, Changed::Described(_))),
        count(|c| matches!(c, Changed::SwitchedOff(_))),
        count(|c| matches!(c, Changed::Refused(_))),
        count(|c| matches!(c, Changed::NoAddress)),
    )
}

fn as_json(user: &str, changed: &Changed) -> Value {
    let (change, target_user_id, message) = match changed {
        Changed::NoAddress => ("no_address", None, None),
        Changed::Refused(why) => ("refused", None, Some(why)),
        Changed::Added(address) => ("added", Some(address), None),
        Changed::Described(address) => ("described", Some(address), None),
        Changed::SwitchedOff(address) => ("switched_off", Some(address), None),
    };
    json!({ "username": user, "change": change, "target_user_id": target_user_id, "message": message })
}
