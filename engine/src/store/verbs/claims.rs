//! Claims: found, taken, given back.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::rows::{MaybeTime, NotificationRow, RecordRow, TargetRow, UserRow, model};
use crate::rules::memory;
use crate::rules::notification::{Notification, OnUnknown};
use crate::rules::status::Status;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::store::statement::{Connection, document, query, sql};
use crate::store::values::{Batch, Value};
use crate::store::{
    Claim, ClaimRequest, Claimed, Claims, Ended, PreviousAttempt, Recheck, Result, Store, StoreError, Targets,
};

impl Store {
    /// Claims what is due, earliest first, in targets that are neither paused nor slowed down; ends what must not be
    /// sent any more. When it returns, the claims are on the disk. Whoever drops the future may leave claims behind
    /// that nobody holds, until their lease ends.
    pub async fn claim_due(&self, request: &ClaimRequest) -> Result<Claims> {
        let ClaimRequest { engine, now, lease_until, limit, bytes, ref targets } = *request;
        let wanted = Wanted::of(now, limit, bytes, targets);
        let claims = self.write(move |mut connection| {
            Box::pin(async move {
                let due = wanted.find(&mut connection).await?;
                if due.is_empty() {
                    return Ok(Claims::default());
                }
                take(&mut connection, &due, engine, now, lease_until).await?;
                let targets = targets_of(&mut connection, &due).await?;
                sort_out(due, &targets)
            })
        });
        claims.await
    }

    /// What `claim_due` would find, without claiming or ending anything; the claims in it are not valid.
    pub async fn preview_due(&self, now: Timestamp, limit: u32, targets: &Targets) -> Result<Claims> {
        let wanted = Wanted::of(now, limit, usize::MAX, targets);
        self.read(move |mut connection| {
            Box::pin(async move {
                let due = wanted.find(&mut connection).await?;
                let targets = targets_of(&mut connection, &due).await?;
                sort_out(due, &targets)
            })
        })
        .await
    }

    /// Gives claims back that were not used: nothing was sent, and nothing counts. Returns how many were still valid.
    pub async fn release(&self, claims: &[Claim], now: Timestamp) -> Result<u64> {
        let claims = Batch::of(claims.iter().map(columns));
        self.write(move |mut connection| {
            Box::pin(
                async move { Ok(query(sql!("release")).bind_batch(claims).bind(now).execute(&mut connection).await?) },
            )
        })
        .await
    }

    /// Gives back what a claim of this engine until `lease_until` took whose answer never came: nobody else knows of it. Walks through all that
    /// is due. Returns how many that were.
    pub async fn release_unanswered(&self, engine: Uuid, lease_until: Timestamp, now: Timestamp) -> Result<u64> {
        self.write(move |mut connection| {
            Box::pin(async move {
                let release = query(sql!("release_unanswered")).bind(engine).bind(lease_until).bind(now);
                Ok(release.execute(&mut connection).await?)
            })
        })
        .await
    }

