//! Many targets, or many notifications of one, that take their time: others are served meanwhile.

use super::arena::{Arena, is_delivered};
use super::time::answer;
use crate::support::engine::{TestEngine, ada};
use crate::support::http::{Answer, HttpServer};
use engine::creation::Request;
use engine::rules::status::Status;
use engine::rules::target::{Pause, PauseKind, Target, TargetUserRecord};
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::store::NotificationHistory;
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Eight exchanges with one host at once; the others wait for their turn, and none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_one_host() {
    // It says that it closes: a request on a connection that is just being closed would be lost, and its outcome unknown.
    let head = answer("content-length: 1\r\nconnection: close\r\n", b"");
    let slow = Answer::Drips(head, b"x".to_vec(), Duration::from_millis(300));
    let server = HttpServer::start(slow).await;
    let settings =
        format!("[delivery]\nconcurrency_per_target = 16\n[target.http_probe]\nbase_url = '{}'\n", server.origin());
    let arena = Arena::with("http_probe", &settings).await;
    let mut ids = Vec::new();
    for i in 0..16 {
        // One call each: they carry too much for a portion.
        ids.push(arena.engine.notify("http_probe", &format!("Title {i}"), json!({ "url": server.origin() })).await);
    }
    let busiest = {
        let (begun, ended) = (server.connections.clone(), server.ended.clone());
        tokio::spawn(async move {
            let mut busiest = 0;
            while ended.load(SeqCst) < 16 {
                busiest = busiest.max(begun.load(SeqCst) - ended.load(SeqCst));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            busiest
        })
    };
    arena.engine.deliver().await;
    for id in ids {
        let shown = arena.engine.show(id).await;
        is_delivered(&shown);
        let reported = &shown.attempts[0].message;
        assert!(reported.contains("\"status\":200"), "{reported}");
    }
    assert_eq!(server.count(), 16);
    assert!(busiest.await.unwrap() <= 8);
    arena.serves().await;
}

/// However many exchanges one target has open and waiting, another one's at the same host takes its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_another_targets() {
    let server = HttpServer::start(Answer::Hangs).await;
    let granted = |target: &str| format!("[target.{target}]\nbase_url = '{}'\n", server.origin());
    let settings = format!("{}{}", granted("http_probe"), granted("wasi_http_probe"));
    let arena = Arena::with("http_probe", &settings).await;
    arena.engine.record("wasi_http_probe", "ada@example.org").await;
    let crowd = json!({ "scheme": "http", "authority": server.address.to_string(), "times": 32, "together": true });
    for i in 0..2 {
        arena.engine.notify("wasi_http_probe", &format!("Title {i}"), crowd.clone()).await;
    }
    let alone = async {
        while server.connections.load(SeqCst) < 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(server.connections.load(SeqCst), 8, "one target's share");
        let mine = json!({ "url": server.origin(), "timeout": 300 });
        let mine = arena.engine.notify("http_probe", "Title", mine).await;
        let shown = attempted(&arena.engine, mine, Duration::from_secs(3)).await;
        assert!(shown.attempts[0].message.contains("took the request"), "{shown:#?}");
    };
    arena.engine.beside(alone).await;
}

/// Answers that announce others (103) without an end, in all exchanges that a target may have: of each, as much is read as an answer may bring, and that in
/// small parts, between which others have their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_interim_answers() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n".repeat(1000);
    let server = HttpServer::start(Answer::Endless(Vec::new(), interim)).await;
    let settings = format!("[delivery]\ncall_batch = 1\n[target.wasi_http_probe]\nbase_url = '{}'\n", server.origin());
    let arena = Arena::with("wasi_http_probe", &settings).await;
    let engine = &arena.engine;
    let crowd = json!({ "scheme": "http", "authority": server.address.to_string(), "times": 16, "together": true });
    let mut floods = Vec::new();
    for i in 0..10 {
        floods.push(engine.notify("wasi_http_probe", &format!("Title {i}"), crowd.clone()).await);
    }
    let honest = async {
        while server.connections.load(SeqCst) < 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for i in 0..5 {
            served(engine, &format!("Meanwhile {i}")).await;
        }
        for flood in floods {
            let shown = attempted(engine, flood, Duration::from_secs(60)).await;
            let log = &shown.attempts[0].log;
            assert!(log.contains(" sends on and on, and no answer among it."), "{shown:#?}");
        }
    };
    engine.beside(honest).await;
}

