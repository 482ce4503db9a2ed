//! The bundled components against the answers of their providers, as they are kept in `testdata`: the same files that their own tests read,
//! here through the sandbox, its HTTP door, and a server.

use crate::support::engine::TestEngine;
use crate::support::http::{Answer, HttpServer};
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use engine::store::RecordFilter;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

pub const TWILIO: &str = "account_sid = 'AC0123456789abcdef0123456789abcdef'\nsender = '+15550100999'\n";

/// The files of a component: their names and what they hold.
fn recorded(handler: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../handlers").join(handler).join("testdata/answers");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), serde_json::from_str(&text).unwrap())
        })
        .collect();
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(all.len() > 10, "{handler}");
    all
}

/// What a provider answered once, by the name of the file that keeps it.
pub fn recorded_answer(handler: &str, name: &str) -> Answer {
    let file = format!("{}/../handlers/{handler}/testdata/answers/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    answer(&kept["answer"])
}

fn answer(file: &Value) -> Answer {
    let headers: String = file["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|header| format!("{}: {}\r\n", header[0].as_str().unwrap(), header[1].as_str().unwrap()))
        .collect();
    let status = u16::try_from(file["status"].as_u64().unwrap()).unwrap();
    Answer::status(status, &headers, file["body"].as_str().unwrap_or_default())
}

/// An engine whose target talks to this server.
pub async fn engine(handler: &str, keys: &str, server: &HttpServer) -> TestEngine {
    let section = format!("[target.{handler}]\nbase_url = 'http://{}'\n{keys}", server.address);
    TestEngine::builder().with(&section).secret("twilio_auth_token", "tw-s3cret").start().await
}

/// Makes a notification for each address, and delivers them.
async fn deliver(engine: &TestEngine, handler: &str, addresses: &[String]) -> Vec<Uuid> {
    for address in addresses {
        engine.record(handler, address).await;
    }
    let made = engine.create(&engine.request(handler, "Tea", json!({}))).await.unwrap();
    assert_eq!(made.len(), addresses.len());
    engine.deliver().await;
    made
}

/// Takes away what a file has left behind, so that the next one finds nothing.
async fn clear(engine: &TestEngine, handler: &str) {
    let tenant = Tenant::DEFAULT;
    let target = engine.store.find_target(tenant, handler).await.unwrap();
    engine.store.resume_target(tenant, target.id, engine.clock.now()).await.unwrap();
    for listed in engine.store.list_records(tenant, &RecordFilter::default()).await.unwrap() {
        engine.store.remove_record(tenant, listed.record.id).await.unwrap();
    }
}

/// What an attempt came to, against what the file expects.
async fn check(name: &str, engine: &TestEngine, id: Uuid, expect: &Value) {
    let shown = engine.show(id).await;
    let attempt = shown.attempts.first().unwrap_or_else(|| panic!("{name}: nothing was attempted: {shown:?}"));
    if let Some(outcome) = expect["outcome"].as_str() {
        assert_eq!(attempt.outcome.as_str(), outcome, "{name}: {attempt:?}");
    }
    if let Some(code) = expect["code"].as_str() {
        assert_eq!(attempt.code, code, "{name}: {attempt:?}");
    }
    if let Some(provider_id) = expect["provider_id"].as_str() {
        assert_eq!(attempt.provider_id, provider_id, "{name}: {attempt:?}");
    }
    assert!(!attempt.message.contains("tw-s3cret") && !attempt.log.contains("tw-s3cret"), "{name}: {attempt:?}");
    let notification = &shown.listed.notification;
    let may_be: &[Status] = match attempt.outcome {
        OutcomeKind::Delivered | OutcomeKind::Accepted => &[Status::Delivered],
        OutcomeKind::Failed => &[Status::DeliveryFailure],
        OutcomeKind::InactiveDevice => &[Status::InactiveDevice],
        OutcomeKind::OptedOut => &[Status::OptedOut],
        // What is not the notification's fault leaves it as it was.
        OutcomeKind::Retry if expect["scope"] == "configuration" => &[Status::Scheduled],
        OutcomeKind::Retry if expect["scope"] == "account" => &[Status::Scheduled, Status::Retry],
        OutcomeKind::Retry | OutcomeKind::Unknown => &[Status::Retry],
    };
    assert!(may_be.contains(&notification.status), "{name}: {}", notification.status);
    let counted = match expect["scope"].as_str() {
        Some("account" | "configuration") => 0,
        _ => 1,
    };
    if attempt.outcome == OutcomeKind::Retry {
        assert_eq!(notification.retry_attempts, counted, "{name}: what an account is at fault for counts no attempt");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_answers_through_the_sandbox() {
    let server = HttpServer::start(Answer::Closes).await;
    let engine = engine("twilio", TWILIO, &server).await;
    for (name, file) in recorded("twilio") {
        server.answers(answer(&file["answer"]));
        let made = deliver(&engine, "twilio", &["+15550100123".to_owned()]).await;
        check(&name, &engine, made[0], &file["expect"]).await;
        clear(&engine, "twilio").await;
        let requests = server.requests.lock().unwrap().clone();
        assert!(requests[0].starts_with("POST /2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json "));
        assert!(requests[0].contains("To=%2B15550100123") && requests[0].contains("authorization: Basic "), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expos_answers_through_the_sandbox() {
    let server = HttpServer::start(Answer::Closes).await;
    let engine = engine("expo", "", &server).await;
    for (name, file) in recorded("expo") {
        // No server may say 799, and the HTTP client refuses to read it.
        if name == "unheard_of_status.json" {
            continue;
        }
        let expected = file["expect"].as_array().unwrap();
        server.answers(answer(&file["answer"]));
        // In the order of the addresses, which is that of the records.
        let addresses: Vec<_> = (0..expected.len()).map(|number| format!("ExponentPushToken[{number:022}]")).collect();
        let made = deliver(&engine, "expo", &addresses).await;
        for (id, expect) in made.iter().zip(expected) {
            check(&name, &engine, *id, expect).await;
        }
        clear(&engine, "expo").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn five_due_pushes_go_out_in_one_request() {
    let tickets: Vec<_> = (0..5).map(|number| json!({"status": "ok", "id": format!("ticket-{number}")})).collect();
    let body = json!({"data": tickets}).to_string();
    let server = HttpServer::start(Answer::status(200, "content-type: application/json\r\n", &body)).await;
    let engine = engine("expo", "", &server).await;
    engine.record("expo", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]").await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(engine.notify("expo", &format!("News {number}"), json!({"data": {"number": number}})).await);
    }
    engine.deliver().await;
    assert_eq!(server.requests.lock().unwrap().len(), 1);
    for (number, id) in made.into_iter().enumerate() {
        let shown = engine.show(id).await;
        assert_eq!(shown.listed.notification.status, Status::Delivered);
        assert_eq!(shown.attempts[0].provider_id, format!("ticket-{number}"));
    }
}
