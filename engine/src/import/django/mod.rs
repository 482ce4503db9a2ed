//! Everything out of the database of an application that uses django-notification-system: users, targets, records, opt-outs,
//! notifications, in this order, some hundred in a transaction. It can be repeated; `decide` says what a second one changes.
//!
//! Ids stay what they are. Users have none that could stay: they are known by their names, and one who was renamed there by the records that are
//! here (`renames`). What cannot be here is left out, with what points at it, and reported row by row.

mod decide;
mod notifications;
mod records;
mod renames;
mod report;

pub use report::{Kind, LeftOut, Report};

use super::Progress;
use crate::rules::django::{self, OptOut};
use crate::rules::limits::Invalid;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::{User, UserUpdate};
use crate::store::django::{Source, Table};
use crate::store::{ListedOptOut, Store, StoreError, Upserted};
use futures::StreamExt;
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows that are stored in one transaction.
const BATCH: usize = 500;

/// How to import.
pub struct Options {
    /// Into which tenant.
    pub tenant: Tenant,
    /// Of times that say no offset.
    pub time_zone: TimeZone,
    /// Whether nothing is written, and only said what would be.
    pub dry_run: bool,
}

/// Imports everything, and tells how many rows have been dealt with.
pub async fn import(
    store: &Store,
    source: &mut Source,
    options: &Options,
    now: Timestamp,
    new_id: impl Fn() -> Uuid,
    progress: Progress<'_>,
) -> Result<Report, StoreError> {
    let mut import = Import {
        store,
        options,
        now,
        report: Report::default(),
        users: HashMap::new(),
        targets: HashMap::new(),
        records: HashMap::new(),
        elsewhere: HashMap::new(),
        unclear: HashMap::new(),
        former_names: HashMap::new(),
        opted_out: HashSet::new(),
        notifications: HashSet::new(),
        rows: 0,
        progress,
    };
    for kind in Kind::ALL {
        import.report.tally(kind);
    }
    let known = import.renames(source).await?;
    import.users(source, known, new_id).await?;
    import.targets(source).await?;
    import.records(source).await?;
    import.opt_outs(source).await?;
    import.notifications(source).await?;
    Ok(import.report)
}

/// An import under way. The maps are from ids there, as texts, to what is here.
struct Import<'a> {
    store: &'a Store,
    options: &'a Options,
    now: Timestamp,
    report: Report,
    users: HashMap<String, Person>,
    targets: HashMap<String, Uuid>,
    records: HashMap<String, Place>,
    /// By user there: the records that are another's here.
    elsewhere: HashMap<String, Vec<TargetUserRecord>>,
    /// Users there who have the name of somebody else here, and what that one is called there now.
    unclear: HashMap<String, String>,
    /// By their name there, of those whose new name is not written down in a dry run.
    former_names: HashMap<String, String>,
    /// Who wants nothing, once all is said.
    opted_out: HashSet<Uuid>,
    /// Which have been read.
    notifications: HashSet<Uuid>,
    rows: u64,
    progress: Progress<'a>,
}

#[derive(Clone)]
struct Person {
    id: Uuid,
    username: String,
}

/// A record and whose it is here.
struct Place {
    record: Uuid,
    user: Uuid,
    /// Whether it is another's there, so that nothing new is sent to it.
    is_disputed: bool,
}

