//! From bytes to a module: what is refused, and what is kept compiled.

use crate::support::engine::TestEngine;
use crate::support::{folder_with, guest, guests};
use engine::clock::Clock;
use engine::host::Host;
use serde_json::json;

#[tokio::test]
async fn not_a_target() {
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    let error = engine.catalog.get("not_a_target").await.unwrap_err().to_string();
    assert!(
        error.contains("it is not a target") || error.contains("imports what this engine does not have"),
        "{error}"
    );
}

/// What the compiler made is loaded only if this engine wrote it; a tampered file is compiled anew.
#[tokio::test]
async fn a_tampered_cache_is_not_believed() {
    let folder = folder_with(&["noop"]);
    let engine = TestEngine::builder().targets_in(folder.path()).start().await;
    engine.record("noop", "anything").await;
    engine.tried("noop", "Title", json!({})).await;
    let files: Vec<_> = std::fs::read_dir(engine.settings.cache()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&files[0], &bytes).unwrap();

    let key = engine.settings.engine_key().unwrap();
    let host = Host::new(&engine.settings.sandbox, &engine.settings.cache(), &key, Clock::system()).unwrap();
    let component = std::fs::read(folder.path().join("noop.wasm")).unwrap();
    host.load("noop", &component).await.unwrap();
    assert_ne!(std::fs::read(&files[0]).unwrap(), bytes, "it was written anew");
}

/// The sketches say that the contract can say it; here they are found to be targets.
#[tokio::test]
async fn the_sketches_are_targets() {
    let engine = TestEngine::builder().start().await;
    let key = engine.settings.engine_key().unwrap();
    let host = Host::new(&engine.settings.sandbox, &engine.settings.cache(), &key, Clock::system()).unwrap();
    for sketch in ["apns", "expo", "slack_webhook", "standard_webhook", "twilio"] {
        let component = std::fs::read(guest(sketch)).unwrap();
        let module = host.load(sketch, &component).await.unwrap_or_else(|e| panic!("{sketch}: {e}"));
        assert!(!module.manifest.summary.is_empty(), "{sketch}");
    }
}
