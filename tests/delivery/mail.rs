//! What a relay answers decides what becomes of a mail.

use crate::support::engine::TestEngine;
use crate::support::smtp::{Answer, SmtpServer};
use engine::rules::attempt::request_hash;
use engine::rules::notification::Notification;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

async fn engine(server: &SmtpServer) -> TestEngine {
    let engine = TestEngine::builder().relay(server.address).start().await;
    engine.record("email", "ada@example.org").await;
    engine
}

#[tokio::test]
async fn a_mail_arrives_as_valid_mime() {
    let server = SmtpServer::start(&[]).await;
    let engine = engine(&server).await;
    let mut request = engine.request("email", "Grüße ✓", json!({}));
    request.message.body = "<!doctype html><p>Hällo &amp; <b>willkommen</b></p>".to_owned();
    let id = engine.create(&request).await.unwrap()[0];
    engine.deliver().await;

    let shown = engine.show(id).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered);
    assert_eq!(shown.attempts.len(), 1);
    assert_eq!(shown.attempts[0].outcome, OutcomeKind::Delivered);
    assert!(shown.attempts[0].component_digest.as_ref().unwrap().starts_with("sha256:"));
    let (sent, address) = (&shown.listed.notification, &shown.listed.target_user_id);
    assert_eq!(shown.attempts[0].request_hash, Some(request_hash(sent, address)));
    let other = Notification { body: format!("{} ", sent.body), ..sent.clone() };
    assert_ne!(shown.attempts[0].request_hash, Some(request_hash(&other, address)));
    let mails = server.mails.lock().unwrap().clone();
    let mail = mail_parser::MessageParser::default().parse(mails[0].as_bytes()).unwrap();
    assert_eq!(mail.subject(), Some("Grüße ✓"));
    assert_eq!(mail.message_id(), Some(format!("{id}@localhost").as_str()));
    assert!(mail.body_html(0).unwrap().contains("<b>willkommen</b>"));
    assert!(mail.body_text(0).unwrap().contains("Hällo & willkommen"), "{:?}", mail.body_text(0));
}

#[tokio::test]
async fn replies_decide() {
    use Answer::{Closes, Hangs, Says};
    use Status::{DeliveryFailure, InactiveDevice, Retry, Scheduled};
    // Stage, answer; status, counted attempts, whether the target is paused, the phase in the history.
    let table = [
        ("RCPT", Says("451 4.7.1 Greylisted"), Retry, None, false, None),
        ("RCPT", Says("450 4.2.0 Busy"), Retry, Some(1), false, None),
        ("RCPT", Says("550 5.1.1 No such user"), InactiveDevice, None, false, None),
        ("RCPT", Says("552 5.2.2 Mailbox full"), DeliveryFailure, None, false, None),
        ("DOT", Says("554 5.7.1 Spam"), DeliveryFailure, None, false, None),
        ("DOT", Says("451 4.3.0 Try later"), Retry, Some(1), false, None),
        ("MAIL", Says("530 5.7.0 Authentication required"), Scheduled, Some(0), true, None),
        ("DATA", Closes, Retry, Some(1), false, Some("write")),
        ("DOT", Closes, Retry, Some(1), false, Some("wait")),
        ("DOT", Hangs, Retry, Some(1), false, Some("wait")),
        ("DOT", Says("354 Go on"), Retry, Some(1), false, Some("wait")),
        ("GREETING", Hangs, Retry, Some(1), false, Some("connect")),
        ("GREETING", Closes, Retry, Some(1), false, Some("connect")),
    ];
    for (stage, answer, status, counted, paused, phase) in table {
        let server = SmtpServer::start(&[(stage, answer.clone())]).await;
        let engine = engine(&server).await;
        let shown = engine.tried("email", "Title", json!({})).await;
        let case = format!("{stage} {answer:?}: {shown:#?}");
        let n = &shown.listed.notification;
        assert_eq!(n.status, status, "{case}");
        if let Some(counted) = counted {
            assert_eq!(n.retry_attempts, counted, "{case}");
        }
        assert_eq!(shown.attempts.last().and_then(|a| a.phase).map(|p| p.as_str()), phase, "{case}");
        let unknown = shown.attempts.last().is_some_and(|a| a.outcome == OutcomeKind::Unknown);
        assert_eq!(unknown, phase == Some("wait"), "only after the final dot is it unknown: {case}");
        let target = engine.store.find_target(n.tenant, "email").await.unwrap();
        assert_eq!(target.pause.is_some(), paused, "{case}");
        let active = engine.store.active_records(n.tenant, engine.user.id, target.id).await.unwrap();
        assert_eq!(active.is_empty(), status == InactiveDevice, "{case}");
    }
}

#[tokio::test]
async fn unknown_is_held_where_the_operator_says_so() {
    let server = SmtpServer::start(&[("DOT", Answer::Closes)]).await;
    let engine = TestEngine::builder().relay(server.address).with("[delivery]\non_unknown = 'hold'\n").start().await;
    engine.record("email", "ada@example.org").await;
    let shown = engine.tried("email", "Title", json!({})).await;
    assert_eq!(shown.listed.notification.status, Status::Unknown);
}

