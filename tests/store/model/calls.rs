//! One call of a verb, as it is put to the model and to each database, and what it answers.

use engine::rules::notification::{NewNotification, Notification, OnUnknown};
use engine::rules::target::{Pause, PauseKind};
use engine::store::{
    Canceling, Claim, ClaimRequest, Claims, Creation, Lost, Recheck, Settled, Settling, Store, StoreError, Targets,
    Thing,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::specification::Model;
use crate::store::TENANT;

/// A verb with its arguments, but for the time.
#[derive(Debug, Clone)]
pub enum Call {
    Create(Vec<NewNotification>),
    Claim(ClaimRequest),
    Preview(u32, Targets),
    MarkSending(Vec<(Claim, OnUnknown)>),
    Recheck(Vec<Claim>),
    Settle(Vec<Settled>),
    Release(Vec<Claim>),
    Rescue(Uuid, Lost),
    Heartbeat(Uuid),
    EngineStopped(Uuid),
    Cancel(Uuid),
    Retry(Uuid),
    Resolve(Uuid, bool),
    Remove(Uuid),
    Purge(Timestamp, u32),
    OptOut(Uuid),
    OptIn(Uuid),
    SwitchOff(Uuid),
    SwitchOn(Uuid),
    Pause(Uuid),
    Resume(Uuid),
    SlowDown(Uuid, Timestamp),
    CountFault(Uuid),
    ForgetFaults(Uuid),
}

/// What a call comes to. Compared as it is written out.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "what is only written out is not seen to be read")]
pub enum Answer {
    Done,
    Number(u64),
    Created(Vec<Creation>),
    Claims(Claims),
    Rechecked(Vec<Recheck>),
    Settled(Vec<Settling>),
    Canceling(Canceling),
    Refused(Refusal),
}

/// Why nothing was done, without the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NotFound(Thing),
    InUse(Thing),
    OptedOut,
    Inactive,
    /// The field.
    Invalid(&'static str),
    /// What no call may come to.
    Broken(String),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::NotFound { what, .. } => Refusal::NotFound(what),
            StoreError::InUse { what, .. } => Refusal::InUse(what),
            StoreError::OptedOut { .. } => Refusal::OptedOut,
            StoreError::Inactive { .. } => Refusal::Inactive,
            StoreError::Invalid(invalid) => Refusal::Invalid(invalid.field),
            StoreError::AlreadyExists { .. }
            | StoreError::Locked { .. }
            | StoreError::FutureSchema { .. }
            | StoreError::Unavailable { .. } => Refusal::Broken(format!("{error:?}")),
        }
    }
}

/// Why records are switched off and targets are paused.
const REASON: &str = "Somebody said so.";

fn pause(now: Timestamp) -> Pause {
    Pause { kind: PauseKind::Operator, reason: REASON.to_owned(), since: now }
}

impl Call {
    pub fn on_model(&self, model: &mut Model, now: Timestamp) -> Answer {
        let done = |()| Answer::Done;
        let answer = match self {
            Call::Create(batch) => model.create(batch, now).map(Answer::Created),
            Call::Claim(request) => Ok(Answer::Claims(model.claim_due(request))),
            Call::Preview(limit, targets) => Ok(Answer::Claims(model.preview_due(now, *limit, targets))),
            Call::MarkSending(claims) => model.mark_sending(claims).map(done),
            Call::Recheck(claims) => Ok(Answer::Rechecked(model.recheck(claims, now))),
            Call::Settle(batch) => Ok(Answer::Settled(model.settle(batch, now))),
            Call::Release(claims) => Ok(Answer::Number(model.release(claims, now))),
            Call::Rescue(engine, lost) => Ok(Answer::Number(model.rescue(*engine, *lost, now))),
            Call::Heartbeat(engine) => model.heartbeat(*engine, now).map(done),
            Call::EngineStopped(engine) => model.engine_stopped(*engine).map(done),
            Call::Cancel(id) => model.cancel_notification(*id, now).map(Answer::Canceling),
            Call::Retry(id) => model.retry_notification(*id, now).map(done),
            Call::Resolve(id, delivered) => model.resolve_notification(*id, *delivered, now).map(done),
            Call::Remove(id) => model.remove_notification(*id).map(done),
            Call::Purge(before, limit) => Ok(Answer::Number(model.purge(*before, *limit))),
            Call::OptOut(user) => model.opt_out(*user, now).map(Answer::Number),
            Call::OptIn(user) => model.opt_in(*user, now).map(done),
            Call::SwitchOff(record) => model.switch_off(*record, REASON).map(done),
            Call::SwitchOn(record) => model.switch_on(*record).map(done),
            Call::Pause(target) => model.pause(*target, pause(now)).map(done),
            Call::Resume(target) => model.resume(*target).map(done),
            Call::SlowDown(target, until) => model.slow_down(*target, *until).map(done),
            Call::CountFault(target) => model.count_fault(*target, pause(now)).map(Answer::Number),
            Call::ForgetFaults(target) => model.forget_faults(*target).map(done),
        };
        answer.unwrap_or_else(Answer::Refused)
    }

