//! The attacks on HTTP once more, by the other handle of the door, and those that only a request in pieces allows.

use super::arena::{Arena, Cases, case, is_delivered, is_fault};
use super::neighbours::record;
use super::probe::Probe;
use super::time::gzip_bomb;
use crate::support::http::{Answer, HttpServer};
use engine::creation::Request;
use engine::rules::grants::Capability;
use engine::rules::outcome::OutcomeKind;
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

async fn arena(server: &HttpServer) -> Arena {
    let said = format!("[target.wasi_http_probe]\nbase_url = '{}'\nlimits = {{ wall = '3s' }}\n", server.origin());
    Arena::with("wasi_http_probe", &said).await
}

fn to(server: &HttpServer, mut wish: Value) -> Value {
    for (member, value) in [("scheme", "http".to_owned()), ("authority", server.address.to_string())] {
        if wish[member].is_null() {
            wish[member] = value.into();
        }
    }
    wish
}

#[tokio::test]
async fn headers_that_are_the_engines() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, header, value, why) in [
        (case("host"), "Host", "evil.example", "Forbidden"),
        (case("transfer_encoding"), "transfer-ENCODING", "chunked", "Forbidden"),
        (case("connection"), "Connection", "close", "Forbidden"),
        (case("keep_alive"), "Keep-Alive", "timeout=1000000", "Forbidden"),
        (case("proxy_connection"), "Proxy-Connection", "keep-alive", "Forbidden"),
        (case("proxy_authorization"), "Proxy-Authorization", "Basic eDp5", "Forbidden"),
        (case("upgrade"), "Upgrade", "websocket", "Forbidden"),
        (case("http2_settings"), "HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA", "Forbidden"),
        (case("te"), "TE", "trailers", "Forbidden"),
        (case("trailer"), "Trailer", "x", "Forbidden"),
        (case("a_line_break_in_a_value"), "X-A", "a\r\nHost: evil.example", "InvalidSyntax"),
        (case("a_line_feed_in_a_value"), "X-A", "a\nHost: evil.example", "InvalidSyntax"),
        (case("a_line_break_in_a_name"), "X-A\r\nHost", "evil.example", "InvalidSyntax"),
        (case("a_colon_in_a_name"), "Host: evil.example\r\nX-A", "b", "InvalidSyntax"),
        (case("a_space_in_a_name"), "Transfer-Encoding ", "chunked", "InvalidSyntax"),
        (case("a_pseudo_header"), ":authority", "evil.example", "InvalidSyntax"),
        (case("a_length_that_is_no_number"), "Content-Length", "+5", "InvalidSyntax"),
    ] {
        let found = arena.reported(to(&server, json!({ "headers": [[header, value]] }))).await;
        cases.check(name, found["refused"].as_str().is_some_and(|refused| refused.contains(why)), found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
}

/// What libraries write of their own accord does not refuse a request, and does not go with it either.
#[tokio::test]
async fn headers_that_frame_it_otherwise() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, header, value, body, arrives) in [
        (case("a_length_that_is_right"), "Content-Length", "5", "hello", true),
        (case("a_length_that_is_less"), "Content-Length", "4", "hello", false),
        (case("a_length_that_is_more"), "Content-Length", "6", "hello", false),
        (case("a_length_of_nothing"), "Content-Length", "6", "", false),
        (case("an_encoding_that_nobody_unpacks"), "Accept-Encoding", "br", "hello", true),
        (case("an_expectation"), "Expect", "100-continue", "hello", true),
    ] {
        server.answers(Answer::status(200, "", ""));
        let wish = json!({ "method": "POST", "headers": [[header, value]], "body": body });
        let found = arena.reported(to(&server, wish)).await;
        let asked = server.requests.lock().unwrap().join("").to_lowercase();
        let as_it_is = asked.contains("content-length: 5\r\n") && asked.matches("content-length").count() == 1;
        let clean = as_it_is && !asked.contains("expect") && !asked.contains(": br");
        cases.check(name, if arrives { clean } else { asked.is_empty() && found["error"].is_string() }, (found, asked));
    }
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
        (case("a_request_line"), "GET /evil HTTP/1.1\r\nHost: evil.example\r\n\r\nGET"),
        (case("upgrade_to_http_2"), "PRI"),
    ] {
        let found = arena.reported(to(&server, json!({ "method": method }))).await;
        cases.check(name, found["error"].is_string() || found["refused"] == "method", found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
}

/// What the engine would keep until the request is sent, and a request may be made a thousand times without being sent.
#[tokio::test]
async fn heads_without_end() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, part, length) in [
        (case("a_method"), "method", 33),
        (case("a_method_as_long_as_a_notification_may_be"), "method", 60_000),
        (case("a_path"), "path", 8193),
        (case("an_authority"), "authority", 8193),
    ] {
        let slash = if part == "path" { "/" } else { "" };
        let long = format!("{slash}{}", "x".repeat(length - slash.len()));
        let found = arena.reported(to(&server, json!({ part: long }))).await;
        cases.check(name, found["refused"] == part, found);
        let found = arena.reported(to(&server, json!({ part: &long[..length.min(8193) - 1] }))).await;
        cases.check(name, length > 8193 || found["refused"].is_null(), found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
}

/// Headers of requests that are never sent are kept for the call, and are a part of its memory.
#[tokio::test]
async fn headers_that_are_kept_unsent() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let settings =
        format!("[target.wasi_http_probe]\nbase_url = '{}'\nlimits = {{ memory = '8MiB' }}\n", server.origin());
    let arena = Arena::with("wasi_http_probe", &settings).await;
    is_delivered(&arena.tried(to(&server, json!({ "unsent": 100 }))).await);
    let shown = arena.tried(to(&server, json!({ "unsent": 600 }))).await;
    is_fault(&shown, "out_of_memory", "more than 8MiB of memory");
    assert_eq!(server.count(), 1, "nothing has left");
}

