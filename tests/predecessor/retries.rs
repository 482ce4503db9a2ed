//! When something is tried again, and how often.

use super::notify;
use crate::support::engine::TestEngine;
use crate::support::http::{Answer as HttpAnswer, HttpServer};
use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use engine::delivery::{Chosen, Deliverer};
use engine::rules::status::Status;
use engine::settings::Settings;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// An engine whose relay is busy for ever.
async fn busy(settings: &str) -> (SmtpServer, TestEngine) {
    let server = SmtpServer::start(&[("RCPT", Answer::Says("450 4.2.0 Busy"))]).await;
    let engine = TestEngine::builder().relay(server.address).with(settings).start().await;
    engine.record("email", "ada@example.org").await;
    (server, engine)
}

/// Delivers until nothing waits any more, and gives the seconds between the attempts.
async fn waits(engine: &TestEngine, id: Uuid, jitter: fn() -> f64) -> Vec<i64> {
    let mut waits = Vec::new();
    loop {
        let deliverer = Deliverer { jitter, ..engine.deliverer(Arc::new(|_| {})) };
        deliverer.process_due(Chosen::default(), std::future::pending(), std::future::pending()).await.unwrap();
        let n = engine.show(id).await.listed.notification;
        if n.status != Status::Retry {
            assert_eq!(n.status, Status::DeliveryFailure);
            return waits;
        }
        let wait = n.scheduled_delivery.duration_since(n.attempted_delivery.unwrap());
        waits.push(wait.as_secs());
        engine.clock.advance(wait.unsigned_abs() - Duration::from_millis(500));
        engine.deliver().await;
        assert_eq!(engine.show(id).await.attempts.len(), waits.len(), "it waits for its time");
        engine.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn retry_time_interval_is_in_seconds_and_doubles() {
    for (settings, jitter, expected) in [
        ("", (|| 0.0) as fn() -> f64, [60, 120, 240]),
        ("", || 1.0, [72, 144, 288]),
        ("", || -1.0, [48, 96, 192]),
        ("[delivery]\nbackoff = 'fixed'\n", || 1.0, [60, 60, 60]),
    ] {
        let (_server, engine) = busy(settings).await;
        let mut request = engine.request("email", "Tea", json!({}));
        (request.retry_time_interval, request.max_retries) = (Some(60), 3);
        let id = engine.create(&request).await.unwrap()[0];
        assert_eq!(waits(&engine, id, jitter).await, expected, "{settings}");
    }
}

#[test]
fn retry_time_interval_is_typed_as_people_say_it() {
    let program = Program::new();
    program.ada();
    let stored = |more: &[&str]| {
        program.ok(&notify(more));
        program.json(&["notification", "list"])[0]["retry_time_interval"].clone()
    };
    for (typed, seconds) in [("45", 45), ("90m", 5400), ("24h", 86_400)] {
        assert_eq!(stored(&["--target", "email", "--retry-interval", typed]), seconds, "{typed}");
    }
    let text = "[smtp]\ntimeout = '90m'\nidle = '24h'\n[delivery]\nstop_timeout = 45\n";
    let settings = Settings::from_text("engine.toml", text, std::iter::empty()).unwrap();
    let minutes = |count: u64| Duration::from_secs(60 * count);
    assert_eq!((settings.smtp.timeout, settings.smtp.idle), (minutes(90), minutes(24 * 60)));
    assert_eq!(settings.delivery.stop_timeout, Duration::from_secs(45));

    // Where nothing is said it is as the predecessor's documentation has it, in seconds.
    for (target, address, seconds) in
        [("email", "", 1440), ("twilio", "+15550100123", 60), ("expo", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]", 60)]
    {
        if !address.is_empty() {
            program.ok(&["record", "add", "--user", "ada", "--target", target, "--target-user-id", address]);
        }
        assert_eq!(stored(&["--target", target]), seconds, "{target}");
    }
}

#[tokio::test]
async fn max_retries_n_means_one_plus_n_attempts() {
    for (max_retries, attempts) in [(0, 1), (1, 2), (3, 4)] {
        let (_server, engine) = busy("").await;
        let mut request = engine.request("email", "Tea", json!({}));
        request.max_retries = max_retries;
        let id = engine.create(&request).await.unwrap()[0];
        waits(&engine, id, || 0.0).await;
        let shown = engine.show(id).await;
        assert_eq!((shown.attempts.len(), shown.listed.notification.retry_attempts), (attempts, max_retries + 1));
        engine.clock.advance(Duration::from_secs(1_000_000));
        engine.deliver().await;
        assert_eq!(engine.show(id).await.attempts.len(), attempts, "and none after that");
    }
}

/// The predecessor waited 90 minutes, whatever was asked for, or gave the whole run up.
#[tokio::test]
async fn connection_refused_dns_and_timeouts_wait_the_notifications_interval() {
    let gone = SmtpServer::start(&[]).await;
    let closed = gone.address;
    drop(gone);
    let silent = SmtpServer::start(&[("GREETING", Answer::Hangs)]).await;
    let relay = |host: &str, port: u16| format!("[smtp]\nhost = '{host}'\nport = {port}\ntimeout = '500ms'\n");
    let answers_nothing = HttpServer::start(HttpAnswer::Closes).await;
    let expo = |origin: &str| format!("[target.expo]\nbase_url = '{origin}'\n");
    let token = "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]";
    for (settings, target, address) in [
        (relay("127.0.0.1", closed.port()), "email", "ada@example.org"),
        (relay("nowhere.invalid", 25), "email", "ada@example.org"),
        (relay("127.0.0.1", silent.address.port()), "email", "ada@example.org"),
        (expo(&format!("http://{closed}")), "expo", token),
        (expo("http://nowhere.invalid"), "expo", token),
        (expo(&answers_nothing.origin()), "expo", token),
    ] {
        let engine = TestEngine::builder().with(&settings).start().await;
        engine.record(target, address).await;
        let mut request = engine.request(target, "Tea", json!({}));
        request.retry_time_interval = Some(77);
        let id = engine.create(&request).await.unwrap()[0];
        engine.deliver().await;
        let shown = engine.show(id).await;
        let n = &shown.listed.notification;
        let wait = n.scheduled_delivery.duration_since(n.attempted_delivery.unwrap_or_default());
        let found = (n.status, n.retry_attempts, wait.as_secs(), shown.attempts.len());
        assert_eq!(found, (Status::Retry, 1, 77, 1), "{settings}: {shown:#?}");
        let paused = engine.store.find_target(n.tenant, target).await.unwrap().pause;
        assert_eq!(paused, None, "{settings}");
    }
}