    /// Notes that the sends of these claims may begin from now on, and under which policies. Claims that are not valid any more are passed
    /// over.
    pub async fn mark_sending(&self, claims: &[(Claim, OnUnknown)]) -> Result<()> {
        let held = Batch::of(claims.iter().map(|(claim, on_unknown)| with(claim, on_unknown.as_str())));
        self.write(move |mut connection| {
            Box::pin(async move {
                query(sql!("mark_sending")).bind_batch(held).execute(&mut connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Asks right before the send whether claims may still be used, and ends what must not be sent any more: the user has opted out, the
    /// record was switched off, the expiry has passed, it was canceled. Answers in the same order.
    pub async fn recheck(&self, claims: &[Claim], now: Timestamp) -> Result<Vec<Recheck>> {
        let held = Batch::of(claims.iter().map(columns));
        // Almost always all of them may be sent, which a reader can tell.
        let unsendable = query(sql!("unsendable_claims")).bind_batch(held.clone()).bind(now);
        if self.read_optional::<Unsendable>(unsendable).await?.is_none() {
            return Ok(vec![Recheck::Send; claims.len()]);
        }
        let claims = claims.to_vec();
        self.write(move |mut connection| {
            Box::pin(async move {
                let unsendable: Vec<Unsendable> =
                    query(sql!("unsendable_claims")).bind_batch(held).bind(now).all(&mut connection).await?;
                let mut answers = vec![Recheck::Send; claims.len()];
                let mut ended = Vec::new();
                for (place, status) in unsendable {
                    let (Some(answer), Some(claim)) = (answers.get_mut(place), claims.get(place)) else { continue };
                    *answer = status.map_or(Recheck::Stale, Recheck::Ended);
                    if let Some(status) = status {
                        ended.push(with(claim, status.as_str()));
                    }
                }
                query(sql!("end_claims"))
                    .bind_batch(Batch::of(ended.into_iter()))
                    .bind(now)
                    .execute(&mut connection)
                    .await?;
                Ok(answers)
            })
        })
        .await
    }

    /// When the next notification can be claimed, or could have been; `None` if nothing waits in any target that is not
    /// paused.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        let earliest: MaybeTime = self.read_one(query(sql!("next_due"))).await?;
        Ok(earliest.0)
    }
}

/// A claim's place in the list that was asked about, and what its notification ends in; `None` if the claim itself is not valid any more.
type Unsendable = (usize, Option<Status>);

/// What `claim_due` is asked for.
struct Wanted {
    now: Timestamp,
    limit: u32,
    bytes: usize,
    only: Option<String>,
    but: Option<String>,
}

impl Wanted {
    fn of(now: Timestamp, limit: u32, bytes: usize, targets: &Targets) -> Wanted {
        let ids = |ids: &[Uuid]| Some(document(ids.iter().map(|id| id.simple())));
        let (only, but) = match targets {
            Targets::All => (None, None),
            Targets::Only(wanted) => (ids(wanted), None),
            Targets::AllBut(unwanted) => (None, ids(unwanted)),
        };
        Wanted { now, limit, bytes, only, but }
    }

    async fn find(self, connection: &mut Connection<'_>) -> Result<Vec<Due>> {
        let Wanted { now, limit, bytes, only, but } = self;
        let memory = |due: &Due| memory::of_notification(&due.notification) + memory::of_user(&due.user);
        let due = query(sql!("claim_due")).bind(now).bind(limit).bind(only).bind(but);
        Ok(due.all_within(connection, bytes, memory).await?)
    }
}

/// A notification that is due, as the claim found it.
#[derive(Deserialize)]
struct Due {
    /// If it must not be sent.
    ends_in: Option<Status>,
    fence: i64,
    attempts: u32,
    lease_deaths: u32,
    /// The three of `PreviousAttempt`.
    last: MaybeTime,
    provider_id: Option<String>,
    unknown_since: MaybeTime,
    #[serde(deserialize_with = "model::<NotificationRow, _, _>")]
    notification: Notification,
    #[serde(deserialize_with = "model::<UserRow, _, _>")]
    user: User,
    #[serde(deserialize_with = "model::<RecordRow, _, _>")]
    record: TargetUserRecord,
}

/// A claim as a row of a batch.
fn columns(claim: &Claim) -> [Value; 3] {
    [claim.tenant.into(), claim.notification.into(), claim.fence.into()]
}

/// The same, with what is to be written.
fn with(claim: &Claim, text: &str) -> [Value; 4] {
    [claim.tenant.into(), claim.notification.into(), claim.fence.into(), text.into()]
}

/// Writes the claims down, and the ends of those that must not be sent.
async fn take(
    connection: &mut Connection<'_>,
    due: &[Due],
    engine: Uuid,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<()> {
    let claimed = due.iter().filter(|due| due.ends_in.is_none());
    let claimed = Batch::of(claimed.map(|due| [due.notification.tenant.into(), due.notification.id.into()]));
    query(sql!("take_claims")).bind_batch(claimed).bind(engine).bind(now).bind(lease_until).execute(connection).await?;
    let ended = Batch::of(due.iter().filter_map(|due| {
        Some([due.notification.tenant.into(), due.notification.id.into(), due.ends_in?.as_str().into()])
    }));
    query(sql!("end_unsendable")).bind_batch(ended).bind(now).execute(connection).await?;
    Ok(())
}

type TargetsById = HashMap<(Tenant, Uuid), Arc<Target>>;

/// The targets of a batch: few, so that they are not repeated in each of its rows.
async fn targets_of(connection: &mut Connection<'_>, due: &[Due]) -> Result<TargetsById> {
    let mut keys: Vec<_> = due.iter().map(|due| (due.notification.tenant, due.record.target)).collect();
    keys.sort_unstable();
    keys.dedup();
    let keys = Batch::of(keys.into_iter().map(|(tenant, target)| [tenant.into(), target.into()]));
    let rows: Vec<(Tenant, TargetRow)> = query(sql!("claim_targets")).bind_batch(keys).all(connection).await?;
    let mut targets = HashMap::with_capacity(rows.len());
    for (tenant, target) in rows {
        let target = Target::from(target);
        targets.insert((tenant, target.id), Arc::new(target));
    }
    Ok(targets)
}

fn sort_out(due: Vec<Due>, targets: &TargetsById) -> Result<Claims> {
    let mut claims = Claims { claimed: Vec::with_capacity(due.len()), ended: Vec::new() };
    for due in due {
        let Due { notification, user, record, .. } = due;
        let target = targets.get(&(notification.tenant, record.target)).cloned().ok_or_else(lost_target)?;
        if let Some(status) = due.ends_in {
            claims.ended.push(Ended { status, notification, user, record, target });
            continue;
        }
        let previous = due.last.0.map(|last| PreviousAttempt {
            last,
            provider_id: due.provider_id.unwrap_or_default(),
            unknown_since: due.unknown_since.0,
        });
        let claim = Claim { tenant: notification.tenant, notification: notification.id, fence: due.fence + 1 };
        let (attempt, lease_deaths) = (due.attempts + 1, due.lease_deaths);
        claims.claimed.push(Claimed { claim, notification, user, record, target, attempt, previous, lease_deaths });
    }
    Ok(claims)
}

/// Cannot be, as long as the foreign keys hold.
fn lost_target() -> StoreError {
    StoreError::Unavailable {
        sentence: "A notification has lost its target: restore the database from a backup.".to_owned(),
        passing: false,
        source: None,
    }
}
