//! Programs and servers that take their time.

use super::arena::{Arena, Cases, case};
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::http::{Answer, HttpServer};
use crate::support::smtp::{self, SmtpServer};
use engine::rules::budget::Limit;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};

/// A call that takes too long ends, and may be its provider's doing: the target is not paused for it.
#[tokio::test]
async fn sleeping_for_ever() {
    let arena = Arena::with("sleeper", "[sandbox]\nwall = '300ms'\n").await;
    for _ in 0..6 {
        let shown = arena.tried(json!({ "milliseconds": 3_600_000 })).await;
        let attempt = &shown.attempts[0];
        assert_eq!((attempt.outcome, attempt.code.as_str()), (OutcomeKind::Retry, "out_of_time"), "{shown:#?}");
        assert_eq!(shown.listed.notification.status, Status::Retry);
    }
    let target = arena.engine.store.find_target(Tenant::DEFAULT, "sleeper").await.unwrap();
    assert!(target.pause.is_none() && target.faults == 0);
}

/// What was with a provider when the time was over may have been taken.
#[tokio::test]
async fn sleeping_in_an_exchange() {
    let server = HttpServer::start(Answer::Hangs).await;
    let settings = format!("[sandbox]\nwall = '300ms'\n[target.http_probe]\nbase_url = '{}'\n", server.origin());
    let arena = Arena::with("http_probe", &settings).await;
    // The exchange ends with what is left of the call, and leaves no time to say so: either is right.
    let shown = arena.tried(json!({ "method": "POST", "url": server.origin() })).await;
    let attempt = &shown.attempts[0];
    let by_exchange = attempt.outcome == OutcomeKind::Delivered && attempt.message.contains("\"wait\"");
    let by_call = (attempt.outcome, attempt.code.as_str()) == (OutcomeKind::Unknown, "out_of_time");
    assert!(by_exchange || by_call, "{shown:#?}");
}

/// What the engine comes with: 30 s for a call, 500 ms of computing, 64 MiB.
#[tokio::test]
async fn budgets_are_on_by_default() {
    let arena = Arena::of("settings_probe").await;
    let budget = arena.engine.settings.sandbox.budget();
    assert_eq!(
        Limit::ALL.map(|limit| limit.show(budget.amount(limit))),
        ["500ms", "30s", "64MiB", "32", "4", "5MiB", "1MiB", "3s", "10s", "256KiB", "64KiB", "200"]
    );
    let delivery = &arena.engine.settings.delivery;
    assert_eq!((delivery.concurrency_per_tenant, delivery.concurrency_per_target), (16, 8));
    let left: u32 = arena.reported(json!({})).await["time_left"].as_str().unwrap().parse().unwrap();
    assert!((20_000..=30_000).contains(&left), "{left}");
    let random = arena.reported(json!({ "random": 1_000_000 })).await;
    assert_eq!(random["random_count"], 65_536, "and so much chance in one go");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

pub fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), body].concat()
}

