//! The engine's own stop while it is being attacked: nothing panics, no permit is lost, no connection stays open.

use super::arena::Arena;
use crate::support::http::{Answer, HttpServer};
use engine::delivery::Stopped;
use engine::rules::outcome::OutcomeKind;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

async fn until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "it did not happen in 20 seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_during_an_exchange() {
    let server = HttpServer::start(Answer::Hangs).await;
    let settings = format!(
        "[sandbox]\ninstances = 1\nhttp_time = '2s'\n[delivery]\nstop_timeout = '100ms'\n[target.http_probe]\nbase_url = '{}'\n",
        server.origin()
    );
    let arena = Arena::with("http_probe", &settings).await;
    let id = arena.engine.notify("http_probe", "Title", json!({ "method": "POST", "url": server.origin() })).await;
    let deliverer = arena.engine.deliverer(Arc::new(|_| {}));
    let asked = until(|| server.count() == 1);
    let stopped = deliverer.run(|| {}, asked, std::future::pending()).await.unwrap();
    assert_eq!(stopped, Stopped::CutOff);
    until(|| server.ended.load(SeqCst) == 1).await;
    // The only place of the sandbox is free again, or this would wait for ever.
    arena.serves().await;
    let shown = arena.engine.show(id).await;
    let first = (shown.attempts[0].outcome, shown.attempts[0].code.as_str());
    assert_eq!(first, (OutcomeKind::Unknown, "engine_died"), "its bytes had left: {shown:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_while_it_computes() {
    let settings = "[sandbox]\ninstances = 1\ncpu = '10m'\nwall = '2s'\n[delivery]\nstop_timeout = '100ms'\n";
    let arena = Arena::with("spin", settings).await;
    arena.engine.notify("spin", "Title", json!({})).await;
    let deliverer = arena.engine.deliverer(Arc::new(|_| {}));
    let began = Instant::now();
    let soon = tokio::time::sleep(Duration::from_millis(300));
    let stopped = deliverer.run(|| {}, soon, std::future::pending()).await.unwrap();
    assert_eq!(stopped, Stopped::CutOff);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    arena.serves().await;
}

/// A creator is not waited for either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_up_while_it_creates() {
    let arena = Arena::with("spin_in_create", "[sandbox]\ninstances = 1\ncpu = '10m'\n").await;
    let request = arena.engine.request("spin_in_create", "Title", json!({}));
    let created = tokio::time::timeout(Duration::from_millis(300), arena.engine.create(&request)).await;
    assert!(created.is_err(), "{created:?}");
    arena.serves().await;
}
