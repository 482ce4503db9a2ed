//! What a tenant grants, as a running component finds it: opened, refused with the command that would open it, and taken away.

use super::guests::report;
use crate::support::engine::TestEngine;
use crate::support::http::{Answer, HttpServer};
use crate::support::smtp::SmtpServer;
use crate::support::{folder_with, guest, guests};
use engine::host::Unloaded;
use engine::rules::budget::Said;
use engine::rules::grants::{self, Capability};
use engine::rules::origin::Origin;
use engine::rules::sealed::SealedSecret;
use engine::rules::setup::Setup;
use engine::rules::status::Status;
use engine::rules::target::{Pause, PauseKind, Target};
use engine::rules::tenant::Tenant;
use engine::targets::{self, Wish};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
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

#[tokio::test]
async fn what_the_operator_forbids_no_grant_opens() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let engine = with_record_at(&server, "").await;
    grant(&engine, "http_probe", &[Capability::RecordAddress]).await;
    let denied = asked(&engine, json!({ "url": server.origin() })).await;
    let message = denied["message"].as_str().unwrap();
    assert!(message.contains("the operator forbids it") && message.contains("`[sandbox] plain_http`"), "{message}");
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
    let found = asked(&engine, json!({ "url": server.origin(), "credentials": [{ "bearer": "token" }] })).await;
    let message = found["message"].as_str().unwrap();
    assert!(message.contains("another key (another)") && message.contains("ENGINE_KEY_FILE"), "{message}");
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

async fn install(engine: &TestEngine, module: &str, name: &str, bytes: Vec<u8>) -> Result<Target, String> {
    let wish = Wish {
        name: Some(name.to_owned()),
        module: module.to_owned(),
        bytes,
        grants: Vec::new(),
        settings: Vec::new(),
        limits: Said::new(),
    };
    let installed = targets::install(&engine.store, &engine.catalog, TENANT, wish, Uuid::now_v7(), engine.clock.now());
    installed.await.map(|(_, target)| target).map_err(|error| error.to_string())
}

#[tokio::test]
async fn what_is_no_target_is_not_installed() {
    let engine = TestEngine::builder().start().await;
    let noop = std::fs::read(guest("noop")).unwrap();
    for (module, bytes, part) in [
        ("noop", b"\0asm\x01\0\0\0".to_vec(), "core module"),
        ("noop", b"\x7fELF....".to_vec(), "machine code"),
        ("noop", b"(component)".to_vec(), "not a WebAssembly component"),
        ("noop", noop[..noop.len() / 2].to_vec(), "not a valid component"),
        ("noop", Vec::new(), "empty"),
        ("noop", vec![0; 33 * 1024 * 1024], "MiB"),
        ("not_a_target", std::fs::read(guest("not_a_target")).unwrap(), "target"),
        ("twilio", noop.clone(), "is the name of a bundled component"),
        ("No-Op", noop.clone(), "is not a module name"),
    ] {
        let why = install(&engine, module, "Pigeon", bytes).await.unwrap_err();
        assert!(why.contains(part), "{part}: {why}");
    }
    let targets = engine.store.list_targets(TENANT).await.unwrap();
    assert!(targets.iter().all(|target| target.name != "Pigeon"), "nothing is left behind");
}

