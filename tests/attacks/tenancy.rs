//! What is another tenant's is not found, and the answer is the same as for what nobody has.

use super::arena::{Cases, case};
use crate::support::engine::TestEngine;
use crate::support::guests;
use engine::rules::tenant::Tenant;
use engine::store::StoreError;
use serde_json::json;
use sqlx::Connection;
use uuid::Uuid;

/// A second tenant, as an operator would make one.
async fn another_tenant(engine: &TestEngine) -> Tenant {
    let mut connection = sqlx::SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    sqlx::query("INSERT INTO tenants (id, name, created_date, modified_date) VALUES (2, 'other', 0, 0)")
        .execute(&mut connection)
        .await
        .unwrap();
    Tenant(2)
}

#[tokio::test]
async fn ids_of_another_tenant() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    let record = engine.record("noop", "anything").await;
    let notification = engine.notify("noop", "Title", json!({})).await;
    let (other, store, now) = (another_tenant(&engine).await, &engine.store, engine.clock.now());
    let nobodys = Uuid::now_v7();
    let mut cases = Cases::default();
    // What is asked for the one is asked for the other too, and the answers may differ by the id alone.
    let mut ask = |name: &str, theirs: Result<(), StoreError>, none: Result<(), StoreError>, id: Uuid| {
        let not_found = matches!(theirs, Err(StoreError::NotFound { .. }));
        let say = |answer: &Result<(), StoreError>, id: Uuid| {
            answer.as_ref().map_or_else(ToString::to_string, |()| String::new()).replace(&id.to_string(), "")
        };
        let same = say(&theirs, id) == say(&none, nobodys);
        cases.check(name, not_found && same, (theirs, none));
    };
    let (n, r, t, u) = (notification, record.id, record.target, engine.user.id);
    ask(
        case("to_read_a_notification"),
        store.find_notification(other, n).await.map(drop),
        store.find_notification(other, nobodys).await.map(drop),
        n,
    );
    ask(
        case("to_cancel_a_notification"),
        store.cancel_notification(other, n, now).await.map(drop),
        store.cancel_notification(other, nobodys, now).await.map(drop),
        n,
    );
    ask(
        case("to_retry_a_notification"),
        store.retry_notification(other, n, now).await,
        store.retry_notification(other, nobodys, now).await,
        n,
    );
    ask(
        case("to_resolve_a_notification"),
        store.resolve_notification(other, n, true, now).await,
        store.resolve_notification(other, nobodys, true, now).await,
        n,
    );
    ask(
        case("to_remove_a_notification"),
        store.remove_notification(other, n).await,
        store.remove_notification(other, nobodys).await,
        n,
    );
    ask(
        case("to_read_a_record"),
        store.find_record(other, r).await.map(drop),
        store.find_record(other, nobodys).await.map(drop),
        r,
    );
    ask(case("to_remove_a_record"), store.remove_record(other, r).await, store.remove_record(other, nobodys).await, r);
    ask(
        case("to_switch_a_record_off"),
        store.switch_record_off(other, r, "", now).await,
        store.switch_record_off(other, nobodys, "", now).await,
        r,
    );
    ask(case("to_remove_a_target"), store.remove_target(other, t).await, store.remove_target(other, nobodys).await, t);
    ask(
        case("to_resume_a_target"),
        store.resume_target(other, t, now).await,
        store.resume_target(other, nobodys, now).await,
        t,
    );
    ask(case("to_remove_a_user"), store.remove_user(other, u).await, store.remove_user(other, nobodys).await, u);
    ask(
        case("to_opt_a_user_out"),
        store.opt_out(other, u, now).await.map(drop),
        store.opt_out(other, nobodys, now).await.map(drop),
        u,
    );
    engine.deliver().await;
    assert_eq!(engine.show(notification).await.listed.notification.status, engine::rules::status::Status::Delivered);
}
