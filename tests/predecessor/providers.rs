//! What relays and providers answer, and what follows.

use super::{active, notify, statuses};
use crate::delivery::providers::{TWILIO, engine, recorded_answer};
use crate::support::engine::TestEngine;
use crate::support::http::{Answer, HttpServer};
use crate::support::program::Program;
use crate::support::smtp::{Answer as Reply, SmtpServer};
use engine::rules::status::Status;
use engine::store::NotificationHistory;
use serde_json::{Value, json};

const TOKEN: &str = "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]";
const NUMBER: &str = "+15550100123";

/// What must be so after an attempt: where it stands, whether the record is still sent to, whether the target is paused.
async fn came_to(engine: &TestEngine, shown: &NotificationHistory) -> (Status, bool, bool) {
    let n = &shown.listed.notification;
    assert_eq!(shown.attempts.len(), 1, "{shown:#?}");
    let record = engine.store.find_record(n.tenant, n.target_user_record).await.unwrap().record;
    let targets = engine.store.list_targets(n.tenant).await.unwrap();
    (n.status, record.active, targets.iter().any(|target| target.pause.is_some()))
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_errors_end_at_once() {
    use Status::{DeliveryFailure, InactiveDevice, OptedOut, Scheduled};
    // Stage and reply; status, whether the record stays active, whether the target is paused.
    for (stage, reply, expected) in [
        ("RCPT", "554 5.7.1 No", (DeliveryFailure, true, false)),
        ("DOT", "552 5.3.4 Too large", (DeliveryFailure, true, false)),
        ("RCPT", "550 5.1.1 No such user", (InactiveDevice, false, false)),
        ("MAIL", "530 5.7.0 Log in first", (Scheduled, true, true)),
    ] {
        let server = SmtpServer::start(&[(stage, Reply::Says(reply))]).await;
        let engine = TestEngine::builder().relay(server.address).start().await;
        engine.record("email", "ada@example.org").await;
        let shown = engine.tried("email", "Tea", json!({})).await;
        assert_eq!(came_to(&engine, &shown).await, expected, "{reply}");
    }
    for (handler, address, file, expected) in [
        ("twilio", NUMBER, "21211-invalid-to", (InactiveDevice, false, false)),
        ("twilio", NUMBER, "21610-opted-out", (OptedOut, false, false)),
        ("twilio", NUMBER, "20003-authentication", (Scheduled, true, true)),
        ("expo", TOKEN, "ticket_message_too_big", (DeliveryFailure, true, false)),
        ("expo", TOKEN, "ticket_invalid_credentials", (Scheduled, true, true)),
    ] {
        let server = HttpServer::start(recorded_answer(handler, file)).await;
        let keys = if handler == "twilio" { TWILIO } else { "" };
        let engine = engine(handler, keys, &server).await;
        engine.record(handler, address).await;
        let shown = engine.tried(handler, "Tea", json!({})).await;
        assert_eq!(came_to(&engine, &shown).await, expected, "{file}");
    }
    // A bad token is not even taken.
    let program = Program::new();
    program.ada();
    let bad = ["record", "add", "--user", "ada", "--target", "expo", "--target-user-id", "PushToken[x]"];
    program.refused(&bad, "ExponentPushToken[");
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_21610_switches_off_that_record_alone() {
    let (relay, twilio) =
        (SmtpServer::start(&[]).await, HttpServer::start(recorded_answer("twilio", "21610-opted-out")).await);
    let program = Program::new()
        .relay(relay.address)
        .with("ENGINE_TARGET__TWILIO__BASE_URL", &twilio.origin())
        .with("ENGINE_TARGET__TWILIO__ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef")
        .with("ENGINE_TARGET__TWILIO__SENDER", "+15550100999")
        .with("ENGINE_SECRET__TWILIO_AUTH_TOKEN", "hush");
    program.ada();
    program.ok(&["record", "add", "--user", "ada", "--target", "twilio", "--target-user-id", NUMBER]);
    program.ok(&notify(&[]));
    program.ok(&["process-notifications"]);
    let of = |status: &str| program.json(&["notification", "list", "--status", status])[0]["target_name"].clone();
    assert_eq!((of("OPTED OUT"), of("DELIVERED")), (json!("Twilio"), json!("Email")));
    assert_eq!(active(&program), ["ada@example.org"]);
    assert_eq!(program.json(&["opt-out", "list"]), json!([]), "she has not opted out of everything");
    program.ok(&notify(&[]));
    program.ok(&["process-notifications"]);
    assert_eq!((relay.count(), twilio.count(), statuses(&program).len()), (2, 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn expo_device_not_registered_is_an_inactive_device_at_once() {
    let server = HttpServer::start(recorded_answer("expo", "ticket_device_not_registered")).await;
    let engine = engine("expo", "", &server).await;
    engine.record("expo", TOKEN).await;
    let shown = engine.tried("expo", "Tea", json!({})).await;
    assert_eq!(came_to(&engine, &shown).await, (Status::InactiveDevice, false, false));
    assert!(shown.listed.notification.attempted_delivery.is_some());
    let refusal = engine.create(&engine.request("expo", "Tea", json!({}))).await.unwrap_err();
    assert!(refusal.to_string().contains("no active record"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn expo_takes_a_hundred_a_request_and_not_for_ever() {
    let ticket = |number| json!({"status": "ok", "id": format!("ticket-{number}")});
    let body = json!({"data": (0..100).map(ticket).collect::<Vec<_>>()}).to_string();
    let server = HttpServer::start(Answer::status(200, "content-type: application/json\r\n", &body)).await;
    let engine = engine("expo", "[sandbox]\nwall = '3s'\n", &server).await;
    engine.record("expo", TOKEN).await;
    let due = async |count: usize| {
        let mut made = Vec::new();
        for number in 0..count {
            made.push(engine.notify("expo", &format!("News {number}"), json!({})).await);
        }
        engine.deliver().await;
        made
    };
    for id in due(100).await {
        let shown = engine.show(id).await;
        // Until somebody asks for receipts, what Expo has accepted counts as delivered.
        assert_eq!(
            (shown.attempts[0].outcome.as_str(), shown.listed.notification.status),
            ("accepted", Status::Delivered)
        );
        assert!(shown.attempts[0].provider_id.starts_with("ticket-"));
    }
    assert_eq!(server.count(), 1);
    due(101).await;
    assert_eq!(server.count(), 3, "the last one goes in a request of its own");

    server.answers(Answer::Hangs);
    let shown = engine.show(due(1).await[0]).await;
    assert_eq!(shown.listed.notification.status, Status::Retry, "a silent Expo is left in time: {shown:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twilio_checks_numbers_keeps_the_sid_and_sends_the_title_if_asked() {
    let program = Program::new();
    program.ada();
    for bad in ["15550100123", "0155 0100123", "+1555", "+1555010012345678", "+1555O100123", "ada@example.org"] {
        let add = ["record", "add", "--user", "ada", "--target", "twilio", "--target-user-id", bad];
        let ran = program.run(&add);
        assert!(ran.code == Some(1) && ran.stderr.contains("+15550100123"), "with an example: {bad}: {ran:?}");
    }
    let server = HttpServer::start(recorded_answer("twilio", "message-queued")).await;
    let engine = engine("twilio", TWILIO, &server).await;
    engine.record("twilio", NUMBER).await;
    let shown = engine.tried("twilio", "Tea", json!({})).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered);
    assert_eq!(shown.attempts[0].provider_id, "SM0123456789abcdef0123456789abcdef");
    let sent = |extra: &Value| {
        let text = server.last();
        let fields = text.split("\r\n\r\n").nth(1).unwrap().split('&').map(str::to_owned);
        let body = fields.into_iter().find(|field| field.starts_with("Body=")).unwrap();
        assert!(text.contains("To=%2B15550100123"), "{extra}: {text}");
        body
    };
    assert_eq!(sent(&json!({})), "Body=The+body.");
    let asked = json!({"include_title": true});
    engine.tried("twilio", "Tea", asked.clone()).await;
    assert_eq!(sent(&asked), "Body=Tea%0AThe+body.");
}