/// Two targets of slow calls whose backlogs fill all that an engine claims ahead: an honest one is served as soon as it is due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlogs_of_slow_targets() {
    let settings = "[delivery]\nclaim_batch = 20\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    let slow = json!({ "milliseconds": 20_000 });
    let first = engine.store.find_target(Tenant::DEFAULT, "sleeper").await.unwrap();
    let second = Target { id: Uuid::now_v7(), name: "sleeper two".to_owned(), ..first };
    engine.store.add_target(Tenant::DEFAULT, &second, engine.clock.now()).await.unwrap();
    engine.record("sleeper two", "ada@example.org").await;
    for i in 0..60 {
        engine.notify("sleeper", &format!("Title {i}"), slow.clone()).await;
        engine.notify("sleeper two", &format!("Title {i}"), slow.clone()).await;
    }
    let honest = async {
        for i in 0..10 {
            tokio::time::sleep(Duration::from_millis(300)).await;
            served_within(engine, &format!("Mine {i}"), Duration::from_secs(2)).await;
        }
    };
    engine.beside(honest).await;
}

/// Texts that take sixteen times as much memory as they have letters, in the backlog of a slow target: the engine holds as many of them as it has room
/// for, and an honest target is served meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_long_texts() {
    let arena = Arena::of("sleeper").await;
    let engine = &arena.engine;
    let zeros = vec![0; 120_000];
    for i in 0..120 {
        engine.notify("sleeper", &format!("Title {i}"), json!({ "milliseconds": 20_000, "zeros": zeros })).await;
    }
    let honest = async {
        for i in 0..3 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            served_within(engine, &format!("Mine {i}"), Duration::from_secs(30)).await;
            let claimed = claimed(engine).await;
            // 128 MiB hold 33 of them, and eight are in calls.
            assert!((8..=41).contains(&claimed), "{claimed}");
        }
    };
    engine.beside(honest).await;
}

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

/// Quick targets, each with just not so much that waits as would count as enough, and together more than a batch: others are claimed for meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backlogs_of_quick_targets_together() {
    let settings = "[delivery]\nclaim_batch = 20\ncall_batch = 1\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 4, Known::Quick).await;
    known(engine, "noop", Known::Quick).await;
    sent_to(engine, 4, 12, &json!({ "milliseconds": 2800 })).await;
    let honest = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for i in 0..10 {
            served_within(engine, &format!("Meanwhile {i}"), Duration::from_secs(2)).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    engine.beside(honest).await;
}

/// One call that takes its time holds up nobody else's notification of its target: that has places beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_call_before_another_of_its_target() {
    let arena = Arena::of("sleeper").await;
    let engine = &arena.engine;
    engine.notify("sleeper", "Slow", json!({ "milliseconds": 20_000 })).await;
    let others = async {
        for i in 0..3 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let quick = engine.notify("sleeper", &format!("Quick {i}"), json!({ "milliseconds": 10 })).await;
            attempted(engine, quick, Duration::from_secs(3)).await;
        }
    };
    engine.beside(others).await;
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

/// Targets whose exchanges hang hold all places at a host: who waits for one there is not slow because of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_the_host_of_another() {
    let server = HttpServer::start(Answer::Hangs).await;
    let granted = |target: &str| format!("[target.{target}]\nbase_url = '{}'\n", server.origin());
    let settings = format!("{}{}", granted("http_probe"), granted("wasi_http_probe"));
    let arena = Arena::with("http_probe", &settings).await;
    let engine = &arena.engine;
    engine.record("wasi_http_probe", "ada@example.org").await;
    let hang = json!({ "scheme": "http", "authority": server.address.to_string(), "times": 8, "together": true });
    for i in 0..4 {
        another(engine, &format!("crowd {i}"), "wasi_http_probe", &engine.user).await;
        engine.notify(&format!("crowd {i}"), "Title", hang.clone()).await;
    }
    let honest = async {
        while server.connections.load(SeqCst) < 32 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let began = Instant::now();
        let mine = engine.notify("http_probe", "Title", json!({ "url": server.origin(), "timeout": 300 })).await;
        attempted(engine, mine, Duration::from_secs(60)).await;
        assert!(began.elapsed() > Duration::from_secs(4), "it had to wait: {:?}", began.elapsed());
        let mine = engine.store.find_target(Tenant::DEFAULT, "http_probe").await.unwrap().id;
        let is_known = async || {
            let known = engine.store.paces(Tenant::DEFAULT).await.unwrap();
            assert!(known.iter().any(|(_, slow_until)| slow_until.is_some()), "the others are slow: {known:?}");
            known.into_iter().find(|(target, _)| *target == mine)
        };
        let mut found = is_known().await;
        while found.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            found = is_known().await;
        }
        assert_eq!(found, Some((mine, None)), "it is not");
    };
    engine.beside(honest).await;
}

/// Slow targets, each with less that waits than would count as enough, and together more than is claimed ahead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_backlogs_of_many_slow_targets() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nclaim_batch = 20\nconcurrency_per_tenant = 4\nconcurrency_per_target = 8\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 20, Known::Slow).await;
    sent_to(engine, 20, 4, &json!({ "milliseconds": 20_000 })).await;
    known(engine, "noop", Known::Quick).await;
    let honest = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        for i in 0..3 {
            served(engine, &format!("Meanwhile {i}")).await;
        }
    };
    engine.beside(honest).await;
}

