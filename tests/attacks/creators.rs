//! Creators that keep a request from being answered, or others from having it. (No target is named in it: whoever names one wants that one.)

use super::arena::Arena;
use super::neighbours::another;
use engine::creation::{Message, Refusal, Report, Request, create};
use engine::rules::tenant::Tenant;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What comes of a request to all targets in which the user is reached, with this for the hostile ones.
async fn reports(arena: &Arena, hostile: &[&str], extra: &Value) -> Vec<Report> {
    let engine = &arena.engine;
    let all = engine.request("noop", "Title", json!({}));
    let extra = extra.as_object().unwrap();
    let own = |name: &&str| ((*name).to_owned(), Message { extra: extra.clone(), ..all.message.clone() });
    let request = Request { targets: Vec::new(), messages: hostile.iter().map(own).collect(), ..all };
    create(&engine.store, &engine.catalog, &request, engine.clock.now(), Uuid::now_v7).await.unwrap()
}

/// What a target has, or why it has nothing.
fn of(reports: &[Report], target: &str) -> Result<usize, String> {
    let report = reports.iter().find(|report| report.target == target).unwrap();
    report.result.as_ref().map(Vec::len).map_err(Refusal::to_string)
}

/// It says politely what others say by a crash.
#[tokio::test]
async fn a_creator_that_refuses_everything() {
    let arena = Arena::of("misses").await;
    let reports = reports(&arena, &["misses"], &json!({ "create": "nothing" })).await;
    assert_eq!(of(&reports, "misses"), Err("No notification was made: It fails.".to_owned()));
    assert_eq!(of(&reports, "noop"), Ok(1));
    arena.serves().await;
}

/// Its schema wants a key that no application gives.
#[tokio::test]
async fn picky() {
    let arena = Arena::of("picky").await;
    let reports = reports(&arena, &[], &json!({})).await;
    assert!(of(&reports, "picky").is_err_and(|why| why.contains("required")), "{reports:?}");
    assert_eq!(of(&reports, "noop"), Ok(1));
    arena.serves().await;
}

/// Many of them take no longer than one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creators_that_take_their_time() {
    let arena = Arena::with("picky", "[sandbox]\nwall = '2s'\n").await;
    let engine = &arena.engine;
    let mut names = vec!["picky"];
    for name in ["picky two", "picky three", "picky four"] {
        another(engine, name, "picky", &engine.user).await;
        names.push(name);
    }
    let began = Instant::now();
    let reports = reports(&arena, &names, &json!({ "password": "Please.", "milliseconds": 60_000 })).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(of(&reports, "picky four").is_err_and(|why| why.contains("did not end within")), "{reports:?}");
    assert_eq!(of(&reports, "noop"), Ok(1));
    assert_eq!(engine.store.list_notifications(Tenant::DEFAULT, &Default::default()).await.unwrap().len(), 1);
    arena.serves().await;
}
