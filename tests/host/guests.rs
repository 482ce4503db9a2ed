//! Programs that do what the contract lets them do.

use crate::support::engine::TestEngine;
use crate::support::program::Program;
use crate::support::{guest, guests};
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::store::NotificationHistory;
use serde_json::{Value, json};

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

#[tokio::test]
async fn noop() {
    let shown = tried("noop", json!({})).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered);
    assert_eq!(shown.attempts[0].log, "");
}

#[tokio::test]
async fn settings_probe() {
    let engine = TestEngine::builder()
        .targets_in(guests())
        .with("[target.settings_probe]\nsecrets = ['token']\ncolour = 'grey'\ncount = 3\n")
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

/// An author who shows people an address that is none is told before anybody types it.
#[tokio::test]
async fn own_example() {
    let told = Program::new().ok(&["target", "install", guest("own_example").to_str().unwrap()]).stdout;
    assert!(told.contains("as an example, \"anything\", is refused by its own `check-address`"), "{told}");
}

/// The same of one who makes something of it that cannot be kept.
#[tokio::test]
async fn long_address() {
    let told = Program::new().ok(&["target", "install", guest("long_address").to_str().unwrap()]).stdout;
    let part = "Its `check-address` fails even for the example of its manifest: What the component made of the address cannot be kept: target_user_id";
    assert!(told.contains(part), "{told}");
}
