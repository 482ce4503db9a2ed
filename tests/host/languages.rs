//! Components that other languages' toolchains make of the programs in `tests/languages`.

use crate::support::engine::TestEngine;
use crate::support::http::{Answer, HttpServer};
use engine::rules::status::Status;
use serde_json::json;
use std::path::PathBuf;

/// The folder that the lane makes.
fn made() -> PathBuf {
    std::env::var_os("TEST_LANGUAGES").expect("`cargo xtask languages` runs this").into()
}

/// JavaScript's `fetch` needs nothing of the contract but the grant, and names its secret in a header.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "installs JavaScript's toolchain: cargo xtask languages"]
async fn javascripts_fetch() {
    let server = HttpServer::start(Answer::status(201, "X-Answer: yes\r\n", "thanks")).await;
    let said = format!("[target.fetch_hook]\nbase_url = '{}'\nsecrets = ['token']\n", server.origin());
    let engine = TestEngine::builder().targets_in(&made()).with(&said).secret("token", "hush-hush").start().await;
    engine.record("fetch_hook", " #room ").await;
    let shown = engine.tried("fetch_hook", "Title", json!({ "url": format!("{}/post", server.origin()) })).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered, "{shown:#?}");
    assert_eq!(shown.attempts[0].message, "201 yes thanks");
    assert_eq!(shown.attempts[0].usage.unwrap().http, 1);
    let request = server.last();
    assert!(
        request.starts_with("POST /post HTTP/1.1\r\n") && request.ends_with("{\"text\":\"The body.\"}"),
        "{request}"
    );
    assert!(request.to_lowercase().contains("authorization: bearer hush-hush\r\n"), "{request}");

    let other = engine.tried("fetch_hook", "Title", json!({ "url": "https://chat.example/post" })).await;
    let why = &other.attempts[0].message;
    assert!(why.contains("NetworkError") && why.contains("its component does not ask for it in its manifest"), "{why}");
}
