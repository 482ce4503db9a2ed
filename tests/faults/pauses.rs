//! Engines that are told to stop in the middle of it, and engines that sleep longer than others wait.

use super::{Dice, Explained, UNDER_WAY, arranged, check, history, stop};
use crate::support::postgres::TestDatabase;
use crate::support::program::Program;
use std::time::Duration;

/// Nobody dies, so that nothing comes twice.
async fn stopped_at_random(program: &Program) {
    let mut dice = Dice::of_the_run();
    for _ in 0..15 {
        let engine = program.start();
        tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
        stop([engine]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn an_engine_is_stopped_fifteen_times_under_load() {
    let database = TestDatabase::new().await;
    for (what, url) in [("SQLite", None), ("PostgreSQL", Some(database.url.as_str()))] {
        let (relay, program) = arranged(url).await;
        stopped_at_random(&program).await;
        let engine = program.start();
        let all = history(&program).await;
        stop([engine]);
        check(&format!("{what}, stopped fifteen times under load"), &all, &relay, &Explained::default());
    }
}

/// As with a machine that is moved, or whose laptop is closed: it is taken for dead, and knows nothing of it when it wakes.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn an_engine_sleeps_while_another_takes_its_work() {
    let database = TestDatabase::new().await;
    let (relay, program) = arranged(Some(&database.url)).await;
    let sleeper = program.start();
    tokio::time::sleep(Duration::from_millis(500)).await;
    sleeper.signal("-STOP");
    let other = program.start();
    let all = history(&program).await;
    sleeper.signal("-CONT");
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop([sleeper, other]);
    let bound = Explained { doubled: UNDER_WAY, quarantined: 0 };
    check("PostgreSQL, one of two engines sleeps", &all, &relay, &bound);
}
