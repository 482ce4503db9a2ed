//! Programs that give the doors more of everything than they ask for. The doors must find out before they do anything with it.

use super::arena::{Arena, Cases, case};
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::http::{Answer, HttpServer};
use crate::support::smtp::SmtpServer;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn crowd() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let relay = SmtpServer::start(&[]).await;
    // To ask for so much takes long on a slow machine.
    let settings = format!(
        "[sandbox]\ncpu = '20s'\n[target.crowd]\nbase_url = '{}'\nsecrets = ['token']\nsmtp = true\nfrom_email = 'crowd@example.org'\n",
        server.origin()
    );
    let builder = TestEngine::builder().relay(relay.address).targets_in(guests()).with(&settings);
    let arena = Arena::started("crowd", builder.secret("token", "hush-hush")).await;
    let mut cases = Cases::default();
    for (name, of, count, code) in [
        (case("notifications_of_a_request"), "about", 200_000, "invalid_request"),
        (case("headers_of_a_request"), "headers", 100_000, "invalid_request"),
        (case("credentials_of_a_request"), "credentials", 100_000, "invalid_request"),
        (case("letters_of_a_method"), "method", 2_000_000, "invalid_request"),
        (case("letters_of_an_id"), "id", 2_000_000, "invalid_request"),
        (case("letters_of_a_credential"), "name", 2_000_000, "invalid_request"),
        (case("letters_before_a_secret"), "before", 2_000_000, "invalid_request"),
        (case("letters_of_a_host"), "host", 2_000_000, "invalid_request"),
        (case("letters_of_a_path"), "path", 4_000_000, "invalid_request"),
        (case("recipients_of_a_mail"), "recipients", 50_000, "invalid_mail"),
        (case("addresses_for_replies"), "reply_to", 50_000, "invalid_mail"),
        (case("attachments_of_a_mail"), "attachments", 50_000, "invalid_mail"),
        (case("further_headers_of_a_mail"), "further", 50_000, "invalid_mail"),
        (case("letters_of_a_subject"), "subject", 2_000_000, "invalid_mail"),
        (case("letters_of_a_sender"), "sender", 2_000_000, "invalid_mail"),
        (case("letters_of_what_is_carried"), "carried", 2_000_000, "invalid_mail"),
    ] {
        let began = Instant::now();
        let found = arena.reported(json!({ "of": of, "count": count, "url": server.origin() })).await;
        let is_short = found["letters"].as_u64().is_some_and(|letters| letters < 200);
        cases.check(name, found["code"] == code && is_short && began.elapsed() < Duration::from_secs(10), found);
    }
    assert_eq!((server.count(), relay.count()), (0, 0), "nothing has left");
}

/// What a component says in one call is not kept as often as there are notifications in it.
#[tokio::test]
async fn a_log_for_each_of_many() {
    let arena = Arena::of("http_probe").await;
    arena.engine.record("http_probe", "bob@example.org").await;
    let wish = json!({ "url": "https://provider.example", "log": true });
    let ids = arena.engine.create(&arena.engine.request("http_probe", "Title", wish)).await.unwrap();
    arena.engine.deliver().await;
    let mut logs = Vec::new();
    for id in &ids {
        logs.push(arena.engine.show(*id).await.attempts.remove(0).log);
    }
    let elsewhere =
        |log: &&String| ids.iter().any(|id| **log == format!("what was said in this call is kept with {id}"));
    assert_eq!((logs.len(), logs.iter().filter(elsewhere).count()), (2, 1), "{logs:#?}");
    assert!(logs.iter().any(|log| log.matches("origin_not_granted").count() == 2), "{logs:#?}");
}