/// More targets of sleeping calls than there is room for their texts: what waits for its turn makes room for what could be sent meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_texts_of_sleeping_targets() {
    const SLEEPERS: usize = 80;
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, SLEEPERS, Known::Nothing).await;
    let honest = async {
        served(engine, "Before").await;
        // Four megabytes each, once it is read.
        sent_to(engine, SLEEPERS, 1, &json!({ "milliseconds": 20_000, "zeros": vec![0; 120_000] })).await;
        for i in 0..5 {
            served(engine, &format!("Meanwhile {i}")).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
            // 128 MiB hold 33 of them, seven are in calls, and one more claim brings eight.
            let claimed = claimed(engine).await;
            assert!((20..=48).contains(&claimed), "{claimed}");
        }
    };
    engine.beside(honest).await;
}

/// How many notifications an engine holds.
async fn claimed(engine: &TestEngine) -> i64 {
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    let claimed = sqlx::query("SELECT count(*) FROM notifications WHERE claimed_by IS NOT NULL");
    claimed.fetch_one(&mut database).await.unwrap().get(0)
}

/// The same of targets that were quick before: what there is no room for is not claimed and given back again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_texts_without_room() {
    let settings = "[sandbox]\ninstances = 8\n[delivery]\nconcurrency_per_tenant = 4\nconcurrency_per_target = 2\n";
    let arena = Arena::with("sleeper", settings).await;
    let engine = &arena.engine;
    sleepers(engine, 80, Known::Quick).await;
    sent_to(engine, 80, 1, &json!({ "milliseconds": 20_000, "zeros": vec![0; 120_000] })).await;
    let soon = tokio::time::sleep(Duration::from_secs(10));
    engine.beside(soon).await;
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    let claims = sqlx::query("SELECT max(fence) FROM notifications").fetch_one(&mut database).await.unwrap();
    assert!((1..=6).contains(&claims.get::<i64, _>(0)), "claimed {} times", claims.get::<i64, _>(0));
}

/// What a quick target does while others do what they like.
async fn served(engine: &TestEngine, title: &str) {
    served_within(engine, title, Duration::from_secs(3)).await;
}

async fn served_within(engine: &TestEngine, title: &str, most: Duration) {
    let mine = engine.notify("noop", title, json!({})).await;
    attempted(engine, mine, most).await;
}

/// Waits for the first attempt of a notification, so long at most.
async fn attempted(engine: &TestEngine, id: Uuid, most: Duration) -> NotificationHistory {
    let began = Instant::now();
    loop {
        let shown = engine.show(id).await;
        if !shown.attempts.is_empty() {
            return shown;
        }
        assert!(began.elapsed() < most, "it is not sent: {shown:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What an engine has found out of a target before.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    Nothing,
    Quick,
    Slow,
}

/// So many more targets whose calls sleep.
async fn sleepers(engine: &TestEngine, many: usize, before: Known) {
    for i in 0..many {
        another(engine, &format!("sleeper {i}"), "sleeper", &engine.user).await;
        known(engine, &format!("sleeper {i}"), before).await;
    }
}

async fn known(engine: &TestEngine, target: &str, before: Known) {
    let target = engine.store.find_target(Tenant::DEFAULT, target).await.unwrap();
    let slow_until = (before == Known::Slow).then(|| engine.clock.now() + Duration::from_secs(300));
    if before != Known::Nothing {
        engine.store.note_pace(Tenant::DEFAULT, target.id, slow_until).await.unwrap();
    }
}

/// So many notifications for each of them.
async fn sent_to(engine: &TestEngine, sleepers: usize, each: usize, extra: &Value) {
    for i in 0..sleepers {
        for n in 0..each {
            engine.notify(&format!("sleeper {i}"), &format!("Title {n}"), extra.clone()).await;
        }
    }
}

/// One more target of a module, with an address for a user.
async fn another(engine: &TestEngine, name: &str, module: &str, user: &User) -> Target {
    let known = engine.store.find_target(Tenant::DEFAULT, module).await.unwrap();
    let target = Target { id: Uuid::now_v7(), name: name.to_owned(), ..known };
    engine.store.add_target(Tenant::DEFAULT, &target, engine.clock.now()).await.unwrap();
    let record = TargetUserRecord {
        id: Uuid::now_v7(),
        user: user.id,
        target: target.id,
        target_user_id: "anything".to_owned(),
        description: String::new(),
        active: true,
        inactive_reason: None,
    };
    engine.store.add_record(Tenant::DEFAULT, &record, engine.clock.now()).await.unwrap();
    target
}
