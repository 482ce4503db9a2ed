//! Targets beside each other: those that sleep, and a quick one that is to be served meanwhile.

use crate::support::engine::TestEngine;
use engine::rules::target::{Target, TargetUserRecord};
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::store::NotificationHistory;
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What an engine has found out of a target before.
#[derive(Clone, Copy, PartialEq)]
pub enum Known {
    Nothing,
    Quick,
    Slow,
}

/// So many more targets whose calls sleep.
pub async fn sleepers(engine: &TestEngine, many: usize, before: Known) {
    for i in 0..many {
        another(engine, &format!("sleeper {i}"), "sleeper", &engine.user).await;
        known(engine, &format!("sleeper {i}"), before).await;
    }
}

pub async fn known(engine: &TestEngine, target: &str, before: Known) {
    let target = engine.store.find_target(Tenant::DEFAULT, target).await.unwrap();
    let slow_until = (before == Known::Slow).then(|| engine.clock.now() + Duration::from_secs(300));
    if before != Known::Nothing {
        engine.store.note_pace(Tenant::DEFAULT, target.id, slow_until).await.unwrap();
    }
}

/// One more target of a module, with an address for a user.
pub async fn another(engine: &TestEngine, name: &str, module: &str, user: &User) -> Target {
    let known = engine.store.find_target(Tenant::DEFAULT, module).await.unwrap();
    let target = Target { id: Uuid::now_v7(), name: name.to_owned(), ..known };
    engine.store.add_target(Tenant::DEFAULT, &target, engine.clock.now()).await.unwrap();
    record(engine, &target, user, "anything").await;
    target
}

/// One more address of a user in a target.
pub async fn record(engine: &TestEngine, target: &Target, user: &User, address: &str) {
    let record = TargetUserRecord {
        id: Uuid::now_v7(),
        user: user.id,
        target: target.id,
        target_user_id: address.to_owned(),
        description: String::new(),
        active: true,
        inactive_reason: None,
    };
    engine.store.add_record(Tenant::DEFAULT, &record, engine.clock.now()).await.unwrap();
}

/// So many notifications for each of them.
pub async fn sent_to(engine: &TestEngine, sleepers: usize, each: usize, extra: &Value) {
    for i in 0..sleepers {
        for n in 0..each {
            engine.notify(&format!("sleeper {i}"), &format!("Title {n}"), extra.clone()).await;
        }
    }
}

/// What a quick target does while others do what they like.
pub async fn served(engine: &TestEngine, title: &str) {
    served_within(engine, title, Duration::from_secs(3)).await;
}

pub async fn served_within(engine: &TestEngine, title: &str, most: Duration) {
    let mine = engine.notify("noop", title, json!({})).await;
    attempted(engine, mine, most).await;
}

/// Waits for the first attempt of a notification, so long at most.
pub async fn attempted(engine: &TestEngine, id: Uuid, most: Duration) -> NotificationHistory {
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

/// How many notifications an engine holds.
pub async fn claimed(engine: &TestEngine) -> i64 {
    let mut database = SqliteConnection::connect(&engine.settings.database.url).await.unwrap();
    let claimed = sqlx::query("SELECT count(*) FROM notifications WHERE claimed_by IS NOT NULL");
    claimed.fetch_one(&mut database).await.unwrap().get(0)
}
