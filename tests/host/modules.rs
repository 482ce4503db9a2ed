//! From bytes to a module.

use crate::support::engine::TestEngine;
use crate::support::guest;
use engine::clock::Clock;
use engine::host::Host;

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
