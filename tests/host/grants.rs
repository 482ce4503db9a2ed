//! What a tenant grants, as a running component finds it: opened, refused with the command that would open it, and taken away.

use super::guests::report;
use super::installed::{box_of, install};
use crate::support::engine::TestEngine;
use crate::support::http::{Answer, HttpServer};
use crate::support::smtp::SmtpServer;
use crate::support::{guest, guests};
use engine::rules::grants::{self, Capability};
use engine::rules::origin::Origin;
use engine::rules::sealed::SealedSecret;
use engine::rules::status::Status;
use engine::rules::target::Target;
use engine::rules::tenant::Tenant;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::time::Duration;
use uuid::Uuid;

const TENANT: Tenant = Tenant::DEFAULT;

/// What the operator allows to tenants: this server of the test.
fn allowing(server: &HttpServer) -> String {
    format!("[sandbox]\nplain_http = ['{}']\nnetworks = ['127.0.0.0/8']\n", server.origin())
}

/// An engine whose HTTP probe has this server as a record's address.
async fn with_record_at(server: &HttpServer, settings: &str) -> TestEngine {
    let engine = TestEngine::builder().targets_in(guests()).with(settings).secret("token", "operators").start().await;
    engine.record("http_probe", &format!("{}/inbox", server.origin())).await;
    engine
}

async fn target(engine: &TestEngine, name: &str) -> Target {
    engine.store.find_target(TENANT, name).await.unwrap()
}

async fn grant(engine: &TestEngine, name: &str, grants: &[Capability]) {
    let target = target(engine, name).await;
    engine.store.grant(TENANT, target.id, grants, engine.clock.now()).await.unwrap();
}

async fn asked(engine: &TestEngine, extra: Value) -> Value {
    report(&engine.tried("http_probe", "Title", extra).await)
}

async fn set_secret(engine: &TestEngine, name: &str, value: &str, origins: &[&str]) {
    let draft = SealedSecret {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        target: Some(target(engine, "http_probe").await.id),
        key_id: String::new(),
        ciphertext: Vec::new(),
        origins: origins.iter().map(|text| Origin::parse(text).unwrap()).collect(),
    };
    let key = engine.settings.engine_key().unwrap().secret_key();
    let sealed = key.seal(TENANT, draft, value, [7; 12]).unwrap();
    engine.store.set_secret(TENANT, &sealed, engine.clock.now()).await.unwrap();
}

#[tokio::test]
async fn a_grant_opens_and_its_revocation_closes() {
    let server = HttpServer::start(Answer::status(200, "", "coo")).await;
    let engine = with_record_at(&server, &allowing(&server)).await;
    let wish = json!({ "url": format!("{}/inbox", server.origin()) });
    let denied = asked(&engine, wish.clone()).await;
    assert_eq!((&denied["phase"], &denied["code"]), (&json!("denied"), &json!("origin_not_granted")), "{denied}");
    grant(&engine, "http_probe", &[Capability::RecordAddress]).await;
    assert_eq!(asked(&engine, wish.clone()).await["body"], "coo", "without another start");
    let elsewhere = json!({ "url": "http://127.0.0.1:1/" });
    assert_eq!(asked(&engine, elsewhere).await["code"], "origin_not_asked", "no other origin is the record's");
    let probe = target(&engine, "http_probe").await;
    engine.store.revoke(TENANT, probe.id, &[Capability::RecordAddress], engine.clock.now()).await.unwrap();
    assert_eq!(asked(&engine, wish).await["code"], "origin_not_granted");
    assert_eq!(server.count(), 1);
}

/// All is claimed before the grant is taken away; what is sent later is refused all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_counts_for_what_is_claimed_already() {
    let server = HttpServer::start(Answer::Hangs).await;
    let settings = format!("{}[delivery]\nconcurrency_per_target = 1\ncall_batch = 1\n", allowing(&server));
    let engine = with_record_at(&server, &settings).await;
    grant(&engine, "http_probe", &[Capability::RecordAddress]).await;
    let wish = json!({ "method": "POST", "url": server.origin(), "timeout": 1200 });
    for number in 0..3 {
        engine.notify("http_probe", &format!("Title {number}"), wish.clone()).await;
    }
    let (_, ()) = tokio::join!(engine.deliver(), async {
        while server.count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let probe = target(&engine, "http_probe").await;
        engine.store.revoke(TENANT, probe.id, &[Capability::RecordAddress], engine.clock.now()).await.unwrap();
    });
    assert_eq!(server.count(), 1);
}

