//! Programs that behave, and programs that do not: the engine goes on, and says what was the matter.

use crate::support::engine::TestEngine;
use crate::support::guests;
use engine::creation::CreationError;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::store::NotificationHistory;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn engine(module: &str) -> TestEngine {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record(module, "anything").await;
    engine
}

/// Runs a guest once, with this `extra`.
async fn tried(module: &str, extra: Value) -> NotificationHistory {
    engine(module).await.tried(module, "Title", extra).await
}

/// What a guest reported in its receipt.
pub fn report(shown: &NotificationHistory) -> Value {
    let attempt = shown.attempts.last().unwrap_or_else(|| panic!("{shown:#?}"));
    assert_eq!(attempt.outcome, OutcomeKind::Delivered, "{shown:#?}");
    serde_json::from_str(&attempt.message).unwrap_or_else(|e| panic!("{e}: {shown:#?}"))
}

/// A fault before anything left: the notification is tried again, and the history says why.
fn is_fault(shown: &NotificationHistory, code: &str, part: &str) {
    assert_eq!(shown.listed.notification.status, Status::Retry, "{shown:#?}");
    let attempt = &shown.attempts[0];
    assert_eq!((attempt.outcome, attempt.code.as_str()), (OutcomeKind::Retry, code), "{shown:#?}");
    assert!(attempt.message.contains(part), "{}", attempt.message);
}

#[tokio::test]
async fn noop() {
    let shown = tried("noop", json!({})).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered);
    assert_eq!(shown.attempts[0].log, "");
}

#[tokio::test]
async fn echo_log() {
    let shown = tried("echo_log", json!({})).await;
    let log = &shown.attempts[0].log;
    for line in [
        "debug: debug Title",
        "info: info Title",
        "warn: warn: two\\nlines, and \\u{1b}[31mred\\u{1b}[0m",
        "info: printed Title",
        "warn: printed to stderr Title",
        "info: printed: two",
        "info: lines, and \\u{1b}[31mred\\u{1b}[0m",
    ] {
        assert!(log.lines().any(|l| l == line), "{line:?} is not a line of:\n{log}");
    }
    assert!(log.lines().all(|line| ["debug: ", "info: ", "warn: ", "error: "].iter().any(|l| line.starts_with(l))));
    assert!(log.lines().all(|line| line.len() < 4300), "a long line is cut");
}

#[tokio::test]
async fn trap() {
    let shown = tried("trap", json!({})).await;
    is_fault(&shown, "trapped", "crashed");
    assert!(shown.attempts[0].log.contains("panicked"), "what Rust printed is kept: {}", shown.attempts[0].log);
}

