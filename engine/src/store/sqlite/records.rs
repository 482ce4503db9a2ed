//! Target user records.

use jiff::Timestamp;
use sqlx::query;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use uuid::Uuid;

use super::rows::{self, ListedRecordRow, RecordRow};
use super::{Sqlite, sql, targets, trouble, users};
use crate::rules::limits;
use crate::rules::target::{MAX_REASON, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::store::{ListedRecord, RecordFilter, Result, StoreError, Thing, Upserted};

impl Sqlite {
    pub async fn add_record(&self, tenant: Tenant, record: &TargetUserRecord, now: Timestamp) -> Result<()> {
        let record = record.clone();
        self.write(move |connection| {
            Box::pin(async move {
                users::username(connection, tenant, record.user).await?;
                targets::name(connection, tenant, record.target).await?;
                insert(connection, tenant, &record, now).await
            })
        })
        .await
    }

    pub async fn upsert_record(
        &self,
        tenant: Tenant,
        record: &TargetUserRecord,
        now: Timestamp,
    ) -> Result<(Upserted, TargetUserRecord)> {
        let record = record.clone();
        self.write(move |connection| {
            Box::pin(async move {
                users::username(connection, tenant, record.user).await?;
                targets::name(connection, tenant, record.target).await?;
                let row = query(sql!("find_record_at"))
                    .bind(tenant.0)
                    .bind(record.user)
                    .bind(record.target)
                    .bind(&record.target_user_id)
                    .fetch_optional(&mut *connection)
                    .await?;
                let Some(row) = row else {
                    insert(connection, tenant, &record, now).await?;
                    return Ok((Upserted::Added, record));
                };
                let known = TargetUserRecord::from(rows::read::<RecordRow>(&row)?);
                if known.description == record.description {
                    return Ok((Upserted::Unchanged, known));
                }
                query(sql!("describe_record"))
                    .bind(tenant.0)
                    .bind(known.id)
                    .bind(&record.description)
                    .bind(now.as_millisecond())
                    .execute(connection)
                    .await?;
                Ok((Upserted::Changed, TargetUserRecord { description: record.description, ..known }))
            })
        })
        .await
    }

    pub async fn list_records(&self, tenant: Tenant, filter: &RecordFilter) -> Result<Vec<ListedRecord>> {
        let rows = query(sql!("list_records"))
            .bind(tenant.0)
            .bind(filter.user)
            .bind(filter.target)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows::read_all::<ListedRecordRow, _>(&rows)?)
    }

    pub async fn find_record(&self, tenant: Tenant, id: Uuid) -> Result<ListedRecord> {
        let row = query(sql!("find_record")).bind(tenant.0).bind(id).fetch_optional(&self.readers).await?;
        let row = row.ok_or_else(|| not_found(id))?;
        Ok(rows::read::<ListedRecordRow>(&row)?.into())
    }

    pub async fn active_records(&self, tenant: Tenant, user: Uuid, target: Uuid) -> Result<Vec<TargetUserRecord>> {
        let rows =
            query(sql!("active_records")).bind(tenant.0).bind(user).bind(target).fetch_all(&self.readers).await?;
        Ok(rows::read_all::<RecordRow, _>(&rows)?)
    }

    pub async fn remove_record(&self, tenant: Tenant, id: Uuid) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                let name = address(connection, tenant, id).await?;
                let remedy = "something is being delivered to it, so try again in a minute";
                let in_use = StoreError::InUse { what: Thing::Record, name, remedy };
                query(sql!("remove_record"))
                    .bind(tenant.0)
                    .bind(id)
                    .execute(connection)
                    .await
                    .map_err(|error| trouble::if_needed(error, in_use))?;
                Ok(())
            })
        })
        .await
    }

    pub async fn switch_record_off(&self, tenant: Tenant, id: Uuid, reason: &str, now: Timestamp) -> Result<()> {
        let change = query(sql!("switch_record_off"))
            .bind(tenant.0)
            .bind(id)
            .bind(limits::cut(reason, MAX_REASON))
            .bind(now.as_millisecond());
        self.change_record(tenant, id, change).await
    }

    pub async fn switch_record_on(&self, tenant: Tenant, id: Uuid, now: Timestamp) -> Result<()> {
        let change = query(sql!("switch_record_on")).bind(tenant.0).bind(id).bind(now.as_millisecond());
        self.change_record(tenant, id, change).await
    }

    /// Runs a statement about a record, which must exist but need not be changed by it.
    async fn change_record(
        &self,
        tenant: Tenant,
        id: Uuid,
        change: Query<'static, sqlx::Sqlite, SqliteArguments>,
    ) -> Result<()> {
        self.write(move |connection| {
            Box::pin(async move {
                address(connection, tenant, id).await?;
                change.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Stores a new record.
pub async fn insert(
    connection: &mut SqliteConnection,
    tenant: Tenant,
    record: &TargetUserRecord,
    now: Timestamp,
) -> Result<()> {
    query(sql!("add_record"))
        .bind(tenant.0)
        .bind(record.id)
        .bind(record.user)
        .bind(record.target)
        .bind(&record.target_user_id)
        .bind(&record.description)
        .bind(record.active)
        .bind(&record.inactive_reason)
        .bind(now.as_millisecond())
        .execute(connection)
        .await
        .map_err(|error| {
            let taken = StoreError::AlreadyExists { what: Thing::Record, name: record.target_user_id.clone() };
            trouble::if_taken(error, taken)
        })?;
    Ok(())
}

/// The address of the record with this id, which must exist.
async fn address(connection: &mut SqliteConnection, tenant: Tenant, id: Uuid) -> Result<String> {
    let address = sqlx::query_scalar(sql!("record_address")).bind(tenant.0).bind(id).fetch_optional(connection).await?;
    address.ok_or_else(|| not_found(id))
}

fn not_found(id: Uuid) -> StoreError {
    StoreError::NotFound { what: Thing::Record, name: id.to_string() }
}
