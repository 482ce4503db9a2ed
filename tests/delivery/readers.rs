//! Who reads what the program says: slowly, the first page, or not at all.

use super::process::{backlog, until};
use crate::support::program::{Program, Running};
use crate::support::smtp::{Answer, SmtpServer};
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A pager that shows the first page, a log that nobody takes any more: what is due is delivered all the same, and two signals are enough.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_stops_nothing() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address).with("ENGINE_LOG__LEVEL", "info");
    program.ada();
    backlog(&program, 1500).await;
    let mut command = program.command(&["process-notifications"]);
    let running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    until("all mails", || server.count() == 1500).await;
    let is_free = || program.run(&["process-notifications"]).code == Some(0);
    until("the next run may begin", is_free).await;
    running.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));

    let mut command = program.command(&["run"]);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    backlog(&program, 1500).await;
    until("all mails again", || server.count() == 3000).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));

    // Nor does who is slow.
    let mut command = program.command(&["run"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = child.stderr.take().unwrap();
    let running = Running(child);
    std::thread::spawn(move || {
        let mut page = [0; 4096];
        while log.read(&mut page).is_ok_and(|read| read > 0) {
            std::thread::sleep(Duration::from_millis(150));
        }
    });
    let began = Instant::now();
    backlog(&program, 3000).await;
    until("all mails once more", || server.count() == 6000).await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
}

/// The code is that of what was done, and not of how far somebody has read.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_enough_hides_no_failure() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&[
        "notify",
        "--user",
        "ada",
        "--target",
        "email",
        "--title",
        "Title",
        "--body",
        "Body",
        "--max-retries",
        "0",
    ]);
    server.script.lock().unwrap().insert("DOT", Answer::Says("554 5.7.1 No."));
    let mut child = program.command(&["process-notifications"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = program.command(&["process-notifications", "--output", "json"]).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.code() == Some(1) && said.contains("the results could not be printed"), "{said}");
}
