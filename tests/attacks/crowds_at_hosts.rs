//! Many exchanges with one host: each target has its share there.

use super::arena::{Arena, is_delivered};
use super::neighbours::{another, attempted, served};
use super::time::answer;
use crate::support::http::{Answer, HttpServer};
use engine::rules::tenant::Tenant;
use serde_json::json;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// Eight exchanges with one host at once; the others wait for their turn, and none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_one_host() {
    // It says that it closes: a request on a connection that is just being closed would be lost, and its outcome unknown.
    let head = answer("content-length: 1\r\nconnection: close\r\n", b"");
    let slow = Answer::Drips(head, b"x".to_vec(), Duration::from_millis(300));
    let server = HttpServer::start(slow).await;
    let settings =
        format!("[delivery]\nconcurrency_per_target = 16\n[target.http_probe]\nbase_url = '{}'\n", server.origin());
    let arena = Arena::with("http_probe", &settings).await;
    let mut ids = Vec::new();
    for i in 0..16 {
        // One call each: they carry too much for a portion.
        ids.push(arena.engine.notify("http_probe", &format!("Title {i}"), json!({ "url": server.origin() })).await);
    }
    let busiest = {
        let (begun, ended) = (server.connections.clone(), server.ended.clone());
        tokio::spawn(async move {
            let mut busiest = 0;
            while ended.load(SeqCst) < 16 {
                busiest = busiest.max(begun.load(SeqCst) - ended.load(SeqCst));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            busiest
        })
    };
    arena.engine.deliver().await;
    for id in ids {
        let shown = arena.engine.show(id).await;
        is_delivered(&shown);
        let reported = &shown.attempts[0].message;
        assert!(reported.contains("\"status\":200"), "{reported}");
    }
    assert_eq!(server.count(), 16);
    assert!(busiest.await.unwrap() <= 8);
    arena.serves().await;
}

/// However many exchanges one target has open and waiting, another one's at the same host takes its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_another_targets() {
    let server = HttpServer::start(Answer::Hangs).await;
    let granted = |target: &str| format!("[target.{target}]\nbase_url = '{}'\n", server.origin());
    let settings = format!("{}{}", granted("http_probe"), granted("wasi_http_probe"));
    let arena = Arena::with("http_probe", &settings).await;
    arena.engine.record("wasi_http_probe", "ada@example.org").await;
    let crowd = json!({ "scheme": "http", "authority": server.address.to_string(), "times": 32, "together": true });
    for i in 0..2 {
        arena.engine.notify("wasi_http_probe", &format!("Title {i}"), crowd.clone()).await;
    }
    let alone = async {
        while server.connections.load(SeqCst) < 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(server.connections.load(SeqCst), 8, "one target's share");
        let mine = json!({ "url": server.origin(), "timeout": 300 });
        let mine = arena.engine.notify("http_probe", "Title", mine).await;
        let shown = attempted(&arena.engine, mine, Duration::from_secs(3)).await;
        assert!(shown.attempts[0].message.contains("took the request"), "{shown:#?}");
    };
    arena.engine.beside(alone).await;
}

/// Targets whose exchanges hang hold all places at a host: who waits for one there is not slow because of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_the_host_of_another() {
    let server = HttpServer::start(Answer::Hangs).await;
    let granted = |target: &str| format!("[target.{target}]\nbase_url = '{}'\n", server.origin());
    let settings = format!("{}{}", granted("http_probe"), granted("wasi_http_probe"));
    let arena = Arena::with("http_probe", &settings).await;
    let engine = &arena.engine;
    engine.record("wasi_http_probe", "ada@example.org").await;
    let hang = json!({ "scheme": "http", "authority": server.address.to_string(), "times": 8, "together": true });
    for i in 0..4 {
        another(engine, &format!("crowd {i}"), "wasi_http_probe", &engine.user).await;
        engine.notify(&format!("crowd {i}"), "Title", hang.clone()).await;
    }
    let honest = async {
        while server.connections.load(SeqCst) < 32 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let began = Instant::now();
        let mine = engine.notify("http_probe", "Title", json!({ "url": server.origin(), "timeout": 300 })).await;
        attempted(engine, mine, Duration::from_secs(60)).await;
        assert!(began.elapsed() > Duration::from_secs(4), "it had to wait: {:?}", began.elapsed());
        let mine = engine.store.find_target(Tenant::DEFAULT, "http_probe").await.unwrap().id;
        let is_known = async || {
            let known = engine.store.paces(Tenant::DEFAULT).await.unwrap();
            assert!(known.iter().any(|(_, slow_until)| slow_until.is_some()), "the others are slow: {known:?}");
            known.into_iter().find(|(target, _)| *target == mine)
        };
        let mut found = is_known().await;
        while found.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            found = is_known().await;
        }
        assert_eq!(found, Some((mine, None)), "it is not");
    };
    engine.beside(honest).await;
}

/// Answers that announce others (103) without an end, in all exchanges that a target may have: of each, as much is read as an answer may bring, and that in
/// small parts, between which others have their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_interim_answers() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(1000);
    let server = HttpServer::start(Answer::Endless(Vec::new(), interim)).await;
    let settings = format!("[delivery]\ncall_batch = 1\n[target.wasi_http_probe]\nbase_url = '{}'\n", server.origin());
    let arena = Arena::with("wasi_http_probe", &settings).await;
    let engine = &arena.engine;
    let crowd = json!({ "scheme": "http", "authority": server.address.to_string(), "times": 16, "together": true });
    let mut floods = Vec::new();
    for i in 0..10 {
        floods.push(engine.notify("wasi_http_probe", &format!("Title {i}"), crowd.clone()).await);
    }
    let honest = async {
        while server.connections.load(SeqCst) < 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for i in 0..5 {
            served(engine, &format!("Meanwhile {i}")).await;
        }
        for flood in floods {
            let shown = attempted(engine, flood, Duration::from_secs(60)).await;
            let log = &shown.attempts[0].log;
            assert!(log.contains(" sends on and on, and no answer among it."), "{shown:#?}");
        }
    };
    engine.beside(honest).await;
}
