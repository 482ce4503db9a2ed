//! A request becomes notifications: the user, their active records, the component's creator, then the store, all or none.

use crate::host::{self, Catalog, Draft, Fault, ModuleError};
use crate::rules::limits::Invalid;
use crate::rules::notification::{NewNotification, OnUnknown};
use crate::rules::outcome::Failure;
use crate::rules::schema;
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::store::{Creation, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What an application asks for, in one target.
#[derive(Debug, Clone)]
pub struct Request {
    pub tenant: Tenant,
    /// The user's name.
    pub user: String,
    /// The target's display or module name.
    pub target: String,
    pub title: String,
    pub body: String,
    pub extra: Map<String, Value>,
    /// `None`: now.
    pub scheduled_delivery: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// Seconds; `None`: what the component proposes.
    pub retry_time_interval: Option<u32>,
    pub max_retries: u32,
    pub on_unknown: Option<OnUnknown>,
}

/// Why nothing was made. Nothing has been stored then.
#[derive(Debug, thiserror::Error)]
pub enum CreationError {
    #[error("The user `{0}` has opted out of notifications.")]
    UserIsOptedOut(String),
    #[error("The user `{user}` has no active record in the target {target}; `engine record add` makes one.")]
    UserHasNoTargetRecords { user: String, target: String },
    #[error("No notification was made: {0}")]
    NotificationsNotCreated(String),
    /// The creator refused the request; the text is its own.
    #[error("{}", .0.message)]
    Refused(Failure),
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Module(#[from] ModuleError),
    #[error("The component of the target {target} failed: {fault} Tell its author.")]
    Fault { target: String, fault: Fault },
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CreationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OptedOut { username } => CreationError::UserIsOptedOut(username),
            other => CreationError::Store(other),
        }
    }
}

/// Makes the notifications of a request and returns their ids; the ids of what is new come from `new_id`.
pub async fn create(
    store: &Store,
    catalog: &Catalog,
    request: &Request,
    now: Timestamp,
    new_id: impl Fn() -> Uuid,
) -> Result<Vec<Uuid>, CreationError> {
    let user = store.find_user(request.tenant, &request.user).await?;
    let target = store.find_target(request.tenant, &request.target).await?;
    if store.is_opted_out(request.tenant, user.id).await? {
        return Err(CreationError::UserIsOptedOut(user.username));
    }
    let records = store.active_records(request.tenant, user.id, target.id).await?;
    if records.is_empty() {
        return Err(CreationError::UserHasNoTargetRecords { user: user.username, target: target.name });
    }
    let ready = catalog.get(&target.notification_module_name).await?;
    schema::check("extra", &request.extra, &ready.module.manifest.extra)
        .map_err(|why| Invalid::new("extra", format!("This cannot be sent to {}: {why}.", target.name)))?;
    let scheduled_delivery = request.scheduled_delivery.unwrap_or(now);
    let retry_time_interval = request.retry_time_interval.unwrap_or(ready.module.manifest.retry_time_interval);
    let asked = host::Creation {
        user: &user,
        records: &records,
        title: &request.title,
        body: &request.body,
        extra: &request.extra,
        scheduled_delivery,
        expires_at: request.expires_at,
        retry_time_interval,
        max_retries: request.max_retries,
    };
    let report = ready.module.create(&ready.powers, &asked).await;
    let fault = |fault| CreationError::Fault { target: target.name.clone(), fault };
    let drafts = report.result.map_err(fault)?.map_err(CreationError::Refused)?;
    if drafts.is_empty() {
        return Err(CreationError::NotificationsNotCreated(format!(
            "the target {} has nothing to send for this request.",
            target.name
        )));
    }
    let mut batch = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if !records.iter().any(|record| record.id == draft.target_user_record) {
            let message = "The component made a draft for a record that was not in the request.".to_owned();
            return Err(fault(Fault { code: "wrong_result", message }));
        }
        batch.push(notification(draft, request, scheduled_delivery, retry_time_interval, new_id()));
    }
    Ok(store.create(request.tenant, &batch, now).await?.into_iter().map(Creation::id).collect())
}

fn notification(
    draft: Draft,
    request: &Request,
    scheduled_delivery: Timestamp,
    retry_time_interval: u32,
    id: Uuid,
) -> NewNotification {
    NewNotification {
        id,
        target_user_record: draft.target_user_record,
        title: draft.title,
        body: draft.body,
        extra: draft.extra,
        scheduled_delivery: draft.not_before.map_or(scheduled_delivery, |time| time.max(scheduled_delivery)),
        retry_time_interval,
        max_retries: request.max_retries,
        expires_at: request.expires_at,
        idempotency_key: None,
        on_unknown: request.on_unknown,
    }
}

/// The normal form of an address in a target, or why it can be none.
pub async fn check_address(catalog: &Catalog, target: &Target, target_user_id: &str) -> Result<String, CreationError> {
    let ready = catalog.get(&target.notification_module_name).await?;
    let report = ready.module.check_address(&ready.powers, target_user_id).await;
    let fault = |fault| CreationError::Fault { target: target.name.clone(), fault };
    report.result.map_err(fault)?.map_err(CreationError::Refused)
}
