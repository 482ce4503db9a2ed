//! A component that cannot be used pauses its own target, and nothing else.

use crate::support::engine::TestEngine;
use crate::support::program::compiler_after;
use crate::support::{folder_with, guest, guests, smtp::SmtpServer};
use engine::delivery::{Chosen, Stopped};
use engine::host::Compiler;
use engine::rules::status::Status;
use engine::rules::target::PauseKind;
use engine::rules::tenant::Tenant;
use engine::store::Store;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_missing_component_pauses_its_target_until_it_is_back() {
    let server = SmtpServer::start(&[]).await;
    let folder = folder_with(&["noop"]);
    let mut engine = TestEngine::builder().relay(server.address).targets_in(folder.path()).start().await;
    engine.record("noop", "anything").await;
    engine.record("email", "ada@example.org").await;
    let lost = engine.notify("noop", "Title", json!({})).await;
    let mail = engine.notify("email", "Title", json!({})).await;

    std::fs::remove_file(folder.path().join("noop.wasm")).unwrap();
    restart(&mut engine).await;
    let waits = Arc::new(AtomicUsize::new(0));
    let count = waits.clone();
    let observer = move |event: &engine::delivery::Event<'_>| {
        if let engine::delivery::Event::Waits { reason, .. } = event {
            assert!(reason.contains("put noop.wasm into a folder"), "{reason}");
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    engine
        .deliverer(Arc::new(observer))
        .process_due(Chosen::default(), std::future::pending(), std::future::pending())
        .await
        .unwrap();
    assert_eq!(waits.load(Ordering::SeqCst), 1);
    let shown = engine.show(lost).await;
    assert_eq!((shown.listed.notification.status, shown.attempts.len()), (Status::Scheduled, 0));
    assert_eq!(engine.show(mail).await.listed.notification.status, Status::Delivered, "others go on");
    let target = engine.store.find_target(Tenant::DEFAULT, "noop").await.unwrap();
    assert_eq!(target.pause.unwrap().kind, PauseKind::Component);

    std::fs::copy(guest("noop"), folder.path().join("noop.wasm")).unwrap();
    restart(&mut engine).await;
    engine.deliver().await;
    assert_eq!(engine.show(lost).await.listed.notification.status, Status::Delivered);
}

/// A component that takes long to compile holds up nobody but its own target.
#[tokio::test]
async fn others_go_on_while_a_component_is_compiled() {
    let server = SmtpServer::start(&[]).await;
    let mut engine = TestEngine::builder().relay(server.address).targets_in(guests()).start().await;
    engine.record("email", "ada@example.org").await;
    engine.tried("email", "Title", json!({})).await;
    let compiled = compiled_by(&engine);
    engine.record("noop", "anything").await;
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let script = format!("while [ ! -e {} ]; do /bin/sleep 0.05; done", go.display());
    let late = engine.notify("noop", "Title", json!({})).await;
    // The e-mail component stays compiled, and the other does not.
    for other in compiled_by(&engine).difference(&compiled) {
        std::fs::remove_file(other).unwrap();
    }
    let compiler = Compiler::apart(&engine.settings.sandbox, compiler_after(folder.path(), &script));
    restart_with(&mut engine, compiler).await;

    let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let observer = move |event: &engine::delivery::Event<'_>| {
        if let engine::delivery::Event::Attempted { claimed, .. } = event {
            let _ = told.send(claimed.notification.id);
        }
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let deliverer = engine.deliverer(Arc::new(observer));
    let stopping = async move { stopped.await.unwrap_or_default() };
    let running = tokio::spawn(async move { deliverer.run(|| (), stopping, std::future::pending()).await.map(|_| ()) });
    let patience = Duration::from_secs(20);
    for _ in 0..3 {
        let mail = engine.notify("email", "Title", json!({})).await;
        assert_eq!(tokio::time::timeout(patience, hear.recv()).await.unwrap(), Some(mail));
    }
    std::fs::write(&go, "").unwrap();
    assert_eq!(tokio::time::timeout(patience, hear.recv()).await.unwrap(), Some(late));
    drop(stop);
    running.await.unwrap().unwrap();
}

/// The compiled components of an engine.
fn compiled_by(engine: &TestEngine) -> BTreeSet<PathBuf> {
    std::fs::read_dir(engine.settings.cache()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// What waits for its component when the engine stops is left to the next.
#[tokio::test]
async fn a_stop_while_a_component_is_compiled_gives_back_what_waits() {
    let mut engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("noop", "anything").await;
    let folder = tempfile::tempdir().unwrap();
    let begun = folder.path().join("begun");
    let script = format!("echo > {}; /bin/sleep 1000", begun.display());
    let id = engine.notify("noop", "Title", json!({})).await;
    std::fs::remove_dir_all(engine.settings.cache()).unwrap();
    let compiler = Compiler::apart(&engine.settings.sandbox, compiler_after(folder.path(), &script));
    restart_with(&mut engine, compiler).await;
    let deliverer = engine.deliverer(Arc::new(|_: &_| ()));
    let stop = async {
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ran = tokio::time::timeout(Duration::from_secs(20), deliverer.run(|| (), stop, std::future::pending())).await;
    assert_eq!(ran.unwrap().unwrap(), Stopped::Drained);
    assert_eq!(engine.show(id).await.listed.notification.status, Status::Scheduled);
    restart(&mut engine).await;
    engine.deliver().await;
    assert_eq!(engine.show(id).await.listed.notification.status, Status::Delivered);
}

/// The same database and settings, another process: what was found before is forgotten.
async fn restart(test: &mut TestEngine) {
    let compiler = Compiler::here(&test.settings.sandbox);
    restart_with(test, compiler).await;
}

async fn restart_with(test: &mut TestEngine, compiler: Compiler) {
    test.store.close().await;
    test.store = Store::open(&test.settings.database.url).await.unwrap();
    let key = test.settings.engine_key().unwrap();
    let host =
        engine::host::Host::new(&test.settings.sandbox, &test.settings.cache(), &key, test.clock.clone()).unwrap();
    test.catalog = Arc::new(engine::host::Catalog::new(host.compiled_by(compiler), test.settings.clone()).unwrap());
}
