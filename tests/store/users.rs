//! Users and their opt-outs.

use engine::rules::status::Status;
use engine::rules::user::User;
use engine::store::{StoreError, Thing};

use super::{Database, TENANT, at, news, noon, on_every_database, user};

async fn a_user_is_found_as_it_was_added(database: Database) {
    let bob = user("bob");
    database.store.add_user(TENANT, &bob, noon()).await.unwrap();
    assert_eq!(database.store.find_user(TENANT, "bob").await.unwrap(), bob);
}

async fn users_are_listed_by_username(database: Database) {
    for username in ["cleo", "abe", "bob"] {
        database.store.add_user(TENANT, &user(username), noon()).await.unwrap();
    }
    let listed = database.store.list_users(TENANT).await.unwrap();
    assert_eq!(listed.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["abe", "bob", "cleo"]);
}

async fn a_username_is_taken_once(database: Database) {
    database.store.add_user(TENANT, &user("bob"), noon()).await.unwrap();
    let refusal = database.store.add_user(TENANT, &user("bob"), noon()).await.unwrap_err();
    assert!(matches!(&refusal, StoreError::AlreadyExists { what: Thing::User, name } if name == "bob"), "{refusal:?}");
    assert_eq!(refusal.to_string(), "There already is a user `bob`: use it as it is, or choose another name.");
}

async fn an_unknown_user_is_explained(database: Database) {
    let refusal = database.store.find_user(TENANT, "nobody").await.unwrap_err();
    assert!(matches!(refusal, StoreError::NotFound { what: Thing::User, .. }), "{refusal:?}");
    assert_eq!(refusal.to_string(), "There is no user `nobody`: `engine user list` shows those there are.");
}

async fn a_user_that_breaks_a_rule_is_refused(database: Database) {
    let nameless = User { username: " ".to_owned(), ..user("bob") };
    let refusal = database.store.add_user(TENANT, &nameless, noon()).await.unwrap_err();
    assert!(matches!(&refusal, StoreError::Invalid(invalid) if invalid.field == "username"), "{refusal:?}");
    assert!(database.store.list_users(TENANT).await.unwrap().is_empty());
}

async fn a_user_goes_with_everything(database: Database) {
    let bob = database.user("bob").await;
    let cleo = database.user("cleo").await;
    database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[super::settled(&claimed, &super::delivered())], noon()).await.unwrap();
    database.due(&bob, noon()).await;
    let others = database.due(&cleo, noon()).await;
    database.store.opt_in(TENANT, bob.user.id, noon()).await.unwrap();

    database.store.remove_user(TENANT, bob.user.id).await.unwrap();

    assert!(matches!(database.store.find_user(TENANT, "bob").await, Err(StoreError::NotFound { .. })));
    for table in ["users", "target_user_records", "notifications", "notification_texts"] {
        assert_eq!(database.number(format!("SELECT count(*) FROM {table}")).await, 1, "{table}");
    }
    for table in ["attempts", "opt_outs"] {
        assert_eq!(database.number(format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    database.find(others).await;
}

async fn a_user_stays_while_something_is_being_delivered(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    let refusal = database.store.remove_user(TENANT, bob.user.id).await.unwrap_err();
    assert!(matches!(refusal, StoreError::InUse { what: Thing::User, .. }), "{refusal:?}");
    assert!(refusal.is_worth_another_try());
    database.find(id).await;
    database.store.release(&[claimed.claim], noon()).await.unwrap();
    database.store.remove_user(TENANT, bob.user.id).await.unwrap();
}

async fn an_unknown_user_cannot_be_removed(database: Database) {
    let refusal = database.store.remove_user(TENANT, user("bob").id).await.unwrap_err();
    assert!(matches!(refusal, StoreError::NotFound { what: Thing::User, .. }), "{refusal:?}");
}

async fn opting_out_ends_what_waits(database: Database) {
    let (bob, cleo) = (database.user("bob").await, database.user("cleo").await);
    let tried = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    let busy = super::busy(engine::rules::outcome::Scope::Message);
    database.store.settle(&[super::settled(&claimed, &busy)], noon()).await.unwrap();
    let fresh = database.due(&bob, at("18:00:00")).await;
    let others = database.due(&cleo, noon()).await;

    assert!(!database.store.is_opted_out(TENANT, bob.user.id).await.unwrap());
    assert_eq!(database.store.opt_out(TENANT, bob.user.id, at("12:30:00")).await.unwrap(), 2);
    assert!(database.store.is_opted_out(TENANT, bob.user.id).await.unwrap());

    let (tried, fresh) = (database.stands(tried).await, database.stands(fresh).await);
    assert_eq!((tried.status, fresh.status), (Status::OptedOut, Status::OptedOut));
    // The first was attempted and stays so.
    assert!(tried.attempted_delivery.is_some() && fresh.attempted_delivery.is_none());
    assert_eq!(fresh.modified_date, at("12:30:00"));
    assert_eq!(database.stands(others).await.status, Status::Scheduled);
}

async fn opting_in_revives_nothing(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    database.store.opt_in(TENANT, bob.user.id, noon()).await.unwrap();
    assert!(!database.store.is_opted_out(TENANT, bob.user.id).await.unwrap());
    assert_eq!(database.stands(id).await.status, Status::OptedOut);
    // But what is new comes through again.
    database.create(news(&bob.record)).await;
    database.claim_one().await;
}

async fn opting_out_leaves_what_is_claimed_to_its_engine(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    assert_eq!(database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap(), 0);
    database.store.settle(&[super::settled(&claimed, &super::delivered())], noon()).await.unwrap();
    assert_eq!(database.stands(id).await.status, Status::Delivered);
}

async fn an_unknown_user_cannot_opt_out(database: Database) {
    let refusal = database.store.opt_out(TENANT, user("bob").id, noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::NotFound { what: Thing::User, .. }), "{refusal:?}");
}

on_every_database!(
    a_user_is_found_as_it_was_added,
    users_are_listed_by_username,
    a_username_is_taken_once,
    an_unknown_user_is_explained,
    a_user_that_breaks_a_rule_is_refused,
    a_user_goes_with_everything,
    a_user_stays_while_something_is_being_delivered,
    an_unknown_user_cannot_be_removed,
    opting_out_ends_what_waits,
    opting_in_revives_nothing,
    opting_out_leaves_what_is_claimed_to_its_engine,
    an_unknown_user_cannot_opt_out,
);
