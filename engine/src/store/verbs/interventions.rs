//! What people decide about a notification: it is not wanted any more, it is to be tried again, it is known what became of it; and whether anybody
//! has decided something since a claim was made.

use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::notifications::{not_found, refuse_unreachable};
use super::rows::{Flag, MaybeTime};
use crate::rules::limits::Invalid;
use crate::rules::status::Status;
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, query, sql};
use crate::store::values::Batch;
use crate::store::{Canceling, Interventions, Result, Store};

impl Store {
    /// Takes a notification back that waits. What an engine has claimed is marked: it is sent only if its send has begun, and is not tried
    /// again. Fails with `Invalid` if it has ended.
    pub async fn cancel_notification(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<Canceling> {
        self.write(move |mut connection| {
            Box::pin(async move {
                let cancel = query(sql!("cancel_notification")).bind(tenant).bind(id).bind(now);
                match cancel.optional::<Status>(&mut connection).await? {
                    Some(Status::Canceled) => Ok(Canceling::Canceled),
                    Some(_) => Ok(Canceling::Marked),
                    None => {
                        let Standing { status, .. } = standing(&mut connection, tenant, id).await?;
                        Err(ended(status, "it does not wait any more, so that there is nothing to cancel").into())
                    }
                }
            })
        })
        .await
    }

    /// Makes a notification due at once that failed, whose outcome is not known, or that waits for another attempt, with all its retries
    /// before it again. Fails with `Invalid` in other statuses and after its expiry, with `OptedOut` or `Inactive` if it could not be sent.
    pub async fn retry_notification(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        let retried = self.write(move |mut connection| {
            Box::pin(async move {
                let Standing { record, status, expires_at } = standing(&mut connection, tenant, id).await?;
                if !status.may_be_retried() {
                    let why = "only what failed, is UNKNOWN or waits for another attempt is tried again; `engine notify` makes a new one";
                    return Err(ended(status, why).into());
                }
                refuse_unreachable(&mut connection, tenant, Batch::of_ids([record].into_iter())).await?;
                if expires_at.0.is_some_and(|expiry| expiry <= now) {
                    let sentence = "It has expired, and would not be sent: make a new one.";
                    return Err(Invalid::new("expires_at", sentence).into());
                }
                let retry = query(sql!("retry_notification")).bind(tenant).bind(id).bind(now);
                if retry.execute(&mut connection).await? > 0 {
                    return Ok(());
                }
                Err(Invalid::new("status", "It is being delivered at this moment: see what comes of it.").into())
            })
        });
        retried.await?;
        self.announce();
        Ok(())
    }

    /// Writes down what a person knows of a notification that is UNKNOWN: it was delivered, or it was not. Fails with `Invalid` in other
    /// statuses.
    pub async fn resolve_notification(&self, tenant: Tenant, id: Uuid, delivered: bool, now: Timestamp) -> Result<()> {
        let resolved = if delivered { Status::Delivered } else { Status::DeliveryFailure };
        self.write(move |mut connection| {
            Box::pin(async move {
                let resolve =
                    query(sql!("resolve_notification")).bind(tenant).bind(id).bind(resolved.as_str()).bind(now);
                if resolve.execute(&mut connection).await? > 0 {
                    return Ok(());
                }
                let Standing { status, .. } = standing(&mut connection, tenant, id).await?;
                Err(ended(status, "only what is UNKNOWN can be resolved").into())
            })
        })
        .await
    }
}

impl Store {
    /// All interventions until now. A claim that is made after this has seen them.
    pub async fn interventions(&self) -> Result<Interventions> {
        Ok(Interventions(self.read_one(query(sql!("interventions"))).await?))
    }

    /// Whether somebody has intervened since: a user opted out, a record was switched off, a notification was canceled, a claim was taken from
    /// whoever held it. Where nobody has, `recheck` would find nothing but what has expired. May say so of what was seen already.
    pub async fn has_intervened(&self, since: Interventions) -> Result<bool> {
        let has: Flag = self.read_one(query(sql!("has_intervened")).bind(since.0)).await?;
        Ok(has.0)
    }
}

/// What decides whether a notification can be tried again.
#[derive(Deserialize)]
struct Standing {
    record: Uuid,
    status: Status,
    expires_at: MaybeTime,
}

async fn standing(connection: &mut Connection<'_>, tenant: Tenant, id: Uuid) -> Result<Standing> {
    let found = query(sql!("notification_standing")).bind(tenant).bind(id).optional(connection).await?;
    found.ok_or_else(|| not_found(id))
}

fn ended(status: Status, why: &str) -> Invalid {
    Invalid::new("status", format!("It is {status}: {why}."))
}
