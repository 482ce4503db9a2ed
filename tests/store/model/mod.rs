//! The delivery core as a state machine: the same commands, at random, on a model, on SQLite and on PostgreSQL, which all must answer
//! alike and come to the same.
//!
//! `specification` is the model, which says what is right; `calls` are the verbs, put to the model or to a store; `commands` is what may
//! happen, `world` what it means at that moment; `database` reads a database as a model; `invariants` judge each step; `found` is what has come
//! of it. `MODEL_CASES` and `MODEL_SEED` say how many sequences there are, and which (CONTRIBUTING.md).

mod calls;
mod commands;
mod database;
mod found;
mod invariants;
mod specification;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use tokio::runtime::Runtime;

use super::{Database, target};
use commands::Command;
use database::Subject;
use world::{Cast, Play};

/// How many sequences are played ordinarily, and which: a seed from which all of `MUST_HAPPEN` follows. Whoever changes the commands may have
/// to look for another.
const CASES: u32 = 250;
const SEED: u32 = 28;
/// How many commands and stories a sequence has at most.
const LONGEST: usize = 50;
/// After so many commands everything that is kept is compared, and at the end: to read it takes longer than a command. Answers are
/// compared after each.
const LOOK: usize = 8;

/// What the commands must lead to, so that they are worth running: what is rare, and what follows only from several of them.
const MUST_HAPPEN: [&str; 32] = [
    "Create: Inactive",
    "Create: Invalid(\"expires_at\")",
    "Create: NotFound(Record)",
    "Create: OptedOut",
    "Claim: RETRY is EXPIRED",
    "Claim: RETRY is INACTIVE DEVICE",
    "Claim: RETRY is RETRY",
    "MarkSending: claimed RETRY is RETRY",
    "Recheck: Ended(Canceled)",
    "Recheck: Ended(Expired)",
    "Recheck: Ended(InactiveDevice)",
    "Recheck: Ended(OptedOut)",
    "Release: claimed RETRY is RETRY",
    "Release: claimed SCHEDULED is CANCELED",
    "Release: claimed SCHEDULED is OPTED OUT",
    "Settle: Ended(Canceled)",
    "Settle: Ended(OptedOut)",
    "Settle: claimed RETRY is DELIVERY FAILURE",
    "Settle: claimed SCHEDULED is EXPIRED",
    "Settle: claimed SCHEDULED is SCHEDULED",
    "Settle: claimed SCHEDULED is SENT",
    "Rescue: claimed RETRY is DELIVERY FAILURE",
    "Rescue: claimed SCHEDULED is CANCELED",
    "Rescue: claimed SCHEDULED is OPTED OUT",
    "Rescue: claimed too long SCHEDULED is RETRY",
    "Rescue: claimed too long SCHEDULED is UNKNOWN",
    "Retry: DELIVERY FAILURE is RETRY",
    "Retry: UNKNOWN is RETRY",
    "Resolve: UNKNOWN is DELIVERED",
    "Remove: InUse(Notification)",
    "Purge: SENT stays",
    "Purge: UNKNOWN stays",
];

#[test]
fn a_model_and_both_databases_do_the_same() {
    let databases = Databases::new();
    let (cases, seed) = (variable("MODEL_CASES").unwrap_or(CASES), variable("MODEL_SEED").unwrap_or(SEED));
    for_each_sequence(cases, seed, |commands| databases.play(commands));
}

#[test]
fn they_do_the_same_where_they_did_not() {
    let databases = Databases::new();
    for commands in found::sequences() {
        databases.play(&commands).unwrap_or_else(|reason| panic!("after\n{commands:#?}\n{reason}"));
    }
}

/// Without databases there is time for more, and to see whether the sequences that are played on them ordinarily lead everywhere.
#[test]
fn the_model_keeps_what_must_hold() {
    let cast = Cast::of(vec![target("Email"), target("Pigeon"), target("Raven")]);
    let (played, happened) = (Cell::new(0), RefCell::new(BTreeMap::<String, u32>::new()));
    for_each_sequence(1000, SEED, |commands| {
        let mut play = Play::new(&cast);
        for command in commands {
            play.next(command)?;
        }
        played.set(played.get() + 1);
        for what in play.happened.into_iter().filter(|_| played.get() <= CASES) {
            *happened.borrow_mut().entry(what).or_default() += 1;
        }
        Ok(())
    });
    let happened = happened.into_inner();
    let missing: Vec<_> = MUST_HAPPEN.iter().filter(|what| !happened.contains_key(**what)).collect();
    assert!(missing.is_empty(), "{missing:?} did not happen, but {happened:#?}");
}

/// Both databases, and those who act in them.
struct Databases {
    runtime: Runtime,
    cast: Cast,
    subjects: RefCell<[Subject; 2]>,
}

impl Databases {
    fn new() -> Databases {
        let runtime = Runtime::new().unwrap();
        let subjects = runtime.block_on(async {
            let sqlite = Subject::new("SQLite", Database::sqlite().await).await;
            [sqlite, Subject::new("PostgreSQL", Database::postgres().await).await]
        });
        let cast = Cast::of(runtime.block_on(subjects[0].targets()));
        Databases { runtime, cast, subjects: RefCell::new(subjects) }
    }

    /// Plays a sequence on the model and on both at once.
    fn play(&self, commands: &[Command]) -> Result<(), String> {
        let (cast, [sqlite, postgres]) = (&self.cast, &mut *self.subjects.borrow_mut());
        self.runtime.block_on(async {
            tokio::join!(sqlite.begin(cast), postgres.begin(cast));
            let mut play = Play::new(cast);
            for (number, command) in commands.iter().enumerate() {
                let Some((call, answer)) = play.next(command)? else { continue };
                let now = play.now();
                both(tokio::join!(sqlite.answers(&call, &answer, now), postgres.answers(&call, &answer, now)))?;
                if (number + 1) % LOOK == 0 {
                    both(tokio::join!(sqlite.is_like(&play.model, cast), postgres.is_like(&play.model, cast)))?;
                }
            }
            both(tokio::join!(sqlite.is_like(&play.model, cast), postgres.is_like(&play.model, cast)))?;
            both(tokio::join!(sqlite.shows(&play.model), postgres.shows(&play.model)))
        })
    }
}

fn both((one, other): (Result<(), String>, Result<(), String>)) -> Result<(), String> {
    one.and(other)
}

/// Fails with the shortest sequence that it finds, after one has failed.
fn for_each_sequence(cases: u32, seed: u32, test: impl Fn(&[Command]) -> Result<(), String>) {
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed.into()),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let tested = TestRunner::new(config)
        .run(&commands::commands(LONGEST), |commands| test(&commands).map_err(TestCaseError::fail));
    match tested {
        Ok(()) => {}
        Err(TestError::Fail(reason, commands)) => panic!("MODEL_SEED={seed}: after\n{commands:#?}\n{reason}"),
        Err(TestError::Abort(reason)) => panic!("MODEL_SEED={seed}: {reason}"),
    }
}

fn variable(name: &str) -> Option<u32> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is not a number: {value}")))
}
