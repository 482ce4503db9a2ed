//! Notifications: made in batches, found, listed, removed.

use std::collections::HashSet;

use engine::rules::duplicates;
use engine::rules::notification::{NewNotification, OnUnknown};
use engine::rules::status::Status;
use engine::store::{Creation, NotificationFilter, StoreError, Thing};
use uuid::Uuid;

use super::{Database, TENANT, at, delivered, news, noon, on_every_database, record, settled};

async fn a_notification_begins_as_scheduled(database: Database) {
    let bob = database.user("bob").await;
    let new = NewNotification {
        scheduled_delivery: at("15:00:00.123"),
        expires_at: Some(at("18:00:00")),
        idempotency_key: Some("order 7".to_owned()),
        on_unknown: Some(OnUnknown::Hold),
        ..news(&bob.record)
    };
    let created = database.store.create(TENANT, std::slice::from_ref(&new), noon()).await.unwrap();
    assert_eq!(created, [Creation::Created(new.id)]);

    let found = database.find(new.id).await;
    assert!(found.attempts.is_empty());
    let listed = found.listed;
    assert_eq!(
        (listed.username.as_str(), listed.target_name.as_str(), listed.target_user_id.as_str()),
        ("bob", "Email", "bob@example.org")
    );
    let stands = listed.notification;
    assert_eq!((stands.id, stands.tenant, stands.target_user_record), (new.id, TENANT, bob.record.id));
    assert_eq!((&stands.title, &stands.body, &stands.extra), (&new.title, &new.body, &new.extra));
    assert_eq!((stands.status, stands.attempted_delivery, stands.retry_attempts), (Status::Scheduled, None, 0));
    assert_eq!((stands.scheduled_delivery, stands.expires_at), (new.scheduled_delivery, new.expires_at));
    assert_eq!((stands.retry_time_interval, stands.max_retries), (60, 3));
    assert_eq!((stands.idempotency_key, stands.on_unknown), (new.idempotency_key, new.on_unknown));
    assert_eq!((stands.created_date, stands.modified_date), (noon(), noon()));
}

async fn it_is_written_as_json_with_the_predecessors_names(database: Database) {
    let bob = database.user("bob").await;
    let id = database.create(news(&bob.record)).await;
    let json = serde_json::to_value(database.find(id).await).unwrap();
    let keys: HashSet<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    for name in [
        "id",
        "target_user_record",
        "title",
        "body",
        "extra",
        "status",
        "scheduled_delivery",
        "attempted_delivery",
        "retry_time_interval",
        "retry_attempts",
        "max_retries",
        "created_date",
        "modified_date",
        "attempts",
    ] {
        assert!(keys.contains(name), "{name} is not in {keys:?}");
    }
    assert_eq!((&json["status"], &json["scheduled_delivery"]), (&"SCHEDULED".into(), &"2026-03-20T12:00:00Z".into()));
}

async fn a_batch_is_stored_whole_or_not_at_all(database: Database) {
    let bob = database.user("bob").await;
    let unknown = NewNotification { target_user_record: Uuid::now_v7(), ..news(&bob.record) };
    let too_long = NewNotification { title: "t".repeat(101), ..news(&bob.record) };
    for bad in [unknown, too_long] {
        let batch = [news(&bob.record), bad, news(&bob.record)];
        database.store.create(TENANT, &batch, noon()).await.unwrap_err();
        assert_eq!(database.number("SELECT count(*) FROM notifications").await, 0);
        assert_eq!(database.number("SELECT count(*) FROM notification_texts").await, 0);
    }
    let batch: Vec<_> = (0..300).map(|_| news(&bob.record)).collect();
    let created = database.store.create(TENANT, &batch, noon()).await.unwrap();
    assert_eq!(created, batch.iter().map(|new| Creation::Created(new.id)).collect::<Vec<_>>());
}

async fn an_empty_batch_stores_nothing(database: Database) {
    assert_eq!(database.store.create(TENANT, &[], noon()).await.unwrap(), []);
}

