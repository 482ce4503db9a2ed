//! Connections that fail: of an engine to its database, and to a relay that has taken the message.

use super::{Explained, UNDER_WAY, arranged, check, history, stop};
use crate::support::postgres::TestDatabase;
use crate::support::proxy::Proxy;
use crate::support::smtp::Answer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// One of two engines loses its database and reaches the relay still: the other takes over what it had claimed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn an_engine_is_cut_off_from_the_database() {
    let database = TestDatabase::new().await;
    let proxy = Proxy::to(&database.url).await;
    let (relay, program) = arranged(Some(&database.url)).await;
    let cut_off = program.clone().database(&proxy.url).start();
    tokio::time::sleep(Duration::from_millis(700)).await;
    proxy.hold();
    let other = program.start();
    let all = history(&program).await;
    proxy.let_through();
    // What it still held is refused, and it goes on.
    tokio::time::sleep(Duration::from_secs(8)).await;
    stop([cut_off, other]);
    let bound = Explained { doubled: UNDER_WAY, quarantined: 0 };
    check("PostgreSQL, one of two engines cut off", &all, &relay, &bound);
}

/// The relay takes every fiftieth message and says nothing: whether it was taken is unknown, and it is sent again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask faults"]
async fn a_relay_takes_messages_and_drops_the_line() {
    let database = TestDatabase::new().await;
    for (what, url) in [("SQLite", None), ("PostgreSQL", Some(database.url.as_str()))] {
        let (relay, program) = arranged(url).await;
        let asked = Arc::new(AtomicUsize::new(0));
        relay.script.lock().unwrap().insert("DOT", Answer::ClosesAtEach(50, asked.clone()));
        let engine = program.start();
        let all = history(&program).await;
        stop([engine]);
        let dropped = asked.load(Ordering::SeqCst) / 50;
        assert!(dropped > 100, "{dropped} lines were dropped");
        let bound = Explained { doubled: dropped, quarantined: 0 };
        check(&format!("{what}, {dropped} messages taken without an answer"), &all, &relay, &bound);
    }
}
