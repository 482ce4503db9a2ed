//! An opt-out wins every race against a claim: what has not left is not sent, and nothing goes back to waiting.

use engine::rules::outcome::Scope;
use engine::rules::status::Status;
use engine::store::{Claimed, Lost, Recheck, Settling};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Arranged, Database, TENANT, at, busy, delivered, noon, on_every_database, settled};

/// A claim whose user opts out, and in again, before its send.
async fn overtaken(database: &Database) -> (Arranged, Uuid, Claimed) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    assert_eq!(database.store.recheck(&[claimed.claim], noon()).await.unwrap(), [Recheck::Send]);
    database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    database.store.opt_in(TENANT, bob.user.id, noon()).await.unwrap();
    (bob, id, claimed)
}

async fn what_is_claimed_is_not_sent(database: Database) {
    let (_, id, claimed) = overtaken(&database).await;
    let answer = database.store.recheck(&[claimed.claim], noon()).await.unwrap();
    assert_eq!(answer, [Recheck::Ended(Status::OptedOut)]);
    assert_eq!(database.stands(id).await.status, Status::OptedOut);
    assert_eq!(database.store.recheck(&[claimed.claim], noon()).await.unwrap(), [Recheck::Stale], "the claim is over");
    assert_eq!(database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap(), [Settling::Stale]);
}

async fn what_was_being_sent_is_not_tried_again(database: Database) {
    let (_, id, claimed) = overtaken(&database).await;
    let busy = settled(&claimed, &busy(Scope::Message));
    assert_eq!(database.store.settle(&[busy], noon()).await.unwrap(), [Settling::Ended(Status::OptedOut)]);
    let found = database.find(id).await;
    assert_eq!((found.listed.notification.status, found.attempts.len()), (Status::OptedOut, 1));
    assert!(database.claim().await.claimed.is_empty());
}

async fn what_was_delivered_stays_delivered(database: Database) {
    let (_, id, claimed) = overtaken(&database).await;
    assert_eq!(database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap(), [Settling::Applied]);
    assert_eq!(database.stands(id).await.status, Status::Delivered);
}

/// Engines write outcomes back, and somebody removes what the user is reached at, while the user opts out: nobody has to try again.
async fn a_backlog_that_is_settled_meanwhile(database: Database) {
    let bob = database.user("bob").await;
    for round in 0..8 {
        for _ in 0..150 {
            database.due(&bob, noon()).await;
        }
        let mut claimed = database.claim().await.claimed;
        claimed.reverse();
        let mut settling = JoinSet::new();
        for batch in claimed.chunks(25) {
            let mut batch: Vec<_> = batch.iter().map(|claimed| settled(claimed, &busy(Scope::Message))).collect();
            batch.rotate_left(7);
            let store = database.store.clone();
            settling.spawn(async move { store.settle(&batch, noon()).await });
        }
        database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
        for written in settling.join_all().await {
            assert_eq!(written.unwrap().len(), 25, "{round}");
        }
        database.store.opt_in(TENANT, bob.user.id, noon()).await.unwrap();
        assert!(database.claim().await.claimed.is_empty());
    }
}

async fn what_is_given_back_does_not_wait(database: Database) {
    let (_, id, claimed) = overtaken(&database).await;
    database.store.release(&[claimed.claim], noon()).await.unwrap();
    assert_eq!(database.stands(id).await.status, Status::OptedOut);
}

async fn what_a_dead_engine_held_does_not_wait(database: Database) {
    let (_, id, _) = overtaken(&database).await;
    let other = Uuid::from_u128(99);
    assert_eq!(database.store.rescue(other, Lost::OfOthers, at("12:00:20")).await.unwrap(), 1);
    assert_eq!(database.stands(id).await.status, Status::OptedOut);
}

async fn no_path_leads_back(database: Database) {
    let (_, _, _) = overtaken(&database).await;
    let back = "UPDATE notifications SET claimed_by = NULL, claimed_at = NULL, lease_until = NULL";
    assert!(database.execute(back).await.is_err(), "the database itself refuses it");
}

async fn a_record_that_is_switched_off_and_an_expiry_count_too(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.switch_record_off(TENANT, bob.record.id, "It is broken.", noon()).await.unwrap();
    let answer = database.store.recheck(&[claimed.claim], noon()).await.unwrap();
    assert_eq!(answer, [Recheck::Ended(Status::InactiveDevice)]);
    assert_eq!(database.stands(id).await.status, Status::InactiveDevice);

    let cleo = database.user("cleo").await;
    let new =
        engine::rules::notification::NewNotification { expires_at: Some(at("12:00:01")), ..super::news(&cleo.record) };
    let id = database.create(new).await;
    let claimed = database.claim_one().await;
    assert_eq!(database.store.recheck(&[claimed.claim], noon()).await.unwrap(), [Recheck::Send]);
    let answer = database.store.recheck(&[claimed.claim], at("12:00:01")).await.unwrap();
    assert_eq!(answer, [Recheck::Ended(Status::Expired)]);
    assert_eq!(database.stands(id).await.status, Status::Expired);
}

on_every_database!(
    what_is_claimed_is_not_sent,
    what_was_being_sent_is_not_tried_again,
    what_was_delivered_stays_delivered,
    a_backlog_that_is_settled_meanwhile,
    what_is_given_back_does_not_wait,
    what_a_dead_engine_held_does_not_wait,
    no_path_leads_back,
    a_record_that_is_switched_off_and_an_expiry_count_too,
);