async fn nothing_new_is_made_for_a_user_who_opted_out(database: Database) {
    let bob = database.user("bob").await;
    database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    let refusal = database.store.create(TENANT, &[news(&bob.record)], noon()).await.unwrap_err();
    assert!(matches!(&refusal, StoreError::OptedOut { username } if username == "bob"), "{refusal:?}");
    assert_eq!(database.number("SELECT count(*) FROM notifications").await, 0);
}

async fn nothing_new_is_made_for_an_inactive_or_unknown_record(database: Database) {
    let bob = database.user("bob").await;
    database.store.switch_record_off(TENANT, bob.record.id, "It bounced.", noon()).await.unwrap();
    let refusal = database.store.create(TENANT, &[news(&bob.record)], noon()).await.unwrap_err();
    assert!(
        matches!(&refusal, StoreError::Inactive { target_user_id, .. } if target_user_id == "bob@example.org"),
        "{refusal:?}"
    );
    let unknown = news(&record(&bob.user, &bob.target, "x"));
    let refusal = database.store.create(TENANT, std::slice::from_ref(&unknown), noon()).await.unwrap_err();
    let id = unknown.target_user_record.to_string();
    assert!(matches!(&refusal, StoreError::NotFound { what: Thing::Record, name, .. } if *name == id), "{refusal:?}");
}

async fn an_idempotency_key_makes_one_notification(database: Database) {
    let bob = database.user("bob").await;
    let keyed = |key: &str| NewNotification { idempotency_key: Some(key.to_owned()), ..news(&bob.record) };
    let first = keyed("order 7");
    database.create(first.clone()).await;
    // Once more, together with one that is new and one that repeats that.
    let second = keyed("order 8");
    let batch = [keyed("order 7"), second.clone(), keyed("order 8"), news(&bob.record)];
    let created = database.store.create(TENANT, &batch, noon()).await.unwrap();
    let expected = [
        Creation::Duplicate(first.id),
        Creation::Created(second.id),
        Creation::Duplicate(second.id),
        Creation::Created(batch[3].id),
    ];
    assert_eq!(created, expected);
    assert_eq!(database.number("SELECT count(*) FROM notification_texts").await, 3);
}

/// Two requests with one key, which meet: nothing of the second is left, however many it would have made.
async fn of_two_requests_with_a_key_of_their_own_one_is_stored(database: Database) {
    let bob = database.user("bob").await;
    let request = |parts: usize| -> Vec<NewNotification> {
        let keyed =
            |part| NewNotification { idempotency_key: Some(duplicates::given("order 7", part)), ..news(&bob.record) };
        (0..parts).map(keyed).collect()
    };
    let (first, second) = (request(2), request(5));
    let created = database.store.create(TENANT, &first, noon()).await.unwrap();
    assert!(!created.iter().any(Creation::is_duplicate));
    let answers = database.store.create(TENANT, &second, noon()).await.unwrap();
    assert_eq!(answers, [Creation::Duplicate(first[0].id), Creation::Duplicate(first[1].id)]);
    for table in ["notifications", "notification_texts"] {
        assert_eq!(database.number(format!("SELECT count(*) FROM {table}")).await, 2);
    }
}

