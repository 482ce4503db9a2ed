//! `wasi:http` leads through the same door as `http.send`: what opens it, what goes through, and what is known when an exchange breaks.

use super::guests::report;
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::http::{Answer, HttpServer};
use engine::rules::outcome::OutcomeKind;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An engine whose probe may talk to this server, by the operator's word.
async fn with(server: &HttpServer) -> TestEngine {
    let said = format!("[target.wasi_http_probe]\nbase_url = '{}'\nsecrets = ['token']\n", server.origin());
    let engine = TestEngine::builder().targets_in(guests()).with(&said).secret("token", "hush-hush").start().await;
    engine.record("wasi_http_probe", "anything").await;
    engine
}

async fn asked(engine: &TestEngine, extra: Value) -> Value {
    report(&engine.tried("wasi_http_probe", "Title", extra).await)
}

/// A wish that goes to this server.
fn to(server: &HttpServer, mut wish: Value) -> Value {
    wish["scheme"] = "http".into();
    wish["authority"] = server.address.to_string().into();
    wish
}

#[tokio::test]
async fn wasi_http_probe() {
    let server = HttpServer::start(Answer::status(201, "X-Answer: yes\r\n", "made")).await;
    let engine = with(&server).await;
    let headers = json!([["X-Mine", "1"], ["Engine-Credential", "bearer token"], ["Accept-Encoding", "br"]]);
    let wish = json!({ "method": "POST", "path": "/a/b?c=d", "body": "hello", "headers": headers });
    let found = asked(&engine, to(&server, wish)).await;
    assert_eq!((&found["status"], &found["body"]), (&json!(201), &json!("made")), "{found}");
    assert!(found["headers"].as_array().unwrap().contains(&json!(["x-answer", "yes"])), "{found}");
    let request = server.last();
    assert!(request.starts_with("POST /a/b?c=d HTTP/1.1\r\n") && request.ends_with("\r\n\r\nhello"), "{request}");
    let lower = request.to_lowercase();
    let host = format!("host: {}\r\n", server.address);
    for line in ["authorization: bearer hush-hush\r\n", "x-mine: 1\r\n", "content-length: 5\r\n", &host] {
        assert!(lower.contains(line), "{line}: {request}");
    }
    for word in ["engine-credential", "br\r\n", "chunked"] {
        assert!(!lower.contains(word), "{word}: {request}");
    }
}

#[tokio::test]
async fn each_kind_of_credential() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with(&server).await;
    for (said, line) in [
        ("bearer token", "authorization: bearer hush-hush\r\n"),
        ("basic ada token", "authorization: basic ywrhomh1c2gtahvzaa==\r\n"),
        ("header X-Key token", "x-key: hush-hush\r\n"),
    ] {
        let found = asked(&engine, to(&server, json!({ "headers": [["engine-credential", said]] }))).await;
        assert_eq!(found["status"], 200, "{said}: {found}");
        assert!(server.last().to_lowercase().contains(line), "{said}: {}", server.last());
    }
    let shown = engine
        .tried("wasi_http_probe", "Title", to(&server, json!({ "headers": [["engine-credential", "token"]] })))
        .await;
    assert!(
        shown.attempts[0].log.contains("is not `bearer NAME`, `basic USER NAME` or `header HEADER NAME`"),
        "{shown:#?}"
    );
    assert_eq!(server.count(), 3);
}

/// A code has no words, so the log says which command would allow it.
#[tokio::test]
async fn what_is_not_granted_is_denied_and_the_log_says_what_to_do() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with(&server).await;
    let shown =
        engine.tried("wasi_http_probe", "Title", json!({ "authority": "provider.example", "path": "/x" })).await;
    assert_eq!(report(&shown)["error"], "ErrorCode::HttpRequestDenied");
    let log = &shown.attempts[0].log;
    assert!(log.contains("engine target grant \"wasi_http_probe\" --http https://provider.example"), "{log}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_creator_has_none() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with(&server).await;
    let request = engine.request("wasi_http_probe", "Title", to(&server, json!({ "in_create": true })));
    let refused = engine.create(&request).await.unwrap_err();
    assert!(refused.to_string().contains("HttpRequestDenied"), "{refused}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn how_far_an_exchange_got() {
    for (answer, error) in [
        (Answer::Closes, "ErrorCode::ConnectionTerminated"),
        (Answer::Hangs, "ErrorCode::HttpResponseTimeout"),
        (
            Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()),
            "ErrorCode::HttpResponseIncomplete",
        ),
        (Answer::status(200, "", &"x".repeat(1_100_000)), "ErrorCode::HttpResponseBodySize(None)"),
        (
            Answer::Drips(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"slow".to_vec(), Duration::from_secs(2)),
            "ErrorCode::ConnectionReadTimeout",
        ),
    ] {
        let server = HttpServer::start(answer).await;
        let engine = with(&server).await;
        let began = Instant::now();
        let wish = json!({ "method": "POST", "body": "x", "first_byte": 500, "between_bytes": 500 });
        let found = asked(&engine, to(&server, wish)).await;
        assert_eq!(found["error"], error, "{found}");
        assert!(began.elapsed() < Duration::from_secs(5), "its own patience: {:?}", began.elapsed());
    }
    let server = HttpServer::start(Answer::Closes).await;
    let engine = with(&server).await;
    let wish = to(&server, json!({}));
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(asked(&engine, wish).await["error"], "ErrorCode::ConnectionRefused");
}

/// Those that wait for each other's answers at the same time, as `fetch` does.
#[tokio::test]
async fn requests_go_side_by_side_and_are_counted() {
    let slow = Answer::Drips(
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n".to_vec(),
        b"x".to_vec(),
        Duration::from_millis(400),
    );
    let server = HttpServer::start(slow).await;
    let engine = with(&server).await;
    let began = Instant::now();
    let wish = json!({ "method": "POST", "body": "hello", "times": 6, "together": true });
    let shown = engine.tried("wasi_http_probe", "Title", to(&server, wish)).await;
    assert_eq!((report(&shown)["status"].as_u64(), server.count()), (Some(200), 6));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(shown.attempts[0].usage.unwrap().http, 6);
}

/// A fault after the request has left leaves the outcome unknown; one after a question does not.
#[tokio::test]
async fn a_trap_after_sending_is_unknown() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with(&server).await;
    for (extra, kind) in [
        (json!({ "method": "POST", "then": "trap" }), OutcomeKind::Unknown),
        (json!({ "then": "trap" }), OutcomeKind::Retry),
        (json!({ "method": "POST", "body": "x", "body_is": "open", "then": "spin" }), OutcomeKind::Retry),
    ] {
        let shown = engine.tried("wasi_http_probe", "Title", to(&server, extra.clone())).await;
        assert_eq!(shown.attempts[0].outcome, kind, "{extra}: {shown:#?}");
    }
    assert_eq!(server.count(), 2);
}
