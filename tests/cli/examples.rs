//! The examples, as their readers run them.

use crate::support::guests;
use crate::support::peer::{Peer, python};
use crate::support::program::{Program, binary};
use serde_json::json;
use std::process::Command;

/// A target to copy, with the service that stands in for its provider.
#[test]
fn carrier_pigeons_arrive_die_and_get_lost() {
    let service = Peer::start("../../examples/carrier_pigeon/service.py", &[]);
    let program = Program::new()
        .with("ENGINE_TARGETS__PATHS", guests().to_str().unwrap())
        .with("ENGINE_TARGET__CARRIER_PIGEON__BASE_URL", &format!("http://{}", service.address));
    program.ok(&["target", "add", "--name", "Carrier Pigeon", "--module", "carrier_pigeon"]);
    let notify = ["notify", "--target", "carrier_pigeon", "--title", "Tea", "--body", "It is ready."];
    for (username, loft, status, code) in [
        ("ada", "Loft 7, Vienna", "DELIVERED", ""),
        ("bob", "Loft 1, Hawk Hill", "DELIVERY FAILURE", "PigeonDied"),
        ("cleo", "Loft 2, Fogbury", "RETRY", "PigeonGotLost"),
    ] {
        program.ok(&["user", "add", "--username", username]);
        program.ok(&["record", "add", "--user", username, "--target", "carrier_pigeon", "--target-user-id", loft]);
        let extra = r#"{"speak_message": true, "cheapskate": true}"#;
        let made = program.json(&[&notify[..], &["--user", username, "--extra", extra]].concat());
        program.run(&["process-notifications"]);
        let shown = program.json(&["notification", "show", made[0]["notifications"][0].as_str().unwrap()]);
        let attempt = &shown["attempts"][0];
        assert_eq!((&shown["status"], &attempt["code"]), (&json!(status), &json!(code)), "{shown:#}");
    }
    program.refused(&[&notify[..], &["--user", "ada", "--extra", "{\"speek\": true}"]].concat(), "`speek`");
    let nowhere = ["record", "add", "--user", "ada", "--target", "carrier_pigeon", "--target-user-id", "nowhere"];
    program.refused(&nowhere, "A loft needs a name and a town");
}

/// Its own tests, in which each command of the engine is a real one.
#[test]
fn the_django_application_keeps_the_engine_in_step() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/django");
    let tested = Command::new(python())
        .args(["-B", "manage.py", "test"])
        .current_dir(folder)
        .env("ENGINE_BINARY", binary())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success() && said.contains("\nOK"), "{said}");
    assert!(!said.contains("skipped"), "the bundled targets are all there: {said}");
}
