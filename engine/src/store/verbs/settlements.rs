//! Settlements: outcomes written back, under the claims that they were made with.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use uuid::Uuid;

use crate::rules::attempt::{MAX_CODE, MAX_DIGEST, MAX_LOG, MAX_MESSAGE, MAX_PROVIDER_ID};
use crate::rules::limits;
use crate::rules::retry::{RecordChange, TargetChange};
use crate::rules::status::Status;
use crate::rules::target::MAX_REASON;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::values::{Batch, Value};
use crate::store::{Claim, Result, Settled, Settling, Store};

impl Store {
    /// Writes outcomes back, with their attempts and what they change about records and targets, in one transaction;
    /// answers in the same order. A claim that is not valid any more changes nothing.
    pub async fn settle(&self, batch: &[Settled], now: Timestamp) -> Result<Vec<Settling>> {
        let settlements = Settlements::of(batch);
        let written = self
            .write(move |mut connection| Box::pin(async move { settlements.write(&mut connection, now).await }))
            .await?;
        Ok(in_order(batch, written))
    }
}

/// A batch made ready for the database, so that in a transaction there is nothing left to do but to hand it over.
pub struct Settlements {
    standings: Batch,
    attempts: Vec<(Claim, [Value; 15])>,
    changes: Vec<(Claim, Change)>,
}

/// What a settlement changes beside the notification.
enum Change {
    SwitchRecordOff { reason: String },
    SlowTargetDown { until: Timestamp },
    PauseTarget { kind: &'static str, reason: String },
}

impl Settlements {
    pub fn of(batch: &[Settled]) -> Settlements {
        // A claim is good for one settlement, in one batch too.
        let mut seen = HashSet::with_capacity(batch.len());
        let batch: Vec<&Settled> = batch.iter().filter(|settled| seen.insert(settled.claim)).collect();
        let standings = Batch::of(batch.iter().map(|settled| {
            let (claim, settlement) = (settled.claim, &settled.settlement);
            [
                claim.tenant.into(),
                claim.notification.into(),
                claim.fence.into(),
                settlement.status.as_str().into(),
                settlement.scheduled_delivery.into(),
                settlement.attempted_delivery.into(),
                settlement.retry_attempts.into(),
                settled.attempt.number.into(),
                settled.lease_deaths.into(),
            ]
        }));
        let attempts = batch.iter().map(|settled| (settled.claim, attempt_columns(settled))).collect();
        let mut changes = Vec::new();
        for settled in batch {
            match &settled.settlement.record {
                RecordChange::None => {}
                RecordChange::SwitchOff { reason } => {
                    let reason = limits::cut(reason, MAX_REASON);
                    changes.push((settled.claim, Change::SwitchRecordOff { reason }));
                }
            }
            match &settled.settlement.target {
                TargetChange::None => {}
                TargetChange::SlowDown { until } => {
                    changes.push((settled.claim, Change::SlowTargetDown { until: *until }));
                }
                TargetChange::Pause { kind, reason } => {
                    let reason = limits::cut(reason, MAX_REASON);
                    changes.push((settled.claim, Change::PauseTarget { kind: kind.as_str(), reason }));
                }
            }
        }
        Settlements { standings, attempts, changes }
    }

    /// Writes all whose claims are still valid; returns what became of those.
    pub async fn write(self, connection: &mut Connection<'_>, now: Timestamp) -> Result<HashMap<Claim, Settling>> {
        let applied: Vec<(Tenant, Uuid, i64, Option<Status>)> =
            query(sql!("settle")).bind_batch(self.standings).bind(now).all(connection).await?;
        let applied: HashMap<Claim, Settling> = applied
            .into_iter()
            .map(|(tenant, notification, fence, ended)| {
                let settling = ended.map_or(Settling::Applied, Settling::Ended);
                (Claim { tenant, notification, fence }, settling)
            })
            .collect();
        let attempts = self.attempts.into_iter().filter(|(claim, _)| applied.contains_key(claim));
        let attempts = Batch::of(attempts.map(|(_, attempt)| attempt));
        query(sql!("add_attempts")).bind_batch(attempts).execute(connection).await?;
        for (claim, change) in self.changes.iter().filter(|(claim, _)| applied.contains_key(claim)) {
            make_change(connection, *claim, change, now).await?;
        }
        Ok(applied)
    }
}

/// One row for the history.
fn attempt_columns(settled: &Settled) -> [Value; 15] {
    let attempt = &settled.attempt;
    [
        settled.claim.tenant.into(),
        settled.claim.notification.into(),
        attempt.number.into(),
        attempt.started_at.into(),
        attempt.finished_at.into(),
        attempt.outcome.as_str().into(),
        fitting(&attempt.code, MAX_CODE).into(),
        fitting(&attempt.message, MAX_MESSAGE).into(),
        fitting(&attempt.provider_id, MAX_PROVIDER_ID).into(),
        attempt.phase.map(|phase| phase.as_str()).into(),
        fitting(&attempt.log, MAX_LOG).into(),
        attempt.component_digest.as_deref().map(|digest| fitting(digest, MAX_DIGEST)).into(),
        attempt.engine.into(),
        attempt.request_hash.as_deref().map(|hash| fitting(hash, MAX_DIGEST)).into(),
        // Four numbers can always be written.
        attempt.usage.and_then(|usage| serde_json::to_string(&usage).ok()).into(),
    ]
}

/// A text of others, cut where it does not fit: one that is too long must not fail the whole batch.
fn fitting(text: &str, most: usize) -> String {
    if text.len() <= most && !text.contains('\0') { text.to_owned() } else { limits::cut(text, most) }
}

async fn make_change(
    connection: &mut Connection<'_>,
    Claim { tenant, notification, fence: _ }: Claim,
    change: &Change,
    now: Timestamp,
) -> Result<()> {
    let change = match change {
        Change::SwitchRecordOff { reason } => query(sql!("settle_record_off")).bind(reason.as_str()),
        Change::SlowTargetDown { until } => query(sql!("settle_slow_down")).bind(*until),
        Change::PauseTarget { kind, reason } => query(sql!("settle_pause")).bind(*kind).bind(reason.as_str()),
    };
    change.bind(tenant).bind(notification).bind(now).execute(connection).await?;
    Ok(())
}

/// One answer for each of the batch. A claim that is in it twice is valid once. The statement cannot tell what ended instead of waiting from
/// what was to end like that anyway.
fn in_order(batch: &[Settled], mut written: HashMap<Claim, Settling>) -> Vec<Settling> {
    let answer = |settled: &Settled| match written.remove(&settled.claim) {
        Some(Settling::Ended(status)) if status == settled.settlement.status => Settling::Applied,
        Some(settling) => settling,
        None => Settling::Stale,
    };
    batch.iter().map(answer).collect()
}
