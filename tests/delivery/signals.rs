//! The program told to stop: by one signal, by two, by a terminal that closes.

use super::process::{backlog, by_message_id, until};
use crate::support::program::{Program, Running};
use crate::support::smtp::{Answer, SmtpServer};
use crate::support::{folder_with, guests};
use std::process::Stdio;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_what_it_sends_and_doubles_nothing() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    backlog(&program, 500).await;
    let running = program.start();
    until("some mails", || server.count() >= 50).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    let first = server.count();
    assert!(first < 500, "it was to be stopped in the middle");
    let list = program.json(&["notification", "list", "--status", "DELIVERED"]);
    assert_eq!(list.as_array().unwrap().len(), first, "what was sent is known to be sent");
    program.ok(&["process-notifications"]);
    assert_eq!((server.count(), by_message_id(&server).len()), (500, 500));
}

/// `timeout` signals its child, and then the group that it is in.
#[tokio::test(flavor = "multi_thread")]
async fn signals_at_once_are_one() {
    let program = Program::new().with("ENGINE_TARGETS__PATHS", guests().to_str().unwrap());
    program.ada();
    program.ok(&["target", "add", "--name", "Sleeper", "--module", "sleeper"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "sleeper", "--target-user-id", "anything"]);
    let extra = r#"{"milliseconds":2000}"#;
    program.ok(&[
        "notify", "--user", "ada", "--target", "sleeper", "--title", "Title", "--body", "Body", "--extra", extra,
    ]);
    let running = program.start();
    tokio::time::sleep(Duration::from_millis(1000)).await;
    running.signal("-TERM");
    running.signal("-TERM");
    running.signal("-HUP");
    assert_eq!(running.ended(), Some(0));
    let list = program.json(&["notification", "list", "--status", "DELIVERED"]);
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_cuts_calls_off() {
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
    let running = program.start();
    until("the mail", || server.count() == 1).await;
    running.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(1));
    // What it was sending is found as unknown, and by default sent again.
    server.script.lock().unwrap().clear();
    let running = program.start();
    until("the mail again", || server.count() == 2).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    let list = program.json(&["notification", "list"]);
    let shown = program.json(&["notification", "show", list[0]["id"].as_str().unwrap()]);
    assert_eq!(shown["attempts"][0]["outcome"], "unknown", "{shown}");
    assert_eq!(shown["attempts"][0]["code"], "engine_died");
    assert_eq!(shown["status"], "DELIVERED");
}

/// One that was started by cron, or by hand, hears a signal as well: it does not wait for calls longer than the settings say.
#[tokio::test(flavor = "multi_thread")]
async fn process_notifications_stops_when_it_is_told_to() {
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    for (i, (most, signal, signals)) in [("300ms", "-TERM", 1), ("1m", "-HUP", 2)].into_iter().enumerate() {
        program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
        let began = Instant::now();
        let mut command = program.command(&["process-notifications"]);
        let running = Running(command.env("ENGINE_DELIVERY__STOP_TIMEOUT", most).spawn().unwrap());
        until("the mail", || server.count() > i).await;
        for _ in 0..signals {
            running.signal(signal);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert_eq!(running.ended(), Some(1));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

/// What a run leaves since it was told to stop is no success. A terminal that closes tells it so, unless `nohup` keeps that from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_stop_says_that_there_is_more() {
    let folder = folder_with(&["sleeper"]);
    let paths = folder.path().to_str().unwrap();
    let program =
        Program::new().with("ENGINE_TARGETS__PATHS", paths).with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "1");
    program.ada();
    program.ok(&["target", "add", "--name", "Pigeon", "--module", "sleeper"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Pigeon", "--target-user-id", "coop 7"]);
    let many = |count: usize| {
        for i in 0..count {
            let title = format!("Title {i}");
            let extra = ["--extra", "{\"milliseconds\": 500}"];
            program.ok(&[
                &["notify", "--user", "ada", "--target", "Pigeon", "--title", &title, "--body", "B"],
                &extra[..],
            ]
            .concat());
        }
    };
    let delivered = || program.json(&["notification", "list", "--status", "DELIVERED"]).as_array().unwrap().len();
    many(6);
    let said = folder.path().join("said");
    let mut command = program.command(&["process-notifications"]);
    let running = Running(command.stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap());
    until("the first", || delivered() > 0).await;
    running.signal("-HUP");
    assert_eq!(running.ended(), Some(1));
    let said = std::fs::read_to_string(said).unwrap();
    assert!(said.contains("before all that was due was handled"), "{said}");
    assert!((1..6).contains(&delivered()));

    let mut command = std::process::Command::new("nohup");
    let through = program.command(&["process-notifications"]);
    command.arg(through.get_program()).args(through.get_args());
    for (name, value) in through.get_envs() {
        value.map(|value| command.env(name, value));
    }
    let nowhere = Stdio::null;
    command.current_dir(program.folder.path()).stdout(nowhere()).stderr(nowhere());
    let before = delivered();
    let running = Running(command.spawn().unwrap());
    until("the next", || delivered() > before).await;
    running.signal("-HUP");
    assert_eq!(running.ended(), Some(0));
    assert_eq!(delivered(), 6);
}

/// What had only waited for its turn was not sent, and nobody wonders whether it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_not_begun_is_given_back_when_calls_are_cut_off() {
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let program = Program::new().relay(server.address).with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "2");
    program.ada();
    backlog(&program, 20).await;
    let running = program.start();
    until("two mails", || server.count() == 2).await;
    running.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(1));
    server.script.lock().unwrap().clear();
    program.ok(&["process-notifications"]);
    let list = program.json(&["notification", "list"]);
    let attempts = list.as_array().unwrap().iter().map(|listed| {
        program.json(&["notification", "show", listed["id"].as_str().unwrap()])["attempts"].as_array().unwrap().len()
    });
    assert_eq!(attempts.filter(|attempts| *attempts == 2).count(), 2);
    assert_eq!(server.count(), 22);
}
