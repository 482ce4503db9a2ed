//! Creators that keep a request from being answered, or others from having it. (No target is named in it: whoever names one wants that one.)

use super::arena::{Arena, Cases, case};
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

/// Its schema, which the engine itself follows, would take a minute for a text that all are to get.
#[tokio::test]
async fn long_winded() {
    let arena = Arena::of("long_winded").await;
    let mut cases = Cases::default();
    for (name, extra) in [
        (case("for_text"), json!({ "html": "<p>the time has come</p>".repeat(2500) })),
        (case("for_numbers"), json!({ "numbers": vec![7; 100_000] })),
    ] {
        let began = Instant::now();
        let reports = reports(&arena, &["long_winded"], &extra).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(of(&reports, "noop"), Ok(1));
        let told = of(&reports, "long_winded");
        cases.check(name, told.as_ref().is_err_and(|why| why.contains("takes too long to check it")), told);
    }
    arena.serves().await;
}

/// The user is not reached there any more when it has ended; its own handler may have seen to that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creator_whose_record_goes_meanwhile() {
    let arena = Arena::of("picky").await;
    let engine = &arena.engine;
    let target = engine.store.find_target(Tenant::DEFAULT, "picky").await.unwrap();
    let record = engine.store.active_records(Tenant::DEFAULT, engine.user.id, target.id).await.unwrap().remove(0);
    let extra = json!({ "password": "Please.", "milliseconds": 1500 });
    let made = async |gone: Uuid| {
        let removed = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            engine.store.remove_record(Tenant::DEFAULT, gone).await.unwrap();
        };
        tokio::join!(reports(&arena, &["picky"], &extra), removed).0
    };
    // One of two addresses in it, and then the last.
    super::neighbours::record(engine, &target, &engine.user, "another").await;
    let reports = made(record.id).await;
    assert_eq!((of(&reports, "picky"), of(&reports, "noop")), (Ok(1), Ok(1)));
    let record = engine.store.active_records(Tenant::DEFAULT, engine.user.id, target.id).await.unwrap().remove(0);
    let reports = made(record.id).await;
    assert!(of(&reports, "picky").is_err(), "{reports:?}");
    assert_eq!(of(&reports, "noop"), Ok(1));
    arena.serves().await;
}

/// The same request again makes nothing new, though the first that it had made is gone with a record.
#[tokio::test]
async fn a_key_of_which_the_first_is_gone() {
    let arena = Arena::of("misses").await;
    let engine = &arena.engine;
    let request = Request {
        targets: Vec::new(),
        idempotency_key: Some("order-7".to_owned()),
        ..engine.request("noop", "Title", json!({}))
    };
    let made =
        async || create(&engine.store, &engine.catalog, &request, engine.clock.now(), Uuid::now_v7).await.unwrap();
    let first = made().await;
    assert_eq!((of(&first, "misses"), of(&first, "noop")), (Ok(1), Ok(1)));
    let target = engine.store.find_target(Tenant::DEFAULT, &first[0].target).await.unwrap();
    let record = engine.store.active_records(Tenant::DEFAULT, engine.user.id, target.id).await.unwrap().remove(0);
    engine.store.remove_record(Tenant::DEFAULT, record.id).await.unwrap();
    let again = made().await;
    assert_eq!((again.len(), &again[0]), (1, &first[1]));
    arena.serves().await;
}

/// Many of them take no longer than one, which has ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creators_that_take_their_time() {
    let arena = Arena::of("picky").await;
    let engine = &arena.engine;
    let mut names = vec!["picky"];
    for name in ["picky two", "picky three", "picky four"] {
        another(engine, name, "picky", &engine.user).await;
        names.push(name);
    }
    let began = Instant::now();
    let reports = reports(&arena, &names, &json!({ "password": "Please.", "milliseconds": 60_000 })).await;
    assert!((10..14).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert!(of(&reports, "picky four").is_err_and(|why| why.contains("did not end within 10s")), "{reports:?}");
    assert_eq!(of(&reports, "noop"), Ok(1));
    assert_eq!(engine.store.list_notifications(Tenant::DEFAULT, &Default::default()).await.unwrap().len(), 1);
    arena.serves().await;
}