/// The bytes are in the database: no folder has them, and another engine on it finds them too.
#[tokio::test]
async fn an_installed_component_needs_no_file() {
    let engine = TestEngine::builder().start().await;
    let noop = std::fs::read(guest("noop")).unwrap();
    install(&engine, "noop", "noop", noop.clone()).await.unwrap();
    engine.record("noop", "anything").await;
    assert_eq!(engine.tried("noop", "Title", json!({})).await.listed.notification.status, Status::Delivered);

    let key = engine.settings.engine_key().unwrap();
    let host = engine::host::Host::new(&engine.settings.sandbox, &engine.settings.cache(), &key, engine.clock.clone())
        .unwrap();
    let other = engine::host::Catalog::new(host, engine.settings.clone()).unwrap();
    let target = target(&engine, "noop").await;
    let ready = targets::ready(&engine.store, &other, TENANT, &target).await.unwrap();
    assert_eq!(ready.source, engine::host::Source::Installed);

    let replaced = install(&engine, "noop", "noop", std::fs::read(guest("trap")).unwrap()).await.unwrap();
    assert!(replaced.revision > target.revision && replaced.id == target.id);
    assert_eq!(
        engine.tried("noop", "Other", json!({})).await.attempts[0].code,
        "trapped",
        "the new one is called at once"
    );
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

/// What it lacks is told with the place to which it is to go.
#[tokio::test]
async fn needy() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    let lack = engine.catalog.get("needy").await.unwrap().lacks().remove(0);
    assert!(lack.contains("`engine target grant \"needy\" --secret loft_key=https://provider.example`"), "{lack}");
}

/// What a creator says of a file that it does not find is told with why there is none; what it fails for otherwise is not.
#[tokio::test]
async fn a_folder_that_is_not_open_is_told_where_it_is_missed() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("needy", "anything").await;
    let made = async |extra| engine.create(&engine.request("needy", "Title", extra)).await.map_err(|e| e.to_string());
    let why = made(json!({ "template": "loft.txt" })).await.unwrap_err();
    let parts = [
        "The template cannot be read: ",
        ". The target needy may not read the folder of templates: the operator names none; `templates = \"FOLDER\"` under [target.needy] does.",
    ];
    assert!(parts.iter().all(|part| why.contains(part)), "{why}");
    assert!(made(json!({})).await.is_ok());

    let folder = tempfile::tempdir().unwrap();
    let section = format!("[target.needy]\ntemplates = '{}'\n", folder.path().display());
    let engine = TestEngine::builder().targets_in(guests()).with(&section).start().await;
    engine.record("needy", "anything").await;
    let made = async |extra| engine.create(&engine.request("needy", "Title", extra)).await.map_err(|e| e.to_string());
    let why = made(json!({ "template": "loft.txt" })).await.unwrap_err();
    assert!(why.contains("The template cannot be read: ") && !why.contains("may not"), "{why}");
    std::fs::write(folder.path().join("loft.txt"), "Coo.").unwrap();
    assert!(made(json!({ "template": "loft.txt" })).await.is_ok());
}

/// Who installs again and again holds no more of the engine's memory.
#[tokio::test]
async fn a_component_that_was_replaced_is_let_go() {
    let engine = TestEngine::builder().start().await;
    let mut loaded = Vec::new();
    for version in ["noop", "trap", "wrong_count", "noop"] {
        install(&engine, "pigeon", "Pigeon", std::fs::read(guest(version)).unwrap()).await.unwrap();
        if loaded.is_empty() {
            engine.record("pigeon", "anything").await;
        }
        engine.tried("pigeon", version, json!({})).await;
        loaded.push(engine.catalog.loaded().await);
    }
    assert_eq!(loaded, [loaded[0]; 4]);
}

/// Components for which there is no room wait for those in use, and let those go that are not; all are called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_room_for_one_component() {
    let engine = TestEngine::builder().with("[sandbox]\ncompiled = '64KiB'\n").start().await;
    let bytes = std::fs::read(guest("sleeper")).unwrap();
    let mut ids = Vec::new();
    for number in 0..4_u8 {
        // A section that says nothing makes another component of it.
        let bytes = [bytes.as_slice(), &[0, 3, 1, b'n', number]].concat();
        install(&engine, "pigeon", &format!("Pigeon {number}"), bytes).await.unwrap();
        engine.record(&format!("Pigeon {number}"), "anything").await;
    }
    for round in 0..2 {
        for number in 0..4 {
            let (target, title) = (format!("Pigeon {number}"), format!("Title {round}"));
            ids.push(engine.notify(&target, &title, json!({ "milliseconds": 300 })).await);
        }
        let began = Instant::now();
        engine.deliver().await;
        assert!(began.elapsed() >= Duration::from_millis(1200), "one after the other: {:?}", began.elapsed());
    }
    for id in ids {
        assert_eq!(engine.show(id).await.listed.notification.status, Status::Delivered);
    }
    assert!(engine.catalog.loaded().await <= 1);
}

