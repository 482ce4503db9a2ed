//! Settlements: outcomes written back, under the claims that they were made with.

use std::collections::{BTreeMap, HashMap, HashSet};

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
    changes: Vec<(Claim, RecordChange, TargetChange)>,
}

/// A notification that was settled, and whose it is: its record's and its target's.
type Applied = (Tenant, Uuid, i64, Uuid, Uuid, Option<Status>);

/// What a batch changes beside its notifications, each once, and in the order of their ids: two batches that locked targets in orders of their own would wait for
/// each other.
#[derive(Default)]
struct Changes {
    records: BTreeMap<(Tenant, Uuid), String>,
    targets: BTreeMap<(Tenant, Uuid), OfTarget>,
}

/// What a target is changed by: the latest time, and the first reason.
#[derive(Default)]
struct OfTarget {
    slowed_until: Option<Timestamp>,
    pause: Option<(&'static str, String)>,
}

impl Settlements {
    pub fn of(batch: &[Settled]) -> Settlements {
        // A claim is good for one settlement, in one batch too.
        let mut seen = HashSet::with_capacity(batch.len());
        let mut batch: Vec<&Settled> = batch.iter().filter(|settled| seen.insert(settled.claim)).collect();
        // Locked in one order, whoever else locks some of them.
        batch.sort_unstable_by_key(|settled| (settled.claim.tenant, settled.claim.notification));
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
        let change = |settled: &&Settled| {
            let (record, target) = (settled.settlement.record.clone(), settled.settlement.target.clone());
            (record != RecordChange::None || target != TargetChange::None).then_some((settled.claim, record, target))
        };
        let changes = batch.iter().filter_map(change).collect();
        Settlements { standings, attempts, changes }
    }

    /// Writes all whose claims are still valid; returns what became of those.
    pub async fn write(self, connection: &mut Connection<'_>, now: Timestamp) -> Result<HashMap<Claim, Settling>> {
        let rows: Vec<Applied> = query(sql!("settle")).bind_batch(self.standings).bind(now).all(connection).await?;
        let (mut applied, mut whose) = (HashMap::new(), HashMap::new());
        for (tenant, notification, fence, record, target, ended) in rows {
            let claim = Claim { tenant, notification, fence };
            applied.insert(claim, ended.map_or(Settling::Applied, Settling::Ended));
            whose.insert(claim, (record, target));
        }
        let attempts = self.attempts.into_iter().filter(|(claim, _)| applied.contains_key(claim));
        let attempts = Batch::of(attempts.map(|(_, attempt)| attempt));
        query(sql!("add_attempts")).bind_batch(attempts).execute(connection).await?;
        let mut changes = Changes::default();
        for (claim, record, target) in self.changes {
            if let Some(whose) = whose.get(&claim) {
                changes.add(claim.tenant, *whose, record, target);
            }
        }
        changes.write(connection, now).await?;
        Ok(applied)
    }
}

impl Changes {
    fn add(
        &mut self,
        tenant: Tenant,
        (record_id, target_id): (Uuid, Uuid),
        record: RecordChange,
        target: TargetChange,
    ) {
        match record {
            RecordChange::None => {}
            RecordChange::SwitchOff { reason } => {
                self.records.entry((tenant, record_id)).or_insert_with(|| limits::cut(&reason, MAX_REASON));
            }
        }
        match target {
            TargetChange::None => {}
            TargetChange::SlowDown { until } => {
                let of_target = self.targets.entry((tenant, target_id)).or_default();
                of_target.slowed_until = of_target.slowed_until.max(Some(until));
            }
            TargetChange::Pause { kind, reason } => {
                let of_target = self.targets.entry((tenant, target_id)).or_default();
                of_target.pause.get_or_insert_with(|| (kind.as_str(), limits::cut(&reason, MAX_REASON)));
            }
        }
    }

    async fn write(self, connection: &mut Connection<'_>, now: Timestamp) -> Result<()> {
        for ((tenant, id), reason) in self.records {
            let off = query(sql!("switch_record_off")).bind(tenant).bind(id).bind(reason).bind(now);
            off.execute(connection).await?;
        }
        for ((tenant, id), OfTarget { slowed_until, pause }) in self.targets {
            if let Some(until) = slowed_until {
                let slow = query(sql!("slow_down_target")).bind(tenant).bind(id).bind(until).bind(now);
                slow.execute(connection).await?;
            }
            if let Some((kind, reason)) = pause {
                let pause = query(sql!("pause_target")).bind(tenant).bind(id).bind(kind).bind(reason).bind(now);
                pause.execute(connection).await?;
            }
        }
        Ok(())
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
