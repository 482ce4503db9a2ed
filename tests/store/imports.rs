//! What was kept elsewhere.

use engine::rules::notification::{NewNotification, Notification};
use engine::rules::status::Status;
use engine::rules::target::TargetUserRecord;
use engine::store::{Creation, NotificationFilter, StoreError};
use uuid::Uuid;

use super::{Arranged, Database, TENANT, at, news, noon, on_every_database, record};

/// A notification as it stands elsewhere.
fn elsewhere(record: &TargetUserRecord, status: Status) -> Notification {
    let new = news(record);
    Notification {
        id: new.id,
        tenant: TENANT,
        target_user_record: new.target_user_record,
        title: new.title,
        body: new.body,
        extra: new.extra,
        status,
        scheduled_delivery: noon(),
        attempted_delivery: (status != Status::Scheduled).then(|| at("11:00:00")),
        retry_time_interval: 60,
        retry_attempts: 1,
        max_retries: 3,
        expires_at: None,
        idempotency_key: None,
        on_unknown: None,
        created_date: at("08:00:00"),
        modified_date: at("09:00:00"),
    }
}

/// The ids of what was not written.
const NONE: [Uuid; 0] = [];

async fn import(database: &Database, batch: &[Notification]) -> Vec<Uuid> {
    database.store.import_notifications(TENANT, batch).await.unwrap()
}

async fn a_notification_is_kept_as_it_stands(database: Database) {
    let Arranged { record, .. } = database.user("bob").await;
    for status in Status::ALL {
        let there = elsewhere(&record, status);
        assert_eq!(import(&database, std::slice::from_ref(&there)).await, [there.id]);
        assert_eq!(database.stands(there.id).await, there);
        let known = database.store.known_notifications(TENANT, &[there.id, Uuid::now_v7()]).await.unwrap();
        assert_eq!((known.len(), known[0].id, known[0].status), (1, there.id, status));
        assert_eq!((known[0].scheduled_delivery, known[0].attempted_delivery), (noon(), there.attempted_delivery));
    }
    // Those that wait are delivered like others.
    assert_eq!(database.claim().await.claimed.len(), 2);
}

async fn what_waits_follows_until_it_is_claimed(database: Database) {
    let Arranged { record, .. } = database.user("bob").await;
    let there = elsewhere(&record, Status::Scheduled);
    import(&database, std::slice::from_ref(&there)).await;
    let later = Notification { scheduled_delivery: at("11:30:00"), title: "Else".to_owned(), ..there.clone() };
    assert_eq!(import(&database, std::slice::from_ref(&later)).await, [there.id]);
    let stands = database.stands(there.id).await;
    assert_eq!((stands.scheduled_delivery, stands.title), (later.scheduled_delivery, later.title));

    let delivered = Notification { status: Status::Delivered, attempted_delivery: Some(noon()), ..there.clone() };
    let claim = database.claim_one().await.claim;
    assert_eq!(import(&database, std::slice::from_ref(&delivered)).await, NONE);
    database.store.release(&[claim], noon()).await.unwrap();
    assert_eq!(import(&database, std::slice::from_ref(&there)).await, NONE, "an engine has had it");
    assert_eq!(import(&database, std::slice::from_ref(&delivered)).await, [there.id], "but it has ended");
    assert_eq!(import(&database, std::slice::from_ref(&there)).await, NONE, "and what has ended stays");
    assert_eq!(database.stands(there.id).await.status, Status::Delivered);
}

async fn who_has_opted_out_keeps_a_history_and_gets_nothing(database: Database) {
    let bob = database.user("bob").await;
    let cleo = database.user("cleo").await;
    database.store.opt_out(TENANT, bob.user.id, at("10:00:00")).await.unwrap();
    database.store.opt_in(TENANT, cleo.user.id, at("10:00:00")).await.unwrap();
    let waiting = elsewhere(&bob.record, Status::Retry);
    let ended = elsewhere(&bob.record, Status::Delivered);
    let others = elsewhere(&cleo.record, Status::Scheduled);
    import(&database, &[waiting.clone(), ended.clone(), others.clone()]).await;
    assert_eq!(database.stands(waiting.id).await.status, Status::OptedOut);
    assert_eq!(database.stands(ended.id).await.status, Status::Delivered);
    assert_eq!(database.stands(others.id).await.status, Status::Scheduled);
    let opt_outs = database.store.list_opt_outs(TENANT).await.unwrap();
    assert_eq!(
        opt_outs.iter().map(|o| (o.active, o.modified_date)).collect::<Vec<_>>(),
        [(true, at("10:00:00")), (false, at("10:00:00"))]
    );
    let refusal = database.store.create(TENANT, &[news(&bob.record)], noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::OptedOut { .. }), "{refusal:?}");
}

async fn equal_ones_are_several_and_a_request_is_one_of_them(database: Database) {
    let Arranged { record, .. } = database.user("bob").await;
    let keyed =
        |id| Notification { id, idempotency_key: Some("k".to_owned()), ..elsewhere(&record, Status::Delivered) };
    let (first, second, third) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(import(&database, &[keyed(first), keyed(second)]).await.len(), 2);
    assert_eq!(import(&database, &[keyed(third)]).await, [third]);
    for (id, has_it) in [(first, true), (second, false), (third, false)] {
        assert_eq!(database.stands(id).await.idempotency_key.is_some(), has_it);
    }
    let again = NewNotification { idempotency_key: Some("k".to_owned()), ..news(&record) };
    let answer = database.store.create(TENANT, &[again], noon()).await.unwrap();
    assert_eq!(answer, [Creation::Duplicate(first)]);
}

async fn a_batch_is_stored_as_a_whole_or_not(database: Database) {
    let bob = database.user("bob").await;
    database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    let good = elsewhere(&bob.record, Status::Delivered);
    let bad = Notification { attempted_delivery: None, ..elsewhere(&bob.record, Status::Delivered) };
    assert!(database.store.import_notifications(TENANT, &[good, bad]).await.is_err());
    assert_eq!(database.store.list_notifications(TENANT, &NotificationFilter::default()).await.unwrap(), []);
    assert!(database.store.is_opted_out(TENANT, bob.user.id).await.unwrap(), "nor is the opt-out lifted");

    let new = record(&bob.user, &bob.target, "b@example.org");
    let taken = record(&bob.user, &bob.target, &bob.record.target_user_id);
    let refusal = database.store.add_records(TENANT, &[new.clone(), taken], noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::AlreadyExists { .. }), "{refusal:?}");
    assert_eq!(database.store.list_records(TENANT, &Default::default()).await.unwrap().len(), 1);
    database.store.add_records(TENANT, std::slice::from_ref(&new), noon()).await.unwrap();
    assert_eq!(database.store.find_record(TENANT, new.id).await.unwrap().record, new);
}

on_every_database!(
    a_notification_is_kept_as_it_stands,
    what_waits_follows_until_it_is_claimed,
    who_has_opted_out_keeps_a_history_and_gets_nothing,
    equal_ones_are_several_and_a_request_is_one_of_them,
    a_batch_is_stored_as_a_whole_or_not,
);
