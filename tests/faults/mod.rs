//! Engines killed at random, again and again, and then the history of every notification against what the relay has seen: nothing accepted is
//! lost, nothing is sent more often than it was attempted, and what comes twice is no more than what was under way at the kills.
//! `cargo xtask faults` runs these; FAULTS_SEED repeats a run.

use super::process::{backlog, by_message_id};
use crate::support::postgres::{Server, TestDatabase};
use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use engine::store::{NotificationFilter, NotificationHistory, Store};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

const ACCEPTED: usize = 10_000;
/// What one engine may have sent and not written down: its calls, and the outcomes that wait for a commit.
const UNDER_WAY: usize = 8 + 500;

/// Small numbers in an order that a seed decides (xorshift).
struct Dice(u64);

impl Dice {
    fn of_the_run() -> Dice {
        let given = std::env::var("FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0) | 1;
        println!("FAULTS_SEED={seed}");
        Dice(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What became of everything, when nothing waits any more.
async fn history(program: &Program) -> Vec<NotificationHistory> {
    let store = Store::open(&program.url()).await.unwrap();
    let end = Instant::now() + Duration::from_secs(180);
    for status in [Status::Scheduled, Status::Retry] {
        let waiting = NotificationFilter { status: Some(status), limit: 1, ..NotificationFilter::default() };
        while !store.list_notifications(Tenant::DEFAULT, &waiting).await.unwrap().is_empty() {
            assert!(Instant::now() < end, "it did not come to an end");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let every = NotificationFilter { limit: u32::MAX, ..NotificationFilter::default() };
    let mut all = Vec::new();
    for listed in store.list_notifications(Tenant::DEFAULT, &every).await.unwrap() {
        all.push(store.find_notification(Tenant::DEFAULT, listed.notification.id).await.unwrap());
    }
    store.close().await;
    all
}

/// Compares the history with what was sent, and reports.
fn check(what: &str, all: &[NotificationHistory], relay: &SmtpServer, kills: usize) {
    let id_in = |message: &str| message.split(['<', '@', '.']).find_map(|part| part.parse::<Uuid>().ok()).unwrap();
    let sent: HashMap<Uuid, usize> =
        by_message_id(relay).into_iter().map(|(message, count)| (id_in(&message), count)).collect();
    let (mut delivered, mut quarantined, mut doubled) = (0, 0, 0);
    for NotificationHistory { listed, attempts, .. } in all {
        let (id, status) = (listed.notification.id, listed.notification.status);
        let sends = sent.get(&id).copied().unwrap_or_default();
        assert!(sends <= attempts.len(), "{id} was sent {sends} times in {} attempts", attempts.len());
        assert!(attempts.iter().map(|attempt| attempt.number).eq(1..=attempts.len() as u32), "{id} lacks an attempt");
        let known = attempts.iter().filter(|attempt| attempt.outcome != OutcomeKind::Unknown).count();
        assert!(known <= 1, "{id} was attempted after its outcome was known");
        match status {
            Status::Delivered => delivered += usize::from(sends >= 1),
            Status::DeliveryFailure => {
                quarantined += usize::from(attempts.last().is_some_and(|attempt| attempt.code == "quarantined"));
            }
            other => panic!("{id} is {other}"),
        }
        doubled += sends.saturating_sub(1);
    }
    println!(
        "{what}: {} accepted, {delivered} delivered, {quarantined} quarantined, {kills} kills, {doubled} sent twice",
        all.len()
    );
    assert_eq!((all.len(), delivered + quarantined), (ACCEPTED, ACCEPTED), "none is lost");
    assert!(quarantined <= kills && doubled <= kills * UNDER_WAY);
}

/// Kills one of the engines at random, and starts another in its place.
async fn killed_at_random(program: &Program, engines: usize, kills: usize) -> Vec<NotificationHistory> {
    let mut dice = Dice::of_the_run();
    let mut running: Vec<_> = (0..engines).map(|_| program.start()).collect();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(100 + dice.below(500))).await;
        let killed = running.swap_remove(usize::try_from(dice.below(engines as u64)).unwrap());
        killed.signal("-KILL");
        killed.ended();
        running.push(program.start());
    }
    let all = history(program).await;
    for engine in running {
        engine.signal("-TERM");
        assert_eq!(engine.ended(), Some(0));
    }
    all
}

async fn arranged(url: Option<&str>) -> (SmtpServer, Program) {
    let relay = SmtpServer::start(&[]).await;
    let mut program = Program::new().relay(relay.address).with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "2");
    if let Some(url) = url {
        program = program.database(url);
    }
    program.ada();
    backlog(&program, ACCEPTED).await;
    (relay, program)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn one_engine_on_a_file_is_killed_ten_times() {
    let (relay, program) = arranged(None).await;
    check("SQLite, one engine", &killed_at_random(&program, 1, 10).await, &relay, 10);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn three_engines_on_one_server_are_killed_ten_times() {
    let database = TestDatabase::new().await;
    let (relay, program) = arranged(Some(&database.url)).await;
    check("PostgreSQL, three engines", &killed_at_random(&program, 3, 10).await, &relay, 10);
}

/// The server goes away in the middle of it, five times; no engine dies, so that nothing may come twice but what a cut connection left unknown.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn a_server_is_restarted_under_two_engines() {
    let server = Server::start(&[]);
    server.admin("CREATE DATABASE engine").await;
    let (relay, program) = arranged(Some(&server.url("engine"))).await;
    let engines = [program.start(), program.start()];
    let server = tokio::task::spawn_blocking(move || {
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(400));
            server.stop();
            server.run(&[]);
        }
        server
    });
    let server = server.await.unwrap();
    let all = history(&program).await;
    for engine in engines {
        engine.signal("-TERM");
        assert_eq!(engine.ended(), Some(0));
    }
    check("PostgreSQL restarted five times, two engines", &all, &relay, 0);
    server.stop();
}
