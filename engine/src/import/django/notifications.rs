//! Notifications, as they really stand.

use super::{BATCH, Import, Kind, Options, Place, decide, gone};
use crate::rules::django::{self, Adjustment, Row};
use crate::rules::limits::Invalid;
use crate::rules::notification::Notification;
use crate::store::django::{Source, Table};
use crate::store::{StoreError, Upserted};
use futures::StreamExt;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The column of a notification that says where it goes.
const RECORD: &str = "target_user_record_id";

impl Import<'_> {
    pub(super) async fn notifications(&mut self, source: &mut Source) -> Result<(), StoreError> {
        let tenant = self.options.tenant;
        let mut batches = source.rows(Table::Notifications).chunks(BATCH);
        while let Some(rows) = batches.next().await {
            let mut batch = Vec::new();
            let count = rows.len();
            for row in rows {
                let row = row?;
                match self.notification(&row) {
                    Ok(notification) if !self.notifications.insert(notification.0.id) => {
                        let sentence = "its id is another row's already: leave one of them.";
                        self.report.leave_out(Kind::Notification, row.name(), Invalid::new("id", sentence));
                    }
                    Ok((notification, adjustments, is_disputed)) => {
                        batch.push((notification, adjustments, row.name(), is_disputed));
                    }
                    Err(why) => self.report.leave_out(Kind::Notification, row.name(), why),
                }
            }
            let ids: Vec<Uuid> = batch.iter().map(|(notification, ..)| notification.id).collect();
            let known = self.store.known_notifications(tenant, &ids).await?;
            let known: HashMap<Uuid, _> = known.into_iter().map(|known| (known.id, known)).collect();
            let (mut changes, mut planned) = (Vec::new(), Vec::new());
            for (notification, adjustments, name, is_disputed) in batch {
                if is_disputed && !known.contains_key(&notification.id) {
                    self.report.leave_out(Kind::Notification, name, gone(RECORD, "target user record"));
                    continue;
                }
                match decide::notification(known.get(&notification.id), &notification) {
                    Upserted::Unchanged => self.count(Kind::Notification, Upserted::Unchanged),
                    change => {
                        changes.push((notification.id, change, adjustments));
                        planned.push(notification);
                    }
                }
            }
            let written: HashSet<Uuid> = if self.options.dry_run {
                planned.iter().map(|notification| notification.id).collect()
            } else {
                self.store.import_notifications(tenant, &planned).await?.into_iter().collect()
            };
            for (id, change, adjustments) in changes {
                if !written.contains(&id) {
                    // An engine has claimed it since.
                    self.count(Kind::Notification, Upserted::Unchanged);
                    continue;
                }
                self.count(Kind::Notification, change);
                for adjustment in adjustments {
                    *self.report.adjusted.entry(adjustment).or_default() += 1;
                }
            }
            self.dealt_with(count);
        }
        Ok(())
    }

    /// With whether its record is another's here.
    fn notification(&self, row: &Row) -> Result<(Notification, Vec<Adjustment>, bool), Invalid> {
        let Place { record, user, is_disputed } =
            self.records.get(row.text(RECORD)?).ok_or_else(|| gone(RECORD, "target user record"))?;
        let Options { tenant, ref time_zone, .. } = *self.options;
        let (notification, adjustments) =
            django::notification(row, tenant, *record, self.opted_out.contains(user), time_zone)?;
        Ok((notification, adjustments, *is_disputed))
    }
}