#[tokio::test]
async fn connections_are_kept_and_a_dead_one_is_noticed() {
    let server = SmtpServer::start(&[]).await;
    let engine = TestEngine::builder()
        .relay(server.address)
        .with("connections = 1\n[delivery]\nconcurrency_per_target = 1\n")
        .start()
        .await;
    engine.record("email", "ada@example.org").await;
    for _ in 0..20 {
        engine.notify("email", "Title", json!({})).await;
    }
    engine.deliver().await;
    assert_eq!((server.count(), server.connections.load(Ordering::SeqCst)), (20, 1));
}

#[tokio::test]
async fn a_refused_mail_does_not_harm_the_next() {
    let server = SmtpServer::start(&[("RCPT", Answer::Says("550 5.7.1 Not you"))]).await;
    let engine = TestEngine::builder().relay(server.address).with("connections = 1\n").start().await;
    engine.record("email", "ada@example.org").await;
    let refused = engine.tried("email", "Refused", json!({})).await;
    assert_eq!(refused.listed.notification.status, Status::DeliveryFailure);
    server.script.lock().unwrap().clear();
    let taken = engine.tried("email", "Taken", json!({})).await;
    assert_eq!(taken.listed.notification.status, Status::Delivered, "{taken:#?}");
    assert_eq!(server.count(), 1);
}

/// A relay that has had enough of a kept connection says so when the next mail begins: that goes over another.
#[tokio::test]
async fn a_kept_connection_that_is_closed_with_words_is_replaced() {
    let closing = Answer::SaysAt(2, Arc::default(), "421 4.7.0 Too many messages in this connection");
    let server = SmtpServer::start(&[("MAIL", closing)]).await;
    let one_by_one = "[delivery]\nconcurrency_per_target = 1\n";
    let engine = TestEngine::builder().relay(server.address).with(one_by_one).start().await;
    engine.record("email", "ada@example.org").await;
    let mut ids = Vec::new();
    for title in ["First", "Second"] {
        ids.push(engine.notify("email", title, json!({})).await);
    }
    engine.deliver().await;
    for id in ids {
        let shown = engine.show(id).await;
        assert_eq!(shown.listed.notification.status, Status::Delivered, "{shown:#?}");
    }
    assert_eq!((server.count(), server.connections.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test]
async fn a_login_goes_to_the_relay() {
    let server = SmtpServer::start(&[("AUTH", Answer::Says("535 5.7.8 Wrong password"))]).await;
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "hush\n").unwrap();
    let login = format!("username = 'me'\npassword_file = '{}'\n", password.path().display());
    let engine = TestEngine::builder().relay(server.address).with(&login).start().await;
    engine.record("email", "ada@example.org").await;
    let shown = engine.tried("email", "Title", json!({})).await;
    let n = &shown.listed.notification;
    assert_eq!((n.status, n.retry_attempts, n.attempted_delivery), (Status::Scheduled, 0, None));
    let target = engine.store.find_target(n.tenant, "email").await.unwrap();
    assert!(target.pause.unwrap().reason.contains("Wrong password"));

    // Once the operator has repaired it, nothing is lost.
    server.script.lock().unwrap().clear();
    engine.store.resume_target(n.tenant, target.id, engine.clock.now()).await.unwrap();
    engine.deliver().await;
    assert_eq!(engine.show(n.id).await.listed.notification.status, Status::Delivered);
}

#[tokio::test]
async fn a_relay_that_answers_without_end_is_left() {
    for (stage, answer) in ["GREETING", "EHLO", "RCPT", "DOT"]
        .into_iter()
        .flat_map(|stage| [(stage, Answer::Endless), (stage, Answer::Lines(2000))])
    {
        let server = SmtpServer::start(&[(stage, answer)]).await;
        let shown = engine(&server).await.tried("email", "Title", json!({})).await;
        let attempt = &shown.attempts[0];
        assert_eq!(shown.listed.notification.status, Status::Retry, "{stage}: {attempt:?}");
        assert!(!attempt.message.contains("in time"), "{stage}: {attempt:?}");
        assert!(attempt.message.contains("broke"), "{stage}: {attempt:?}");
        assert_eq!(attempt.outcome == OutcomeKind::Unknown, stage == "DOT", "{stage}: {attempt:?}");
    }
}

/// The call ends while the relay is silent: what never left is tried again, and only what had left is unknown.
#[tokio::test]
async fn a_call_that_ends_before_the_mail_leaves_is_no_unknown() {
    for (stage, outcome) in [("EHLO", OutcomeKind::Retry), ("RCPT", OutcomeKind::Retry), ("DOT", OutcomeKind::Unknown)]
    {
        let server = SmtpServer::start(&[(stage, Answer::Hangs)]).await;
        let relay = format!(
            "[smtp]\nhost = '127.0.0.1'\nport = {}\ntimeout = '30s'\n[sandbox]\nwall = '1s'\n",
            server.address.port()
        );
        let engine = TestEngine::builder().with(&relay).start().await;
        engine.record("email", "ada@example.org").await;
        let shown = engine.tried("email", "Title", json!({})).await;
        assert_eq!(shown.attempts[0].outcome, outcome, "{stage}: {:?}", shown.attempts[0]);
    }
}
