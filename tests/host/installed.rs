//! Components in the database: taken or refused, replaced, and loaded as far as there is room.

use crate::support::engine::TestEngine;
use crate::support::{folder_with, guest};
use engine::host::{Catalog, Host, Source, Unloaded};
use engine::rules::budget::Said;
use engine::rules::setup::Setup;
use engine::rules::status::Status;
use engine::rules::target::{MAX_FAULTS, Pause, PauseKind, Target};
use engine::rules::tenant::Tenant;
use engine::targets::{self, Unready, Wish};
use serde_json::json;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use uuid::Uuid;

const TENANT: Tenant = Tenant::DEFAULT;

pub async fn install(engine: &TestEngine, module: &str, name: &str, bytes: Vec<u8>) -> Result<Target, String> {
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

/// That of another engine with the same settings.
fn another_catalog(engine: &TestEngine) -> Catalog {
    let key = engine.settings.engine_key().unwrap();
    let host = Host::new(&engine.settings.sandbox, &engine.settings.cache(), &key, engine.clock.clone()).unwrap();
    Catalog::new(host, engine.settings.clone()).unwrap()
}

/// The bytes are in the database: no folder has them, and another engine on it finds them too.
#[tokio::test]
async fn an_installed_component_needs_no_file() {
    let engine = TestEngine::builder().start().await;
    let noop = std::fs::read(guest("noop")).unwrap();
    install(&engine, "noop", "noop", noop.clone()).await.unwrap();
    engine.record("noop", "anything").await;
    assert_eq!(engine.tried("noop", "Title", json!({})).await.listed.notification.status, Status::Delivered);

    let other = another_catalog(&engine);
    let target = engine.store.find_target(TENANT, "noop").await.unwrap();
    let ready = targets::ready(&engine.store, &other, TENANT, &target).await.unwrap();
    assert_eq!(ready.source, Source::Installed);

    let replaced = install(&engine, "noop", "noop", std::fs::read(guest("trap")).unwrap()).await.unwrap();
    assert!(replaced.revision > target.revision && replaced.id == target.id);
    assert_eq!(
        engine.tried("noop", "Other", json!({})).await.attempts[0].code,
        "trapped",
        "the new one is called at once"
    );
}

/// What calls of a version have failed that go on while another is installed is not counted for that.
#[tokio::test]
async fn faults_are_those_of_the_version_that_failed() {
    let engine = TestEngine::builder().start().await;
    let [trap, noop] = ["trap", "noop"].map(|name| std::fs::read(guest(name)).unwrap());
    install(&engine, "pigeon", "Pigeon", trap).await.unwrap();
    engine.record("pigeon", "anything").await;
    for i in 0..3 {
        engine.tried("pigeon", &format!("Title {i}"), json!({})).await;
    }
    let target = async || engine.store.find_target(TENANT, "pigeon").await.unwrap();
    let failing = target().await;
    assert_eq!(failing.faults, 3);
    let old = engine.store.target_setup(TENANT, failing.id).await.unwrap().component.unwrap();
    assert_eq!(install(&engine, "pigeon", "Pigeon", noop).await.unwrap().faults, 0);
    let pause = Pause { kind: PauseKind::Component, reason: "It fails.".to_owned(), since: engine.clock.now() };
    let count = async |digest: &str| engine.store.count_fault(TENANT, failing.id, digest, &pause).await.unwrap();
    let new = engine.store.target_setup(TENANT, failing.id).await.unwrap().component.unwrap();
    for faults in 1..=MAX_FAULTS {
        assert_eq!(target().await.pause, None);
        assert_eq!((count(&old).await, count(&new).await), (0, faults));
    }
    assert_eq!(target().await.pause.as_ref(), Some(&pause), "with the last of them, and not without");
}

/// While a component waits for its turn to be read, another takes its place: that is no fault of the target's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_is_replaced_before_it_was_read() {
    let engine = Arc::new(TestEngine::builder().start().await);
    let bytes = std::fs::read(guest("sleeper")).unwrap();
    // A section that says nothing makes another component of it.
    let version = |number: u8| [bytes.as_slice(), &[0, 3, 1, b'v', number]].concat();
    let waiting = install(&engine, "pigeon", "Waiting", version(0)).await.unwrap();
    let setup = engine.store.target_setup(TENANT, waiting.id).await.unwrap();
    // One that has loaded nothing yet, and many others come before.
    let other = Arc::new(another_catalog(&engine));
    let mut others = tokio::task::JoinSet::new();
    for number in 0..16 {
        let setup = Setup { component: Some(format!("sha256:{number}")), ..setup.clone() };
        let (other, waiting) = (other.clone(), waiting.clone());
        others.spawn(async move {
            let read = || {
                box_of(async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    Ok(Vec::new())
                })
            };
            other.prepare::<Infallible>(TENANT, &waiting, &setup, &read).await.unwrap_err()
        });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (known, asked, before) = (other.clone(), engine.clone(), waiting.clone());
    let ready = tokio::spawn(async move { targets::ready(&asked.store, &known, TENANT, &before).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(install(&engine, "pigeon", "Waiting", version(1)).await.unwrap().id, waiting.id);
    let passing = ready.await.unwrap();
    assert!(matches!(passing, Err(Unready::Trouble(_))), "{passing:?}");
    let replaced = engine.store.find_target(TENANT, "Waiting").await.unwrap();
    assert!(targets::ready(&engine.store, &other, TENANT, &replaced).await.is_ok());
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
    let target = async || engine.store.find_target(TENANT, "pigeon").await.unwrap();
    let paused = target().await;
    let reason = paused.pause.unwrap().reason;
    let ready = targets::ready(&engine.store, &engine.catalog, TENANT, &target().await).await.unwrap();
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

pub type Bytes = Result<Vec<u8>, Unloaded<Infallible>>;

/// What `Read` gives.
pub fn box_of<'a>(bytes: impl Future<Output = Bytes> + Send + 'a) -> Pin<Box<dyn Future<Output = Bytes> + Send + 'a>> {
    Box::pin(bytes)
}
