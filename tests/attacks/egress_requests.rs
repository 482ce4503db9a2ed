//! Requests that want to be more than one, or to be framed otherwise than the engine frames them.

use super::arena::{Arena, Cases, case};
use crate::support::http::{Answer, HttpServer};
use serde_json::{Value, json};

async fn arena(server: &HttpServer) -> Arena {
    Arena::with("http_probe", &format!("[target.http_probe]\nbase_url = '{}'\n", server.origin())).await
}

#[tokio::test]
async fn headers_that_are_the_engines() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, header, value) in [
        (case("host"), "Host", "evil.example"),
        (case("host_in_small_letters"), "host", "evil.example"),
        (case("content_length"), "Content-Length", "0"),
        (case("transfer_encoding"), "transfer-ENCODING", "chunked"),
        (case("connection"), "Connection", "close"),
        (case("keep_alive"), "Keep-Alive", "timeout=1000000"),
        (case("proxy_connection"), "Proxy-Connection", "keep-alive"),
        (case("upgrade"), "Upgrade", "websocket"),
        (case("te"), "TE", "trailers"),
        (case("trailer"), "Trailer", "x"),
        (case("expect"), "Expect", "100-continue"),
        (case("accept_encoding"), "Accept-Encoding", "br"),
        (case("proxy_authorization"), "Proxy-Authorization", "Basic eDp5"),
        (case("engine_credential"), "Engine-Credential", "bearer token"),
        (case("a_line_break_in_a_value"), "X-A", "a\r\nHost: evil.example"),
        (case("a_line_feed_in_a_value"), "X-A", "a\nHost: evil.example"),
        (case("a_carriage_return_in_a_value"), "X-A", "a\rHost: evil.example"),
        (case("a_line_break_in_a_name"), "X-A\r\nHost", "evil.example"),
        (case("a_colon_in_a_name"), "Host: evil.example\r\nX-A", "b"),
        (case("a_space_in_a_name"), "Transfer-Encoding ", "chunked"),
        (case("a_tab_before_a_name"), "\tHost", "evil.example"),
        (case("a_pseudo_header"), ":authority", "evil.example"),
        (case("an_empty_name"), "", "x"),
        (case("a_name_in_another_script"), "Ноst", "evil.example"),
    ] {
        let found = arena.reported(json!({ "url": server.origin(), "headers": [[header, value]] })).await;
        cases.check(name, found["phase"] == "invalid" && found["code"] == "invalid_request", found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
}

#[tokio::test]
async fn methods_that_are_none() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, method) in [
        (case("connect"), "CONNECT"),
        (case("trace"), "TRACE"),
        (case("options"), "OPTIONS"),
        (case("small_letters"), "post"),
        (case("nothing"), ""),
        (case("a_request_line"), "GET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\nGET"),
        (case("a_space"), "GET "),
        (case("upgrade_to_http_2"), "PRI"),
    ] {
        let found = arena.reported(json!({ "url": server.origin(), "method": method })).await;
        cases.check(name, found["phase"] == "invalid" && found["code"] == "invalid_request", found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
}

/// Requests within requests: each is sent as one, framed by its length.
#[tokio::test]
async fn requests_in_requests() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let smuggled = "0\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    let mut cases = Cases::default();
    for (name, wish) in [
        (case("in_a_body"), json!({ "method": "POST", "body": smuggled })),
        (case("in_the_body_of_a_question"), json!({ "method": "GET", "body": smuggled })),
        (case("in_the_path"), json!({ "method": "GET", "path": "/x HTTP/1.1\r\nHost: evil.example\r\n\r\nGET /evil" })),
        (case("in_the_query"), json!({ "method": "GET", "path": "/?x HTTP/1.1\r\n\r\nGET /evil" })),
        (case("escaped_in_the_path"), json!({ "method": "GET", "path": "/%0d%0aHost:%20evil.example" })),
        (case("in_another_script"), json!({ "method": "GET", "path": "/\u{010d}\u{010a}Host: evil.example" })),
    ] {
        server.answers(Answer::status(200, "", ""));
        let mut wish = wish;
        wish["url"] = Value::from(format!("{}{}", server.origin(), wish["path"].as_str().unwrap_or("/")));
        let found = arena.reported(wish).await;
        let asked = server.requests.lock().unwrap().clone();
        let head = asked.first().and_then(|whole| whole.split_once("\r\n\r\n")).map(|(head, _)| head.to_lowercase());
        let hosts = head.iter().flat_map(|head| head.lines()).filter(|line| line.starts_with("host:")).count();
        cases.check(name, found["status"] == 200 && asked.len() == 1 && hosts == 1, (found, asked));
    }
}

/// More than a request may have.
#[tokio::test]
async fn requests_too_large() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, wish) in [
        (case("a_body_of_five_mebibytes_and_a_byte"), json!({ "method": "POST", "body_of": 5 * 1024 * 1024 + 1 })),
        (case("a_value_of_16_kib_and_more"), json!({ "headers": [["X-A", "a".repeat(16 * 1024)]] })),
        (
            case("a_name_of_another_notification"),
            json!({ "method": "POST", "about": ["019a0000-0000-7000-8000-000000000000"] }),
        ),
    ] {
        let mut wish = wish;
        wish["url"] = server.origin().into();
        let found = arena.reported(wish).await;
        cases.check(name, found["phase"] == "invalid" && found["code"] == "invalid_request", found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
    let found = arena.reported(json!({ "url": server.origin(), "method": "POST", "body_of": 5 * 1024 * 1024 })).await;
    assert_eq!(found["status"], 200, "as much as it may have: {found}");
}

/// A creator has no doors, whatever it is granted.
#[tokio::test]
async fn every_door_before_sending() {
    let arena = Arena::of("wall").await;
    let ready = arena.engine.catalog.get("http_probe").await.unwrap();
    for call in [
        engine::rules::grants::Call::Describe,
        engine::rules::grants::Call::CheckAddress,
        engine::rules::grants::Call::Create,
    ] {
        let denial = engine::rules::grants::http(&ready.powers.grants, call, "https://provider.example/", &[], &[]);
        assert_eq!(denial.unwrap_err().code, "not_while_creating");
    }
    arena.serves().await;
}
