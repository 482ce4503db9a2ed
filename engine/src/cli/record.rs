//! `engine record …`

use super::context::Context;
use super::exit::Code;
use super::output::{self, Format};
use crate::creation;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::store::{RecordFilter, StoreError};
use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

#[derive(Debug, Subcommand)]
pub enum Record {
    /// Say where a user is reached in a target.
    Add(Add),
    /// Say where a user is reached in a target, whether that was said before or not. A record that was switched off stays so.
    Upsert(Upsert),
    /// Send nothing more to a record.
    Deactivate {
        /// As `engine record list` shows it.
        #[arg(value_parser = id)]
        id: Uuid,
        /// Why, for people.
        #[arg(long, default_value = "An operator switched it off.")]
        reason: String,
    },
    /// Send to a record again.
    Activate {
        /// As `engine record list` shows it.
        #[arg(value_parser = id)]
        id: Uuid,
    },
    /// All records, or those of a user or a target.
    List(List),
    /// Remove a record with its notifications and their history.
    Remove {
        /// As `engine record list` shows it.
        #[arg(value_parser = id)]
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
pub struct Upsert {
    #[command(flatten)]
    record: Add,
    /// Switch off the user's other records in this target: the address has changed.
    #[arg(long)]
    replace: bool,
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
            Record::Upsert(upsert) => upsert.execute(context).await,
            Record::List(list) => list.execute(context).await,
            Record::Deactivate { id, reason } => {
                context.store.switch_record_off(Tenant::DEFAULT, id, &reason, context.clock.now()).await?;
                show(context, id).await
            }
            Record::Activate { id } => {
                context.store.switch_record_on(Tenant::DEFAULT, id, context.clock.now()).await?;
                show(context, id).await
            }
            Record::Remove { id } => {
                context.store.remove_record(Tenant::DEFAULT, id).await?;
                match context.output {
                    Format::Text => output::text(&format!("The record {id} is removed."))?,
                    Format::Json => output::json(&json!({ "removed": id }))?,
                }
                Ok(Code::Done)
            }
        }
    }
}

impl Add {
    /// The target, and the record as it was typed.
    async fn read(self, context: &Context) -> anyhow::Result<(Target, TargetUserRecord)> {
        let user = context.store.find_user(Tenant::DEFAULT, &self.user).await?;
        let target = context.store.find_target(Tenant::DEFAULT, &self.target).await?;
        let record = TargetUserRecord {
            id: context.new_id(),
            user: user.id,
            target: target.id,
            target_user_id: self.target_user_id,
            description: self.description,
            active: true,
            inactive_reason: None,
        };
        Ok((target, record))
    }

    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let user = self.user.clone();
        let (target, mut record) = self.read(context).await?;
        record.target_user_id = creation::check_address(
            &context.store,
            &context.catalog()?,
            Tenant::DEFAULT,
            &target,
            &record.target_user_id,
        )
        .await?;
        if let Err(error) = context.store.add_record(Tenant::DEFAULT, &record, context.clock.now()).await {
            return Err(switched_off(context, &record).await?.unwrap_or(error).into());
        }
        match context.output {
            Format::Text => {
                output::text(&format!("The user {user} is reached in {} at {}.", target.name, record.target_user_id))?
            }
            Format::Json => output::json(&record)?,
        }
        Ok(Code::Done)
    }
}

impl Upsert {
    async fn execute(self, context: &Context) -> anyhow::Result<Code> {
        let (target, record) = self.record.read(context).await?;
        let (store, now) = (&context.store, context.clock.now());
        let (change, record) =
            creation::upsert_record(store, &context.catalog()?, Tenant::DEFAULT, &target, record, now).await?;
        if self.replace {
            let reason = format!("The user's address is now {}.", record.target_user_id);
            for old in store.active_records(Tenant::DEFAULT, record.user, target.id).await? {
                if old.id != record.id {
                    store.switch_record_off(Tenant::DEFAULT, old.id, &reason, now).await?;
                }
            }
        }
        match context.output {
            Format::Text => output::text(&format!("{}: {}.", record.target_user_id, output::upserted(change)))?,
            Format::Json => output::json(&json!({ "change": change, "record": record }))?,
        }
        Ok(Code::Done)
    }
}

/// That a record which cannot be added is there already, and switched off, if that is why.
async fn switched_off(context: &Context, wanted: &TargetUserRecord) -> anyhow::Result<Option<StoreError>> {
    let filter = RecordFilter { user: Some(wanted.user), target: Some(wanted.target) };
    let all = context.store.list_records(Tenant::DEFAULT, &filter).await?;
    let is_it = |record: &TargetUserRecord| record.target_user_id == wanted.target_user_id && !record.active;
    let found = all.into_iter().map(|listed| listed.record).find(is_it);
    Ok(found.map(|TargetUserRecord { id, target_user_id, .. }| StoreError::Inactive { id, target_user_id }))
}

/// A record as it is now.
async fn show(context: &Context, id: Uuid) -> anyhow::Result<Code> {
    let record = context.store.find_record(Tenant::DEFAULT, id).await?.record;
    match context.output {
        // A reason is a sentence already.
        Format::Text => {
            let state = state(&record);
            output::text(&format!("The record {} is {}.", record.target_user_id, state.trim_end_matches('.')))?;
        }
        Format::Json => output::json(&record)?,
    }
    Ok(Code::Done)
}

fn state(record: &TargetUserRecord) -> String {
    match (&record.inactive_reason, record.active) {
        (_, true) => "active".to_owned(),
        (Some(reason), false) => format!("inactive: {reason}"),
        (None, false) => "inactive".to_owned(),
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

/// An id as it is typed.
fn id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "it is no id: `engine record list` shows them".to_owned())
}
