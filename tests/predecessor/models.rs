//! What can be stored, and what an opt-out does to it.

use super::{notify, statuses};
use crate::support::engine::TestEngine;
use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use engine::rules::notification::NewNotification;
use engine::rules::status::{Attempted, Status};
use engine::rules::tenant::Tenant;
use engine::store::Creation;
use serde_json::{Map, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::time::Duration;
use uuid::Uuid;

/// In the predecessor only the form of its admin page looks; here somebody goes past all of the engine.
#[tokio::test(flavor = "multi_thread")]
async fn rules_on_a_notification_are_the_databases() {
    let program = Program::new();
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    let file = program.folder.path().join("engine.db");
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let mut refused =
        async |statement: String| sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.is_err();

    assert!(refused("UPDATE notifications SET attempted_delivery = 1000".to_owned()).await, "SCHEDULED and attempted");
    for status in Status::ALL {
        let change = format!("UPDATE notifications SET status = '{status}', attempted_delivery = NULL");
        assert_eq!(refused(change).await, status.attempted() == Attempted::Set, "{status} without an attempt");
    }
    assert!(refused("UPDATE notifications SET status = 'SENDING', attempted_delivery = 1000".to_owned()).await);

    program.ok(&["opt-out", "add", "--user", "ada"]);
    let copy = "INSERT INTO notifications (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery,
            retry_time_interval, retry_attempts, max_retries, attempts, fence, lease_deaths, created_date, modified_date)
        SELECT tenant_id, randomblob(16), target_user_record_id, target_id, 'SCHEDULED', scheduled_delivery,
            retry_time_interval, 0, max_retries, 0, 0, 0, created_date, modified_date FROM notifications";
    assert!(refused(copy.to_owned()).await, "anything new for a user who has opted out");
    program.ok(&["opt-out", "remove", "--user", "ada"]);
    assert!(!refused(copy.to_owned()).await);
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn opt_out_is_checked_at_creation_at_the_claim_and_before_the_send() {
    // One slot: while the first mail hangs at its end, the second is claimed and waits.
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let one_slot = "[delivery]\nconcurrency_per_target = 1\n";
    let engine = TestEngine::builder().relay(server.address).with(one_slot).start().await;
    engine.record("email", "ada@example.org").await;
    let both = [engine.notify("email", "First", json!({})).await, engine.notify("email", "Second", json!({})).await];
    let (tenant, ada) = (Tenant::DEFAULT, engine.user.id);
    let opting_out = async {
        while server.count() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        engine.store.opt_out(tenant, ada, engine.clock.now()).await.unwrap();
    };
    tokio::join!(engine.deliver(), opting_out);
    let mut attempts = Vec::new();
    for id in both {
        let shown = engine.show(id).await;
        assert_eq!(shown.listed.notification.status, Status::OptedOut, "not overwritten by RETRY");
        attempts.push(shown.attempts.len());
    }
    attempts.sort_unstable();
    assert_eq!(attempts, [0, 1], "the one that waited was not sent");

    let refusal = engine.create(&engine.request("email", "Third", json!({}))).await.unwrap_err();
    assert!(refusal.to_string().contains("has opted out"), "at creation: {refusal}");

    // What was not sent because of it is not sent late.
    engine.store.opt_in(tenant, ada, engine.clock.now()).await.unwrap();
    server.script.lock().unwrap().clear();
    engine.clock.advance(Duration::from_secs(100_000));
    engine.deliver().await;
    assert_eq!(server.count(), 1);

    // What waits when the claim comes ends there.
    let due = engine.notify("email", "Fourth", json!({})).await;
    engine.store.opt_out(tenant, ada, engine.clock.now()).await.unwrap();
    engine.deliver().await;
    assert_eq!((engine.show(due).await.listed.notification.status, server.count()), (Status::OptedOut, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_of_a_request_are_told_by_a_key() {
    let program = Program::new();
    program.ada();
    let at = ["--target", "email", "--at", "2040-01-01T00:00:00Z", "--extra"];
    let code = |more: &[&str]| program.run(&notify(more)).code;
    let with = |extra: &str| code(&[&at[..], &[extra]].concat());
    assert_eq!(with(r#"{"cc": "bob@example.org", "html": false}"#), Some(0));
    assert_eq!(with(r#"{"html": false, "cc": "bob@example.org"}"#), Some(6), "the order of keys means nothing");
    assert_eq!(with(r#"{"cc": "eve@example.org", "html": false}"#), Some(0), "another `extra` is another");
    let in_vienna = ["--target", "email", "--at", "2040-01-01T01:00:00+01:00", "--body", "Another body."];
    let arguments =
        ["notify", "--user", "ada", "--title", "Tea", "--extra", r#"{"cc":"eve@example.org","html":false}"#];
    assert_eq!(
        program.run(&[&arguments[..], &in_vienna].concat()).code,
        Some(6),
        "the same time, and the body means nothing"
    );
    // Without a time each request is one of its own.
    assert_eq!((code(&["--target", "email"]), code(&["--target", "email"])), (Some(0), Some(0)));
    assert_eq!(statuses(&program).len(), 4);

    let engine = TestEngine::builder().start().await;
    let record = engine.record("email", "ada@example.org").await;
    let new = |title: &str| NewNotification {
        id: Uuid::now_v7(),
        target_user_record: record.id,
        title: title.to_owned(),
        body: String::new(),
        extra: Map::new(),
        scheduled_delivery: engine.clock.now(),
        retry_time_interval: 60,
        max_retries: 3,
        expires_at: None,
        idempotency_key: Some("order-1".to_owned()),
        on_unknown: None,
    };
    let (first, second) = (new("Tea"), new("Coffee"));
    let create = async |new: &NewNotification| {
        engine.store.create(Tenant::DEFAULT, std::slice::from_ref(new), engine.clock.now()).await.unwrap()
    };
    assert_eq!(create(&first).await, [Creation::Created(first.id)]);
    assert_eq!(
        create(&second).await,
        [Creation::Duplicate(first.id)],
        "an idempotency key says more than what is in it"
    );
}
