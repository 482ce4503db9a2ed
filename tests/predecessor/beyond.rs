//! What the predecessor did not have.

use super::{notify, statuses};
use crate::support::engine::TestEngine;
use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use engine::rules::status::Status;
use serde_json::json;
use std::time::Duration;

#[test]
fn several_targets_in_one_call_with_a_body_per_target() {
    let program = Program::new();
    program.ada();
    program.ok(&["record", "add", "--user", "ada", "--target", "twilio", "--target-user-id", "+15550100123"]);
    let named = ["--target", "email", "--target", "twilio", "--body-for", "twilio=Tea!"];
    for targets in [&named[..], &named[4..]] {
        let made = program.json(&notify(targets));
        let made = made.as_array().unwrap().iter().map(|r| (r["target"].as_str(), r["result"].as_str()));
        let made: Vec<_> = made.collect();
        assert_eq!(made, [(Some("Email"), Some("created")), (Some("Twilio"), Some("created"))]);
        let bodies = program.json(&["notification", "list", "--limit", "2"]);
        let mut bodies: Vec<_> = bodies.as_array().unwrap().iter().map(|n| n["body"].as_str().unwrap()).collect();
        bodies.sort_unstable();
        assert_eq!(bodies, ["It is ready.", "Tea!"]);
    }
    let made = program.json(&notify(&["--target", "email", "--target", "expo"]));
    assert_eq!((&made[0]["result"], &made[1]["result"]), (&json!("created"), &json!("UserHasNoTargetRecords")));
    // One target refuses what was asked: nothing is stored in any.
    let long = format!("twilio={}", "x".repeat(1601));
    let before = statuses(&program).len();
    program.refused(&notify(&["--target", "email", "--target", "twilio", "--body-for", &long]), "1600");
    assert_eq!(statuses(&program).len(), before);
}

#[test]
fn time_zones_are_the_users() {
    let program = Program::new();
    program.ada();
    program.ok(&["user", "upsert", "--username", "ada", "--time-zone", "Europe/Vienna"]);
    for (at, time) in [
        ("2040-06-01 18:00", "2040-06-01T16:00:00Z"),
        ("2040-06-02T18:00:00Z", "2040-06-02T18:00:00Z"),
        ("2040-12-01", "2040-11-30T23:00:00Z"),
    ] {
        let ran = program.ok(&notify(&["--target", "email", "--at", at]));
        assert_eq!(ran.stderr, "", "{at}");
        assert_eq!(program.json(&["notification", "list"])[0]["scheduled_delivery"], time, "{at}");
    }
    // As in the predecessor a time that is over means at once, which may be a slip.
    let ran = program.ok(&notify(&["--target", "email", "--at", "2020-06-01 18:00"]));
    assert_eq!(ran.stderr, "engine: 2020-06-01T16:00:00Z is over, so it is due at once.\n");
    let preview = program.json(&["process-notifications", "--dry-run"]);
    assert_eq!(preview[0]["scheduled_delivery"], "2020-06-01T16:00:00Z");
    assert_eq!(program.ok(&notify(&["--target", "email", "--at", "in 0s"])).stderr, "");
}

#[tokio::test]
async fn expiry_ends_what_is_too_late() {
    let server = SmtpServer::start(&[]).await;
    let engine = TestEngine::builder().relay(server.address).start().await;
    engine.record("email", "ada@example.org").await;
    let mut request = engine.request("email", "Tea", json!({}));
    request.expires_at = engine.clock.now().checked_add(jiff::SignedDuration::from_secs(60)).ok().map(Into::into);
    let id = engine.create(&request).await.unwrap()[0];
    engine.clock.advance(Duration::from_secs(61));
    engine.deliver().await;
    assert_eq!(engine.show(id).await.listed.notification.status, Status::Expired);
    assert_eq!(server.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_keeps_every_attempt() {
    let server = SmtpServer::start(&[("RCPT", Answer::Says("450 4.2.0 Busy"))]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    let made = program.json(&notify(&["--target", "email", "--retry-interval", "0"]));
    let id = made[0]["notifications"][0].as_str().unwrap();
    program.ok(&["process-notifications"]);
    server.script.lock().unwrap().clear();
    program.ok(&["process-notifications"]);
    let shown = program.json(&["notification", "show", id]);
    let outcomes: Vec<_> =
        shown["attempts"].as_array().unwrap().iter().map(|a| (&a["number"], &a["outcome"])).collect();
    assert_eq!(outcomes, [(&json!(1), &json!("retry")), (&json!(2), &json!("delivered"))]);
    let text = program.ok(&["notification", "show", id]).stdout;
    assert!(text.contains("attempt 1 at ") && text.contains("attempt 2 at ") && text.contains("4.2.0"), "{text}");
}
