//! A PostgreSQL that is restarted, crashes, cuts connections, and lets others into the way. No engine dies, so that nothing may come twice.

use super::{Dice, Explained, arranged, check, history, stop};
use crate::support::postgres::{Server, connect};
use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use sqlx::Connection;
use std::time::{Duration, Instant};

async fn on(server: &Server) -> (SmtpServer, Program) {
    server.admin("CREATE DATABASE engine").await;
    arranged(Some(&server.url("engine"))).await
}

async fn number(server: &Server, query: &'static str) -> i64 {
    let mut connection = connect(&server.url("engine")).await;
    let number = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    number
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn a_server_is_restarted_and_crashes_under_two_engines() {
    let server = Server::start(&[]);
    let (relay, program) = on(&server).await;
    let engines = [program.start(), program.start()];
    let server = tokio::task::spawn_blocking(move || {
        for restart in 0..6 {
            std::thread::sleep(Duration::from_millis(400));
            if restart % 2 == 0 {
                server.stop()
            } else {
                server.stop_by("immediate")
            }
            server.run(&[]);
        }
        server
    });
    let server = server.await.unwrap();
    let all = history(&program).await;
    stop(engines);
    check("PostgreSQL restarted three times and crashed three, two engines", &all, &relay, &Explained::default());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn connections_are_cut_at_random() {
    let server = Server::start(&[]);
    let (relay, program) = on(&server).await;
    let engines = [program.start(), program.start()];
    let mut dice = Dice::of_the_run();
    let begun = Instant::now();
    let mut cut = 0;
    while begun.elapsed() < Duration::from_secs(15) {
        tokio::time::sleep(Duration::from_millis(dice.below(200))).await;
        cut += number(
            &server,
            "SELECT count(pg_terminate_backend(pid)) FROM (
                SELECT pid FROM pg_stat_activity
                WHERE datname = 'engine' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1
            ) AS one",
        )
        .await;
    }
    let all = history(&program).await;
    let open =
        number(&server, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'notification-engine'").await;
    assert!(open <= 2 * 9, "{open} connections are open");
    stop(engines);
    check(&format!("PostgreSQL, {cut} connections cut, two engines"), &all, &relay, &Explained::default());
    server.stop();
}

/// Somebody locks rows in another order than the engines, again and again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn others_are_in_the_way_until_the_server_gives_up() {
    let server = Server::start(&["deadlock_timeout=20ms"]);
    let (relay, program) = on(&server).await;
    // Few are claimed at once and many are written at once, so that they meet.
    let program =
        program.with("ENGINE_DELIVERY__CLAIM_BATCH", "50").with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "8");
    let engines = [program.start(), program.start()];
    let deadlocks = || number(&server, "SELECT deadlocks FROM pg_stat_database WHERE datname = 'engine'");
    let begun = Instant::now();
    let mut connection = connect(&server.url("engine")).await;
    while begun.elapsed() < Duration::from_secs(30) && deadlocks().await < 5 {
        let one_by_one = async |connection: &mut sqlx::PgConnection| {
            let mut transaction = connection.begin().await?;
            for _ in 0..20 {
                sqlx::query(
                    "SELECT 1 FROM notifications WHERE id = (
                        SELECT id FROM notifications WHERE claimed_by IS NOT NULL ORDER BY random() LIMIT 1
                    ) FOR UPDATE",
                )
                .execute(&mut *transaction)
                .await?;
            }
            transaction.rollback().await
        };
        // Now it is this one that gives up, now the engine.
        let _: Result<(), sqlx::Error> = one_by_one(&mut connection).await;
    }
    connection.close().await.unwrap();
    let all = history(&program).await;
    stop(engines);
    let deadlocks = deadlocks().await;
    assert!(deadlocks > 0, "there was no deadlock");
    check(&format!("PostgreSQL, {deadlocks} deadlocks, two engines"), &all, &relay, &Explained::default());
    server.stop();
}
