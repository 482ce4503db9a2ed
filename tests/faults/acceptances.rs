//! Commands that are killed while something is accepted: whoever got no answer asks again with the same key.

use super::{Dice, stop};
use crate::delivery::process::{by_message_id, until};
use crate::support::postgres::TestDatabase;
use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use std::process::Stdio;
use std::time::Duration;

const REQUESTS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn a_command_is_killed_and_repeated() {
    let database = TestDatabase::new().await;
    for (what, url) in [("SQLite", None), ("PostgreSQL", Some(database.url.as_str()))] {
        let relay = SmtpServer::start(&[]).await;
        let mut program = Program::new().relay(relay.address);
        if let Some(url) = url {
            program = program.database(url);
        }
        program.ada();
        let engine = program.start();
        let mut dice = Dice::of_the_run();
        let mut killed = 0;
        for number in 0..REQUESTS {
            let key = format!("request-{number}");
            let notify = ["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"];
            let notify = [&notify[..], &["--idempotency-key", &key]].concat();
            let mut child = program.command(&notify).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(dice.below(250))).await;
            if child.try_wait().unwrap().is_none() {
                killed += 1;
                child.kill().unwrap();
            }
            child.wait().unwrap();
            let (first, again) = (program.json(&notify), program.json(&notify));
            assert_eq!(first[0]["notifications"], again[0]["notifications"], "one answer for one request");
        }
        assert!(killed > 0);
        until("all mails", || relay.count() >= REQUESTS).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop([engine]);
        assert_eq!((relay.count(), by_message_id(&relay).len()), (REQUESTS, REQUESTS));
        println!("{what}: {REQUESTS} requests, {killed} killed, each accepted once");
    }
}
