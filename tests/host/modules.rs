//! From bytes to a module.

use crate::support::engine::TestEngine;
use crate::support::guest;
use engine::clock::Clock;
use engine::host::Host;

/// A program that was built against a contract that was changed without another number, or is another one.
#[tokio::test]
async fn a_contract_that_is_not_this_one() {
    let engine = TestEngine::builder().start().await;
    let key = engine.settings.engine_key().unwrap();
    let host = Host::new(&engine.settings.sandbox, &engine.settings.cache(), &key, Clock::system()).unwrap();
    for (guest_name, from, to, told) in [
        (
            "noop",
            "last-attempt",
            "last-attempx",
            "Its `notification-target` is not that of notification:engine@0.1.0 (expected record field named last-attempt, found last-attempx); build it against the contract in `wit/`.",
        ),
        (
            "http_probe",
            "notification:engine/http@0.1.0",
            "notification:engine/http@0.0.9",
            "It imports notification:engine/http@0.0.9, and this engine speaks notification:engine@0.1.0; build it against the contract in `wit/`.",
        ),
        (
            "http_probe",
            "notification:engine/http@0.1.0",
            "notification:engine/htcp@0.1.0",
            "It imports notification:engine/htcp@0.1.0, which this engine does not have, or has otherwise (instance export `send` has the wrong type: function implementation is missing); build it against the contract in `wit/`.",
        ),
    ] {
        let component = replaced(std::fs::read(guest(guest_name)).unwrap(), from, to);
        assert_eq!(host.load(guest_name, &component).await.unwrap_err().to_string(), told);
    }
}

/// The same bytes with another text of the same length wherever this one is.
fn replaced(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, part)| *part == from.as_bytes()).map(|(at, _)| at).collect();
    assert!(!places.is_empty() && from.len() == to.len(), "{from}");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
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
