//! Engines of two versions on one database: this one is the older, and a newer one has brought the schema further.

use engine::rules::status::Status;
use engine::store::{Settling, Store, StoreError};

use super::{Database, TENANT, delivered, news, noon, on_every_database, settled};

impl Database {
    /// Does what the next version might do.
    async fn bring_further(&self) {
        let (success, checksum) = if self.is_postgres() { ("true", "''") } else { ("1", "x'00'") };
        self.execute(format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9998, 'from the future', {success}, {checksum}, 0), (9999, 'and beyond', {success}, {checksum}, 0)"
        ))
        .await
        .unwrap();
        for table in ["notifications", "notification_texts", "attempts", "users", "target_user_records", "targets"] {
            self.execute(format!("ALTER TABLE {table} ADD COLUMN of_the_future TEXT DEFAULT 'new'")).await.unwrap();
        }
    }

    async fn works(&self) {
        let name = format!("bob-{}", uuid::Uuid::now_v7());
        let bob = self.user(&name).await;
        let id = self.create(news(&bob.record)).await;
        let claimed = self.claim_one().await;
        self.store.recheck(&[claimed.claim], noon()).await.unwrap();
        let settling = self.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap();
        assert_eq!(settling, [Settling::Applied]);
        assert_eq!(self.stands(id).await.status, Status::Delivered);
    }
}

/// Its statements were prepared before, and it is in the middle of its work.
async fn a_running_engine_works_on_beside_new_migrations(database: Database) {
    database.works().await;
    database.bring_further().await;
    for _ in 0..3 {
        database.works().await;
    }
    assert!(!database.store.list_users(TENANT).await.unwrap().is_empty());
}

async fn an_engine_starts_beside_new_migrations(mut database: Database) {
    database.bring_further().await;
    database.store = Store::open(&database.url).await.unwrap();
    database.works().await;
}

async fn a_schema_that_asks_for_more_is_refused(database: Database) {
    database.bring_further().await;
    database.execute("UPDATE compatibility SET least_known = 9999").await.unwrap();
    let refusal = Store::open(&database.url).await.map(drop).unwrap_err();
    assert!(matches!(refusal, StoreError::FutureSchema { found: 9999, .. }), "{refusal:?}");
    assert!(!refusal.is_worth_another_try());
}

on_every_database!(
    a_running_engine_works_on_beside_new_migrations,
    an_engine_starts_beside_new_migrations,
    a_schema_that_asks_for_more_is_refused,
);
