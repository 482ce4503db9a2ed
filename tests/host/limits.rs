//! Limits on calls, as running components meet them: the operator raises one target's, a tenant lowers them.

use super::guests::report;
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::http::{Answer, HttpServer};
use engine::rules::budget::{Limit, Said};
use engine::rules::tenant::Tenant;
use engine::store::NotificationHistory;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A guest with what the operator says, and what its tenant has set.
async fn limited(module: &str, settings: &str, limits: &[(Limit, u64)]) -> TestEngine {
    let engine = TestEngine::builder().targets_in(guests()).with(settings).start().await;
    engine.record(module, "anything").await;
    limit(&engine, module, limits, &[]).await;
    engine
}

async fn limit(engine: &TestEngine, module: &str, limits: &[(Limit, u64)], removed: &[Limit]) {
    let target = engine.store.find_target(Tenant::DEFAULT, module).await.unwrap();
    let limits: Said = limits.iter().copied().collect();
    engine.store.limit_target(Tenant::DEFAULT, target.id, &limits, removed, engine.clock.now()).await.unwrap();
}

fn why(shown: &NotificationHistory) -> (&str, &str) {
    let attempt = shown.attempts.last().unwrap();
    (&attempt.code, &attempt.message)
}

#[tokio::test]
async fn a_tenant_lowers_the_computing_time_and_the_next_call_heeds_it() {
    let engine = limited("spin", "", &[(Limit::Cpu, 50)]).await;
    let shown = engine.tried("spin", "Title", json!({})).await;
    assert_eq!(
        why(&shown),
        (
            "out_of_cpu",
            "The component computed for more than 50ms (`cpu` by `engine target limit`; `engine target limit \"spin\" cpu=` takes it away)."
        )
    );
    // Without a start in between.
    limit(&engine, "spin", &[(Limit::Cpu, 100)], &[]).await;
    assert!(why(&engine.tried("spin", "Title", json!({})).await).1.contains("100ms"));
    limit(&engine, "spin", &[], &[Limit::Cpu]).await;
    assert!(why(&engine.tried("spin", "Title", json!({})).await).1.contains("500ms"), "the operator's again");
}

#[tokio::test]
async fn the_operator_raises_one_target_and_its_tenant_has_less_of_it() {
    let settings = "[target.hog]\nlimits = { memory = '128MiB', cpu = '20s' }\n";
    let engine = limited("hog", settings, &[]).await;
    let shown = engine.tried("hog", "Title", json!({})).await;
    assert_eq!(
        why(&shown),
        ("out_of_memory", "The component wanted more than 128MiB of memory (`memory` in the target's own `limits`).")
    );
    assert!(shown.attempts[0].usage.unwrap().memory > 64 << 20, "{shown:#?}");
    limit(&engine, "hog", &[(Limit::Memory, 16 << 20)], &[]).await;
    assert!(why(&engine.tried("hog", "Title", json!({})).await).1.contains("16MiB"));
    // More than the operator's cannot be in force, however it came to be stored.
    limit(&engine, "hog", &[(Limit::Memory, 1 << 30)], &[]).await;
    assert!(why(&engine.tried("hog", "Title", json!({})).await).1.contains("128MiB"));
}

#[tokio::test]
async fn time_is_bounded_for_one_target_alone() {
    let engine = limited("sleeper", "[target.sleeper]\nlimits = { wall = '300ms' }\n", &[]).await;
    let shown = engine.tried("sleeper", "Title", json!({ "milliseconds": 600 })).await;
    assert_eq!(
        why(&shown),
        ("out_of_time", "The component did not end within 300ms (`wall` in the target's own `limits`).")
    );
    let engine = limited("sleeper", "[target.noop]\nlimits = { wall = '300ms' }\n", &[]).await;
    let shown = engine.tried("sleeper", "Title", json!({ "milliseconds": 600 })).await;
    assert_eq!(why(&shown).0, "", "{shown:#?}");
}

#[tokio::test]
async fn doors_and_logs_are_bounded_as_the_tenant_says() {
    let server = HttpServer::start(Answer::status(200, "", &"x".repeat(2000))).await;
    let settings = format!("[target.http_probe]\nbase_url = '{}'\n", server.origin());
    let lower = [(Limit::HttpRequests, 2), (Limit::Answer, 1000)];
    let engine = limited("http_probe", &settings, &lower).await;
    let asked = async |wish: Value| report(&engine.tried("http_probe", "Title", wish).await);
    let found = asked(json!({ "url": server.origin() })).await;
    assert_eq!(found["code"], "answer_too_large", "{found}");
    let said = "answered with 200, but its answer has more than 1000 bytes (`answer` by `engine target limit`";
    assert!(found["message"].as_str().unwrap().contains(said), "{found}");
    server.answers(Answer::status(200, "", ""));
    let found = asked(json!({ "url": server.origin(), "times": 3 })).await;
    assert_eq!((&found["code"], server.count()), (&json!("too_many_requests"), 2), "{found}");
    assert!(found["message"].as_str().is_none_or(|text| text.contains("may send 2 HTTP requests")), "{found}");

    let settings = format!("[target.http_probe]\nbase_url = '{}'\nlimits = {{ request = '1KiB' }}\n", server.origin());
    let engine = limited("http_probe", &settings, &[(Limit::HttpTime, 300)]).await;
    let asked = async |wish: Value| report(&engine.tried("http_probe", "Title", wish).await);
    let found = asked(json!({ "method": "POST", "url": server.origin(), "body_of": 1025 })).await;
    assert_eq!(
        found["message"],
        "The body has 1025 bytes, and 1024 is the most (`request` in the target's own `limits`)."
    );
    server.answers(Answer::Hangs);
    let began = Instant::now();
    let found = asked(json!({ "url": server.origin(), "timeout": 9000 })).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("wait"), &json!("timeout")), "{found}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());

    let engine = limited("drafts", "", &[(Limit::Result, 1024)]).await;
    // Measured before it is read: this is no JSON.
    for wish in [json!({ "body_of": 2000 }), json!({ "extra": "[".repeat(2000) })] {
        let request = engine.request("drafts", "Title", wish);
        let refused = engine.create(&request).await.unwrap_err().to_string();
        assert!(refused.contains("1024 is the most"), "{refused}");
    }

    let engine = limited("flood", "", &[(Limit::LogLines, 2)]).await;
    let log = engine.tried("flood", "Title", json!({ "lines": 5 })).await.attempts[0].log.clone();
    assert_eq!(log.lines().count(), 3, "two, and how many were dropped: {log}");
    let engine = limited("flood", "", &[(Limit::Log, 5000)]).await;
    let shown = engine.tried("flood", "Title", json!({ "lines": 3 })).await;
    let log = &shown.attempts[0].log;
    assert!(log.len() <= 5000 && log.ends_with("(1 more lines were dropped)"), "{} {}", log.len(), &log[4900..]);
}
