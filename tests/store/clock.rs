//! What time it is, and what follows where it was set back.

use engine::rules::notification::NewNotification;
use engine::rules::outcome::Scope;
use engine::rules::status::Status;
use engine::store::Lost;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use uuid::Uuid;

use super::{Database, ENGINE, TENANT, at, busy, news, noon, on_every_database, settled};

const HOUR: Duration = Duration::from_secs(3600);

async fn it_tells_the_time(database: Database) {
    let (before, told, after) = (Timestamp::now(), database.store.time().await.unwrap(), Timestamp::now());
    // To the millisecond, rounded.
    let precision = SignedDuration::from_millis(1);
    assert!(before - precision <= told && told <= after + precision, "{before} {told} {after}");
}

async fn what_was_due_before_the_clock_was_set_back_is_due_still(database: Database) {
    let bob = database.user("bob").await;
    // Written at noon: one that is due, one that was late already, one at a chosen time, and one to be tried again 90 seconds later.
    let due = database.due(&bob, noon()).await;
    let late = database.due(&bob, at("10:00:00")).await;
    let chosen = database.due(&bob, at("12:30:00")).await;
    let again = database.due(&bob, at("09:00:00")).await;
    let claimed = database.claim().await.claimed;
    let (tried, others): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|claimed| claimed.notification.id == again);
    let claims: Vec<_> = others.iter().map(|claimed| claimed.claim).collect();
    database.store.release(&claims, noon()).await.unwrap();
    database.store.settle(&[settled(&tried[0], &busy(Scope::Message))], noon()).await.unwrap();
    let next = database.stands(again).await.scheduled_delivery - noon();

    let one_hour_ago = at("11:00:00");
    assert_eq!(database.store.time_went_back(one_hour_ago, HOUR).await.unwrap(), 2);
    let when = async |id| database.stands(id).await.scheduled_delivery;
    assert_eq!(when(due).await, one_hour_ago);
    assert_eq!(when(late).await, at("10:00:00"));
    assert_eq!(when(chosen).await, at("12:30:00"));
    assert_eq!((database.stands(again).await.status, when(again).await), (Status::Retry, one_hour_ago + next));

    // Another engine has noticed it as well, a little earlier by its own count.
    assert_eq!(database.store.time_went_back(at("10:59:59"), HOUR).await.unwrap(), 0);
}

async fn what_is_made_after_it_keeps_its_time(database: Database) {
    let bob = database.user("bob").await;
    let new = NewNotification { scheduled_delivery: at("11:30:00"), ..news(&bob.record) };
    let id = new.id;
    database.store.create(TENANT, &[new], at("11:00:02")).await.unwrap();
    assert_eq!(database.store.time_went_back(at("11:00:04"), HOUR).await.unwrap(), 0);
    assert_eq!(database.stands(id).await.scheduled_delivery, at("11:30:00"));
}

async fn nobody_was_heard_of_in_the_future(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, at("10:00:00")).await;
    database.store.heartbeat(ENGINE, noon()).await.unwrap();
    database.claim_one().await;
    let alive = Uuid::from_u128(0xe2);
    database.store.time_went_back(at("11:00:00"), HOUR).await.unwrap();
    let silent_since = |time| Lost::OfSilentSince(at(time));
    assert_eq!(database.store.rescue(alive, silent_since("11:00:00"), at("11:00:20")).await.unwrap(), 0);
    assert_eq!(database.store.rescue(alive, silent_since("11:00:01"), at("11:00:21")).await.unwrap(), 1);
}

on_every_database!(
    it_tells_the_time,
    what_was_due_before_the_clock_was_set_back_is_due_still,
    what_is_made_after_it_keeps_its_time,
    nobody_was_heard_of_in_the_future,
);
