//! Runs of `process-notifications`: what stops them, what does not, and what they say.

use super::{notify, statuses};
use crate::delivery::backlog;
use crate::support::engine::TestEngine;
use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use crate::support::{folder_with, guests};
use engine::rules::status::Status;
use serde_json::{Value, json};
use std::fs;
use std::process::Stdio;

/// The targets that are paused, with the reason.
fn paused(program: &Program) -> Vec<(Value, String)> {
    let targets = program.json(&["target", "list"]);
    let paused = targets.as_array().unwrap().iter().filter(|target| !target["pause"].is_null());
    paused.map(|target| (target["name"].clone(), target["pause"]["reason"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_code_that_fails_pauses_its_target_alone() {
    let server = SmtpServer::start(&[]).await;
    let folder = folder_with(&["noop", "spin"]);
    let program = Program::new()
        .relay(server.address)
        .with("ENGINE_TARGETS__PATHS", folder.path().to_str().unwrap())
        .with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "1")
        .with("ENGINE_SANDBOX__CPU", "50ms")
        .with("ENGINE_LOG__LEVEL", "error");
    program.ada();
    for (name, module) in [("Pigeon", "noop"), ("Spinner", "spin")] {
        program.ok(&["target", "add", "--name", name, "--module", module]);
        program.ok(&["record", "add", "--user", "ada", "--target", module, "--target-user-id", "anything"]);
    }

    // It fails to load.
    program.ok(&notify(&["--target", "email", "--target", "noop"]));
    fs::write(folder.path().join("noop.wasm"), "print('I am Python.')").unwrap();
    let ran = program.ok(&["process-notifications"]);
    let reason = "It is not a WebAssembly component";
    assert!(ran.stdout.contains(reason) && ran.stdout.contains("Email Successfully Sent"), "{ran:?}");
    assert!(ran.stderr.contains("engine: the target Pigeon is paused"), "{ran:?}");
    assert!(ran.stderr.matches(reason).count() > 1, "in the log too: {ran:?}");
    let [(name, why)] = paused(&program).try_into().unwrap();
    assert!(name == "Pigeon" && why.contains(reason), "{why}");
    assert_eq!(statuses(&program), ["SCHEDULED", "DELIVERED"]);

    // It crashes, in one run of cron after another: what is left is not tried on it.
    for _ in 0..8 {
        program.ok(&notify(&["--target", "spin"]));
    }
    program.ok(&notify(&["--target", "email"]));
    let reason = "failed in 5 calls in a row, at last with notification ";
    for ends_paused in [false, false, true] {
        let ran = program.ok(&["process-notifications", "--target", "spin", "--limit", "2"]);
        assert_eq!(ran.stderr.contains("the target Spinner is paused"), ends_paused, "{ran:?}");
        assert_eq!(ran.stderr.contains(reason), ends_paused, "{ran:?}");
    }
    let count = |status: &str| statuses(&program).iter().filter(|found| *found == status).count();
    assert_eq!((count("RETRY"), count("SCHEDULED"), count("DELIVERED")), (5, 5, 1));
    program.ok(&["process-notifications"]);
    assert_eq!((count("RETRY"), count("SCHEDULED"), count("DELIVERED")), (5, 4, 2), "a new start does not call it");
    let [_, (name, why)] = paused(&program).try_into().unwrap();
    assert!(name == "Spinner" && why.contains(reason), "{why}");

    // Resumed, it has five calls again; one in which it does not fail would give it five more.
    program.ok(&["target", "resume", "Spinner"]);
    program.ok(&["process-notifications", "--limit", "1"]);
    assert_eq!((count("RETRY"), count("SCHEDULED"), paused(&program).len()), (6, 3, 1));
    fs::copy(folder_with(&["noop"]).path().join("noop.wasm"), folder.path().join("spin.wasm")).unwrap();
    program.ok(&["process-notifications", "--limit", "1"]);
    let targets = program.json(&["target", "list"]);
    let spinner = targets.as_array().unwrap().iter().find(|target| target["name"] == "Spinner").unwrap();
    assert_eq!(spinner["faults"], 0, "{spinner}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_notification_affects_no_other() {
    // In one call of a component.
    let engine = TestEngine::builder().targets_in(guests()).start().await;
    engine.record("outcome", "anything").await;
    let why = json!({"code": "c", "message": "m"});
    let mut made = Vec::new();
    for outcome in [json!({"retry": why}), json!({"delivered": {}}), json!({"failed": why}), json!({"delivered": {}})] {
        made.push(engine.notify("outcome", "Tea", json!({"outcome": outcome})).await);
    }
    engine.deliver().await;
    for (id, status) in made.iter().zip([Status::Retry, Status::Delivered, Status::DeliveryFailure, Status::Delivered])
    {
        assert_eq!(engine.show(*id).await.listed.notification.status, status);
    }

    // In a run: a title that no mail can have stopped the predecessor at this row for ever.
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address).with("ENGINE_TARGETS__PATHS", guests().to_str().unwrap());
    program.ada();
    program.ok(&["target", "add", "--name", "Trap", "--module", "trap"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "trap", "--target-user-id", "anything"]);
    let raw = ["notify", "--user", "ada", "--body", "B", "--raw", "--title"];
    program.ok(&[&raw[..], &["Tea\nBcc: eve@example.org", "--target", "email"]].concat());
    program.ok(&notify(&["--target", "trap"]));
    program.ok(&notify(&["--target", "email"]));
    let ran = program.run(&["process-notifications"]);
    assert_eq!((ran.code, server.count()), (Some(3), 1), "{ran:?}");
    assert_eq!(statuses(&program), ["DELIVERED", "RETRY", "DELIVERY FAILURE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_at_once_send_everything_once() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    backlog(&program, 300).await;
    let start = || {
        let mut command = program.command(&["process-notifications", "--quiet"]);
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs = [start(), start()].map(|run| run.wait_with_output().unwrap());
    let codes = runs.each_ref().map(|run| run.status.code());
    for run in runs.iter().filter(|run| run.status.code() != Some(0)) {
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.code() == Some(1) && said.contains("Another engine"), "{said}");
    }
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert_eq!(server.count(), 300);
    assert!(statuses(&program).iter().all(|status| status == "DELIVERED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn output_is_for_people_programs_and_cron() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    let process = |more: &[&str]| program.run(&[&["process-notifications"], more].concat());
    let due = || program.ok(&notify(&["--target", "email", "--retry-interval", "0", "--max-retries", "1"]));

    // Blocks on standard output, the log on standard error.
    due();
    let logging = program.command(&["process-notifications"]).env("ENGINE_LOG__LEVEL", "debug").output().unwrap();
    assert_eq!(String::from_utf8(logging.stdout).unwrap().lines().count(), 4);
    assert!(String::from_utf8(logging.stderr).unwrap().contains("DEBUG"));

    due();
    let ran = process(&["--output", "json"]);
    assert_eq!((ran.code, ran.json()[0]["message"].as_str()), (Some(0), Some("Email Successfully Sent")));
    due();
    let ran = process(&["--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(server.count(), 3);

    // Progress for who watches, and for nobody else.
    due();
    let shown = program.on_a_terminal(&["process-notifications"]);
    assert!(shown.contains("1 handled"), "{shown:?}");

    // All that was due was handled, until something fails for good.
    server.script.lock().unwrap().insert("RCPT", Answer::Says("450 4.2.0 Busy"));
    due();
    assert_eq!(process(&[]).code, Some(0), "it will be tried again");
    let ran = process(&["--quiet"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert_eq!(statuses(&program)[0], "DELIVERY FAILURE");
}