/// An answer that unpacks to 64 MiB.
pub fn gzip_bomb() -> Vec<u8> {
    let bomb = gzip(&vec![0; 64 << 20]);
    answer(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", bomb.len()), &bomb)
}

fn gzip_head() -> Vec<u8> {
    answer("content-encoding: gzip\r\n", &gzip(b"")[..10])
}

/// Blocks that unpack to nothing.
fn gzip_nothing() -> Vec<u8> {
    [0, 0, 0, 0xff, 0xff].repeat(10_000)
}

#[tokio::test]
async fn answers_that_do_not_end() {
    let head = |headers: &str| answer(headers, b"");
    let chunk = || [b"10000\r\n".as_slice(), &vec![b'x'; 65536], b"\r\n"].concat();
    let mut cases = Cases::default();
    for (name, sent, timeout, phase, code) in [
        (case("an_endless_body"), Answer::Endless(head(""), vec![b'x'; 65536]), 0, "read", "answer_too_large"),
        (
            case("endless_chunks"),
            Answer::Endless(head("transfer-encoding: chunked\r\n"), chunk()),
            0,
            "read",
            "answer_too_large",
        ),
        (case("a_gzip_bomb"), Answer::Bytes(gzip_bomb()), 0, "read", "answer_too_large"),
        (case("a_gzip_of_nothing"), Answer::Endless(gzip_head(), gzip_nothing()), 0, "read", "answer_too_large"),
        (
            case("a_mebibyte_and_a_byte"),
            Answer::status(200, "", &"x".repeat((1 << 20) + 1)),
            0,
            "read",
            "answer_too_large",
        ),
        (case("more_than_was_said"), Answer::Bytes(answer("content-length: 4\r\n", b"four and more")), 0, "", ""),
        (
            case("less_than_was_said"),
            Answer::Bytes(answer("content-length: 40\r\n", b"four")),
            0,
            "read",
            "answer_broken",
        ),
        (
            case("an_answer_in_tiny_parts"),
            Answer::Bytes(answer("transfer-encoding: chunked\r\n", &b"1\r\nx\r\n".repeat(70_000))),
            0,
            "read",
            "answer_too_large",
        ),
        (
            case("a_broken_gzip"),
            Answer::Bytes(answer("content-encoding: gzip\r\ncontent-length: 4\r\n", b"none")),
            0,
            "read",
            "answer_broken",
        ),
        (
            case("endless_headers"),
            Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x-a: b\r\n".repeat(1000)),
            0,
            "wait",
            "connection_lost",
        ),
        (
            case("an_endless_header"),
            Answer::Endless(b"HTTP/1.1 200 OK\r\nx-a: ".to_vec(), vec![b'x'; 65536]),
            0,
            "wait",
            "connection_lost",
        ),
        (
            case("endless_continuations"),
            Answer::Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10)),
            700,
            "wait",
            "answer_too_large",
        ),
        (case("no_http"), Answer::Bytes(b"220 mail.example ESMTP\r\n".to_vec()), 0, "wait", "connection_lost"),
        (case("an_answer_without_a_head"), Answer::Bytes(b"<html>hello</html>".to_vec()), 0, "wait", "connection_lost"),
        (
            case("two_lengths"),
            Answer::Bytes(answer("content-length: 4\r\ncontent-length: 5\r\n", b"four")),
            0,
            "wait",
            "connection_lost",
        ),
        (
            case("a_header_a_second"),
            Answer::Drips(head(""), b"x".repeat(100), Duration::from_millis(200)),
            700,
            "read",
            "timeout",
        ),
    ] {
        let server = HttpServer::start(sent).await;
        let settings = format!("[target.http_probe]\nbase_url = '{}'\n", server.origin());
        let arena = Arena::with("http_probe", &settings).await;
        let found = arena.reported(json!({ "url": server.origin(), "timeout": timeout })).await;
        let part = |member: &str| found[member].as_str().unwrap_or_default().to_owned();
        cases.check(name, part("phase") == phase && part("code") == code, found);
    }
}

/// Each part of an answer takes the engine some time, which is not the call's: those of all its answers together are bounded.
#[tokio::test]
async fn answers_in_tiny_parts_together() {
    let half =
        answer("transfer-encoding: chunked\r\n", &[b"1\r\nx\r\n".repeat(40_000), b"0\r\n\r\n".to_vec()].concat());
    let server = HttpServer::start(Answer::Bytes(half)).await;
    let arena = Arena::with("http_probe", &format!("[target.http_probe]\nbase_url = '{}'\n", server.origin())).await;
    let once = arena.reported(json!({ "url": server.origin() })).await;
    assert_eq!(once["status"], 200, "{once}");
    let twice = arena.reported(json!({ "url": server.origin(), "times": 2 })).await;
    assert_eq!((&twice["phase"], &twice["code"]), (&json!("read"), &json!("answer_too_large")), "{twice}");
}

