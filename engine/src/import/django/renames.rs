//! Who was renamed there since the last import is renamed here: users have nothing that stays but the records that are here too.

use super::Import;
use crate::rules::django;
use crate::rules::user::User;
use crate::store::django::{Source, Table};
use crate::store::{RecordFilter, StoreError};
use futures::StreamExt;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

impl Import<'_> {
    /// Renames, and gives all users who are here, by the names that they have then. Where a name has passed from one person to another
    /// nobody is renamed, and who has it now is left out.
    pub(super) async fn renames(&mut self, source: &mut Source) -> Result<HashMap<String, User>, StoreError> {
        let tenant = self.options.tenant;
        let here = self.store.list_records(tenant, &RecordFilter::default()).await?;
        let here: HashMap<Uuid, Uuid> = here.into_iter().map(|listed| (listed.record.id, listed.record.user)).collect();
        let mut known: HashMap<String, User> =
            self.store.list_users(tenant).await?.into_iter().map(|user| (user.username.clone(), user)).collect();

        let mut owners: HashMap<String, HashSet<Uuid>> = HashMap::new();
        let mut rows = source.rows(Table::Records);
        while let Some(row) = rows.next().await {
            let row = row?;
            // What cannot be read is told when the rows themselves are imported.
            if let (Ok(there), Some(user)) = (row.text("user_id"), row.id("id").ok().and_then(|id| here.get(&id))) {
                owners.entry(there.to_owned()).or_default().insert(*user);
            }
        }
        drop(rows);
        let mut names: HashMap<String, String> = HashMap::new();
        let mut rows = source.rows(Table::Users);
        while let Some(row) = rows.next().await {
            let row = row?;
            if let Ok((update, _)) = django::user(&row) {
                names.insert(row.name(), update.username);
            }
        }
        drop(rows);

        let there: HashMap<&String, &String> = names.iter().map(|(id, name)| (name, id)).collect();
        let by_id: HashMap<Uuid, String> = known.values().map(|user| (user.id, user.username.clone())).collect();
        for (id, name) in &names {
            let Some(owner) = owners.get(id).filter(|users| users.len() == 1).and_then(|users| users.iter().next())
            else {
                continue;
            };
            let Some(former) = by_id.get(owner).filter(|former| *former != name) else { continue };
            if let Some(other) = there.get(former) {
                if !owners.get(*other).is_some_and(|users| users.contains(owner)) {
                    self.unclear.insert((*other).clone(), name.clone());
                }
                continue;
            }
            if known.contains_key(name) {
                continue;
            }
            if !self.options.dry_run {
                self.store.rename_user(tenant, *owner, name, self.now).await?;
            }
            self.report.notes.push(format!("The user {former} is called {name} now, as there."));
            if let Some(user) = known.remove(former) {
                known.insert(name.clone(), User { username: name.clone(), ..user });
            }
            self.former_names.insert(name.clone(), former.clone());
        }
        if !self.options.dry_run {
            self.former_names.clear();
        }
        Ok(known)
    }
}
