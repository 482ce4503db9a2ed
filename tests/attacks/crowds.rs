//! Many targets whose calls take their time: others are served meanwhile.

use super::arena::Arena;
use super::neighbours::{Known, another, attempted, claimed, known, sent_to, served, served_within, sleepers};
use crate::support::engine::ada;
use engine::creation::Request;
use engine::rules::status::Status;
use engine::rules::target::{Pause, PauseKind};
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// More targets than the sandbox has places, each with calls that sleep: a quick one is served at once all the same, and what waits for its turn meanwhile is
/// not sent if its user opts out or its target is paused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_sleeping_targets() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    let bob = User { id: Uuid::now_v7(), username: "bob".to_owned(), ..ada() };
    engine.store.add_user(Tenant::DEFAULT, &bob, engine.clock.now()).await.unwrap();
    sleepers(engine, 12, Known::Nothing).await;
    another(engine, "late one", "noop", &bob).await;
    let late_two = another(engine, "late two", "noop", &engine.user).await;
    let honest = async {
        served(engine, "Before").await;
        sent_to(engine, 12, 1, &json!({ "milliseconds": 4000 })).await;
        tokio::time::sleep(Duration::from_millis(700)).await;
        let of_bob = Request { user: "bob".to_owned(), ..engine.request("late one", "Title", json!({})) };
        let of_bob = engine.create(&of_bob).await.unwrap().remove(0);
        let paused = engine.notify("late two", "Title", json!({})).await;
        for i in 0..3 {
            served(engine, &format!("Meanwhile {i}")).await;
        }
        let now = engine.clock.now();
        engine.store.opt_out(Tenant::DEFAULT, bob.id, now).await.unwrap();
        let pause = Pause { kind: PauseKind::Operator, reason: "By hand.".to_owned(), since: now };
        engine.store.pause_target(Tenant::DEFAULT, late_two.id, &pause).await.unwrap();
        tokio::time::sleep(Duration::from_secs(10)).await;
        for (id, status) in [(of_bob, Status::OptedOut), (paused, Status::Scheduled)] {
            let shown = engine.show(id).await;
            assert_eq!((shown.listed.notification.status, shown.attempts.len()), (status, 0), "{shown:#?}");
        }
    };
    engine.beside(honest).await;
}

/// The same right after a start: what the engine before has found out about a target is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_is_there_at_the_start() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    engine.notify("noop", "Before", json!({})).await;
    engine.deliver().await;
    sleepers(engine, 20, Known::Nothing).await;
    sent_to(engine, 20, 1, &json!({ "milliseconds": 20_000 })).await;
    let honest = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        served(engine, "Meanwhile").await;
    };
    engine.beside(honest).await;
}

/// More targets than the sandbox has places, whose calls take just not so long that they count as slow: who has used less comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_targets_that_are_just_not_slow() {
    let settings = "[sandbox]\ninstances = 4\n[delivery]\nconcurrency_per_tenant = 3\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    known(engine, "noop", Known::Quick).await;
    sleepers(engine, 12, Known::Quick).await;
    sent_to(engine, 12, 4, &json!({ "milliseconds": 1500 })).await;
    let honest = async {
        // Of the first round nobody knows more than that they were quick.
        tokio::time::sleep(Duration::from_secs(8)).await;
        for i in 0..3 {
            // A place for its creator and one for its handler, each after another call at most; in their turn they would take 11 s.
            served_within(engine, &format!("Meanwhile {i}"), Duration::from_secs(5)).await;
        }
    };
    engine.beside(honest).await;
}

/// Sleeping targets hold all that is shared, and a quick one has more to do than it has a slot for: once that is done, it is served as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_beside_one_with_more_than_its_slot_holds() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 4\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 12, Known::Slow).await;
    sent_to(engine, 12, 1, &json!({ "milliseconds": 20_000 })).await;
    another(engine, "honest one", "sleeper", &engine.user).await;
    known(engine, "honest one", Known::Quick).await;
    let tried = async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for round in 0..3 {
            let began = Instant::now();
            let mut ids = Vec::new();
            // First many, of which one at a time can be sent, and then one.
            for i in 0..if round == 0 { 5 } else { 1 } {
                ids.push(engine.notify("honest one", &format!("{round} {i}"), json!({ "milliseconds": 300 })).await);
            }
            for id in ids {
                attempted(engine, id, Duration::from_secs(5).saturating_sub(began.elapsed())).await;
            }
        }
    };
    engine.beside(tried()).await;
}

/// Targets that were all quick sleep all at once, in more places than there are: nothing is taken from a call that runs, so that another waits until they have
/// ended, as many rounds as there are; from then on they are known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_was_quick_before() {
    let settings = "[sandbox]\ninstances = 4\nwall = '4s'\n[delivery]\nconcurrency_per_tenant = 3\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    known(engine, "noop", Known::Quick).await;
    sleepers(engine, 8, Known::Quick).await;
    sent_to(engine, 8, 4, &json!({ "milliseconds": 20_000 })).await;
    let mine = engine.notify("noop", "First", json!({})).await;
    let honest = async {
        // Eight calls in slots of their own, in four places of which the shared slots take three at most: four rounds of 4 s.
        tokio::time::sleep(Duration::from_secs(17)).await;
        assert_eq!(engine.show(mine).await.attempts.len(), 1);
        for i in 0..5 {
            served(engine, &format!("Then {i}")).await;
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    };
    engine.beside(honest).await;
}

/// Nobody knows of new targets whether they are quick. Where there are more of them than places for such, another new one waits until their calls have ended,
/// as many rounds as there are, once: from then on it is known, and so are they.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_newcomers() {
    let settings = "[sandbox]\ninstances = 8\nwall = '4s'\n[delivery]\nconcurrency_per_tenant = 4\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 12, Known::Nothing).await;
    another(engine, "late one", "noop", &engine.user).await;
    sent_to(engine, 12, 4, &json!({ "milliseconds": 20_000 })).await;
    let mine = engine.notify("late one", "First", json!({})).await;
    let honest = async {
        // Seven of them at once, so that all have had one call after two rounds of 4 s.
        attempted(engine, mine, Duration::from_secs(15)).await;
        for i in 0..5 {
            let mine = engine.notify("late one", &format!("Then {i}"), json!({})).await;
            attempted(engine, mine, Duration::from_secs(3)).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    engine.beside(honest).await;
}

/// What may be killing engines goes alone, one after another, and what else its target has to do does not wait behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspects_before_an_honest_notification() {
    let arena = Arena::of("sleeper").await;
    let engine = &arena.engine;
    sleepers(engine, 4, Known::Nothing).await;
    sent_to(engine, 4, 1, &json!({ "milliseconds": 20_000 })).await;
    // Later than theirs, so that one of them goes first: nothing else orders those that go alone.
    let soon = Some((engine.clock.now() + Duration::from_secs(1)).into());
    let suspect = Request { scheduled_delivery: soon, ..engine.request("noop", "Suspect", json!({})) };
    let of_honest = engine.create(&suspect).await.unwrap().remove(0);
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    sqlx::query("UPDATE notifications SET lease_deaths = 2").execute(&mut database).await.unwrap();
    let honest = async {
        while claimed(engine).await < 5 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for i in 0..3 {
            served(engine, &format!("Meanwhile {i}")).await;
        }
        assert_eq!(engine.show(of_honest).await.attempts.len(), 0, "it waits for its turn");
    };
    engine.beside(honest).await;
}