/// Ways to another place than the one that is granted. What is told of is how the request is refused.
#[tokio::test]
async fn other_places() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let (port, other) = (server.address.port(), server.address.port() ^ 1);
    let mut cases = Cases::default();
    for (name, wish) in [
        (case("another_port"), json!({ "authority": format!("127.0.0.1:{other}") })),
        (case("another_name_of_the_address"), json!({ "authority": format!("localhost:{port}") })),
        (case("another_spelling_of_the_address"), json!({ "authority": format!("0x7f.1:{other}") })),
        (case("the_address_as_ipv6"), json!({ "authority": format!("[::ffff:127.0.0.1]:{port}") })),
        (case("another_scheme"), json!({ "scheme": "https" })),
        (case("a_scheme_that_is_none"), json!({ "scheme": "file" })),
        (case("a_user_before_the_host"), json!({ "authority": format!("user:pass@127.0.0.1:{port}") })),
        (case("the_granted_host_as_a_user"), json!({ "authority": format!("127.0.0.1:{port}@evil.example") })),
        (case("a_path_in_the_authority"), json!({ "authority": format!("evil.example/127.0.0.1:{port}") })),
        (case("a_backslash_in_the_authority"), json!({ "authority": format!("evil.example\\@127.0.0.1:{port}") })),
        (case("no_authority"), json!({ "authority": "" })),
        (case("no_path"), json!({ "path": null })),
        (case("a_url_as_the_path"), json!({ "path": "http://evil.example/" })),
        (case("another_line_in_the_path"), json!({ "path": "/ HTTP/1.1\r\nHost: evil.example\r\n\r\n" })),
        (case("another_host_in_the_path"), json!({ "path": "@evil.example/" })),
    ] {
        let found = arena.reported(to(&server, wish)).await;
        cases.check(name, found["error"].is_string() || found["refused"].is_string(), found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
}

#[tokio::test]
async fn a_granted_name_that_leads_inside() {
    let probe = Probe::of("wasi_http_probe").await;
    let powers = Arc::new(probe.powers(None));
    let mut cases = Cases::default();
    for (name, addresses) in [
        (case("to_loopback"), &["127.0.0.1"][..]),
        (case("to_a_private_network"), &["10.0.0.1"]),
        (case("to_the_clouds_own_address"), &["169.254.169.254"]),
        (case("to_both"), &["93.184.215.14", "127.0.0.1"]),
    ] {
        probe.names.answer(&[addresses]);
        let found = probe.tried(&powers, json!({ "authority": "provider.example" })).await;
        cases.check(name, found["error"] == "ErrorCode::DestinationIpProhibited", found);
    }
}

#[tokio::test]
async fn redirects() {
    let other = HttpServer::start(Answer::status(200, "", "")).await;
    let server = HttpServer::start(Answer::status(307, &format!("location: {}/\r\n", other.origin()), "")).await;
    let found = arena(&server).await.reported(to(&server, json!({ "method": "POST", "body": "x" }))).await;
    assert_eq!((found["status"].as_u64(), other.count()), (Some(307), 0), "{found}");
}

#[tokio::test]
async fn secrets() {
    let server = HttpServer::start(Answer::status(200, "X-Echo: hush-hush\r\n", "you sent hush-hush")).await;
    let probe = Probe::of("wasi_http_probe").await;
    let powers = Arc::new(probe.powers(Some(&server.origin())));
    let mut cases = Cases::default();
    let asking = |said: &str| json!({ "headers": [["Engine-Credential", said]] });
    for (name, wish) in [
        (case("one_that_was_not_asked_for"), to(&server, asking("bearer engine_key"))),
        (
            case("towards_another_place"),
            to(&server, json!({ "authority": "evil.example", "headers": [["engine-credential", "bearer token"]] })),
        ),
        (case("in_a_header_that_is_the_engines"), to(&server, asking("header Host token"))),
        (case("with_a_line_break"), to(&server, asking("header X-A\r\nHost token"))),
        (
            case("in_a_header_that_is_there"),
            to(&server, json!({ "headers": [["x-a", "b"], ["engine-credential", "header x-a token"]] })),
        ),
        (case("seventeen_times"), to(&server, json!({ "headers": vec![["engine-credential", "bearer token"]; 17] }))),
        (case("in_words_that_mean_nothing"), to(&server, asking("token"))),
    ] {
        let found = probe.tried(&powers, wish).await;
        cases.check(name, found["error"].is_string() || found["refused"].is_string(), found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
    // What the server says of it does not come back.
    let found = probe.tried(&powers, to(&server, asking("bearer token"))).await;
    cases.check(case("that_the_server_repeats"), found["status"] == 200 && !found.to_string().contains("hush"), found);
    assert!(server.last().to_lowercase().contains("authorization: bearer hush-hush"));
}

/// A part of a request must not pass for the whole: nothing leaves before its end is said.
#[tokio::test]
async fn requests_in_pieces() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, wish) in [
        (case("dropped_in_the_middle"), json!({ "body_is": "dropped" })),
        (case("open_when_the_call_returns"), json!({ "body_is": "open", "then": "return" })),
        (case("open_when_the_call_traps"), json!({ "body_is": "open", "then": "spin" })),
        (case("open_when_the_time_is_over"), json!({ "body_is": "open" })),
        (case("with_trailers"), json!({ "trailers": true })),
        (case("too_large"), json!({ "body_of": 5 * 1024 * 1024 + 1 })),
    ] {
        let mut wish = to(&server, wish);
        wish["method"] = "POST".into();
        if wish["body_of"].is_null() {
            wish["body"] = "Pay Ada 1000".into();
        }
        let shown = arena.tried(wish).await;
        let attempt = &shown.attempts[0];
        let is_told = attempt.message.contains("error") || attempt.message.contains("open");
        cases.check(name, is_told || attempt.outcome == OutcomeKind::Retry, shown);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.count(), 0, "nothing has left");
    let found = arena.reported(to(&server, json!({ "method": "POST", "body_of": 5 * 1024 * 1024 }))).await;
    assert_eq!(found["status"], 200, "as much as it may have: {found}");
}

/// Bodies that are kept open hold no more memory than others.
#[tokio::test]
async fn bodies_side_by_side() {
    let server = HttpServer::start(Answer::Hangs).await;
    let arena = arena(&server).await;
    let wish = json!({ "method": "POST", "body_of": 5 * 1024 * 1024, "body_is": "open", "times": 6, "together": true });
    let shown = arena.tried(to(&server, wish)).await;
    let told = |attempt: &engine::rules::attempt::Attempt| attempt.log.contains("those that a call writes at once");
    assert!(shown.attempts.iter().any(told), "{shown:#?}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn thirty_three_requests() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let shown = arena.tried(to(&server, json!({ "times": 33, "together": true }))).await;
    assert!(
        shown.attempts[0].log.contains(
            "One call may send 32 HTTP requests (`[sandbox] http_requests`; the operator says another with `limits = { http_requests = … }` under [target."
        ),
        "{shown:#?}"
    );
    assert_eq!(server.count(), 32);
}

/// A call that does not wait for its answers leaves nothing behind.
#[tokio::test]
async fn requests_under_way_when_the_call_ends() {
    let server = HttpServer::start(Answer::Hangs).await;
    let arena = arena(&server).await;
    for then in ["return", "trap"] {
        arena
            .tried(to(&server, json!({ "method": "POST", "body": "x", "times": 8, "then": then, "first_byte": 300 })))
            .await;
    }
    let over = || server.connections.load(Ordering::SeqCst) == server.ended.load(Ordering::SeqCst);
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if over() {
            return;
        }
    }
    panic!("{:?} connections, {:?} closed", server.connections, server.ended);
}

/// One exchange that brings nothing to anybody ends last: what another has taken meanwhile stays taken, though the component crashes then.
#[tokio::test]
async fn one_that_fails_after_another_was_taken() {
    let (taken, silent) =
        tokio::join!(HttpServer::start(Answer::status(200, "", "")), HttpServer::start(Answer::Hangs));
    let settings = format!(
        "[sandbox]\nhttp_connect = '700ms'\nnetworks = ['127.0.0.0/8']\n[target.wasi_http_probe]\nbase_url = '{}'\n",
        taken.origin()
    );
    let arena = Arena::with("wasi_http_probe", &settings).await;
    let engine = &arena.engine;
    let target = engine.store.find_target(Tenant::DEFAULT, "wasi_http_probe").await.unwrap();
    let grants = [Capability::RecordAddress];
    engine.store.grant(Tenant::DEFAULT, target.id, &grants, engine.clock.now()).await.unwrap();
    let beside = json!({ "scheme": "https", "authority": silent.address.to_string(), "method": "POST" });
    let wish = to(&taken, json!({ "method": "POST", "beside": beside, "then": "trap_at_the_end" }));
    let user = User { id: Uuid::now_v7(), username: "bob".to_owned(), ..engine.user.clone() };
    engine.store.add_user(Tenant::DEFAULT, &user, engine.clock.now()).await.unwrap();
    record(engine, &target, &user, &format!("https://{}/", silent.address)).await;
    let request = Request { user: "bob".to_owned(), ..engine.request("wasi_http_probe", "Title", wish) };
    let id = engine.create(&request).await.unwrap().remove(0);
    engine.deliver().await;
    let shown = engine.show(id).await;
    let attempt = &shown.attempts[0];
    assert_eq!((attempt.outcome, attempt.code.as_str()), (OutcomeKind::Unknown, "trapped"), "{shown:#?}");
    assert_eq!((taken.count(), silent.connections.load(Ordering::SeqCst)), (1, 1));
    arena.serves().await;
}

#[tokio::test]
async fn answers() {
    let mut cases = Cases::default();
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    for (name, answer, error) in [
        (case("without_end"), Answer::Endless(head.clone(), vec![b'x'; 65536]), "HttpResponseBodySize"),
        (
            case("byte_by_byte"),
            Answer::Drips(head, vec![b'x'; 100], Duration::from_millis(400)),
            "ConnectionReadTimeout",
        ),
        (
            case("with_headers_without_end"),
            Answer::Endless(
                b"HTTP/1.1 200 OK\r\n".to_vec(),
                b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".to_vec(),
            ),
            "ConnectionTerminated",
        ),
        (case("that_is_none"), Answer::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "ConnectionTerminated"),
        (case("of_a_bomb"), Answer::Bytes(gzip_bomb()), "HttpResponseBodySize"),
    ] {
        let server = HttpServer::start(answer).await;
        let said =
            format!("[target.wasi_http_probe]\nbase_url = '{}'\nlimits = {{ http_time = '2s' }}\n", server.origin());
        let arena = Arena::with("wasi_http_probe", &said).await;
        let found = arena.reported(to(&server, json!({}))).await;
        cases.check(name, found["error"].as_str().is_some_and(|told| told.contains(error)), found);
    }
}
