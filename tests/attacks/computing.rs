//! Programs that compute without end, wherever the engine lets them run.

use super::arena::{Arena, Cases, case, is_delivered, is_fault};
use super::probe;
use engine::creation::CreationError;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use serde_json::json;
use std::time::{Duration, Instant};

const TOO_LONG: &str = "computed for more than 500ms";

#[tokio::test]
async fn spin() {
    let began = Instant::now();
    is_fault(&Arena::of("spin").await.tried(json!({})).await, "out_of_cpu", TOO_LONG);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn spin_in_create() {
    let arena = Arena::of("spin_in_create").await;
    let error = arena.engine.create(&arena.engine.request("spin_in_create", "Title", json!({}))).await.unwrap_err();
    assert!(matches!(error, CreationError::Fault { .. }) && error.to_string().contains(TOO_LONG), "{error}");
    let stored = arena.engine.store.list_notifications(Tenant::DEFAULT, &Default::default()).await.unwrap();
    assert!(stored.is_empty(), "nothing is half-written");
    arena.serves().await;
}

#[tokio::test]
async fn spin_in_start() {
    Arena::of("spin_in_start").await.is_refused(TOO_LONG).await;
}

#[tokio::test]
async fn spin_in_describe() {
    Arena::of("spin_in_describe").await.is_refused(TOO_LONG).await;
}

#[tokio::test]
async fn spin_in_check_address() {
    let arena = Arena::of("spin_in_check_address").await;
    let ready = arena.engine.catalog.get("spin_in_check_address").await.unwrap();
    let fault = ready.module.check_address(&ready.powers, "anything").await.result.unwrap_err();
    assert_eq!(fault.code, "out_of_cpu");
    arena.serves().await;
}

#[tokio::test]
async fn spin_in_realloc() {
    is_fault(&Arena::of("spin_in_realloc").await.sent().await, "out_of_cpu", TOO_LONG);
}

#[tokio::test]
async fn spin_in_post_return() {
    is_fault(&Arena::of("spin_in_post_return").await.sent().await, "out_of_cpu", TOO_LONG);
}

#[tokio::test]
async fn endless_recursion() {
    let shown = Arena::of("endless_recursion").await.sent().await;
    is_fault(&shown, "trapped", "call stack exhausted");
    // A line each, with the names that the component brings.
    let trace: Vec<&str> = shown.attempts[0].log.lines().filter(|line| line.contains("deeper")).collect();
    assert!(trace.len() > 5 && trace.iter().all(|line| line.starts_with("debug: ")), "{:#?}", shown.attempts[0].log);
}

#[tokio::test]
async fn trap() {
    let shown = Arena::of("trap").await.tried(json!({})).await;
    is_fault(&shown, "trapped", "crashed");
    assert!(shown.attempts[0].message.ends_with("examples/trap.rs:7:5: This program always panics."), "{shown:#?}");
    let log = &shown.attempts[0].log;
    assert!(log.contains("panicked") && !log.contains("RUST_BACKTRACE"), "what Rust printed is kept: {log}");
}

/// With its words, as where it crashes: nobody there asks for the number that WASI does not take.
#[tokio::test]
async fn exit() {
    let shown = Arena::of("exit").await.tried(json!({})).await;
    is_fault(&shown, "trapped", "The component exited where it has to return an answer: This program always exits.");
}

/// What left before it began to spin may have been taken.
#[tokio::test]
async fn spin_after_sending() {
    let server = crate::support::http::HttpServer::start(crate::support::http::Answer::status(200, "", "")).await;
    let arena = Arena::with("http_probe", &format!("[target.http_probe]\nbase_url = '{}'\n", server.origin())).await;
    let shown = arena.tried(json!({ "method": "POST", "url": server.origin(), "then": "spin" })).await;
    let attempt = &shown.attempts[0];
    assert_eq!((attempt.outcome, attempt.code.as_str()), (OutcomeKind::Unknown, "out_of_cpu"), "{shown:#?}");
}

/// The fifth fault in a row pauses the target, and its notifications wait without having cost anything.
#[tokio::test]
async fn faults_in_a_row() {
    let arena = Arena::of("spin").await;
    let mut ids = Vec::new();
    for i in 0..30 {
        ids.push(arena.engine.notify("spin", &format!("Title {i}"), json!({})).await);
    }
    arena.engine.deliver().await;
    let target = arena.engine.store.find_target(Tenant::DEFAULT, "spin").await.unwrap();
    assert!(target.has_failed_too_often() && target.pause.unwrap().reason.contains(TOO_LONG));
    let mut waiting = 0;
    for id in ids {
        waiting += usize::from(arena.engine.show(id).await.listed.notification.status == Status::Scheduled);
    }
    // As many more as were called at once with the fifth have been tried.
    assert!((10..=25).contains(&waiting), "{waiting}");
    arena.serves().await;
}

/// To let the host compute for it does not help.
#[tokio::test]
async fn values_that_take_long_to_move() {
    let arena = Arena::of("noise").await;
    let mut cases = Cases::default();
    for (name, extra) in [
        (case("a_million_lines"), json!({ "line": "x", "times": 1_000_000 })),
        (case("a_million_writes"), json!({ "bytes": "78", "times": 1_000_000 })),
    ] {
        let began = Instant::now();
        let shown = arena.tried(extra).await;
        let ended = shown.attempts[0].code == "out_of_cpu" || shown.listed.notification.status == Status::Delivered;
        cases.check(name, ended && began.elapsed() < Duration::from_secs(20), shown);
    }
}

/// While calls of one target spin, another's are answered soon. What those wait for in between is not taken for computing, or each wait would put
/// them behind all that spin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_spinning_calls() {
    let engine = std::sync::Arc::new(probe::Pair::new("spin").await);
    // As many at once as the engine lets one target have.
    let places = std::sync::Arc::new(tokio::sync::Semaphore::new(8));
    let mut spinning = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let (engine, places) = (engine.clone(), places.clone());
        spinning.spawn(async move {
            let _place = places.acquire().await;
            engine.hostile().await
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut times = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        assert_eq!(engine.honest().await.kind(), OutcomeKind::Delivered);
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    spinning.shutdown().await;
    times.sort();
    assert!(times[25] < Duration::from_millis(500), "{times:?}");
}

/// A component that sleeps does not compute.
#[tokio::test]
async fn sleeper() {
    let arena = Arena::of("sleeper").await;
    is_delivered(&arena.tried(json!({ "milliseconds": 11, "times": 100 })).await);
}