/// Ten seconds for a whole exchange, three for connecting, are the engine's own: nobody has to ask for them.
#[tokio::test]
async fn the_engines_patience() {
    let ask = async |answer: Answer, scheme: &str| -> (Value, Duration) {
        let server = HttpServer::start(answer).await;
        let origin = format!("{scheme}://{}", server.address);
        let said =
            format!("[sandbox]\nhttp_time = '2s'\nhttp_connect = '1s'\n[target.http_probe]\nbase_url = '{origin}'\n");
        let arena = Arena::with("http_probe", &said).await;
        let began = Instant::now();
        let found = arena.reported(json!({ "url": origin })).await;
        (found, began.elapsed())
    };
    let first = answer("content-length: 100\r\n", b"");
    let (dripped, silent) = tokio::join!(
        ask(Answer::Drips(first, b"x".repeat(100), Duration::from_millis(1800)), "http"),
        ask(Answer::Hangs, "https"),
    );
    let mut cases = Cases::default();
    for (name, (found, took), phase, seconds) in [
        (case("a_byte_every_nine_seconds"), dripped, "read", 2),
        (case("a_handshake_that_never_ends"), silent, "connect", 1),
    ] {
        let in_time = (seconds..seconds + 20).contains(&took.as_secs());
        cases.check(name, found["phase"] == phase && found["code"] == "timeout" && in_time, (found, took));
    }
}

/// So many requests and mails may a call send, however often it tries.
#[tokio::test]
async fn ten_thousand_calls() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let relay = SmtpServer::start(&[]).await;
    // To ask so often takes long on a slow machine.
    let settings = format!(
        "[sandbox]\ncpu = '20s'\n[target.http_probe]\nbase_url = '{}'\n[target.smtp_probe]\nsmtp = true\nfrom_email = 'probe@example.org'\n",
        server.origin()
    );
    let builder = || TestEngine::builder().relay(relay.address).targets_in(guests()).with(&settings);
    let mut cases = Cases::default();
    let arena = Arena::started("http_probe", builder()).await;
    let found = arena.reported(json!({ "url": server.origin(), "times": 10_000 })).await;
    cases.check(case("requests"), found["code"] == "too_many_requests" && server.count() == 32, found);
    let arena = Arena::started("smtp_probe", builder()).await;
    let found = arena.reported(json!({ "times": 1000 })).await;
    cases.check(case("mails"), found["broken"]["code"] == "too_many_mails" && relay.count() == 4, found);
}

/// A relay that says nothing, or without end.
#[tokio::test]
async fn relays_without_end() {
    let mut cases = Cases::default();
    for (name, at, answer, phase) in [
        (case("a_silent_greeting"), "GREETING", smtp::Answer::Hangs, "connect"),
        (case("an_endless_greeting"), "GREETING", smtp::Answer::Endless, "connect"),
        (case("an_endless_answer"), "RCPT", smtp::Answer::Endless, "write"),
        (case("silence_after_the_mail"), "DOT", smtp::Answer::Hangs, "wait"),
        (case("an_endless_answer_after_the_mail"), "DOT", smtp::Answer::Endless, "wait"),
    ] {
        let relay = SmtpServer::start(&[(at, answer)]).await;
        let settings = "[target.smtp_probe]\nsmtp = true\nfrom_email = 'probe@example.org'\n";
        let builder = TestEngine::builder().relay(relay.address).targets_in(guests()).with(settings);
        let found = Arena::started("smtp_probe", builder).await.reported(json!({})).await;
        cases.check(name, found["broken"]["phase"] == phase, found);
    }
}

/// Each of them was put in by moving all that is behind it, on a thread of the engine's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_of_line_breaks() {
    let relay = SmtpServer::start(&[]).await;
    let settings = "[target.smtp_probe]\nsmtp = true\nfrom_email = 'probe@example.org'\nlimits = { cpu = '20s' }\n";
    let builder = TestEngine::builder().relay(relay.address).targets_in(guests()).with(settings);
    let arena = Arena::started("smtp_probe", builder).await;
    let began = Instant::now();
    let found = arena.reported(json!({ "breaks": 2_000_000 })).await;
    assert_eq!((found["code"].as_u64(), relay.count()), (Some(250), 1), "{found}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
