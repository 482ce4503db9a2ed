//! Faults at random, and then the history of every notification against what the relay has seen: nothing accepted is lost, nothing is sent more
//! often than it was attempted or after its outcome was known, and what comes twice is no more than what the faults can explain.
//!
//! `cargo xtask faults` runs these, one after the other; FAULTS_SEED repeats a run. In reading order: here what all have in common; `kills`, engines
//! that die; `pauses`, engines that stop or sleep; `servers`, a database that does not do its part; `lines`, connections that fail; `disks`,
//! a disk that is full; `acceptances`, commands that die.

mod acceptances;
mod disks;
mod kills;
mod lines;
mod pauses;
mod servers;

use crate::delivery::backlog;
use crate::delivery::process::by_message_id;
use crate::support::program::{Program, Running};
use crate::support::smtp::SmtpServer;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use engine::store::{NotificationFilter, NotificationHistory, Store};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

const ACCEPTED: usize = 10_000;
/// What one engine may have sent and not written down at the most: its calls, and the outcomes that wait for a commit (`delivery/settler.rs`).
const UNDER_WAY: usize = 8 + 2000;
/// How long everything may take to come to an end after the last fault.
const PATIENCE: Duration = Duration::from_secs(180);

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

/// A relay, and a backlog for it in a file or on a server.
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

/// Whether anything waits to be delivered; a database that is disturbed at the moment does not say.
async fn is_done(store: &Store) -> bool {
    for status in [Status::Scheduled, Status::Retry] {
        let waiting = NotificationFilter { status: Some(status), limit: 1, ..NotificationFilter::default() };
        match store.list_notifications(Tenant::DEFAULT, &waiting).await {
            Ok(found) if found.is_empty() => {}
            _ => return false,
        }
    }
    true
}

/// What became of everything, when nothing waits any more.
async fn history(program: &Program) -> Vec<NotificationHistory> {
    let store = Store::open(&program.url()).await.unwrap();
    let begun = Instant::now();
    while !is_done(&store).await {
        assert!(begun.elapsed() < PATIENCE, "it did not come to an end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("  came to an end {:.1} s after the last fault", begun.elapsed().as_secs_f64());
    let every = NotificationFilter { limit: u32::MAX, ..NotificationFilter::default() };
    let mut all = Vec::new();
    for listed in store.list_notifications(Tenant::DEFAULT, &every).await.unwrap() {
        all.push(store.find_notification(Tenant::DEFAULT, listed.notification.id).await.unwrap());
    }
    store.close().await;
    all
}

/// What the faults of a run can explain at the most.
#[derive(Default)]
struct Explained {
    /// Messages that came twice.
    doubled: usize,
    /// Notifications over which three engines died.
    quarantined: usize,
}

/// Compares the history with what was sent, and reports.
fn check(what: &str, all: &[NotificationHistory], relay: &SmtpServer, explained: &Explained) {
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
    let Explained { doubled: most_doubled, quarantined: most_quarantined } = explained;
    println!(
        "{what}: {} accepted, {delivered} delivered, {quarantined} quarantined (at most {most_quarantined}), {doubled} sent twice (at most {most_doubled})",
        all.len()
    );
    assert_eq!((all.len(), delivered + quarantined), (ACCEPTED, ACCEPTED), "none is lost");
    assert!(quarantined <= *most_quarantined && doubled <= *most_doubled);
}

/// A signal to stop is enough for each.
fn stop(engines: impl IntoIterator<Item = Running>) {
    for engine in engines {
        engine.signal("-TERM");
        assert_eq!(engine.ended(), Some(0));
    }
}
