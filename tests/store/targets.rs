//! Targets: named, paused, slowed down, and never taken from under their records.

use engine::rules::target::{Pause, PauseKind, Target};
use engine::store::{StoreError, Thing};

use super::{Database, TENANT, at, noon, on_every_database, target};

fn pause(kind: PauseKind, reason: &str) -> Pause {
    Pause { kind, reason: reason.to_owned(), since: noon() }
}

async fn the_bundled_targets_are_there_from_the_beginning(database: Database) {
    let listed = database.store.list_targets(TENANT).await.unwrap();
    let names: Vec<_> =
        listed.iter().map(|target| (target.name.as_str(), target.notification_module_name.as_str())).collect();
    assert_eq!(names, [("Email", "email"), ("Expo", "expo"), ("Twilio", "twilio")]);
}

async fn a_target_is_found_as_it_was_added(database: Database) {
    let pigeon = Target {
        name: "Carrier Pigeon".to_owned(),
        notification_module_name: "carrier_pigeon".to_owned(),
        pause: Some(pause(PauseKind::Component, "The component is missing.")),
        slowed_until: Some(at("13:00:00")),
        ..target("x")
    };
    database.store.add_target(TENANT, &pigeon, noon()).await.unwrap();
    assert_eq!(database.store.find_target(TENANT, "Carrier Pigeon").await.unwrap(), pigeon);
    assert_eq!(database.store.find_target(TENANT, "carrier_pigeon").await.unwrap(), pigeon);
}

async fn a_display_name_is_taken_once(database: Database) {
    let refusal = database.store.add_target(TENANT, &target("Email"), noon()).await.unwrap_err();
    assert!(
        matches!(&refusal, StoreError::AlreadyExists { what: Thing::Target, name } if name == "Email"),
        "{refusal:?}"
    );
}

async fn a_module_name_that_several_share_names_none(database: Database) {
    let second = Target { notification_module_name: "email".to_owned(), ..target("Mail") };
    database.store.add_target(TENANT, &second, noon()).await.unwrap();
    let refusal = database.store.find_target(TENANT, "email").await.unwrap_err();
    assert_eq!(refusal.to_string(), "Several targets use the module `email`: name one of `Email`, `Mail`.");
    assert_eq!(database.store.find_target(TENANT, "Mail").await.unwrap(), second);
}

async fn a_display_name_comes_before_a_module_name(database: Database) {
    // Its name is the module name of another.
    let confusing = Target { name: "email".to_owned(), notification_module_name: "other".to_owned(), ..target("x") };
    database.store.add_target(TENANT, &confusing, noon()).await.unwrap();
    assert_eq!(database.store.find_target(TENANT, "email").await.unwrap(), confusing);
}

async fn an_unknown_target_is_explained(database: Database) {
    let refusal = database.store.find_target(TENANT, "fax").await.unwrap_err();
    assert_eq!(refusal.to_string(), "There is no target `fax`: `engine target list` shows those there are.");
}

async fn a_target_in_use_stays(database: Database) {
    let bob = database.user("bob").await;
    let refusal = database.store.remove_target(TENANT, bob.target.id).await.unwrap_err();
    let sentence = "The target `Email` is in use: `engine record list` shows its records, and `engine record remove` takes one away with its notifications.";
    assert_eq!(refusal.to_string(), sentence);
    assert_eq!(database.store.find_target(TENANT, "Email").await.unwrap(), bob.target);
    database.store.remove_record(TENANT, bob.record.id).await.unwrap();
    database.store.remove_target(TENANT, bob.target.id).await.unwrap();
    let left = database.store.list_targets(TENANT).await.unwrap();
    assert!(left.iter().all(|target| target.id != bob.target.id), "{left:?}");
}

async fn a_pause_keeps_its_first_reason_until_it_is_resumed(database: Database) {
    let email = database.email().await;
    let first = pause(PauseKind::Operator, "Holiday.");
    database.store.pause_target(TENANT, email.id, &first).await.unwrap();
    database.store.pause_target(TENANT, email.id, &pause(PauseKind::Component, "Broken.")).await.unwrap();
    assert_eq!(database.email().await.pause, Some(first));
    database.store.resume_target(TENANT, email.id, noon()).await.unwrap();
    assert_eq!(database.email().await, email);
}

async fn the_later_end_of_a_slow_down_counts(database: Database) {
    let email = database.email().await;
    for until in ["13:00:00", "12:30:00"] {
        database.store.slow_down_target(TENANT, email.id, at(until), noon()).await.unwrap();
    }
    assert_eq!(database.email().await.slowed_until, Some(at("13:00:00")));
    database.store.resume_target(TENANT, email.id, noon()).await.unwrap();
    assert_eq!(database.email().await.slowed_until, None);
}

async fn a_reason_that_is_too_long_is_cut(database: Database) {
    let email = database.email().await;
    database.store.pause_target(TENANT, email.id, &pause(PauseKind::Operator, &"ä".repeat(2000))).await.unwrap();
    assert_eq!(database.email().await.pause.unwrap().reason, "ä".repeat(500));
}

async fn what_does_not_exist_cannot_be_changed(database: Database) {
    let id = target("Fax").id;
    let store = &database.store;
    let refusals = [
        store.remove_target(TENANT, id).await,
        store.pause_target(TENANT, id, &pause(PauseKind::Operator, "")).await,
        store.resume_target(TENANT, id, noon()).await,
        store.slow_down_target(TENANT, id, noon(), noon()).await,
    ];
    for refusal in refusals {
        assert!(matches!(refusal, Err(StoreError::NotFound { what: Thing::Target, .. })), "{refusal:?}");
    }
}

on_every_database!(
    the_bundled_targets_are_there_from_the_beginning,
    a_target_is_found_as_it_was_added,
    a_display_name_is_taken_once,
    a_module_name_that_several_share_names_none,
    a_display_name_comes_before_a_module_name,
    an_unknown_target_is_explained,
    a_target_in_use_stays,
    a_pause_keeps_its_first_reason_until_it_is_resumed,
    the_later_end_of_a_slow_down_counts,
    a_reason_that_is_too_long_is_cut,
    what_does_not_exist_cannot_be_changed,
);
