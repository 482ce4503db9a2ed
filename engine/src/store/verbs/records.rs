//! Target user records.

use jiff::Timestamp;
use uuid::Uuid;

use super::rows::{ListedRecordRow, RecordRow};
use super::{targets, users};
use crate::rules::limits;
use crate::rules::target::{MAX_REASON, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::store::statement::{Connection, Query, query, sql};
use crate::store::{ListedRecord, RecordFilter, Result, Store, StoreError, Thing, Upserted, trouble};

impl Store {
    /// Stores a new record. Fails with `AlreadyExists` if the user has this address in this target already, with
    /// `NotFound` if there is no such user or target.
    pub async fn add_record(&self, tenant: Tenant, record: &TargetUserRecord, now: Timestamp) -> Result<()> {
        record.check()?;
        let record = record.clone();
        self.write(move |mut connection| {
            Box::pin(async move {
                users::username(&mut connection, tenant, record.user).await?;
                targets::name(&mut connection, tenant, record.target).await?;
                insert(&mut connection, tenant, &record, now).await
            })
        })
        .await
    }

    /// Stores a record, or changes the description of the one that the user has with this address in this target, which otherwise stays
    /// as it is. Gives what there is afterwards.
    pub async fn upsert_record(
        &self,
        tenant: Tenant,
        record: &TargetUserRecord,
        now: Timestamp,
    ) -> Result<(Upserted, TargetUserRecord)> {
        record.check()?;
        let record = record.clone();
        self.write(move |mut connection| {
            Box::pin(async move {
                users::username(&mut connection, tenant, record.user).await?;
                targets::name(&mut connection, tenant, record.target).await?;
                let row: Option<RecordRow> = query(sql!("find_record_at"))
                    .bind(tenant)
                    .bind(record.user)
                    .bind(record.target)
                    .bind(record.target_user_id.as_str())
                    .optional(&mut connection)
                    .await?;
                let Some(row) = row else {
                    insert(&mut connection, tenant, &record, now).await?;
                    return Ok((Upserted::Added, record));
                };
                let known = TargetUserRecord::from(row);
                if known.description == record.description {
                    return Ok((Upserted::Unchanged, known));
                }
                query(sql!("describe_record"))
                    .bind(tenant)
                    .bind(known.id)
                    .bind(record.description.as_str())
                    .bind(now)
                    .execute(&mut connection)
                    .await?;
                Ok((Upserted::Changed, TargetUserRecord { description: record.description, ..known }))
            })
        })
        .await
    }

    /// The records that pass the filter, by username and address.
    pub async fn list_records(&self, tenant: Tenant, filter: &RecordFilter) -> Result<Vec<ListedRecord>> {
        let records = query(sql!("list_records")).bind(tenant).bind(filter.user).bind(filter.target);
        self.read_all::<ListedRecordRow, _>(records).await
    }

    /// The record with this id.
    pub async fn find_record(&self, tenant: Tenant, id: Uuid) -> Result<ListedRecord> {
        let row: Option<ListedRecordRow> = self.read_optional(query(sql!("find_record")).bind(tenant).bind(id)).await?;
        row.map(ListedRecord::from).ok_or_else(|| not_found(id))
    }

    /// Where a user can be reached in a target; empty if nowhere.
    pub async fn active_records(&self, tenant: Tenant, user: Uuid, target: Uuid) -> Result<Vec<TargetUserRecord>> {
        self.read_all::<RecordRow, _>(query(sql!("active_records")).bind(tenant).bind(user).bind(target)).await
    }

    /// Removes a record with its notifications and their history. Fails with `InUse` while something is being delivered
    /// to it.
    pub async fn remove_record(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write_again(move |mut connection| {
            Box::pin(async move {
                let name = address(&mut connection, tenant, id).await?;
                let remedy = "something is being delivered to it, so try again in a minute";
                let in_use = StoreError::InUse { what: Thing::Record, name, remedy };
                query(sql!("remove_record"))
                    .bind(tenant)
                    .bind(id)
                    .execute(&mut connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                Ok(())
            })
        })
        .await
    }

    /// Sends nothing more to a record, for a reason that people can read. One that is off already keeps its first
    /// reason.
    pub async fn switch_record_off(&self, tenant: Tenant, id: Uuid, reason: &str, now: Timestamp) -> Result<()> {
        let change =
            query(sql!("switch_record_off")).bind(tenant).bind(id).bind(limits::cut(reason, MAX_REASON)).bind(now);
        self.change_record(tenant, id, change).await
    }

    /// Sends to a record again.
    pub async fn switch_record_on(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        let change = query(sql!("switch_record_on")).bind(tenant).bind(id).bind(now);
        self.change_record(tenant, id, change).await
    }

    /// Reaches a record's user at another address. Fails with `AlreadyExists` if another record of the user has it.
    pub async fn change_address(&self, tenant: Tenant, record: &TargetUserRecord, now: Timestamp) -> Result<()> {
        record.check()?;
        let (id, new) = (record.id, record.target_user_id.clone());
        let change = query(sql!("change_address")).bind(tenant).bind(id).bind(new.as_str()).bind(now);
        self.write(move |mut connection| {
            Box::pin(async move {
                address(&mut connection, tenant, id).await?;
                change.execute(&mut connection).await.map_err(|error| {
                    trouble::if_taken(error, StoreError::AlreadyExists { what: Thing::Record, name: new })
                })?;
                Ok(())
            })
        })
        .await
    }

    /// Runs a statement about a record, which must exist but need not be changed by it.
    async fn change_record(&self, tenant: Tenant, id: Uuid, change: Query) -> Result<()> {
        self.write(move |mut connection| {
            Box::pin(async move {
                address(&mut connection, tenant, id).await?;
                change.execute(&mut connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Stores a new record.
pub async fn insert(
    connection: &mut Connection<'_>,
    tenant: Tenant,
    record: &TargetUserRecord,
    now: Timestamp,
) -> Result<()> {
    query(sql!("add_record"))
        .bind(tenant)
        .bind(record.id)
        .bind(record.user)
        .bind(record.target)
        .bind(record.target_user_id.as_str())
        .bind(record.description.as_str())
        .bind(record.active)
        .bind(record.inactive_reason.as_deref())
        .bind(now)
        .execute(connection)
        .await
        .map_err(|error| {
            let taken = StoreError::AlreadyExists { what: Thing::Record, name: record.target_user_id.clone() };
            trouble::if_taken(error, taken)
        })?;
    Ok(())
}

/// The address of the record with this id, which must exist.
async fn address(connection: &mut Connection<'_>, tenant: Tenant, id: Uuid) -> Result<String> {
    let address: Option<String> = query(sql!("record_address")).bind(tenant).bind(id).optional(connection).await?;
    address.ok_or_else(|| not_found(id))
}

fn not_found(id: Uuid) -> StoreError {
    StoreError::not_found(Thing::Record, id.to_string())
}
