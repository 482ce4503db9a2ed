//! The doors out: what opens them, what goes through, and what is known when an exchange breaks.

use super::guests::report;
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::http::{Answer, HttpServer};
use crate::support::smtp::SmtpServer;
use engine::rules::outcome::OutcomeKind;
use serde_json::{Value, json};

/// An engine whose HTTP probe may talk to this server, by the operator's word.
async fn with_http(server: &HttpServer) -> TestEngine {
    let engine = TestEngine::builder()
        .targets_in(guests())
        .with(&format!("[target.http_probe]\nbase_url = '{}'\nsecrets = ['token', 'hook']\n", server.origin()))
        .secret("token", "hush")
        .start()
        .await;
    engine.record("http_probe", "anything").await;
    engine
}

async fn asked(engine: &TestEngine, extra: Value) -> Value {
    report(&engine.tried("http_probe", "Title", extra).await)
}

#[tokio::test]
async fn http_probe() {
    let server = HttpServer::start(Answer::status(201, "X-Answer: yes\r\n", "made")).await;
    let engine = with_http(&server).await;
    let url = format!("{}/a/b?c=d", server.origin());
    let found = asked(
        &engine,
        json!({ "method": "POST", "url": url, "body": "hello", "headers": [["X-Mine", "1"]], "credentials": [{ "bearer": "token" }] }),
    )
    .await;
    assert_eq!((&found["status"], &found["body"]), (&json!(201), &json!("made")));
    assert!(found["headers"].as_array().unwrap().contains(&json!(["x-answer", "yes"])));
    let request = server.last();
    assert!(request.starts_with("POST /a/b?c=d HTTP/1.1\r\n") && request.ends_with("\r\n\r\nhello"), "{request}");
    let lower = request.to_lowercase();
    for line in
        ["authorization: bearer hush\r\n", "x-mine: 1\r\n", "user-agent: notification-engine/", "content-length: 5\r\n"]
    {
        assert!(lower.contains(line), "{line}: {request}");
    }
}

