//! Several engines on one PostgreSQL: they share the queue, and take over what another one leaves behind.

use super::process::{backlog, by_message_id, until};
use crate::support::guests;
use crate::support::postgres::{Server, TestDatabase, connect};
use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use std::collections::HashSet;
use std::time::{Duration, Instant};

const TENANT: engine::rules::tenant::Tenant = engine::rules::tenant::Tenant::DEFAULT;

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_share_the_work_and_double_nothing() {
    let (server, database) = (SmtpServer::start(&[]).await, TestDatabase::new().await);
    let program =
        Program::new().relay(server.address).database(&database.url).with("ENGINE_DELIVERY__CLAIM_BATCH", "20");
    program.ada();
    // Both run before there is anything to do, so that they have to be told of it.
    let engines = [program.start(), program.start()];
    backlog(&program, 1000).await;
    until("all mails", || server.count() >= 1000).await;
    for engine in engines {
        engine.signal("-TERM");
        assert_eq!(engine.ended(), Some(0));
    }
    assert_eq!((server.count(), by_message_id(&server).len()), (1000, 1000));
    let store = engine::store::Store::open(&database.url).await.unwrap();
    let filter = engine::store::NotificationFilter { limit: 2000, ..Default::default() };
    let mut senders = HashSet::new();
    for listed in store.list_notifications(TENANT, &filter).await.unwrap() {
        let found = store.find_notification(TENANT, listed.notification.id).await.unwrap();
        assert_eq!(found.attempts.len(), 1, "{found:?}");
        senders.insert(found.attempts[0].engine);
    }
    assert_eq!(senders.len(), 2, "one of them did nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_engine_held_is_sent_by_another_within_thirty_seconds() {
    // The first mail is never answered, so that the engine is killed in the middle of it.
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let database = TestDatabase::new().await;
    let program = Program::new().relay(server.address).database(&database.url);
    program.ada();
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
    let killed = program.start();
    until("the mail", || server.count() == 1).await;
    let other = program.start();
    killed.signal("-KILL");
    killed.ended();
    let died = Instant::now();
    server.script.lock().unwrap().clear();
    until("the mail again", || server.count() == 2).await;
    assert!(died.elapsed() < Duration::from_secs(30), "{:?}", died.elapsed());
    let delivered = || program.json(&["notification", "list"])[0]["status"] == "DELIVERED";
    until("delivered", delivered).await;
    let id = program.json(&["notification", "list"])[0]["id"].as_str().unwrap().to_owned();
    let shown = program.json(&["notification", "show", &id]);
    assert_eq!(
        (&shown["attempts"][0]["outcome"], &shown["attempts"][0]["code"]),
        (&"unknown".into(), &"engine_died".into())
    );
    other.signal("-TERM");
    assert_eq!(other.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_by_a_command_is_sent_at_once() {
    let (server, database) = (SmtpServer::start(&[]).await, TestDatabase::new().await);
    let program = Program::new().relay(server.address).database(&database.url);
    program.ada();
    let engine = program.start();
    // The component is compiled with the first.
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "First", "--body", "Body"]);
    until("the first", || server.count() == 1).await;
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Second", "--body", "Body"]);
    let made = Instant::now();
    until("the second", || server.count() == 2).await;
    assert!(made.elapsed() < Duration::from_secs(2), "{:?}", made.elapsed());
    engine.signal("-TERM");
    assert_eq!(engine.ended(), Some(0));
}

/// Hints are never needed: with this setting the whole suite of deliveries runs once more (`cargo xtask test`).
#[tokio::test(flavor = "multi_thread")]
async fn without_hints_an_engine_looks_by_itself() {
    let server = SmtpServer::start(&[]).await;
    for (hints, listening) in [("true", 1), ("false", 0)] {
        let database = TestDatabase::new().await;
        let program =
            Program::new().relay(server.address).database(&database.url).with("ENGINE_DATABASE__HINTS", hints);
        program.ada();
        let engine = program.start();
        let before = server.count();
        program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
        until("the mail", || server.count() == before + 1).await;
        let listeners =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
        let count: i64 = sqlx::query_scalar(listeners).fetch_one(&mut connect(&database.url).await).await.unwrap();
        assert_eq!(count, listening, "hints = {hints}");
        engine.signal("-TERM");
        assert_eq!(engine.ended(), Some(0));
    }
}

/// All are silent after the database was away, and write their outcomes when it is back: a run by cron that begins right then takes nothing from who lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_by_cron_takes_from_the_dead_alone() {
    let database = TestDatabase::new().await;
    let program = Program::new().database(&database.url).with("ENGINE_TARGETS__PATHS", guests().to_str().unwrap());
    program.ada();
    program.ok(&["target", "add", "--name", "Sleeper", "--module", "sleeper"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "sleeper", "--target-user-id", "anything"]);
    let mut database = connect(&database.url).await;
    for is_killed in [false, true] {
        let extra = r#"{"milliseconds":8000}"#;
        let notify = ["notify", "--user", "ada", "--target", "sleeper", "--title", "Title", "--body", "Body"];
        let made = program.json(&[&notify[..], &["--extra", extra]].concat());
        let id = made[0]["notifications"][0].as_str().unwrap();
        let engine = program.start();
        let mut claimed = 0;
        while claimed == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let count = "SELECT count(*) FROM notifications WHERE claimed_by IS NOT NULL";
            claimed = sqlx::query_scalar::<_, i64>(count).fetch_one(&mut database).await.unwrap();
        }
        if is_killed {
            engine.signal("-KILL");
        }
        let silent = "UPDATE engines SET heartbeat_at = heartbeat_at - 60000";
        sqlx::query(silent).execute(&mut database).await.unwrap();
        program.ok(&["process-notifications"]);
        if !is_killed {
            engine.signal("-TERM");
            assert_eq!(engine.ended(), Some(0));
        }
        let shown = program.json(&["notification", "show", id]);
        let outcomes: Vec<&str> =
            shown["attempts"].as_array().unwrap().iter().map(|attempt| attempt["outcome"].as_str().unwrap()).collect();
        let expected = if is_killed { &["unknown", "delivered"][..] } else { &["delivered"] };
        assert_eq!(outcomes, expected, "{shown}");
    }
}

/// As after a power failure, when the engine's machine is up before the database's.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_at_the_start_is_waited_for() {
    let (mails, server) = (SmtpServer::start(&[]).await, Server::start(&["fsync=off"]));
    server.admin("CREATE DATABASE engine").await;
    let program = Program::new().relay(mails.address).database(&server.url("engine"));
    program.ada();
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
    server.stop();
    program.refused(&["process-notifications"], "The database server cannot be reached");
    let back = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        server.run(&["fsync=off"]);
        server
    });
    let engine = program.start();
    until("the mail", || mails.count() == 1).await;
    engine.signal("-TERM");
    assert_eq!(engine.ended(), Some(0));
    back.join().unwrap().stop();
}
