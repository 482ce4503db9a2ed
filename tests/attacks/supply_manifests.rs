//! Components that say of themselves what they should not, and creators that make what they should not.

use super::arena::{Arena, Cases, case};
use crate::support::guest;
use engine::clock::Clock;
use engine::creation::CreationError;
use engine::host::Host;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn large_manifest() {
    Arena::of("large_manifest").await.is_refused("its manifest has 102400 bytes, and 65536 is the most").await;
}

#[tokio::test]
async fn deep_manifest() {
    Arena::of("deep_manifest").await.is_refused("its manifest has to be a JSON object").await;
}

#[tokio::test]
async fn coloured_manifest() {
    Arena::of("coloured_manifest").await.is_refused("control character").await;
}

/// Schemas are followed outside of the sandbox, so what they can cost is little: these are refused at once.
#[tokio::test]
async fn doubling_manifest() {
    let began = Instant::now();
    Arena::of("doubling_manifest").await.is_refused("write them out instead of `$ref`").await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn unevaluated_manifest() {
    Arena::of("unevaluated_manifest")
        .await
        .is_refused("its keyword `unevaluatedProperties` is not followed here")
        .await;
}

#[tokio::test]
async fn pattern_manifest() {
    let began = Instant::now();
    Arena::of("pattern_manifest").await.is_refused("`settings` in its manifest is no JSON Schema").await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn slow_describe() {
    Arena::of("slow_describe").await.is_refused("did not end within 3s, and has nothing to wait for").await;
}

/// It is what it said first: nothing that it says later is listened to, at the next start either.
#[tokio::test]
async fn two_faced() {
    let arena = Arena::of("two_faced").await;
    let first = arena.engine.catalog.get("two_faced").await.unwrap().module.manifest.clone();
    let (settings, key) = (&arena.engine.settings, arena.engine.settings.engine_key().unwrap());
    for _ in 0..3 {
        let host = Host::new(&settings.sandbox, &settings.cache(), &key, Clock::system()).unwrap();
        let again = host.load("two_faced", &std::fs::read(guest("two_faced")).unwrap()).await.unwrap();
        assert_eq!(again.manifest, first);
    }
    arena.serves().await;
}

/// Drafts that cannot be stored, or are not the creator's to make: the request is refused, and nothing of it is stored.
#[tokio::test]
async fn drafts_that_cannot_be() {
    let arena = Arena::of("drafts").await;
    let foreign = arena.engine.record("noop", "another's").await.id.to_string();
    let mut cases = Cases::default();
    for (name, extra) in [
        (case("a_title_too_long"), json!({ "title_of": 101 })),
        (case("a_body_too_long"), json!({ "body_of": 300_000 })),
        (case("too_many"), json!({ "drafts": 100_000 })),
        (case("extra_that_is_no_json"), json!({ "extra": "no JSON" })),
        (case("extra_that_is_no_object"), json!({ "extra": "[]" })),
        (case("extra_that_is_deep"), json!({ "extra": format!("{{\"a\":{}1{}}}", "[".repeat(120), "]".repeat(120)) })),
        (case("extra_with_a_null"), json!({ "extra": "{\"a\":\"\\u0000\"}" })),
        (case("a_record_of_another_target"), json!({ "record": foreign })),
        (case("a_record_that_is_none"), json!({ "record": "019a0000-0000-7000-8000-000000000000" })),
        (case("a_record_that_is_no_id"), json!({ "record": "' OR 1=1 --" })),
        (case("a_time_that_never_comes"), json!({ "not_before": u64::MAX })),
    ] {
        let refused = arena.engine.create(&arena.engine.request("drafts", "Title", extra)).await;
        let stored = arena.engine.store.list_notifications(Tenant::DEFAULT, &Default::default()).await.unwrap();
        let left = stored.iter().filter(|listed| listed.target_name == "drafts").count();
        let is_its_own = refused.as_ref().is_err_and(|e| matches!(e, CreationError::Fault { .. }));
        cases.check(name, is_its_own && left == 0, refused.map_err(|e: CreationError| e.to_string()));
        arena.serves().await;
    }
}

/// A creator that makes what its handler refuses: each is refused once, and no more.
#[tokio::test]
async fn drafts() {
    let arena = Arena::of("drafts").await;
    let shown = arena.tried(json!({ "drafts": 1 })).await;
    assert_eq!(shown.listed.notification.status, Status::DeliveryFailure, "{shown:#?}");
    assert_eq!((shown.attempts.len(), shown.attempts[0].code.as_str()), (1, "not_mine"));
}