type Bytes = Result<Vec<u8>, Unloaded<Infallible>>;

/// What `Read` gives.
fn box_of<'a>(bytes: impl Future<Output = Bytes> + Send + 'a) -> Pin<Box<dyn Future<Output = Bytes> + Send + 'a>> {
    Box::pin(bytes)
}

/// However many components are to be loaded, the bytes of few are held: whoever waits for its turn has none yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_components_are_read_at_once() {
    let engine = Arc::new(TestEngine::builder().start().await);
    let installed = install(&engine, "noop", "noop", std::fs::read(guest("noop")).unwrap()).await.unwrap();
    let setup = engine.store.target_setup(TENANT, installed.id).await.unwrap();
    let bytes = std::fs::read(guest("sleeper")).unwrap();
    let (reading, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut all = tokio::task::JoinSet::new();
    for number in 0..40_u8 {
        // Each is another one, that was never compiled.
        let bytes = [bytes.as_slice(), &[0, 3, 1, b'r', number]].concat();
        let setup = Setup { component: Some(format!("sha256:{number}")), ..setup.clone() };
        let (engine, installed, reading, most) = (engine.clone(), installed.clone(), reading.clone(), most.clone());
        all.spawn(async move {
            let read = || {
                box_of(async {
                    most.fetch_max(reading.fetch_add(1, SeqCst) + 1, SeqCst);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    reading.fetch_sub(1, SeqCst);
                    Ok(bytes.clone())
                })
            };
            engine.catalog.prepare::<Infallible>(TENANT, &installed, &setup, &read).await.unwrap_err()
        });
    }
    for refused in all.join_all().await {
        let Unloaded::Module(refused) = refused else { panic!("{refused:?}") };
        assert!(refused.to_string().contains("not in the database as it was"), "{refused}");
    }
    assert!((2..=10).contains(&most.load(SeqCst)), "{most:?}");
}

/// Where there is room for one component, what was claimed with the one before does not wait for the next one while it holds that room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_replaced_where_there_is_room_for_one() {
    let settings = "[sandbox]\ncompiled = '64KiB'\n[delivery]\nconcurrency_per_target = 1\n";
    let engine = TestEngine::builder().with(settings).start().await;
    let bytes = std::fs::read(guest("sleeper")).unwrap();
    let first = install(&engine, "pigeon", "Pigeon", bytes.clone()).await.unwrap();
    engine.record("Pigeon", "anything").await;
    let mut ids = Vec::new();
    for i in 0..20 {
        ids.push(engine.notify("Pigeon", &format!("Title {i}"), json!({ "milliseconds": 150 })).await);
    }
    let replaced = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let bytes = [bytes.as_slice(), &[0, 2, 1, b'n']].concat();
        assert_eq!(install(&engine, "pigeon", "Pigeon", bytes).await.unwrap().id, first.id);
        let mut digests = std::collections::BTreeSet::new();
        for id in ids {
            while engine.show(id).await.attempts.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            digests.extend(engine.show(id).await.attempts.remove(0).component_digest);
        }
        assert_eq!(digests.len(), 2, "some by each");
    };
    engine.beside(tokio::time::timeout(Duration::from_secs(20), replaced)).await.expect("all are sent");
}

