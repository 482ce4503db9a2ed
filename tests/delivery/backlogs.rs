//! A backlog is delivered to its end, however small the batches are that it is claimed in.

use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::smtp::SmtpServer;
use engine::rules::status::Status;
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