/// As the README says, so that no call is left between two sets of rules.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_has_begun_ends_as_it_began() {
    let server = HttpServer::start(Answer::Hangs).await;
    let engine = with_record_at(&server, &allowing(&server)).await;
    grant(&engine, "http_probe", &[Capability::RecordAddress]).await;
    let wish = json!({ "method": "POST", "url": server.origin(), "timeout": 2500, "times": 2 });
    engine.notify("http_probe", "Title", wish).await;
    let (_, ()) = tokio::join!(engine.deliver(), async {
        while server.count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let probe = target(&engine, "http_probe").await;
        engine.store.revoke(TENANT, probe.id, &[Capability::RecordAddress], engine.clock.now()).await.unwrap();
    });
    // The second was begun more than two seconds after that.
    assert_eq!(server.count(), 2);
}

/// They are looked for in all that comes back, which must not take long.
#[tokio::test]
async fn secrets_are_not_too_large_together() {
    let server = HttpServer::start(Answer::status(200, "", "coo")).await;
    let engine = with_record_at(&server, &allowing(&server)).await;
    let long = "x".repeat(30_000);
    let origin = server.origin();
    for name in ["token", "hook"] {
        set_secret(&engine, name, &long, &[&origin]).await;
    }
    let refused = engine.create(&engine.request("http_probe", "Title", json!({ "url": origin }))).await;
    let why = refused.unwrap_err().to_string();
    assert!(why.contains("60000 bytes together, and 49152 are the most"), "{why}");
}

#[tokio::test]
async fn what_the_operator_forbids_no_grant_opens() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_record_at(&server, "").await;
    grant(&engine, "http_probe", &[Capability::RecordAddress]).await;
    let denied = asked(&engine, json!({ "url": server.origin() })).await;
    let message = denied["message"].as_str().unwrap();
    assert_eq!(denied["code"], "record_not_allowed", "{denied}");
    assert!(message.contains("`[sandbox] plain_http`"), "{message}");
    assert_eq!(server.count(), 0);
}

/// Whatever the component says of it: the origin and the command are in the history.
#[tokio::test]
async fn a_denial_is_shown_with_the_command_that_lifts_it() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_record_at(&server, "").await;
    let wish = json!({ "url": "https://provider.example/x", "outcome": "retry" });
    let shown = engine.tried("http_probe", "Title", wish).await;
    let command = "`engine target grant \"http_probe\" --http https://provider.example`";
    let attempt = &shown.attempts[0];
    assert!(attempt.log.contains(command) && attempt.message.contains(command), "{shown:#?}");
    assert_eq!(shown.listed.notification.status, Status::Retry);
    assert!(attempt.message.starts_with("Something went wrong. "), "{}", attempt.message);
}

#[tokio::test]
async fn a_secret_is_never_sent_where_it_is_not_bound() {
    let (server, other) = (HttpServer::start(Answer::status(200, "", "")).await, "https://provider.example");
    let engine = with_record_at(&server, &allowing(&server)).await;
    let own = server.origin();
    let both = [&own, other].map(|origin| Capability::secret(&format!("token={origin}")).unwrap());
    let http = [Capability::RecordAddress, Capability::http(other).unwrap()];
    grant(&engine, "http_probe", &[both, http].concat()).await;
    let wish = json!({ "url": own, "credentials": [{ "bearer": "token" }] });
    let found = asked(&engine, wish.clone()).await;
    assert_eq!(found["code"], "no_such_secret", "the operator's own is not a tenant's to grant: {found}");
    set_secret(&engine, "token", "hush-hush", &[other]).await;
    let found = asked(&engine, wish.clone()).await;
    assert_eq!(found["code"], "secret_not_bound", "granted for both, and bound to one: {found}");
    assert_eq!(server.count(), 0);
    set_secret(&engine, "token", "hush-hush", &[&own]).await;
    assert_eq!(asked(&engine, wish).await["status"], 200);
    assert!(server.last().to_lowercase().contains("authorization: bearer hush-hush"), "{}", server.last());
}

#[tokio::test]
async fn a_secret_that_a_server_echoes_is_not_kept() {
    let value = "hush/hush+hush";
    // Base64 of `user:` and the value.
    let pair = "dXNlcjpodXNoL2h1c2graHVzaA==";
    let echo = format!("you sent {value} and {pair} and hush%2Fhush%2Bhush");
    let server = HttpServer::start(Answer::status(401, "", &echo)).await;
    let engine = with_record_at(&server, &allowing(&server)).await;
    let secret = Capability::secret(&format!("token={}", server.origin())).unwrap();
    grant(&engine, "http_probe", &[Capability::RecordAddress, secret]).await;
    set_secret(&engine, "token", value, &[&server.origin()]).await;
    let url = format!("{}/{{m}}", server.origin());
    let credentials =
        json!([{ "basic": { "user": "user", "secret": "token" } }, { "url": { "marker": "{m}", "secret": "token" } }]);
    for outcome in ["delivered", "retry"] {
        let wish = json!({ "url": url, "credentials": credentials, "outcome": outcome, "log": true });
        let shown = engine.tried("http_probe", "Title", wish).await;
        let kept = format!("{:?}", shown.attempts);
        assert!(kept.contains("you sent") && kept.contains("•••"), "{kept}");
        for form in ["hush/hush", "hush%2F", &pair[8..20]] {
            assert!(!kept.contains(form), "{form}: {kept}");
        }
    }
}