    pub async fn on_store(&self, store: &Store, now: Timestamp) -> Answer {
        let done = |()| Answer::Done;
        let answer = match self {
            Call::Create(batch) => store.create(TENANT, batch, now).await.map(Answer::Created),
            Call::Claim(request) => store.claim_due(request).await.map(in_order).map(Answer::Claims),
            Call::Preview(limit, targets) => {
                store.preview_due(now, *limit, targets).await.map(in_order).map(Answer::Claims)
            }
            Call::MarkSending(claims) => store.mark_sending(claims).await.map(done),
            Call::Recheck(claims) => store.recheck(claims, now).await.map(Answer::Rechecked),
            Call::Settle(batch) => store.settle(batch, now).await.map(Answer::Settled),
            Call::Release(claims) => store.release(claims, now).await.map(Answer::Number),
            Call::Rescue(engine, lost) => store.rescue(*engine, *lost, now).await.map(Answer::Number),
            Call::Heartbeat(engine) => store.heartbeat(*engine, now).await.map(done),
            Call::EngineStopped(engine) => store.engine_stopped(*engine).await.map(done),
            Call::Cancel(id) => store.cancel_notification(TENANT, *id, now).await.map(Answer::Canceling),
            Call::Retry(id) => store.retry_notification(TENANT, *id, now).await.map(done),
            Call::Resolve(id, delivered) => store.resolve_notification(TENANT, *id, *delivered, now).await.map(done),
            Call::Remove(id) => store.remove_notification(TENANT, *id).await.map(done),
            Call::Purge(before, limit) => store.purge(TENANT, *before, *limit).await.map(Answer::Number),
            Call::OptOut(user) => store.opt_out(TENANT, *user, now).await.map(Answer::Number),
            Call::OptIn(user) => store.opt_in(TENANT, *user, now).await.map(done),
            Call::SwitchOff(record) => store.switch_record_off(TENANT, *record, REASON, now).await.map(done),
            Call::SwitchOn(record) => store.switch_record_on(TENANT, *record, now).await.map(done),
            Call::Pause(target) => store.pause_target(TENANT, *target, &pause(now)).await.map(done),
            Call::Resume(target) => store.resume_target(TENANT, *target, now).await.map(done),
            Call::SlowDown(target, until) => store.slow_down_target(TENANT, *target, *until, now).await.map(done),
            Call::CountFault(target) => {
                let counted = store.count_fault(TENANT, *target, "sha256:0123", &pause(now)).await;
                counted.map(|faults| Answer::Number(faults.into()))
            }
            Call::ForgetFaults(target) => store.forget_faults(TENANT, *target).await.map(done),
        };
        answer.unwrap_or_else(|error| Answer::Refused(error.into()))
    }
}

/// In the order of the model. Nobody promises which comes first of several that are due at the same time; that earlier ones come first, the
/// store must have seen to itself.
fn in_order(mut claims: Claims) -> Claims {
    for tie in claims.claimed.chunk_by_mut(|a, b| due(&a.notification) == due(&b.notification)) {
        tie.sort_by_key(|claimed| claimed.notification.id);
    }
    for tie in claims.ended.chunk_by_mut(|a, b| due(&a.notification) == due(&b.notification)) {
        tie.sort_by_key(|ended| ended.notification.id);
    }
    claims
}

fn due(notification: &Notification) -> Timestamp {
    notification.scheduled_delivery
}
