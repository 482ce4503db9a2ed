//! A component that cannot be used pauses its own target, and nothing else.

use crate::support::engine::TestEngine;
use crate::support::{folder_with, guest, smtp::SmtpServer};
use engine::delivery::Chosen;
use engine::rules::status::Status;
use engine::rules::target::PauseKind;
use engine::rules::tenant::Tenant;
use engine::store::Store;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    engine.deliverer(Arc::new(observer)).process_due(Chosen::default(), std::future::pending()).await.unwrap();
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

/// The same database and settings, another process: what was found before is forgotten.
async fn restart(test: &mut TestEngine) {
    test.store.close().await;
    test.store = Store::open(&test.settings.database.url).await.unwrap();
    let key = test.settings.engine_key().unwrap();
    let host =
        engine::host::Host::new(&test.settings.sandbox, &test.settings.cache(), &key, test.clock.clone()).unwrap();
    test.catalog = Arc::new(engine::host::Catalog::new(host, test.settings.clone()).unwrap());
}