#[tokio::test]
async fn a_secret_of_another_key_is_told_and_not_used() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_record_at(&server, &allowing(&server)).await;
    let secret = Capability::secret(&format!("token={}", server.origin())).unwrap();
    grant(&engine, "http_probe", &[Capability::RecordAddress, secret]).await;
    set_secret(&engine, "token", "hush", &[&server.origin()]).await;
    let mut sealed = engine.store.list_secrets(TENANT).await.unwrap().remove(0).secret;
    sealed.key_id = "another".to_owned();
    engine.store.set_secret(TENANT, &sealed, engine.clock.now()).await.unwrap();
    let wish = json!({ "url": server.origin(), "credentials": [{ "bearer": "token" }] });
    let waits = engine.notify("http_probe", "Title", wish).await;
    engine.deliver().await;
    let pause = target(&engine, "http_probe").await.pause.unwrap().said();
    assert!(pause.contains("another key (another)") && pause.contains("ENGINE_KEY_FILE"), "{pause}");
    assert_eq!(engine.show(waits).await.listed.notification.status, Status::Scheduled);
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn mail_is_sent_from_the_senders_that_are_granted() {
    let server = SmtpServer::start(&[]).await;
    let engine = TestEngine::builder()
        .relay(server.address)
        .targets_in(guests())
        .with("[sandbox]\nsenders = ['news@example.org', '@club.example']\n")
        .start()
        .await;
    engine.record("smtp_probe", "ada@example.org").await;
    let ask = async |extra: Value| report(&engine.tried("smtp_probe", "Title", extra).await);
    let denied = ask(json!({})).await;
    let message = denied["broken"]["message"].as_str().unwrap();
    assert!(message.contains("`engine target grant \"smtp_probe\" --smtp`"), "{message}");
    grant(&engine, "smtp_probe", &[Capability::Smtp(None), Capability::smtp_from("tea@club.example").unwrap()]).await;
    for (sender, from) in
        [("", Some("news@example.org")), ("tea@club.example", Some("tea@club.example")), ("ceo@club.example", None)]
    {
        let found = ask(json!({ "sender": { "address": sender } })).await;
        match from {
            Some(from) => {
                assert_eq!(found["code"], 250, "{sender}: {found}");
                let mail = server.mails.lock().unwrap().last().unwrap().clone();
                assert!(mail.contains(&format!("From: {from}")), "{mail}");
            }
            None => assert_eq!(found["broken"]["code"], "sender_not_granted", "{sender}: {found}"),
        }
    }
    assert_eq!(server.count(), 2);
}

/// What the operator says under `[target.NAME]` is for the operator's own targets. Another tenant may give a file that name.
#[tokio::test]
async fn the_operators_word_is_not_for_what_another_tenant_installs() {
    let word = "[target.http_probe]\nbase_url = 'http://127.0.0.1:9'\nsecrets = ['token']\nlimits = { cpu = '2s' }\n";
    let engine = TestEngine::builder().with(word).secret("token", "operators").start().await;
    let bytes = std::fs::read(guest("http_probe")).unwrap();
    let installed = install(&engine, "http_probe", "Probe", bytes.clone()).await.unwrap();
    let setup = engine.store.target_setup(TENANT, installed.id).await.unwrap();
    for (tenant, holds) in [(TENANT, true), (Tenant(7), false)] {
        let read = || box_of(async { Ok(bytes.clone()) });
        let prepared = engine.catalog.prepare::<Infallible>(tenant, &installed, &setup, &read).await.unwrap();
        let powers = prepared.powers.clone();
        let reached = grants::http(&powers.grants, grants::Call::Send, "http://127.0.0.1:9/", &["token"], &[]);
        assert_eq!(reached.is_ok(), holds, "{reached:?}");
        assert_eq!(powers.has_secret("token").is_ok(), holds);
        assert_eq!(powers.limits.unwrap()[0].amount, if holds { 2000 } else { 500 });
    }
}
