//! A backlog is delivered to its end, however small the batches are that it is claimed in.

use crate::attacks::neighbours::{Known, sent_to, sleepers};
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::smtp::SmtpServer;
use engine::creation::{Message, Request};
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};
use std::time::{Duration, Instant};

/// A target that has enough to do is not claimed for; that nothing was claimed then does not mean that nothing is due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_full_again_and_again_is_emptied() {
    let server = SmtpServer::start(&[]).await;
    let few_at_a_time = "[delivery]\nclaim_batch = 4\nconcurrency_per_target = 1\n";
    let engine = TestEngine::builder().relay(server.address).with(few_at_a_time).start().await;
    engine.record("email", "ada@example.org").await;
    let mut made = Vec::new();
    for _ in 0..200 {
        made.push(engine.notify("email", "Title", json!({})).await);
    }
    engine.deliver().await;
    let mut left = 0;
    for id in made {
        left += usize::from(engine.show(id).await.listed.notification.status != Status::Delivered);
    }
    assert_eq!(left, 0, "of 200 are left");
}

/// What waits for its turn longer than a claim is valid is given back and claimed anew: nobody is to think that an engine died over it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_waits_too_long_is_given_back() {
    let one_at_a_time = "[delivery]\nconcurrency_per_tenant = 1\nconcurrency_per_target = 1\n";
    let engine = TestEngine::builder().targets_in(guests()).with(one_at_a_time).start().await;
    engine.record("sleeper", "anything").await;
    for i in 0..3 {
        engine.notify("sleeper", &format!("Title {i}"), json!({ "milliseconds": 25_000 })).await;
    }
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    let mut leases = async |claimed: usize| {
        let began = Instant::now();
        loop {
            let found = sqlx::query("SELECT lease_until FROM notifications WHERE claimed_by IS NOT NULL ORDER BY 1");
            let found = found.fetch_all(&mut database).await.unwrap();
            let leases: Vec<i64> = found.iter().map(|row| row.get(0)).collect();
            let last = leases.last().is_some_and(|last| *last > engine.clock.now().as_millisecond() + 100_000);
            if leases.len() == claimed && last {
                return leases;
            }
            assert!(began.elapsed() < Duration::from_secs(15), "{leases:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = async {
        let before = leases(3).await;
        // Of 180 seconds, less than a call may take are left.
        engine.clock.advance(Duration::from_secs(145));
        let after = leases(3).await;
        assert_eq!(
            (after[0], after[1] > before[2], after[2] > before[2]),
            (before[0], true, true),
            "the first is in its call"
        );
    };
    engine.beside(waited).await;
}

/// What there was no room for is looked at again later, even if all else has ended by then, and nothing else tells of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_though_all_ended_while_there_was_no_room() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("sleeper", "anything").await;
    sleepers(&engine, 6, Known::Quick).await;
    // Once they are ready to be called.
    sent_to(&engine, 6, 1, &json!({ "milliseconds": 0 })).await;
    engine.deliver().await;
    // A list of numbers takes many times as much in memory as in the database.
    let extra = json!({ "milliseconds": 600, "numbers": vec![1; 100_000] });
    for i in 0..6 {
        let request = engine.request(&format!("sleeper {i}"), "Title", extra.clone());
        let message = Message { body: "x".repeat(1 << 20), ..request.message };
        let request = Request { message, raw: true, ..request };
        for _ in 0..14 {
            engine.create(&request).await.unwrap();
        }
    }
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    let opted_out = async {
        let mut given_back = 0_i64;
        while given_back == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let found =
                "SELECT count(*) FROM notifications WHERE claimed_by IS NULL AND fence > 0 AND status = 'SCHEDULED'";
            given_back = sqlx::query(found).fetch_one(&mut database).await.unwrap().get(0);
        }
        // What waits ends with its call for which it waits.
        engine.store.opt_out(Tenant::DEFAULT, engine.user.id, engine.clock.now()).await.unwrap();
    };
    let ended = async { tokio::join!(engine.deliver(), opted_out) };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it waits for nothing");
}
