//! Relays, or somebody on the way to one, that say more than they are asked, or what is nobody's to know.

use super::arena::Arena;
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::smtp::{Answer, SmtpServer};
use engine::rules::status::Status;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;

const SENDER: &str = "[target.smtp_probe]\nsmtp = true\nfrom_email = 'probe@example.org'\n";

/// An arena whose relay says this, with more of `[smtp]`.
async fn arena(relay: &SmtpServer, more: &str) -> Arena {
    let builder = TestEngine::builder().relay(relay.address).with(more).targets_in(guests()).with(SENDER);
    Arena::started("smtp_probe", builder).await
}

async fn sent(arena: &Arena, title: &str, to: &str) -> Value {
    let wish = json!({ "recipients": [{ "address": to }] });
    let shown = arena.engine.tried("smtp_probe", title, wish).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered, "{shown:#?}");
    serde_json::from_str(&shown.attempts[0].message).unwrap()
}

/// What it says beside its answer to a mail is no answer to the next one.
#[tokio::test]
async fn answers_that_nobody_asked_for() {
    for more in ["\r\n250 one\r\n250 two\r\n354 three\r\n250 forged", "\r\n421 4.7.0 Enough"] {
        let more: &'static str = Box::leak(format!("250 2.0.0 Taken{more}").into_boxed_str());
        let relay = SmtpServer::start(&[("DOT", Answer::Says(more))]).await;
        let arena = arena(&relay, "").await;
        assert_eq!(sent(&arena, "First", "ada@example.org").await["code"], 250);
        let refusal = Answer::Says("550 5.1.1 No such user");
        relay.script.lock().unwrap().insert("RCPT", refusal);
        let second = sent(&arena, "Second", "nobody@example.org").await;
        assert_eq!((&second["refused"]["code"], relay.count()), (&json!(550), 1), "{second}");
        assert_eq!(relay.connections.load(SeqCst), 2, "another connection is opened");
        arena.serves().await;
    }
}

/// Whatever is said before there is TLS anybody may have said.
#[tokio::test]
async fn answers_before_tls() {
    let forged = "220 Go\r\n250-forged\r\n250 8BITMIME\r\n250 a\r\n250 b\r\n354 c\r\n250 forged";
    let offers = ("EHLO", Answer::Says("250-test\r\n250 STARTTLS"));
    let relay = SmtpServer::start(&[offers, ("STARTTLS", Answer::Says(forged))]).await;
    let arena = arena(&relay, "tls = 'starttls'\n").await;
    let found = sent(&arena, "Title", "ada@example.org").await;
    let broken = &found["broken"];
    assert_eq!((&broken["phase"], &broken["code"]), (&json!("connect"), &json!("connection_lost")), "{found}");
    assert!(broken["message"].as_str().unwrap().contains("it says more than it was asked"), "{found}");
    arena.serves().await;
}

/// If it does not wait for a mail, the lines of one would be commands.
#[tokio::test]
async fn a_mail_that_is_not_waited_for() {
    let relay = SmtpServer::start(&[("DATA", Answer::Says("250 OK"))]).await;
    let arena = arena(&relay, "").await;
    let found = sent(&arena, "Title", "ada@example.org").await;
    let broken = &found["broken"];
    assert_eq!((&broken["phase"], &broken["code"]), (&json!("write"), &json!("unexpected_answer")), "{found}");
    arena.serves().await;
}

/// Relays repeat commands that they do not know, and some of them whatever they refuse.
#[tokio::test]
async fn a_password_that_the_relay_repeats() {
    let mut password = tempfile::NamedTempFile::new().unwrap();
    password.write_all(b"Relay-Passw0rd-xyz\n").unwrap();
    let login = format!("username = 'relayuser'\npassword_file = '{}'\n", password.path().display());
    for said in [
        "535 5.7.8 Relay-Passw0rd-xyz is wrong",
        "500 Unknown command: AUTH PLAIN AHJlbGF5dXNlcgBSZWxheS1QYXNzdzByZC14eXo=",
        "500 Unknown command: UmVsYXktUGFzc3cwcmQteHl6",
    ] {
        let relay = SmtpServer::start(&[("AUTH", Answer::Says(said))]).await;
        let arena = arena(&relay, &login).await;
        let found = sent(&arena, "Title", "ada@example.org").await;
        let refused = &found["refused"];
        assert_eq!(refused["stage"], "authentication", "{found}");
        let text = refused["text"].as_str().unwrap();
        assert!(text.contains("•••"), "{text}");
        assert!(
            ["Passw0rd", "UGFzc3cwcmQ", "Bhc3N3MHJk", "YXNzdzByZ"].iter().all(|part| !text.contains(part)),
            "{text}"
        );
        arena.serves().await;
    }
}
