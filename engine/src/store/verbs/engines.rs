//! Engines: their heartbeats, and the claims that the dead ones left behind.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::rows::{Flag, MaybeTime, Time};
use super::settlements::Settlements;
use crate::rules::attempt::Attempt;
use crate::rules::notification::OnUnknown;
use crate::rules::rescue::{Rescue, rescue};
use crate::rules::retry::Standing;
use crate::rules::tenant::Tenant;
use crate::store::statement::{query, sql};
use crate::store::{Claim, Lost, Result, Settled, Store};

/// Lost claims are settled so many at a time, so that other work gets its turn in between.
const BATCH: u32 = 500;
/// An engine whose clock is ahead by more than this is not expected.
const LEAD: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// What time it is for everybody who uses this database: the server's time, or the machine's that has the file.
    pub async fn time(&self) -> Result<Timestamp> {
        let time: Time = self.read_one(query(sql!("time"))).await?;
        Ok(time.0)
    }

    /// Notes that time has gone back by so much to `now`. What waits and was written in what is the future again is put back as well, as far as
    /// it was due already or is to be tried again: its time followed from the clock. A time that somebody chose stays. Returns how many that
    /// were.
    pub async fn time_went_back(&self, now: Timestamp, by: Duration) -> Result<u64> {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.write_again(move |mut connection| {
            Box::pin(async move {
                query(sql!("put_heartbeats_back")).bind(now).execute(&mut connection).await?;
                let put_back = query(sql!("put_notifications_back")).bind(now).bind(by);
                Ok(put_back.execute(&mut connection).await?)
            })
        })
        .await
    }

    /// Says that an engine is alive; the first time makes it known.
    pub async fn heartbeat(&self, engine: Uuid, now: Timestamp) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move {
                query(sql!("heartbeat")).bind(engine).bind(now).execute(&mut connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Says that an engine has stopped. Claims that it left behind are lost ones.
    pub async fn engine_stopped(&self, engine: Uuid) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move {
                query(sql!("engine_stopped")).bind(engine).execute(&mut connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Whether there may be engines that died: one that is known and has not been heard of since `since`.
    pub async fn has_silent_engines(&self, but: Uuid, since: Timestamp) -> Result<bool> {
        let has: Flag = self.read_one(query(sql!("has_silent_engines")).bind(but).bind(since)).await?;
        Ok(has.0)
    }

    /// Takes claims from engines that will not settle them, and forgets those engines; `rules::rescue` says what becomes of each. Walks through
    /// all that is due. Returns how many there were.
    pub async fn rescue(&self, engine: Uuid, lost: Lost, now: Timestamp) -> Result<u64> {
        let mut rescued = 0;
        loop {
            let in_batch = self.rescue_batch(engine, lost, now).await?;
            rescued += in_batch;
            if in_batch < u64::from(BATCH) {
                return Ok(rescued);
            }
        }
    }

    async fn rescue_batch(&self, engine: Uuid, lost: Lost, now: Timestamp) -> Result<u64> {
        let silent_since = match lost {
            Lost::OfOthers => None,
            Lost::OfSilentSince(time) => Some(time),
        };
        self.write(move |mut connection| {
            Box::pin(async move {
                let lost: Vec<LostClaim> = query(sql!("lost_claims"))
                    .bind(engine)
                    .bind(now)
                    .bind(silent_since)
                    .bind(BATCH)
                    .bind(now.checked_add(LEAD).unwrap_or(Timestamp::MAX))
                    .all(&mut connection)
                    .await?;
                if !lost.is_empty() {
                    // Whoever held them may still be alive.
                    query(sql!("intervene")).bind(now).execute(&mut connection).await?;
                }
                let settled: Vec<Settled> = lost.iter().map(|lost| rescued(lost, now)).collect();
                let applied = Settlements::of(&settled).write(&mut connection, now).await?;
                if lost.len() < BATCH as usize {
                    let forget = query(sql!("forget_silent_engines")).bind(engine).bind(silent_since);
                    forget.execute(&mut connection).await?;
                }
                Ok(applied.len() as u64)
            })
        })
        .await
    }
}

/// A claim that nobody will settle any more, with the standing of its notification.
#[derive(Deserialize)]
struct LostClaim {
    tenant: Tenant,
    notification: Uuid,
    fence: i64,
    attempts: u32,
    claimed_by: Uuid,
    claimed_at: Time,
    sending: Option<OnUnknown>,
    lease_deaths: u32,
    scheduled_delivery: Time,
    attempted_delivery: MaybeTime,
    retry_time_interval: u32,
    retry_attempts: u32,
    max_retries: u32,
    expires_at: MaybeTime,
}

fn rescued(lost: &LostClaim, now: Timestamp) -> Settled {
    let standing = Standing {
        scheduled_delivery: lost.scheduled_delivery.0,
        attempted_delivery: lost.attempted_delivery.0,
        retry_time_interval: lost.retry_time_interval,
        retry_attempts: lost.retry_attempts,
        max_retries: lost.max_retries,
        expires_at: lost.expires_at.0,
    };
    let Rescue { settlement, outcome, lease_deaths } = rescue(&standing, lost.sending, lost.lease_deaths, now);
    Settled {
        claim: Claim { tenant: lost.tenant, notification: lost.notification, fence: lost.fence },
        settlement,
        attempt: Attempt::new(lost.attempts + 1, lost.claimed_at.0, now, &outcome, lost.claimed_by),
        lease_deaths,
    }
}