/// A kept connection whose other side is gone without a word would be used until the machine gives up on it, a quarter of an hour: it is asked while it is silent.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_kept_connection_is_asked_whether_it_is_still_there() {
    let server = HttpServer::start(Answer::Keeps(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let engine = with_http(&server).await;
    assert_eq!(asked(&engine, json!({ "url": server.origin() })).await["status"], 200);
    // Local address, remote address, state (01 is established), queues, timer (02 is keepalive) and its hundredths of a second, as proc(5) says.
    let theirs = format!("0100007F:{:04X}", server.address.port());
    let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let ours: Vec<Vec<&str>> = sockets.lines().map(|line| line.split_whitespace().collect()).collect();
    let ours = ours.iter().find(|fields| fields[2] == theirs && fields[3] == "01").expect("it is kept");
    let (timer, left) = ours[5].split_once(':').unwrap();
    let left = u64::from_str_radix(left, 16).unwrap();
    assert!(timer == "02" && left <= 1500, "{ours:?}");
}

#[tokio::test]
async fn what_is_not_granted_is_denied_before_anything_happens() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_http(&server).await;
    let port = server.address.port();
    for (url, phase) in [
        (format!("http://127.0.0.1:{}/", port ^ 1), "denied"),
        (format!("http://localhost:{port}/"), "denied"),
        (format!("http://127.0.0.1.nip.example:{port}/"), "denied"),
        (format!("https://127.0.0.1:{port}/"), "denied"),
        ("https://provider.example/".to_owned(), "denied"),
        ("https://a.wild.example/".to_owned(), "denied"),
        (format!("http://user:pass@127.0.0.1:{port}/"), "invalid"),
        ("file:///etc/passwd".to_owned(), "invalid"),
        ("nonsense".to_owned(), "invalid"),
        (String::new(), "invalid"),
    ] {
        let found = asked(&engine, json!({ "url": url })).await;
        assert_eq!(found["phase"], phase, "{url}: {found}");
    }
    let denied = asked(&engine, json!({ "url": "https://provider.example/" })).await;
    let message = denied["message"].as_str().unwrap();
    assert!(message.contains("engine target grant \"http_probe\" --http https://provider.example"), "{message}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn secrets_go_only_where_they_are_named_and_known() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_http(&server).await;
    let url = server.origin();
    let missing = asked(&engine, json!({ "url": url, "credentials": [{ "bearer": "hook" }] })).await;
    assert_eq!((&missing["phase"], &missing["code"]), (&json!("denied"), &json!("no_such_secret")), "{missing}");
    let unasked = asked(&engine, json!({ "url": url, "credentials": [{ "bearer": "engine_key" }] })).await;
    assert_eq!((&unasked["phase"], &unasked["code"]), (&json!("denied"), &json!("secret_not_granted")), "{unasked}");
    assert_eq!(server.count(), 0);
    let form = json!({
        "method": "POST", "url": format!("{url}/x/{{m}}"), "body": "key={m}",
        "headers": [["content-type", "application/x-www-form-urlencoded"]],
        "credentials": [{ "url": { "marker": "{m}", "secret": "token" } }, { "body": { "marker": "{m}", "secret": "token" } },
                        { "basic": { "user": "u", "secret": "token" } }],
    });
    assert_eq!(asked(&engine, form).await["status"], 200);
    let request = server.last();
    assert!(request.starts_with("POST /x/hush ") && request.ends_with("key=hush"), "{request}");
    assert!(request.to_lowercase().contains("authorization: basic "), "{request}");
}

#[tokio::test]
async fn redirects_are_answers_and_not_followed() {
    let other = HttpServer::start(Answer::status(200, "", "")).await;
    let server = HttpServer::start(Answer::status(302, &format!("location: {}/\r\n", other.origin()), "")).await;
    let engine = with_http(&server).await;
    let found = asked(&engine, json!({ "url": server.origin() })).await;
    assert_eq!(found["status"], 302, "{found}");
    assert_eq!(other.count(), 0);
}

#[tokio::test]
async fn how_far_an_exchange_got() {
    for (answer, phase) in [
        (Answer::Closes, "wait"),
        (Answer::Hangs, "wait"),
        (Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()), "read"),
        (Answer::status(200, "", &"x".repeat(1_100_000)), "read"),
    ] {
        let server = HttpServer::start(answer.clone()).await;
        let engine = with_http(&server).await;
        let found = asked(&engine, json!({ "method": "POST", "url": server.origin(), "timeout": 500 })).await;
        assert_eq!(found["phase"], phase, "{found}");
    }
    // By whose word.
    let server = HttpServer::start(Answer::Hangs).await;
    let settings = format!("[sandbox]\nhttp_time = '700ms'\n[target.http_probe]\nbase_url = '{}'\n", server.origin());
    let engine = TestEngine::builder().targets_in(guests()).with(&settings).start().await;
    engine.record("http_probe", "anything").await;
    for (timeout, within) in [
        (300, "within 300ms (as its component asked)."),
        (0, "within 700ms (`[sandbox] http_time`; the operator says another"),
        (9000, "within 700ms (`[sandbox] http_time`; the operator says another"),
    ] {
        let found = asked(&engine, json!({ "method": "POST", "url": server.origin(), "timeout": timeout })).await;
        let told = format!("{} took the request and did not answer {within}", server.address);
        assert!(found["message"].as_str().unwrap().starts_with(&told), "{found}");
    }
    let server = HttpServer::start(Answer::Closes).await;
    let engine = with_http(&server).await;
    let url = server.origin();
    drop(server);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(asked(&engine, json!({ "url": url })).await["phase"], "connect");
}

/// Each attempt tells what its call took.
#[tokio::test]
async fn what_a_call_took() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_http(&server).await;
    let shown = engine.tried("http_probe", "Title", json!({ "url": server.origin(), "times": 3 })).await;
    let used = shown.attempts[0].usage.unwrap();
    assert_eq!((used.http, used.smtp), (3, 0));
    assert!((1..500).contains(&used.cpu_ms) && (64 * 1024..64 << 20).contains(&used.memory), "{used:?}");
}

#[tokio::test]
async fn a_call_may_send_so_many_requests() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_http(&server).await;
    let found = asked(&engine, json!({ "url": server.origin(), "times": 33 })).await;
    assert_eq!((&found["code"], server.count()), (&json!("too_many_requests"), 32));
}

