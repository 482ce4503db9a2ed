//! Engines that are killed.

use super::{Dice, Explained, UNDER_WAY, arranged, check, history, stop};
use crate::support::postgres::TestDatabase;
use crate::support::program::Program;
use engine::store::NotificationHistory;
use std::time::Duration;

const KILLS: usize = 10;
const BOUND: Explained = Explained { doubled: KILLS * UNDER_WAY, quarantined: KILLS };

/// Kills one of the engines at random, and starts another in its place.
async fn killed_at_random(program: &Program, engines: usize) -> Vec<NotificationHistory> {
    let mut dice = Dice::of_the_run();
    let mut running: Vec<_> = (0..engines).map(|_| program.start()).collect();
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(100 + dice.below(500))).await;
        let killed = running.swap_remove(usize::try_from(dice.below(engines as u64)).unwrap());
        killed.signal("-KILL");
        killed.ended();
        running.push(program.start());
    }
    let all = history(program).await;
    stop(running);
    all
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn one_engine_on_a_file_is_killed_ten_times() {
    let (relay, program) = arranged(None).await;
    check("SQLite, one engine, ten kills", &killed_at_random(&program, 1).await, &relay, &BOUND);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn three_engines_on_one_server_are_killed_ten_times() {
    let database = TestDatabase::new().await;
    let (relay, program) = arranged(Some(&database.url)).await;
    check("PostgreSQL, three engines, ten kills", &killed_at_random(&program, 3).await, &relay, &BOUND);
}