async fn a_list_has_the_newest_first_and_its_filters(database: Database) {
    let (bob, cleo) = (database.user("bob").await, database.user("cleo").await);
    let pigeon = database.target("Pigeon").await;
    let coop = record(&bob.user, &pigeon, "coop 7");
    database.store.add_record(TENANT, &coop, noon()).await.unwrap();
    let first = database.create(news(&bob.record)).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap();
    let second = database.create(news(&cleo.record)).await;
    let third = database.create(news(&coop)).await;

    let listed = async |filter: NotificationFilter| {
        let listed = database.store.list_notifications(TENANT, &filter).await.unwrap();
        listed.into_iter().map(|listed| listed.notification.id).collect::<Vec<_>>()
    };
    let all = NotificationFilter::default();
    assert_eq!(listed(all).await, [third, second, first]);
    assert_eq!(listed(NotificationFilter { limit: 2, ..all }).await, [third, second]);
    assert_eq!(listed(NotificationFilter { status: Some(Status::Delivered), ..all }).await, [first]);
    assert_eq!(listed(NotificationFilter { user: Some(bob.user.id), ..all }).await, [third, first]);
    assert_eq!(listed(NotificationFilter { target: Some(pigeon.id), ..all }).await, [third]);
    let none = NotificationFilter { status: Some(Status::Delivered), user: Some(cleo.user.id), ..all };
    assert!(listed(none).await.is_empty());
}

async fn a_notification_goes_with_its_history(database: Database) {
    let bob = database.user("bob").await;
    let id = database.create(news(&bob.record)).await;
    let claimed = database.claim_one().await;
    let refusal = database.store.remove_notification(TENANT, id).await.unwrap_err();
    assert!(matches!(refusal, StoreError::InUse { what: Thing::Notification, .. }), "{refusal:?}");
    database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap();
    database.store.remove_notification(TENANT, id).await.unwrap();
    for table in ["notifications", "notification_texts", "attempts"] {
        assert_eq!(database.number(format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    for refusal in [
        database.store.remove_notification(TENANT, id).await,
        database.store.find_notification(TENANT, id).await.map(drop),
    ] {
        assert!(matches!(refusal, Err(StoreError::NotFound { what: Thing::Notification, .. })), "{refusal:?}");
    }
}

async fn what_ended_long_ago_is_purged_and_nothing_else(database: Database) {
    let bob = database.user("bob").await;
    let made = |day: i64| noon().checked_add(jiff::SignedDuration::from_hours(24 * day)).unwrap();
    let id_of = |day: i64| {
        let time = uuid::Timestamp::from_unix(uuid::NoContext, u64::try_from(made(day).as_second()).unwrap(), 0);
        Uuid::new_v7(time)
    };
    let mut ids = Vec::new();
    for day in [0, 0, 0, 9] {
        let new = NewNotification { id: id_of(day), ..news(&bob.record) };
        database.store.create(TENANT, std::slice::from_ref(&new), made(day)).await.unwrap();
        ids.push(new.id);
    }
    let [old, late, waiting, young] = ids.try_into().unwrap();
    for (id, day) in [(old, 1), (late, 8), (young, 9)] {
        database.store.cancel_notification(TENANT, id, made(day)).await.unwrap();
    }
    assert_eq!(database.store.purge(TENANT, made(7), 500).await.unwrap(), 1);
    assert!(database.store.find_notification(TENANT, old).await.is_err());
    for id in [late, waiting, young] {
        database.store.find_notification(TENANT, id).await.unwrap();
    }
    assert_eq!(database.number("SELECT count(*) FROM notification_texts").await, 3);
    // Some at a time.
    assert_eq!(database.store.purge(TENANT, made(20), 1).await.unwrap(), 1);
    assert_eq!(database.store.purge(TENANT, made(20), 500).await.unwrap(), 1);
    assert_eq!(database.store.purge(TENANT, made(20), 500).await.unwrap(), 0, "what waits is kept");
}

on_every_database!(
    what_ended_long_ago_is_purged_and_nothing_else,
    a_notification_begins_as_scheduled,
    it_is_written_as_json_with_the_predecessors_names,
    a_batch_is_stored_whole_or_not_at_all,
    an_empty_batch_stores_nothing,
    nothing_new_is_made_for_a_user_who_opted_out,
    nothing_new_is_made_for_an_inactive_or_unknown_record,
    an_idempotency_key_makes_one_notification,
    of_two_requests_with_a_key_of_their_own_one_is_stored,
    a_list_has_the_newest_first_and_its_filters,
    a_notification_goes_with_its_history,
);
