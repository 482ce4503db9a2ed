//! Many notifications of slow targets, or large ones, that wait: others are claimed for and served meanwhile.

use super::arena::Arena;
use super::neighbours::{Known, attempted, claimed, known, sent_to, served, served_within, sleepers};
use engine::rules::target::Target;
use engine::rules::tenant::Tenant;
use serde_json::json;
use sqlx::{Connection, Row, SqliteConnection};
use std::time::Duration;
use uuid::Uuid;

/// Two targets of slow calls whose backlogs fill all that an engine claims ahead: an honest one is served as soon as it is due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlogs_of_slow_targets() {
    let settings = "[delivery]\nclaim_batch = 20\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    let slow = json!({ "milliseconds": 20_000 });
    let first = engine.store.find_target(Tenant::DEFAULT, "sleeper").await.unwrap();
    let second = Target { id: Uuid::now_v7(), name: "sleeper two".to_owned(), ..first };
    engine.store.add_target(Tenant::DEFAULT, &second, engine.clock.now()).await.unwrap();
    engine.record("sleeper two", "ada@example.org").await;
    for i in 0..60 {
        engine.notify("sleeper", &format!("Title {i}"), slow.clone()).await;
        engine.notify("sleeper two", &format!("Title {i}"), slow.clone()).await;
    }
    let honest = async {
        for i in 0..10 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            served_within(engine, &format!("Mine {i}"), Duration::from_secs(2)).await;
        }
    };
    engine.beside(honest).await;
}

/// Quick targets, each with just not so much that waits as would count as enough, and together more than a batch: others are claimed for meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlogs_of_quick_targets_together() {
    let settings = "[delivery]\nclaim_batch = 20\ncall_batch = 1\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 4, Known::Quick).await;
    known(engine, "noop", Known::Quick).await;
    sent_to(engine, 4, 12, &json!({ "milliseconds": 2800 })).await;
    let honest = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for i in 0..10 {
            served_within(engine, &format!("Meanwhile {i}"), Duration::from_secs(2)).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    engine.beside(honest).await;
}

/// Slow targets, each with less that waits than would count as enough, and together more than is claimed ahead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_backlogs_of_many_slow_targets() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nclaim_batch = 20\nconcurrency_per_tenant = 4\nconcurrency_per_target = 8\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 20, Known::Slow).await;
    sent_to(engine, 20, 4, &json!({ "milliseconds": 20_000 })).await;
    known(engine, "noop", Known::Quick).await;
    let honest = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        for i in 0..3 {
            served(engine, &format!("Meanwhile {i}")).await;
        }
    };
    engine.beside(honest).await;
}

/// One call that takes its time holds up nobody else's notification of its target: that has places beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_call_before_another_of_its_target() {
    let arena = Arena::of("sleeper").await;
    let engine = &arena.engine;
    engine.notify("sleeper", "Slow", json!({ "milliseconds": 20_000 })).await;
    let others = async {
        for i in 0..3 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let quick = engine.notify("sleeper", &format!("Quick {i}"), json!({ "milliseconds": 10 })).await;
            attempted(engine, quick, Duration::from_secs(3)).await;
        }
    };
    engine.beside(others).await;
}

/// Texts that take sixteen times as much memory as they have letters, in the backlog of a slow target: the engine holds as many of them as it has room
/// for, and an honest target is served meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_long_texts() {
    let arena = Arena::of("sleeper").await;
    let engine = &arena.engine;
    let zeros = vec![0; 120_000];
    for i in 0..120 {
        engine.notify("sleeper", &format!("Title {i}"), json!({ "milliseconds": 20_000, "zeros": zeros })).await;
    }
    let honest = async {
        for i in 0..3 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            served_within(engine, &format!("Mine {i}"), Duration::from_secs(30)).await;
            let claimed = claimed(engine).await;
            // 128 MiB hold 33 of them, and eight are in calls.
            assert!((8..=41).contains(&claimed), "{claimed}");
        }
    };
    engine.beside(honest).await;
}

/// More targets of sleeping calls than there is room for their texts: what waits for its turn makes room for what could be sent meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_texts_of_sleeping_targets() {
    const SLEEPERS: usize = 80;
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, SLEEPERS, Known::Nothing).await;
    let honest = async {
        served(engine, "Before").await;
        // Four megabytes each, once it is read.
        sent_to(engine, SLEEPERS, 1, &json!({ "milliseconds": 20_000, "zeros": vec![0; 120_000] })).await;
        for i in 0..5 {
            served(engine, &format!("Meanwhile {i}")).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            // 128 MiB hold 33 of them, seven are in calls, and one more claim brings eight.
            let claimed = claimed(engine).await;
            assert!((20..=48).contains(&claimed), "{claimed}");
        }
    };
    engine.beside(honest).await;
}

/// The same of targets that were quick before: what there is no room for is not claimed and given back again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_texts_without_room() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 80, Known::Quick).await;
    sent_to(engine, 80, 1, &json!({ "milliseconds": 20_000, "zeros": vec![0; 120_000] })).await;
    let soon = tokio::time::sleep(Duration::from_secs(10));
    engine.beside(soon).await;
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    let claims = sqlx::query("SELECT max(fence) FROM notifications").fetch_one(&mut database).await.unwrap();
    assert!((1..=6).contains(&claims.get::<i64, _>(0)), "claimed {} times", claims.get::<i64, _>(0));
}

/// What waits in some targets and ends without an attempt, since their only address is gone, say, takes no slot and no room: others are claimed for in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlogs_that_end_unsent() {
    let arena = Arena::with("sleeper", "[delivery]\nclaim_batch = 20\n").await;
    let (engine, tenant) = (&arena.engine, Tenant::DEFAULT);
    sleepers(engine, 3, Known::Nothing).await;
    for target in engine.store.list_targets(tenant).await.unwrap() {
        if !target.name.starts_with("sleeper ") {
            continue;
        }
        let record = engine.store.active_records(tenant, engine.user.id, target.id).await.unwrap().remove(0).id;
        let waiting: Vec<_> = (0..3000).map(|_| arena.new_notification(record)).collect();
        engine.store.create(tenant, &waiting, engine.clock.now()).await.unwrap();
        engine.store.switch_record_off(tenant, record, "It is gone.", engine.clock.now()).await.unwrap();
    }
    let waiting = async || {
        let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
        let waiting = sqlx::query("SELECT count(*) FROM notifications WHERE status = 'SCHEDULED'");
        waiting.fetch_one(&mut database).await.unwrap().get::<i64, _>(0)
    };
    engine
        .beside(async {
            served(engine, "Mine").await;
            let left = waiting().await;
            assert!(left > 4500, "{left} wait of 9000");
            let began = std::time::Instant::now();
            while waiting().await > 0 {
                assert!(began.elapsed() < Duration::from_secs(30), "they do not end");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
}
