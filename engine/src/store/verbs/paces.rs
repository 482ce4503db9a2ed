//! How long the calls of targets take, as far as that is known: engines find out, and the next ones begin with it.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::MaybeTime;
use crate::rules::tenant::Tenant;
use crate::store::statement::{query, sql};
use crate::store::{Result, Store};

impl Store {
    /// The targets whose component has been called, and until when they count as slow, if they do.
    pub async fn paces(&self, tenant: Tenant) -> Result<Vec<(Uuid, Option<Timestamp>)>> {
        let found: Vec<(Uuid, MaybeTime)> =
            self.read_all::<(Uuid, MaybeTime), _>(query(sql!("paces")).bind(tenant)).await?;
        Ok(found.into_iter().map(|(target, slow_until)| (target, slow_until.0)).collect())
    }

    /// Keeps that a target was called, and until when it counts as slow, if it does; a later time that stands already is kept. Of a target that is gone
    /// nothing is.
    pub async fn note_pace(&self, tenant: Tenant, target: Uuid, slow_until: Option<Timestamp>) -> Result<()> {
        let note = query(sql!("note_pace")).bind(tenant).bind(target).bind(slow_until);
        self.write(move |mut connection| {
            Box::pin(async move {
                note.execute(&mut connection).await?;
                Ok(())
            })
        })
        .await
    }
}