/// A fault after the request has left leaves the outcome unknown; one before it, or after a question, does not.
#[tokio::test]
async fn a_trap_after_sending_is_unknown() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_http(&server).await;
    for (extra, kind) in [
        (json!({ "method": "POST", "url": server.origin(), "then": "trap" }), OutcomeKind::Unknown),
        (json!({ "method": "POST", "url": server.origin(), "then": "spin" }), OutcomeKind::Unknown),
        (json!({ "method": "GET", "url": server.origin(), "then": "trap" }), OutcomeKind::Retry),
        (json!({ "method": "POST", "url": "https://provider.example/", "then": "trap" }), OutcomeKind::Retry),
    ] {
        let shown = engine.tried("http_probe", "Title", extra.clone()).await;
        assert_eq!(shown.attempts[0].outcome, kind, "{extra}: {shown:#?}");
    }
}

async fn with_smtp(server: &SmtpServer, word: &str) -> TestEngine {
    let engine = TestEngine::builder()
        .relay(server.address)
        .targets_in(guests())
        .with(&format!("[target.smtp_probe]\nfrom_email = '\"Probe\" <probe@example.org>'\n{word}"))
        .start()
        .await;
    engine.record("smtp_probe", "ada@example.org").await;
    engine
}

#[tokio::test]
async fn smtp_probe() {
    let server = SmtpServer::start(&[]).await;
    let engine = with_smtp(&server, "smtp = true\n").await;
    let ask = async |extra: Value| report(&engine.tried("smtp_probe", "Title", extra).await);
    let found = ask(json!({ "sender": { "name": "Somebody" }, "headers": [["X-A", "b"]] })).await;
    assert_eq!((&found["stage"], &found["code"]), (&json!("content"), &json!(250)), "{found}");
    let mail = server.mails.lock().unwrap()[0].clone();
    assert!(mail.contains("From: Somebody <probe@example.org>") && mail.contains("X-A: b"), "{mail}");

    for (extra, phase) in [
        (json!({ "sender": { "address": "ceo@example.org" } }), "denied"),
        (json!({ "subject": "a\r\nBcc: x@example.org" }), "invalid"),
        (json!({ "recipients": [] }), "invalid"),
        (json!({ "recipients": [{ "address": "a@b>\r\nRCPT TO:<c@d" }] }), "invalid"),
        (json!({ "headers": [["Bcc", "x@example.org"]] }), "invalid"),
        (json!({ "text": "", "html": "" }), "invalid"),
        (json!({ "about": "another" }), "invalid"),
    ] {
        let found = ask(extra.clone()).await;
        assert_eq!(found["broken"]["phase"], phase, "{extra}: {found}");
    }
    assert_eq!(server.count(), 1, "nothing else has left");
    let found = ask(json!({ "times": 5 })).await;
    assert_eq!((&found["broken"]["code"], server.count()), (&json!("too_many_mails"), 5), "{found}");
}

#[tokio::test]
async fn mail_needs_the_operators_word() {
    let server = SmtpServer::start(&[]).await;
    let engine = with_smtp(&server, "").await;
    let found = report(&engine.tried("smtp_probe", "Title", json!({})).await);
    let message = found["broken"]["message"].as_str().unwrap();
    assert!(message.contains("`smtp = true` under [target.smtp_probe]"), "{message}");
    assert_eq!(server.count(), 0);
}

/// A stranger's component may name whatever secret it likes.
#[tokio::test]
async fn a_strangers_component_gets_no_secret_by_asking() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = TestEngine::builder()
        .targets_in(guests())
        .with(&format!("[target.http_probe]\nbase_url = '{}'\n", server.origin()))
        .secret("token", "hush")
        .start()
        .await;
    engine.record("http_probe", "anything").await;
    let found =
        asked(&engine, json!({ "url": format!("{}/", server.origin()), "credentials": [{ "bearer": "token" }] })).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("denied"), &json!("secret_not_granted")));
    assert!(
        found["message"]
            .as_str()
            .unwrap()
            .contains("`engine target grant \"http_probe\" --secret token=http://127.0.0.1:"),
        "{found}"
    );
    assert_eq!(server.requests.lock().unwrap().len(), 0);
}
