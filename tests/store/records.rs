//! Target user records: where a user is reached.

use engine::rules::target::TargetUserRecord;
use engine::store::{RecordFilter, StoreError, Thing};

use super::{Database, TENANT, news, noon, on_every_database, record, target, user};

async fn a_record_is_found_as_it_was_added(database: Database) {
    let bob = database.user("bob").await;
    let found = database.store.find_record(TENANT, bob.record.id).await.unwrap();
    assert_eq!(found.record, bob.record);
    assert_eq!((found.username.as_str(), found.target_name.as_str()), ("bob", "Email"));
}

async fn an_address_is_taken_once_for_a_user_in_a_target(database: Database) {
    let bob = database.user("bob").await;
    let again = record(&bob.user, &bob.target, "bob@example.org");
    let refusal = database.store.add_record(TENANT, &again, noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::AlreadyExists { what: Thing::Record, .. }), "{refusal:?}");
    // Another address, another target and another user are no repetition.
    let pigeon = database.target("Pigeon").await;
    let cleo = database.user("cleo").await;
    for record in [
        record(&bob.user, &bob.target, "work@example.org"),
        record(&bob.user, &pigeon, "bob@example.org"),
        record(&cleo.user, &bob.target, "bob@example.org"),
    ] {
        database.store.add_record(TENANT, &record, noon()).await.unwrap();
    }
}

async fn a_record_needs_its_user_and_its_target(database: Database) {
    let bob = database.user("bob").await;
    let refusal =
        database.store.add_record(TENANT, &record(&user("nobody"), &bob.target, "a"), noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::NotFound { what: Thing::User, .. }), "{refusal:?}");
    let refusal = database.store.add_record(TENANT, &record(&bob.user, &target("Fax"), "a"), noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::NotFound { what: Thing::Target, .. }), "{refusal:?}");
}

async fn records_are_listed_by_user_and_by_target(database: Database) {
    let (cleo, bob) = (database.user("cleo").await, database.user("bob").await);
    let pigeon = database.target("Pigeon").await;
    let coop = record(&bob.user, &pigeon, "coop 7");
    database.store.add_record(TENANT, &coop, noon()).await.unwrap();
    let listed = async |user, target| {
        let listed = database.store.list_records(TENANT, &RecordFilter { user, target }).await.unwrap();
        listed.into_iter().map(|listed| listed.record).collect::<Vec<_>>()
    };
    assert_eq!(listed(None, None).await, [bob.record.clone(), coop.clone(), cleo.record.clone()]);
    assert_eq!(listed(Some(bob.user.id), None).await, [bob.record.clone(), coop.clone()]);
    assert_eq!(listed(None, Some(pigeon.id)).await, std::slice::from_ref(&coop));
    assert_eq!(listed(Some(cleo.user.id), Some(pigeon.id)).await, []);
}

async fn only_active_records_can_be_sent_to(database: Database) {
    let bob = database.user("bob").await;
    let off = TargetUserRecord { active: false, ..record(&bob.user, &bob.target, "old@example.org") };
    let second = record(&bob.user, &bob.target, "work@example.org");
    for record in [&off, &second] {
        database.store.add_record(TENANT, record, noon()).await.unwrap();
    }
    let active = database.store.active_records(TENANT, bob.user.id, bob.target.id).await.unwrap();
    assert_eq!(active, [bob.record, second]);
    let pigeon = database.target("Pigeon").await;
    assert_eq!(database.store.active_records(TENANT, bob.user.id, pigeon.id).await.unwrap(), []);
}

async fn a_record_is_switched_off_for_its_first_reason_and_on_again(database: Database) {
    let bob = database.user("bob").await;
    for reason in ["It bounced.", "It bounced again."] {
        database.store.switch_record_off(TENANT, bob.record.id, reason, noon()).await.unwrap();
    }
    let off = database.store.find_record(TENANT, bob.record.id).await.unwrap().record;
    assert_eq!((off.active, off.inactive_reason.as_deref()), (false, Some("It bounced.")));
    database.store.switch_record_on(TENANT, bob.record.id, noon()).await.unwrap();
    assert_eq!(database.store.find_record(TENANT, bob.record.id).await.unwrap().record, bob.record);
}

async fn a_record_goes_with_its_notifications(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    database.store.remove_record(TENANT, bob.record.id).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM notifications").await, 0);
    assert_eq!(database.number("SELECT count(*) FROM notification_texts").await, 0);
    assert_eq!(database.store.find_user(TENANT, "bob").await.unwrap(), bob.user);
}

async fn a_record_stays_while_something_is_being_delivered(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    database.claim_one().await;
    let refusal = database.store.remove_record(TENANT, bob.record.id).await.unwrap_err();
    assert!(matches!(refusal, StoreError::InUse { what: Thing::Record, .. }), "{refusal:?}");
}

async fn what_does_not_exist_cannot_be_changed(database: Database) {
    let bob = database.user("bob").await;
    let id = record(&bob.user, &bob.target, "x").id;
    let store = &database.store;
    let refusals = [
        store.find_record(TENANT, id).await.map(drop),
        store.remove_record(TENANT, id).await,
        store.switch_record_off(TENANT, id, "", noon()).await,
        store.switch_record_on(TENANT, id, noon()).await,
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Err(StoreError::NotFound { what: Thing::Record, .. })), "{refusal:?}");
    }
}

on_every_database!(
    a_record_is_found_as_it_was_added,
    an_address_is_taken_once_for_a_user_in_a_target,
    a_record_needs_its_user_and_its_target,
    records_are_listed_by_user_and_by_target,
    only_active_records_can_be_sent_to,
    a_record_is_switched_off_for_its_first_reason_and_on_again,
    a_record_goes_with_its_notifications,
    a_record_stays_while_something_is_being_delivered,
    what_does_not_exist_cannot_be_changed,
);
