//! Clocks that differ, and clocks that are set, on a PostgreSQL whose clock a test can set: a function of the same name stands before the server's own.

use super::process::until;
use crate::support::postgres::{TestDatabase, connect};
use crate::support::program::{Program, Running};
use crate::support::smtp::SmtpServer;
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, Executor};
use std::time::Duration;

/// Longer than two heartbeats take.
const TWO_HEARTBEATS: Duration = Duration::from_secs(11);

struct Clock(TestDatabase);

impl Clock {
    /// A database whose clock is right.
    async fn new() -> Clock {
        let database = TestDatabase::new().await;
        let mut connection = connect(&database.url).await;
        let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut connection).await.unwrap();
        let statements = format!(
            "CREATE SCHEMA moved;
             CREATE TABLE moved.clock (ahead interval NOT NULL);
             INSERT INTO moved.clock VALUES ('0');
             CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql
                 AS 'SELECT pg_catalog.clock_timestamp() + ahead FROM moved.clock';
             ALTER DATABASE {name} SET search_path = moved, pg_catalog, public;"
        );
        connection.execute(AssertSqlSafe(statements)).await.unwrap();
        Clock(database)
    }

    async fn set(&self, ahead: &str) {
        let mut connection = connect(&self.0.url).await;
        connection.execute(AssertSqlSafe(format!("UPDATE moved.clock SET ahead = '{ahead}'"))).await.unwrap();
    }
}

async fn arranged() -> (Clock, SmtpServer, Program) {
    let (clock, server) = (Clock::new().await, SmtpServer::start(&[]).await);
    let program = Program::new().relay(server.address).database(&clock.0.url);
    program.ada();
    (clock, server, program)
}

fn notify(program: &Program, more: &[&str]) -> String {
    let notify = ["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"];
    program.json(&[&notify, more].concat())[0]["notifications"][0].as_str().unwrap().to_owned()
}

fn stop(engine: Running) {
    engine.signal("-TERM");
    assert_eq!(engine.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_database_says_what_is_due() {
    let (clock, server, program) = arranged().await;
    clock.set("3 hours").await;
    // By the clock of this machine it is due in two hours.
    let soon = (Timestamp::now() + SignedDuration::from_hours(2)).to_string();
    let id = notify(&program, &["--at", &soon]);
    let later = (Timestamp::now() + SignedDuration::from_hours(4)).to_string();
    notify(&program, &["--at", &later]);
    program.ok(&["process-notifications"]);
    assert_eq!(server.count(), 1);
    let shown = program.json(&["notification", "show", &id]);
    let started: Timestamp = shown["attempts"][0]["started_at"].as_str().unwrap().parse().unwrap();
    let ahead = started.duration_since(Timestamp::now());
    assert!((SignedDuration::from_mins(175)..SignedDuration::from_mins(181)).contains(&ahead), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_is_followed_but_not_far_ahead_for_a_moment() {
    let (clock, server, program) = arranged().await;
    let engine = program.start();
    let soon = (Timestamp::now() + SignedDuration::from_mins(4)).to_string();
    notify(&program, &["--at", &soon]);
    let later = (Timestamp::now() + SignedDuration::from_mins(20)).to_string();
    let expires = (Timestamp::now() + SignedDuration::from_mins(30)).to_string();
    let far = notify(&program, &["--at", &later, "--expires-at", &expires]);

    // At most one heartbeat sees this.
    clock.set("1 hour").await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    clock.set("0").await;
    tokio::time::sleep(TWO_HEARTBEATS).await;
    assert_eq!(server.count(), 0);
    assert_eq!(program.json(&["notification", "show", &far])["status"], "SCHEDULED");

    clock.set("5 minutes").await;
    until("what is due by then", || server.count() == 1).await;
    clock.set("25 minutes").await;
    until("what is due when it has stayed so", || server.count() == 2).await;
    stop(engine);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_makes_nothing_wait() {
    let (clock, server, program) = arranged().await;
    clock.set("2 hours").await;
    let engine = program.start();
    let pause =
        "UPDATE targets SET pause_kind = 'operator', pause_reason = 'a test', paused_since = 0 WHERE name = 'Email'";
    connect(&clock.0.url).await.execute(pause).await.unwrap();
    notify(&program, &[]);
    clock.set("0").await;
    tokio::time::sleep(TWO_HEARTBEATS).await;
    program.ok(&["target", "resume", "email"]);
    until("the mail", || server.count() == 1).await;
    stop(engine);
}

/// The beat that saw it could not write it down: a later one does.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_has_put_back_is_owed_until_it_is_written() {
    let (clock, server, program) = arranged().await;
    clock.set("2 hours").await;
    let engine = program.start();
    let mut database = connect(&clock.0.url).await;
    let broken = "
        UPDATE targets SET pause_kind = 'operator', pause_reason = 'a test', paused_since = 0 WHERE name = 'Email';
        CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
        CREATE TRIGGER broken BEFORE UPDATE ON notifications FOR EACH ROW
            WHEN (NEW.scheduled_delivery < OLD.scheduled_delivery) EXECUTE FUNCTION broken()";
    database.execute(broken).await.unwrap();
    notify(&program, &[]);
    clock.set("0").await;
    tokio::time::sleep(TWO_HEARTBEATS).await;
    database.execute("DROP TRIGGER broken ON notifications").await.unwrap();
    tokio::time::sleep(TWO_HEARTBEATS).await;
    program.ok(&["target", "resume", "email"]);
    until("the mail", || server.count() == 1).await;
    stop(engine);
}
