//! Where users are reached: addresses are judged by the target's component before they are stored.

use super::CreationError;
use crate::host::{Catalog, Fault};
use crate::rules::target::{MAX_DESCRIPTION, MAX_FAULTS, Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::store::{RecordFilter, Store, Upserted};
use crate::targets;
use jiff::Timestamp;
use std::collections::HashMap;
use uuid::Uuid;

/// How the descriptions of those records end that `keep_email_records` makes, and only of those; it changes no others.
const OWN: &str = "'s Email";

/// The normal form of an address in a target, or why it can be none.
pub async fn check_address(
    store: &Store,
    catalog: &Catalog,
    tenant: Tenant,
    target: &Target,
    target_user_id: &str,
) -> Result<String, CreationError> {
    let ready = targets::ready(store, catalog, tenant, target).await?;
    let normal = targets::normal_address(&ready, target_user_id).await;
    let fault = |fault: Fault| CreationError::Fault { target: target.name.clone(), fault };
    normal.map_err(fault)?.map_err(|failure| CreationError::Refused { target: target.name.clone(), failure })
}

/// Makes a record, or brings the description of the one that has this address up to date. One that was switched off stays so.
pub async fn upsert_record(
    store: &Store,
    catalog: &Catalog,
    tenant: Tenant,
    target: &Target,
    record: TargetUserRecord,
    now: Timestamp,
) -> Result<(Upserted, TargetUserRecord), CreationError> {
    let target_user_id = check_address(store, catalog, tenant, target, &record.target_user_id).await?;
    Ok(store.upsert_record(tenant, &TargetUserRecord { target_user_id, ..record }, now).await?)
}

/// What was changed for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// They have no e-mail address.
    NoAddress,
    /// Their e-mail address is none, for this reason.
    Refused(String),
    Added(String),
    /// The description followed the user's name.
    Described(String),
    /// The record of an address that the user had before.
    SwitchedOff(String),
}

/// Makes or updates the record of every user's e-mail address in a target, and tells of each change. The record of an address that a user
/// had before is switched off; one that somebody switched off stays so, and those that somebody made by hand stay as they are.
pub async fn keep_email_records(
    store: &Store,
    catalog: &Catalog,
    tenant: Tenant,
    target: &Target,
    now: Timestamp,
    new_id: impl Fn() -> Uuid,
    mut tell: impl FnMut(&User, Changed),
) -> Result<(), CreationError> {
    let mut records: HashMap<Uuid, Vec<TargetUserRecord>> = HashMap::new();
    let filter = RecordFilter { target: Some(target.id), ..RecordFilter::default() };
    for listed in store.list_records(tenant, &filter).await? {
        records.entry(listed.record.user).or_default().push(listed.record);
    }
    let mut failed = 0;
    for user in store.list_users(tenant).await? {
        let has = records.remove(&user.id).unwrap_or_default();
        if user.email.trim().is_empty() {
            tell(&user, Changed::NoAddress);
            switch_off(store, tenant, &user, &has, None, now, &mut tell).await?;
            continue;
        }
        let address = match check_address(store, catalog, tenant, target, &user.email).await {
            Ok(address) => address,
            Err(CreationError::Refused { failure, .. }) => {
                tell(&user, Changed::Refused(failure.message));
                continue;
            }
            // One address that it crashes on is no reason to leave the others out.
            Err(error @ CreationError::Fault { .. }) if failed < MAX_FAULTS => {
                failed += 1;
                tell(&user, Changed::Refused(error.to_string()));
                continue;
            }
            Err(error) => return Err(error),
        };
        let present = has.iter().find(|record| record.target_user_id == address);
        if present.is_none_or(|record| record.description.ends_with(OWN)) {
            let record = TargetUserRecord {
                id: new_id(),
                user: user.id,
                target: target.id,
                target_user_id: address.clone(),
                description: description(&user),
                active: true,
                inactive_reason: None,
            };
            match store.upsert_record(tenant, &record, now).await?.0 {
                Upserted::Added => tell(&user, Changed::Added(address.clone())),
                Upserted::Changed => tell(&user, Changed::Described(address.clone())),
                Upserted::Unchanged => {}
            }
        }
        switch_off(store, tenant, &user, &has, Some(&address), now, &mut tell).await?;
    }
    Ok(())
}

/// Switches those of a user's records off whose address is not the user's any more.
async fn switch_off(
    store: &Store,
    tenant: Tenant,
    user: &User,
    has: &[TargetUserRecord],
    address: Option<&str>,
    now: Timestamp,
    tell: &mut impl FnMut(&User, Changed),
) -> Result<(), CreationError> {
    let reason = match address {
        Some(address) => format!("The user's e-mail address is now {address}."),
        None => "The user has no e-mail address any more.".to_owned(),
    };
    let is_old = |record: &&TargetUserRecord| {
        record.active && Some(record.target_user_id.as_str()) != address && record.description.ends_with(OWN)
    };
    for old in has.iter().filter(is_old) {
        store.switch_record_off(tenant, old.id, &reason, now).await?;
        tell(user, Changed::SwitchedOff(old.target_user_id.clone()));
    }
    Ok(())
}

/// As the predecessor wrote it: `Ada Lovelace's Email`; by the username where the names are not known.
fn description(user: &User) -> String {
    let name = format!("{} {}", user.first_name, user.last_name);
    let name = if name.trim().is_empty() { &user.username } else { name.trim() };
    let room = MAX_DESCRIPTION - OWN.len();
    let name: String = name.chars().take(room).collect();
    format!("{name}{OWN}")
}
