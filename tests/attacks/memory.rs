//! Programs that want more memory than there is for them, in theirs and in the engine's.

use super::arena::{Arena, Cases, case, is_delivered, is_fault};
use engine::creation::Request;
use engine::rules::status::Status;
use serde_json::json;

const AT_ONCE: &str = "The component hands over more than 16MiB at once: a request may have 5MiB (`[sandbox] request`; the operator says another";

#[tokio::test]
async fn hog() {
    is_fault(&Arena::of("hog").await.tried(json!({})).await, "out_of_memory", "more than 64MiB");
}

#[tokio::test]
async fn grow_to_4_gib() {
    is_fault(&Arena::of("grow_to_4_gib").await.sent().await, "out_of_memory", "more than 64MiB");
}

#[tokio::test]
async fn refused_and_content() {
    is_delivered(&Arena::of("refused_and_content").await.sent().await);
}

#[tokio::test]
async fn many_memories() {
    Arena::of("many_memories").await.is_refused("memories").await;
}

#[tokio::test]
async fn memories_in_sum() {
    Arena::of("memories_in_sum").await.is_refused("memories").await;
}

#[tokio::test]
async fn born_too_large() {
    Arena::of("born_too_large").await.is_refused("It wants more than this engine allows").await;
}

#[tokio::test]
async fn born_with_4_gib() {
    Arena::of("born_with_4_gib").await.is_refused("It wants more than this engine allows").await;
}

#[tokio::test]
async fn huge_table() {
    Arena::of("huge_table").await.is_refused("10000000").await;
}

#[tokio::test]
async fn many_tables() {
    Arena::of("many_tables").await.is_refused("tables").await;
}

#[tokio::test]
async fn growing_table() {
    let shown = Arena::of("growing_table").await.sent().await;
    assert_eq!(shown.listed.notification.status, Status::Retry, "{shown:#?}");
    assert!(matches!(shown.attempts[0].code.as_str(), "trapped" | "out_of_memory"), "{shown:#?}");
}

/// A name in a trap's backtrace is kept as it is, unless it is one of Rust's, which is written out in bounded length.
#[tokio::test]
async fn doubling_name() {
    let shown = Arena::of("doubling_name").await.sent().await;
    is_fault(&shown, "trapped", "unreachable");
    let log = &shown.attempts[0].log;
    assert!(log.contains("!_Z1f1aIiiiiES_I") && log.contains("!pigeon::fly\n"), "{log}");
}

#[tokio::test]
async fn lying_realloc() {
    is_fault(&Arena::of("lying_realloc").await.sent().await, "trapped", "realloc");
}

#[tokio::test]
async fn result_of_a_gib() {
    is_fault(&Arena::of("result_of_a_gib").await.sent().await, "trapped", AT_ONCE);
}

#[tokio::test]
async fn result_beyond_memory() {
    is_fault(&Arena::of("result_beyond_memory").await.sent().await, "trapped", "out of bounds");
}

#[tokio::test]
async fn ten_million_outcomes() {
    is_fault(&Arena::of("ten_million_outcomes").await.sent().await, "trapped", "");
}

#[tokio::test]
async fn result_not_utf8() {
    is_fault(&Arena::of("result_not_utf8").await.sent().await, "trapped", "utf-8");
}

#[tokio::test]
async fn no_such_outcome() {
    is_fault(&Arena::of("no_such_outcome").await.sent().await, "trapped", "discriminant");
}

#[tokio::test]
async fn million_strings() {
    is_fault(&Arena::of("million_strings").await.sent().await, "trapped", AT_ONCE);
}

#[tokio::test]
async fn million_handles() {
    is_fault(&Arena::of("million_handles").await.sent().await, "trapped", "handle limit");
}

#[tokio::test]
async fn handles() {
    let arena = Arena::of("handles").await;
    let mut cases = Cases::default();
    for (name, extra, code) in [
        (case("a_million_pollables"), json!({ "pollables": 1_000_000 }), "trapped"),
        (case("a_few_hundred_pollables"), json!({ "pollables": 400 }), ""),
        (case("a_gib_of_chance"), json!({ "random": 1_u64 << 30 }), "trapped"),
        (case("as_much_chance_as_there_is"), json!({ "random": u64::MAX }), "trapped"),
        (case("some_chance"), json!({ "random": 65_536 }), ""),
    ] {
        let shown = arena.tried(extra).await;
        cases.check(name, shown.attempts[0].code == code, shown);
    }
}

#[tokio::test]
async fn wrong_count() {
    let arena = Arena::of("wrong_count").await;
    is_fault(&arena.tried(json!({})).await, "wrong_result", "of which there were 1, and did with 0.");
    is_fault(&arena.tried(json!({ "outcomes": 2 })).await, "wrong_result", "of which there were 1, and did with 2.");
    is_fault(
        &arena.tried(json!({ "outcomes": 100_000 })).await,
        "wrong_result",
        "of which there were 1, and did with 100000.",
    );
}

/// Texts of an outcome are kept as far as they fit.
#[tokio::test]
async fn outcomes_without_end() {
    let arena = Arena::of("outcome").await;
    let long = "m".repeat(100_000);
    let failed = json!({ "outcome": { "failed": { "code": "c".repeat(5000), "message": long } } });
    let shown = arena.tried(failed).await;
    let attempt = &shown.attempts[0];
    assert_eq!(shown.listed.notification.status, Status::DeliveryFailure);
    assert_eq!((attempt.code.len(), attempt.message.len()), (64, 1000));
    let shown = arena.tried(json!({ "outcome": { "delivered": { "provider_id": "p".repeat(256) } } })).await;
    assert_eq!(shown.attempts[0].provider_id, "", "a part of an id would be another's");
    // Measured before it is cut. Without its creator, which may give no more either.
    let arena = Arena::with("outcome", "[sandbox]\nresult = '64KiB'\n").await;
    let extra = json!({ "outcome": { "failed": { "code": "c", "message": long } } });
    let request = Request { raw: true, ..arena.engine.request("outcome", "Title", extra) };
    let id = arena.engine.create(&request).await.unwrap()[0];
    arena.engine.deliver().await;
    let shown = arena.engine.show(id).await;
    is_fault(&shown, "wrong_result", "100001 bytes, and 65536 is the most (");
}
