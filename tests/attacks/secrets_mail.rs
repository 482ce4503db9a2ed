//! Mails that want to say more than the engine writes: further headers, recipients, commands, another sender.

use super::arena::{Arena, Cases, case};
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::smtp::{Answer, SmtpServer};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

const SENDER: &str = "[target.smtp_probe]\nsmtp = true\nfrom_email = '\"Probe\" <probe@example.org>'\n";

async fn arena(relay: &SmtpServer) -> Arena {
    Arena::started("smtp_probe", TestEngine::builder().relay(relay.address).targets_in(guests()).with(SENDER)).await
}

fn part(member: &str, value: &str) -> Value {
    let mut attachment = json!({ "name": "n", "content_type": "text/plain", "content_id": "", "content": "x" });
    attachment[member] = value.into();
    json!({ "html": "<p>x</p>", "attachments": [attachment] })
}

/// A relay that looks long at some recipients, and a stranger's component that writes to nobody else: the mails of others are sent meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_of_the_relay() {
    let relay = SmtpServer::start(&[("RCPT", Answer::HangsFor("slow"))]).await;
    let smtp = format!(
        "[smtp]\nhost = '127.0.0.1'\nport = {}\ntimeout = '20s'\nconnections = 4\n[delivery]\ncall_batch = 1\n",
        relay.address.port()
    );
    let arena = Arena::with("smtp_probe", &format!("{smtp}{SENDER}")).await;
    let engine = &arena.engine;
    engine.record("email", "ada@example.org").await;
    for i in 0..24 {
        let slow = json!({ "recipients": [{ "address": "slow@example.org" }] });
        engine.notify("smtp_probe", &format!("Title {i}"), slow).await;
    }
    let honest = async {
        while relay.connections.load(SeqCst) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        for i in 0..5 {
            let began = Instant::now();
            let mine = engine.notify("email", &format!("Mine {i}"), json!({})).await;
            while engine.show(mine).await.attempts.is_empty() {
                assert!(began.elapsed() < Duration::from_secs(3), "{i}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        assert_eq!(relay.count(), 5);
    };
    engine.beside(honest).await;
}

#[tokio::test]
async fn smuggled_headers() {
    let relay = SmtpServer::start(&[]).await;
    let arena = arena(&relay).await;
    let mut cases = Cases::default();
    for (name, wish, code) in [
        (case("in_the_subject"), json!({ "subject": "a\r\nBcc: evil@example.org" }), "invalid_mail"),
        (case("in_the_subject_by_a_line_feed"), json!({ "subject": "a\nBcc: evil@example.org" }), "invalid_mail"),
        (case("in_the_subject_by_a_carriage_return"), json!({ "subject": "a\rBcc: evil@example.org" }), "invalid_mail"),
        (case("in_the_senders_name"), json!({ "sender": { "name": "a\r\nBcc: evil@example.org" } }), "invalid_mail"),
        (
            case("in_a_recipients_name"),
            json!({ "recipients": [{ "name": "a\r\nBcc: e@x.org", "address": "a@example.org" }] }),
            "invalid_mail",
        ),
        (
            case("in_a_recipient"),
            json!({ "recipients": [{ "address": "a@example.org\r\nBcc: e@x.org" }] }),
            "invalid_mail",
        ),
        (
            case("in_a_name_for_replies"),
            json!({ "reply_to": [{ "name": "a\r\nBcc: e@x.org", "address": "a@example.org" }] }),
            "invalid_mail",
        ),
        (case("in_a_further_header"), json!({ "headers": [["X-A", "b\r\nBcc: evil@example.org"]] }), "invalid_mail"),
        (
            case("in_the_name_of_a_header"),
            json!({ "headers": [["X-A: b\r\nBcc", "evil@example.org"]] }),
            "invalid_mail",
        ),
        (case("in_a_file_name"), part("name", "a\r\nBcc: evil@example.org"), "invalid_mail"),
        (case("in_a_content_type"), part("content_type", "text/plain\r\nBcc: evil@example.org"), "invalid_mail"),
        (case("in_a_content_id"), part("content_id", "a>\r\nBcc: evil@example.org"), "invalid_mail"),
        (case("a_path_as_a_file_name"), part("name", "../../etc/passwd"), "invalid_mail"),
        (case("bcc"), json!({ "headers": [["Bcc", "evil@example.org"]] }), "invalid_mail"),
        (case("another_from"), json!({ "headers": [["from", "ceo@example.org"]] }), "invalid_mail"),
        (case("another_sender_header"), json!({ "headers": [["Sender", "ceo@example.org"]] }), "invalid_mail"),
        (case("another_return_path"), json!({ "headers": [["Return-Path", "<ceo@example.org>"]] }), "invalid_mail"),
        (case("another_message_id"), json!({ "headers": [["Message-ID", "<x@example.org>"]] }), "invalid_mail"),
        (case("another_content_type"), json!({ "headers": [["Content-Type", "text/html"]] }), "invalid_mail"),
        (case("a_trace"), json!({ "headers": [["Received", "from evil.example"]] }), "invalid_mail"),
        (case("a_signature"), json!({ "headers": [["DKIM-Signature", "v=1"]] }), "invalid_mail"),
        (
            case("a_result_of_checks"),
            json!({ "headers": [["Authentication-Results", "example.org; spf=pass"]] }),
            "invalid_mail",
        ),
        (case("resent_from"), json!({ "headers": [["Resent-From", "ceo@example.org"]] }), "invalid_mail"),
        (case("a_space_in_the_name_of_a_header"), json!({ "headers": [["Bcc ", "evil@example.org"]] }), "invalid_mail"),
        (case("a_forged_sender"), json!({ "sender": { "address": "ceo@example.org" } }), "sender_not_granted"),
        (
            case("a_forged_sender_in_capitals"),
            json!({ "sender": { "address": "CEO@EXAMPLE.ORG" } }),
            "sender_not_granted",
        ),
        (
            case("a_forged_sender_below"),
            json!({ "sender": { "address": "probe@evil.example.org" } }),
            "sender_not_granted",
        ),
        (
            case("a_sender_with_parameters"),
            json!({ "sender": { "address": "probe@example.org> SIZE=1" } }),
            "invalid_mail",
        ),
        (case("two_senders"), json!({ "sender": { "address": "probe@example.org,ceo@example.org" } }), "invalid_mail"),
        (
            case("a_command_in_a_recipient"),
            json!({ "recipients": [{ "address": "a@b>\r\nRCPT TO:<c@d" }] }),
            "invalid_mail",
        ),
        (
            case("a_route_in_a_recipient"),
            json!({ "recipients": [{ "address": "@evil.example:a@example.org" }] }),
            "invalid_mail",
        ),
        (case("nobody"), json!({ "recipients": [] }), "invalid_mail"),
        (case("fifty_one"), json!({ "recipients": vec![json!({ "address": "a@example.org" }); 51] }), "invalid_mail"),
        (case("another_notification"), json!({ "about": "019a0000-0000-7000-8000-000000000000" }), "invalid_mail"),
    ] {
        let found = arena.reported(wish).await;
        cases.check(name, found["broken"]["code"] == code, found);
    }
    assert_eq!(relay.count(), 0, "nothing has left");
}

/// What is in the mail stays in the mail.
#[tokio::test]
async fn smuggled_mails() {
    let relay = SmtpServer::start(&[]).await;
    let arena = arena(&relay).await;
    let evil =
        "MAIL FROM:<ceo@example.org>\r\nRCPT TO:<evil@example.org>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n";
    let mut cases = Cases::default();
    for (name, end) in [
        (case("by_a_dot"), "\r\n.\r\n"),
        (case("by_a_dot_between_line_feeds"), "\n.\n"),
        (case("by_a_dot_between_carriage_returns"), "\r.\r"),
        (case("by_a_dot_after_a_line_feed"), "\n.\r\n"),
        (case("by_a_dot_before_a_line_feed"), "\r\n.\n"),
        (case("by_two_dots"), "\r\n..\r\n.\r\n"),
    ] {
        let smuggled = format!("before{end}{evil}");
        for wish in [json!({ "text": smuggled }), json!({ "html": smuggled }), part("content", &smuggled)] {
            relay.mails.lock().unwrap().clear();
            let found = arena.reported(wish).await;
            let mails = relay.mails.lock().unwrap().clone();
            let one = mails.len() == 1 && mails[0].contains(" <probe@example.org>");
            let whole = mails.iter().all(|mail| !mail.replace("\r\n", "").contains(['\r', '\0']));
            cases.check(name, found["code"] == 250 && one && whole, (found, mails));
        }
    }
}
