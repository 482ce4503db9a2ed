//! Watches: who waits is told when anybody writes.

use std::time::{Duration, Instant};

use engine::store::Store;

use super::{Database, news, on_every_database};

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(30);

/// Whether the watch ended by itself, before the longest wait.
async fn told(watch: &mut engine::store::Watch, most: Duration) -> bool {
    let began = Instant::now();
    watch.wait(most).await.unwrap();
    began.elapsed() < most
}

async fn a_watch_ends_when_somebody_else_makes_a_notification(database: Database) {
    let bob = database.user("bob").await;
    let mut watch = database.store.watch().await.unwrap();
    // What was written before, and its notice, are none of its business for long.
    while told(&mut watch, SHORT).await {}
    let other = Store::open(&database.url).await.unwrap();
    other.create(super::TENANT, &[news(&bob.record)], super::noon()).await.unwrap();
    assert!(told(&mut watch, LONG).await);
    while told(&mut watch, SHORT).await {}
    // Looking is no writing.
    other.list_users(super::TENANT).await.unwrap();
    assert!(!told(&mut watch, SHORT).await);
}

async fn what_is_written_before_the_wait_is_not_missed(database: Database) {
    let bob = database.user("bob").await;
    let mut watch = database.store.watch().await.unwrap();
    while told(&mut watch, SHORT).await {}
    database.create(news(&bob.record)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(told(&mut watch, LONG).await);
}

async fn a_command_that_ends_at_once_is_heard(database: Database) {
    let bob = database.user("bob").await;
    let mut watch = database.store.watch().await.unwrap();
    while told(&mut watch, SHORT).await {}
    let other = Store::open(&database.url).await.unwrap();
    other.create(super::TENANT, &[news(&bob.record)], super::noon()).await.unwrap();
    other.close().await;
    assert!(told(&mut watch, LONG).await);
}

on_every_database!(
    a_watch_ends_when_somebody_else_makes_a_notification,
    what_is_written_before_the_wait_is_not_missed,
    a_command_that_ends_at_once_is_heard,
);