#[tokio::test]
async fn spin() {
    let began = Instant::now();
    let shown = tried("spin", json!({})).await;
    is_fault(&shown, "out_of_cpu", "500ms");
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn spin_in_create() {
    let engine = engine("spin_in_create").await;
    let error = engine.create(&engine.request("spin_in_create", "Title", json!({}))).await.unwrap_err();
    assert!(matches!(error, CreationError::Fault { .. }), "{error}");
    assert!(error.to_string().contains("computed for more than 500ms"), "{error}");
    let list =
        engine.store.list_notifications(engine::rules::tenant::Tenant::DEFAULT, &Default::default()).await.unwrap();
    assert!(list.is_empty(), "nothing is half-written");
}

#[tokio::test]
async fn hog() {
    is_fault(&tried("hog", json!({})).await, "out_of_memory", "64 MiB");
}

#[tokio::test]
async fn flood() {
    for extra in [json!({ "lines": 20_000 }), json!({ "lines": 2_000, "to": "stdout" })] {
        let shown = tried("flood", extra.clone()).await;
        let log = &shown.attempts[0].log;
        assert_eq!(shown.listed.notification.status, Status::Delivered, "a full log fails no delivery: {extra}");
        assert!(log.len() <= 64 * 1024, "{}", log.len());
    }
}

#[tokio::test]
async fn wrong_count() {
    is_fault(&tried("wrong_count", json!({})).await, "wrong_result", "0 outcomes for 1 notifications");
    is_fault(&tried("wrong_count", json!({ "outcomes": 2 })).await, "wrong_result", "2 outcomes for 1 notifications");
}

#[tokio::test]
async fn wall() {
    let shown = tried("wall", json!({})).await;
    let line = shown.attempts[0].log.strip_prefix("info: ").unwrap_or_else(|| panic!("{shown:#?}"));
    let found: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    assert!(found.as_object().unwrap().len() > 15);
    for (way, got) in found.as_object().unwrap() {
        let got = got.as_str().unwrap();
        assert!(got == "nothing" || got.starts_with("refused"), "{way}: {got}");
    }
}

#[tokio::test]
async fn settings_probe() {
    let engine = TestEngine::builder()
        .targets_in(guests())
        .with("[target.settings_probe]\nsecrets = ['token', 'other']\ncolour = 'grey'\ncount = 3\n")
        .secret("token", "hush")
        .secret("other", "hush")
        .start()
        .await;
    engine.record("settings_probe", "anything").await;
    let wish = json!({ "settings": ["colour", "count", "none"], "secrets": ["token", "other"], "random": 16 });
    let found = report(&engine.tried("settings_probe", "Title", wish).await);
    assert_eq!(found["settings"], json!({ "colour": "grey", "count": 3, "none": null }));
    assert_eq!(found["secrets"], json!({ "token": true, "other": false }), "only what it asked for");
    assert_eq!((&found["random_count"], &found["callback_url"]), (&json!(16), &json!("")));
    let now = engine.clock.now().as_millisecond() as u64;
    assert!(found["now"].as_u64().unwrap().abs_diff(now) < 60_000);
    assert!((1..=30_000).contains(&found["time_left"].as_str().unwrap().parse::<u32>().unwrap()));
    let again = report(&engine.tried("settings_probe", "Title", json!({ "random": 16 })).await);
    assert_ne!(found["random"], again["random"]);
}

#[tokio::test]
async fn sign_probe() {
    let engine = TestEngine::builder()
        .targets_in(guests())
        .with("[target.sign_probe]\nsecrets = ['text_key', 'base64_key', 'hex_key', 'pem_key']\n")
        .secret("text_key", "12345")
        .secret("base64_key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        .secret("hex_key", &"07".repeat(32))
        .start()
        .await;
    engine.record("sign_probe", "anything").await;
    let ask = async |wish: Value| report(&engine.tried("sign_probe", "Title", wish).await);
    // The vector of the Standard Webhooks' own libraries.
    let message = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
    let signed = ask(json!({ "algorithm": "hmac-sha256", "secret": "base64_key", "message": message })).await;
    assert_eq!(signed["signature"], "83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1");
    let signature = signed["signature"].as_str().unwrap();
    let verify =
        json!({ "algorithm": "hmac-sha256", "secret": "base64_key", "message": message, "signature": signature });
    assert_eq!(ask(verify).await, json!({ "verified": true }));
    let forged =
        json!({ "algorithm": "hmac-sha256", "secret": "text_key", "message": message, "signature": signature });
    assert_eq!(ask(forged).await, json!({ "verified": false }));
    for (wish, refusal) in [
        (json!({ "algorithm": "hmac-sha1", "secret": "pem_key" }), "no-such-secret"),
        (json!({ "algorithm": "hmac-sha1", "secret": "unasked" }), "no-such-secret"),
        (json!({ "algorithm": "ecdsa-p256-sha256", "secret": "hex_key" }), "wrong-key"),
    ] {
        assert_eq!(ask(wish.clone()).await, json!({ "refusal": refusal }), "{wish}");
    }
    let seed = json!({ "algorithm": "ed25519", "secret": "hex_key", "message": "m" });
    assert_eq!(ask(seed.clone()).await, ask(seed).await);
}

#[tokio::test]
async fn outcome() {
    use OutcomeKind::{Accepted, Delivered, Failed, InactiveDevice, OptedOut, Retry, Unknown};
    let why = json!({ "code": "c", "message": "m" });
    for (outcome, kind, status) in [
        (json!({ "delivered": { "provider_id": "p", "message": "m" } }), Delivered, Status::Delivered),
        (json!({ "accepted": { "provider_id": "p", "message": "m" } }), Accepted, Status::Delivered),
        (json!({ "failed": why }), Failed, Status::DeliveryFailure),
        (json!({ "inactive_device": why }), InactiveDevice, Status::InactiveDevice),
        (json!({ "opted_out": why }), OptedOut, Status::OptedOut),
        (json!({ "unknown": why }), Unknown, Status::Retry),
        (json!({ "retry": { "scope": "message", "code": "c", "message": "m" } }), Retry, Status::Retry),
        (json!({ "retry": { "scope": "configuration", "code": "c", "message": "m" } }), Retry, Status::Scheduled),
    ] {
        let shown = tried("outcome", json!({ "outcome": outcome })).await;
        let attempt = &shown.attempts[0];
        assert_eq!((attempt.outcome, shown.listed.notification.status), (kind, status), "{outcome}");
        assert_eq!(attempt.message, "m");
        let of_failure = !matches!(kind, Delivered | Accepted);
        assert_eq!((attempt.code == "c", attempt.provider_id == "p"), (of_failure, !of_failure), "{outcome}");
    }
}

/// A batch goes into one call, and each notification has an outcome of its own.
#[tokio::test]
async fn outcomes_of_a_batch() {
    let engine = engine("outcome").await;
    let mut ids = Vec::new();
    for i in 0..5 {
        let outcome = if i == 2 { json!({ "failed": { "code": "c" } }) } else { json!({ "delivered": {} }) };
        ids.push(engine.notify("outcome", &format!("Title {i}"), json!({ "outcome": outcome })).await);
    }
    engine.deliver().await;
    for (i, id) in ids.into_iter().enumerate() {
        let status = engine.show(id).await.listed.notification.status;
        assert_eq!(status, if i == 2 { Status::DeliveryFailure } else { Status::Delivered });
    }
}

#[tokio::test]
async fn every_export() {
    let shown = tried("every_export", json!({})).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered, "nothing asks for receipts yet");
    assert_eq!(shown.attempts[0].provider_id, shown.listed.notification.id.to_string());
}
