//! A backlog that goes nowhere, drained by the engine beside graphile-worker: on one PostgreSQL server with the settings of a new
//! one, so that commits wait for the disk, each time in a new database.
//!
//! graphile-worker is set up as its own performance test has it, filled and vacuumed before its clock runs, and timed from its
//! start until no job is left. Its jobs are small rows that vanish. The engine's are whole notifications, drained right after they
//! were stored, each through a component in the sandbox (one in a call, or 50) and kept with its history. The engine is also told on
//! SQLite, where there is nothing to compare it with.
//!
//! `NOTIFICATIONS=200000` drains more. `TMPDIR` says on which disk: a temporary folder in memory makes waiting for it free.

mod engine;
mod graphile;
#[path = "../../../../tests/support/postgres/server.rs"]
mod postgres;
mod table;

use engine::Engine;
use graphile::Graphile;
use postgres::Server;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use table::{Column, Table};

const NOTIFICATIONS: u32 = 20_000;
const ROUNDS: usize = 3;

#[derive(Clone, Copy)]
enum Who {
    Graphile,
    Engine { batch: u32 },
    EngineOnSqlite { batch: u32 },
}

const COLUMNS: [(&str, Who); 5] = [
    ("graphile-worker", Who::Graphile),
    ("engine, 1 a call", Who::Engine { batch: 1 }),
    ("engine, 50 a call", Who::Engine { batch: 50 }),
    ("on SQLite, 1 a call", Who::EngineOnSqlite { batch: 1 }),
    ("on SQLite, 50 a call", Who::EngineOnSqlite { batch: 50 }),
];

pub async fn measure() -> Result<(), String> {
    let notifications = notifications()?;
    let engine = Engine::found()?;
    let graphile = Graphile::installed()?;
    let server = Server::start(&[]);
    println!("queues, {notifications} notifications that go nowhere, a second, {ROUNDS} rounds in turn");
    println!(
        "  graphile-worker {} on Node.js {}, PostgreSQL as a new one is set, a write to the disk takes {:.1?}",
        Graphile::version(),
        graphile.node,
        a_write_to_the_disk()
    );
    let columns = COLUMNS.map(|(title, who)| Column::new(title, matches!(who, Who::Engine { .. })));
    let mut table = Table::new(columns.into());
    println!("{}", table.head());
    for _ in 0..ROUNDS {
        let mut rates = Vec::new();
        for (_, who) in COLUMNS {
            rates.push(match who {
                Who::Graphile => in_new_database(&server, |url| graphile.drain(url, notifications)).await,
                Who::Engine { batch } => {
                    in_new_database(&server, |url| engine.drain(Some(url), batch, notifications)).await
                }
                Who::EngineOnSqlite { batch } => engine.drain(None, batch, notifications),
            });
        }
        println!("{}", table.round(&rates));
    }
    println!("{}", table.summary());
    server.stop();
    let _ = std::fs::remove_dir_all(&server.folder);
    Ok(())
}

fn notifications() -> Result<u32, String> {
    let Ok(text) = std::env::var("NOTIFICATIONS") else { return Ok(NOTIFICATIONS) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("queues: NOTIFICATIONS is how many to drain, and not `{text}`."))
}

/// To drop a database writes out all that is unwritten, so that nothing of one round is left to do in the next.
async fn in_new_database(server: &Server, drain: impl FnOnce(&str) -> f64) -> f64 {
    server.admin("CREATE DATABASE queue").await;
    let rate = drain(&server.url("queue"));
    server.admin("DROP DATABASE queue WITH (FORCE)").await;
    rate
}

/// Runs a program that prints what it has measured.
fn per_second(program: &mut Command) -> f64 {
    let ran = program.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    assert!(ran.status.success(), "{program:?} has failed");
    let printed: Value = serde_json::from_slice(&ran.stdout).unwrap();
    printed["per_second"].as_f64().unwrap()
}

/// At the median, of a page in the folder where the databases are.
fn a_write_to_the_disk() -> Duration {
    let mut file = tempfile::tempfile().unwrap();
    let mut times: Vec<_> = (0..51)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[0; 8192]).unwrap();
            file.sync_data().unwrap();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    crate::quantile(&times, 0.5)
}
