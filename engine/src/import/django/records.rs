//! Target user records: where users are reached, and what is different about one that is here already.

use super::{BATCH, Import, Kind, Person, Place, gone};
use crate::rules::django::{self, Row};
use crate::rules::limits::Invalid;
use crate::rules::target::TargetUserRecord;
use crate::store::django::{Source, Table};
use crate::store::{RecordFilter, StoreError, Upserted};
use futures::StreamExt;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// The records that are here, by what makes each the only one of its kind.
#[derive(Default)]
struct Records {
    by_id: HashMap<Uuid, Arc<Known>>,
    by_address: HashMap<(Uuid, Uuid, String), Arc<Known>>,
}

/// A record that is here, and the name of its user.
struct Known {
    record: TargetUserRecord,
    username: String,
}

/// What is to be done about a row.
enum Found {
    New(TargetUserRecord),
    /// Its address was changed there.
    Moved(TargetUserRecord),
    Here,
}

impl Import<'_> {
    pub(super) async fn records(&mut self, source: &mut Source) -> Result<(), StoreError> {
        let (tenant, dry_run) = (self.options.tenant, self.options.dry_run);
        let known = self.store.list_records(tenant, &RecordFilter::default()).await?;
        let mut here = Records::default();
        known.into_iter().for_each(|listed| here.add(listed.record, listed.username));
        let mut batches = source.rows(Table::Records).chunks(BATCH);
        while let Some(rows) = batches.next().await {
            let mut batch = Vec::new();
            let count = rows.len();
            for row in rows {
                let row = row?;
                match self.record(&row, &mut here) {
                    Ok(Found::New(record)) => batch.push(record),
                    Ok(Found::Moved(record)) if !dry_run => {
                        match self.store.change_address(tenant, &record, self.now).await {
                            Err(error @ StoreError::AlreadyExists { .. }) => {
                                self.report.leave_out(
                                    Kind::Record,
                                    row.name(),
                                    Invalid::new("target_user_id", error.to_string()),
                                );
                            }
                            changed => changed?,
                        }
                    }
                    Ok(Found::Moved(_) | Found::Here) => {}
                    Err(why) => self.report.leave_out(Kind::Record, row.name(), why),
                }
            }
            if !dry_run {
                self.store.add_records(tenant, &batch, self.now).await?;
            }
            self.dealt_with(count);
        }
        Ok(())
    }

    fn record(&mut self, row: &Row, here: &mut Records) -> Result<Found, Invalid> {
        let there = row.text("user_id")?;
        let owner = match self.owner(Ok(there)) {
            Ok(owner) => owner,
            Err(why) => {
                // Whoever it is has a record here, which an opt-out of theirs is to reach.
                let known = row.id("id").ok().and_then(|id| here.by_id.get(&id));
                self.elsewhere.entry(there.to_owned()).or_default().extend(known.map(|known| known.record.clone()));
                return Err(why);
            }
        };
        let target = self.targets.get(row.text("target_id")?).ok_or_else(|| gone("target_id", "target"))?;
        let record = django::record(row, owner.id, *target)?;
        let Some(known) = here.find(&record) else {
            self.records.insert(row.name(), Place { record: record.id, user: owner.id, is_disputed: false });
            here.add(record.clone(), owner.username);
            self.count(Kind::Record, Upserted::Added);
            return Ok(Found::New(record));
        };
        let Known { record: known, username } = &*known;
        let is_disputed = known.user != owner.id;
        self.records.insert(row.name(), Place { record: known.id, user: known.user, is_disputed });
        if is_disputed {
            self.elsewhere.entry(there.to_owned()).or_default().push(known.clone());
            return Err(someone_elses(known.id, username, &owner));
        }
        if known.target != record.target {
            let sentence =
                format!("the target user record {} is in another target here: remove one of them.", known.id);
            return Err(Invalid::new("target_id", sentence));
        }
        if known.active && !record.active {
            let id = known.id;
            self.report.notes.push(format!(
                "The target user record {id} is active here, and was switched off there: `engine record deactivate {id}` \
                 follows."
            ));
        }
        if known.target_user_id != record.target_user_id {
            let moved = TargetUserRecord { target_user_id: record.target_user_id, ..known.clone() };
            let (name, former) = (username.clone(), (known.user, known.target, known.target_user_id.clone()));
            here.by_address.remove(&former);
            here.add(moved.clone(), name);
            self.count(Kind::Record, Upserted::Changed);
            return Ok(Found::Moved(moved));
        }
        self.count(Kind::Record, Upserted::Unchanged);
        Ok(Found::Here)
    }

    /// Switches the records off that a user who wants nothing has there, and that are another's here.
    pub(super) async fn switch_off_elsewhere(&mut self, there: &str) -> Result<(), StoreError> {
        for record in self.elsewhere.remove(there).unwrap_or_default().into_iter().filter(|record| record.active) {
            let reason = "Whoever has it there has opted out.";
            self.report.notes.push(format!("The target user record {} is switched off. {reason}", record.id));
            if !self.options.dry_run {
                self.store.switch_record_off(self.options.tenant, record.id, reason, self.now).await?;
            }
        }
        Ok(())
    }
}

impl Records {
    /// The same record, or the one with the same address.
    fn find(&self, record: &TargetUserRecord) -> Option<Arc<Known>> {
        let address = || (record.user, record.target, record.target_user_id.clone());
        self.by_id.get(&record.id).or_else(|| self.by_address.get(&address())).cloned()
    }

    fn add(&mut self, record: TargetUserRecord, username: String) {
        let (id, address) = (record.id, (record.user, record.target, record.target_user_id.clone()));
        let known = Arc::new(Known { record, username });
        self.by_id.insert(id, known.clone());
        self.by_address.insert(address, known);
    }
}

/// A name has passed to another person there, or a record was given to somebody else: who is meant cannot be told.
fn someone_elses(id: Uuid, username: &str, owner: &Person) -> Invalid {
    let name = &owner.username;
    let sentence = format!(
        "the target user record {id} is of {username} here and of {name} there. Until they are told \
         apart, nothing new is sent to it: if {username} was renamed, `engine user remove {name}` and `engine user rename \
         {username} {name}`, then import again."
    );
    Invalid::new("user_id", sentence)
}
