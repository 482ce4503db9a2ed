//! `engine record …`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::creation;
use crate::rules::target::TargetUserRecord;
use crate::rules::tenant::Tenant;
use crate::store::RecordFilter;
use clap::{Args, Subcommand};
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub enum Record {
    /// Say where a user is reached in a target.
    Add(Add),
    /// All records, or those of a user or a target.
    List(List),
    /// Remove a record with its notifications and their history.
    Remove {
        /// As `engine record list --output json` shows it.
        id: Uuid,
    },
}

#[derive(Debug, Args)]
pub struct Add {
    /// The user's name.
    #[arg(long)]
    user: String,
    /// The target's name or its module's.
    #[arg(long)]
    target: String,
    /// The address: an e-mail address, a phone number, a token.
    #[arg(long, allow_hyphen_values = true)]
    target_user_id: String,
    /// For people, such as "Bob's second phone".
    #[arg(long, default_value = "")]
    description: String,
}

#[derive(Debug, Args)]
pub struct List {
    #[arg(long)]
    user: Option<String>,
    #[arg(long)]
    target: Option<String>,
}

impl Record {
    pub async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        match self {
            Record::Add(add) => add.execute(context).await,
            Record::List(list) => list.execute(context).await,
            Record::Remove { id } => {
                context.store.remove_record(Tenant::DEFAULT, id).await?;
                match context.output {
                    Format::Text => output::text(&format!("The record {id} is removed."))?,
                    Format::Json => output::json(&serde_json::json!({ "removed": id }))?,
                }
                Ok(Code::Done)
            }
        }
    }
}

impl Add {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let user = context.store.find_user(Tenant::DEFAULT, &self.user).await?;
        let target = context.store.find_target(Tenant::DEFAULT, &self.target).await?;
        let target_user_id = creation::check_address(&context.catalog()?, &target, &self.target_user_id).await?;
        let record = TargetUserRecord {
            id: context.new_id(),
            user: user.id,
            target: target.id,
            target_user_id,
            description: self.description,
            active: true,
            inactive_reason: None,
        };
        context.store.add_record(Tenant::DEFAULT, &record, context.clock.now()).await?;
        match context.output {
            Format::Text => output::text(&format!(
                "The user {} is reached in {} at {}.",
                user.username, target.name, record.target_user_id
            ))?,
            Format::Json => output::json(&record)?,
        }
        Ok(Code::Done)
    }
}

impl List {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let mut filter = RecordFilter::default();
        if let Some(user) = self.user {
            filter.user = Some(context.store.find_user(Tenant::DEFAULT, &user).await?.id);
        }
        if let Some(target) = self.target {
            filter.target = Some(context.store.find_target(Tenant::DEFAULT, &target).await?.id);
        }
        let records = context.store.list_records(Tenant::DEFAULT, &filter).await?;
        match context.output {
            Format::Json => output::json(&records)?,
            Format::Text => {
                let state = |record: &TargetUserRecord| match (&record.inactive_reason, record.active) {
                    (_, true) => "active".to_owned(),
                    (Some(reason), false) => format!("inactive: {reason}"),
                    (None, false) => "inactive".to_owned(),
                };
                let rows: Vec<_> = records
                    .iter()
                    .map(|listed| {
                        let record = &listed.record;
                        vec![
                            record.id.to_string(),
                            listed.username.clone(),
                            listed.target_name.clone(),
                            record.target_user_id.clone(),
                            record.description.clone(),
                            state(record),
                        ]
                    })
                    .collect();
                let headings = ["id", "user", "target", "target user id", "description", "state"];
                output::table("There are no records; `engine record add` makes one.", &headings, &rows)?;
            }
        }
        Ok(Code::Done)
    }
}