impl Import<'_> {
    async fn users(
        &mut self,
        source: &mut Source,
        known: HashMap<String, User>,
        new_id: impl Fn() -> Uuid,
    ) -> Result<(), StoreError> {
        let Options { tenant, dry_run, .. } = *self.options;
        let mut names = HashSet::new();
        let mut batches = source.rows(Table::Users).chunks(BATCH);
        while let Some(rows) = batches.next().await {
            let (mut ids, mut batch) = (Vec::new(), Vec::new());
            for row in rows {
                let row = row?;
                let read = django::user(&row).and_then(|(update, no_address)| {
                    if let Some(now) = self.unclear.get(&row.name()) {
                        return Err(passed_on(&update.username, now));
                    }
                    if names.insert(update.username.clone()) {
                        Ok((update, no_address))
                    } else {
                        Err(name_taken(&update))
                    }
                });
                match read {
                    Ok((update, no_address)) => {
                        let note =
                            |why: Invalid| format!("The user {} comes without an address: {why}", update.username);
                        self.report.notes.extend(no_address.map(note));
                        ids.push(row.name());
                        batch.push((new_id(), update));
                    }
                    Err(why) => self.report.leave_out(Kind::User, row.name(), why),
                }
            }
            let stored = if dry_run {
                batch.iter().map(|(new_id, update)| would_be(known.get(&update.username), *new_id, update)).collect()
            } else {
                self.store.upsert_users(tenant, &batch, self.now).await?
            };
            for (id, (change, user)) in ids.into_iter().zip(stored) {
                self.count(Kind::User, change);
                self.users.insert(id, Person { id: user.id, username: user.username });
            }
            self.dealt_with(batch.len());
        }
        Ok(())
    }

    async fn targets(&mut self, source: &mut Source) -> Result<(), StoreError> {
        let Options { tenant, dry_run, .. } = *self.options;
        let mut known = self.store.list_targets(tenant).await?;
        let mut rows = source.rows(Table::Targets);
        while let Some(row) = rows.next().await {
            let row = row?;
            let name = row.text("name").unwrap_or_default();
            let module = row.text("notification_module_name").unwrap_or_default();
            if let Some(here) = decide::same_target(&known, row.id("id").ok(), name, module) {
                if (name, module) != (&here.name, &here.notification_module_name) {
                    self.report.notes.push(format!(
                        "The target {name} with the module `{module}` there is {} with `{}` here.",
                        here.name, here.notification_module_name
                    ));
                }
                self.targets.insert(row.name(), here.id);
                self.count(Kind::Target, Upserted::Unchanged);
                continue;
            }
            match django::target(&row) {
                Ok(target) => {
                    if !dry_run {
                        self.store.add_target(tenant, &target, self.now).await?;
                    }
                    self.report.notes.push(needs_component(&target));
                    self.targets.insert(row.name(), target.id);
                    known.push(target);
                    self.count(Kind::Target, Upserted::Added);
                }
                Err(mut why) => {
                    why.sentence.push_str(" Or make a target of the same name here: `engine target add`.");
                    self.report.leave_out(Kind::Target, row.name(), why);
                }
            }
        }
        Ok(())
    }

    async fn opt_outs(&mut self, source: &mut Source) -> Result<(), StoreError> {
        let Options { tenant, dry_run, .. } = *self.options;
        let known = self.store.list_opt_outs(tenant).await?;
        let known: HashMap<&str, &ListedOptOut> = known.iter().map(|known| (known.username.as_str(), known)).collect();
        // In a dry run, who is renamed there has the former name here still.
        let former = std::mem::take(&mut self.former_names);
        let known = |user: &Person| known.get(former.get(&user.username).unwrap_or(&user.username).as_str()).copied();
        let active = self.users.values().filter(|user| known(user).is_some_and(|known| known.active));
        self.opted_out = active.map(|user| user.id).collect();
        let mut batches = source.rows(Table::OptOuts).chunks(BATCH);
        while let Some(rows) = batches.next().await {
            let mut changed = Vec::new();
            let count = rows.len();
            for row in rows {
                let row = row?;
                let user = match self.owner(row.text("user_id")) {
                    Ok(user) => user,
                    Err(why) => {
                        if row.flag("active") != Ok(false) {
                            self.switch_off_elsewhere(row.text("user_id").unwrap_or_default()).await?;
                        }
                        self.report.leave_out(Kind::OptOut, row.name(), why);
                        continue;
                    }
                };
                let there = django::opt_out(&row, &self.options.time_zone).unwrap_or_else(|why| {
                    // Nobody is sent to because of a row that cannot be read.
                    let name = &user.username;
                    self.report
                        .notes
                        .push(format!("The opt-out of {name} cannot be read, and is taken for one: {why}"));
                    OptOut { active: true, modified_date: self.now }
                });
                if there.active {
                    self.switch_off_elsewhere(row.text("user_id").unwrap_or_default()).await?;
                }
                let change = decide::opt_out(known(&user), &there);
                if change != Upserted::Unchanged {
                    if there.active {
                        self.opted_out.insert(user.id)
                    } else {
                        self.opted_out.remove(&user.id)
                    };
                    // Since then, and not since now: what was said there meanwhile is newer.
                    changed.push((user.id, there.active, there.modified_date.min(self.now)));
                }
                self.count(Kind::OptOut, change);
            }
            if !dry_run {
                let store = self.store;
                let write = |(user, active, since): (Uuid, bool, Timestamp)| async move {
                    if active {
                        store.opt_out(tenant, user, since).await.map(drop)
                    } else {
                        store.opt_in(tenant, user, since).await
                    }
                };
                try_join_all(changed.into_iter().map(write)).await?;
            }
            self.dealt_with(count);
        }
        Ok(())
    }

    /// Whose a row is.
    fn owner(&self, id: Result<&str, Invalid>) -> Result<Person, Invalid> {
        self.users.get(id?).cloned().ok_or_else(|| gone("user_id", "user"))
    }

    fn count(&mut self, kind: Kind, change: Upserted) {
        let tally = self.report.tally(kind);
        match change {
            Upserted::Added => tally.added += 1,
            Upserted::Changed => tally.changed += 1,
            Upserted::Unchanged => tally.unchanged += 1,
        }
    }

    fn dealt_with(&mut self, rows: usize) {
        self.rows += rows as u64;
        (self.progress)(self.rows);
    }
}

/// What storing a user would do.
fn would_be(known: Option<&User>, new_id: Uuid, update: &UserUpdate) -> (Upserted, User) {
    let user = update.apply(known, new_id);
    let change = match known {
        None => Upserted::Added,
        Some(known) if *known == user => Upserted::Unchanged,
        Some(_) => Upserted::Changed,
    };
    (change, user)
}

fn name_taken(update: &UserUpdate) -> Invalid {
    let sentence =
        format!("username `{}` is another row's already, and users are told apart by it: rename one.", update.username);
    Invalid::new("username", sentence)
}

/// A name has passed from one person to another.
fn passed_on(name: &str, now: &str) -> Invalid {
    let sentence = format!(
        "{name} is another person here, who is called {now} there. `engine user remove {now}` and `engine user rename {name} {now}` \
         put it right; then import again."
    );
    Invalid::new("username", sentence)
}

/// What a row points at is not here.
fn gone(column: &'static str, what: &str) -> Invalid {
    Invalid::new(column, format!("its {what} was left out, or is not there."))
}

fn needs_component(target: &Target) -> String {
    let module = &target.notification_module_name;
    format!(
        "The target {} is new: its module is a component now, {module}.wasm in a folder of `[targets] paths`.",
        target.name
    )
}