/// A version that failed too often is not called again because it is installed once more; another one is, and has all its tries before it.
#[tokio::test]
async fn another_version_is_called_where_one_has_failed_too_often() {
    let engine = TestEngine::builder().start().await;
    let [trap, noop] = ["trap", "noop"].map(|name| std::fs::read(guest(name)).unwrap());
    install(&engine, "pigeon", "Pigeon", trap.clone()).await.unwrap();
    engine.record("pigeon", "anything").await;
    for i in 0..5 {
        engine.tried("pigeon", &format!("Title {i}"), json!({})).await;
    }
    let paused = target(&engine, "pigeon").await;
    let reason = paused.pause.unwrap().reason;
    let ready = targets::ready(&engine.store, &engine.catalog, TENANT, &target(&engine, "pigeon").await).await.unwrap();
    assert!(reason.contains(ready.module.version()) && reason.contains("5 calls in a row"), "{reason}");

    let same = install(&engine, "pigeon", "Pigeon", trap).await.unwrap();
    assert!(same.pause.is_some() && same.has_failed_too_often(), "{same:?}");
    let another = install(&engine, "pigeon", "Pigeon", noop.clone()).await.unwrap();
    assert_eq!((another.pause, another.faults), (None, 0));
    let shown = engine.tried("pigeon", "Title", json!({})).await;
    assert_eq!(shown.listed.notification.status, Status::Delivered, "{shown:#?}");

    // What somebody has paused by hand stays so, whatever is installed.
    let pause = Pause { kind: PauseKind::Operator, reason: "By hand.".to_owned(), since: engine.clock.now() };
    engine.store.pause_target(TENANT, another.id, &pause).await.unwrap();
    let spin = std::fs::read(guest("spin")).unwrap();
    assert_eq!(install(&engine, "pigeon", "Pigeon", spin).await.unwrap().pause.unwrap().kind, PauseKind::Operator);
}

/// An installed component comes before one of the same name in a folder, for its own target alone.
#[tokio::test]
async fn a_folder_does_not_replace_what_is_installed() {
    let folder = folder_with(&["trap"]);
    std::fs::rename(folder.path().join("trap.wasm"), folder.path().join("noop.wasm")).unwrap();
    let engine = TestEngine::builder().targets_in(folder.path()).start().await;
    install(&engine, "noop", "noop", std::fs::read(guest("noop")).unwrap()).await.unwrap();
    engine.record("noop", "anything").await;
    assert_eq!(engine.tried("noop", "Title", json!({})).await.listed.notification.status, Status::Delivered);
}

/// Who misses what other programs have is told what to do instead, in the creator and in the handler; who fails otherwise is not, whatever its language looks for.
#[tokio::test]
async fn misses() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("misses", "anything").await;
    let unasked = " The target misses may not read the folder of templates: its component does not ask for it in its manifest; its author adds `templates` there, and the operator `templates = \"FOLDER\"` under [target.misses].";
    let no_files = " There are no files in this call; the folder of templates is there in `create-notification`.";
    let no_variables = " A component has no environment: what it is to know are its settings (`runtime.setting`), and secrets are named in its requests.";
    let no_sockets = " Sockets are refused to every component: what leaves goes through `http` or `smtp` of the contract, or through `wasi:http`.";
    for (what, in_creator, in_handler) in [
        ("file", unasked, no_files),
        ("variable", no_variables, no_variables),
        ("unwrapped", no_variables, no_variables),
        ("connection", no_sockets, no_sockets),
        ("name", no_sockets, no_sockets),
        ("nothing", "It fails.", "It fails."),
    ] {
        let created = engine.create(&engine.request("misses", what, json!({ "create": what }))).await;
        let created = created.unwrap_err().to_string();
        let told = created.trim_end_matches(" Tell its author.");
        assert!(told.ends_with(in_creator), "{created}");
        let sent = engine.tried("misses", what, json!({ "send": what })).await.attempts.remove(0).message;
        assert!(sent.ends_with(in_handler), "{sent}");
        if what == "nothing" {
            assert_eq!((created.as_str(), sent.as_str()), ("It fails.", "It fails."));
        }
    }
}
