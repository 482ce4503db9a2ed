//! Settlements: outcomes are written back whole, in their order, and only under a claim that is valid.

use engine::rules::attempt::{Attempt, MAX_LOG, Phase, Usage, request_hash};
use engine::rules::outcome::{Outcome, OutcomeKind, Scope};
use engine::rules::status::Status;
use engine::rules::target::{Pause, PauseKind};
use engine::store::{Settled, Settling, StoreError};
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::{Database, ENGINE, TENANT, at, busy, delivered, gone, news, noon, on_every_database, settled};

async fn an_outcome_is_written_with_its_attempt(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    let mut written = settled(&claimed, &delivered());
    written.attempt.phase = Some(Phase::Read);
    written.attempt.log = "line \"one\"\nline two".to_owned();
    written.attempt.component_digest = Some(format!("sha256:{}", "0".repeat(64)));
    written.attempt.request_hash = Some(request_hash(&claimed.notification, &claimed.record.target_user_id));
    written.attempt.usage = Some(Usage { cpu_ms: u64::MAX, memory: u64::MAX, http: u32::MAX, smtp: u32::MAX });

    let answers = database.store.settle(std::slice::from_ref(&written), at("12:00:02")).await.unwrap();

    assert_eq!(answers, [Settling::Applied]);
    let found = database.find(id).await;
    assert_eq!(found.attempts, [written.attempt]);
    let stands = found.listed.notification;
    assert_eq!((stands.status, stands.attempted_delivery), (Status::Delivered, Some(at("12:00:01"))));
    assert_eq!((stands.scheduled_delivery, stands.modified_date), (noon(), at("12:00:02")));
}

async fn a_retry_is_due_again_and_its_attempts_are_numbered(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let first = database.claim_one().await;
    database.store.settle(&[settled(&first, &busy(Scope::Message))], noon()).await.unwrap();
    let stands = database.stands(id).await;
    assert_eq!((stands.status, stands.retry_attempts), (Status::Retry, 1));
    assert_eq!(stands.scheduled_delivery, at("12:01:31"));
    assert!(database.claim().await.claimed.is_empty());

    let again = database.store.claim_due(&super::request(at("12:01:31"))).await.unwrap();
    database.store.settle(&[settled(&again.claimed[0], &delivered())], noon()).await.unwrap();
    let attempts = database.find(id).await.attempts;
    let seen: Vec<_> =
        attempts.iter().map(|attempt| (attempt.number, attempt.outcome, attempt.code.as_str())).collect();
    assert_eq!(seen, [(1, OutcomeKind::Retry, "421"), (2, OutcomeKind::Delivered, "")]);
}

async fn a_fault_of_the_configuration_leaves_it_scheduled_and_pauses_the_target(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &busy(Scope::Configuration))], noon()).await.unwrap();
    let found = database.find(id).await;
    let stands = &found.listed.notification;
    assert_eq!((stands.status, stands.attempted_delivery, stands.retry_attempts), (Status::Scheduled, None, 0));
    // The history says why it waits, and the next attempt is the second.
    assert_eq!(found.attempts.len(), 1);
    let pause = database.email().await.pause.unwrap();
    assert_eq!((pause.kind, pause.reason.as_str()), (PauseKind::Configuration, "421: Try again later."));
    database.store.resume_target(TENANT, bob.target.id, noon()).await.unwrap();
    assert_eq!(database.claim_one().await.attempt, 2);
}

async fn a_target_that_was_paused_meanwhile_keeps_its_reason(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    let holiday = Pause { kind: PauseKind::Operator, reason: "Holiday.".to_owned(), since: noon() };
    database.store.pause_target(TENANT, bob.target.id, &holiday).await.unwrap();
    database.store.settle(&[settled(&claimed, &busy(Scope::Configuration))], noon()).await.unwrap();
    assert_eq!(database.email().await.pause, Some(holiday));
}

async fn the_later_end_of_a_slow_down_counts(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.slow_down_target(TENANT, bob.target.id, at("13:00:00"), noon()).await.unwrap();
    database.store.settle(&[settled(&claimed, &busy(Scope::Account))], noon()).await.unwrap();
    assert_eq!(database.email().await.slowed_until, Some(at("13:00:00")));
}

async fn a_fault_of_the_account_slows_the_target_down(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &busy(Scope::Account))], noon()).await.unwrap();
    assert_eq!(database.email().await.slowed_until, Some(at("12:01:31")));
    let stands = database.stands(id).await;
    assert_eq!((stands.status, stands.retry_attempts), (Status::Retry, 0));
}

/// Each locks the targets that it slows down, one after another: two that did so in other orders would wait for each other, and the database would end one of them.
async fn batches_that_slow_down_the_same_targets_do_not_hold_each_other_up(database: Database) {
    let mut arranged = Vec::new();
    for number in 0..12 {
        let target = database.target(&format!("target_{number}")).await;
        arranged.push(database.user_of(TENANT, &format!("bob{number}"), target).await);
    }
    for round in 0..10 {
        let mut batches = vec![Vec::new(); 4];
        for (number, batch) in batches.iter_mut().enumerate() {
            for of in &arranged {
                database.due(of, noon()).await;
            }
            let now = at("12:00:00") + SignedDuration::from_hours(round);
            batch.extend(database.store.claim_due(&super::request(now)).await.unwrap().claimed);
            batch.sort_by_key(|claimed| claimed.target.name.clone());
            batch.rotate_left(number * 3);
        }
        let mut writing = JoinSet::new();
        for batch in batches {
            let batch: Vec<_> = batch.iter().map(|claimed| settled(claimed, &busy(Scope::Account))).collect();
            let store = database.store.clone();
            writing.spawn(async move { store.settle(&batch, noon()).await });
        }
        for written in writing.join_all().await {
            assert!(written.unwrap().iter().all(|settling| *settling == Settling::Applied));
        }
        for of in &arranged {
            database.store.resume_target(TENANT, of.target.id, noon()).await.unwrap();
        }
    }
}

async fn a_dead_address_is_switched_off(database: Database) {
    for (username, outcome, status) in [
        ("bob", Outcome::InactiveDevice(gone()), Status::InactiveDevice),
        ("cleo", Outcome::OptedOut(gone()), Status::OptedOut),
    ] {
        let arranged = database.user(username).await;
        let id = database.due(&arranged, noon()).await;
        let claimed = database.claim_one().await;
        database.store.settle(&[settled(&claimed, &outcome)], noon()).await.unwrap();
        assert_eq!(database.stands(id).await.status, status);
        let off = database.store.find_record(TENANT, arranged.record.id).await.unwrap().record;
        assert_eq!((off.active, off.inactive_reason.as_deref()), (false, Some("550: No such mailbox.")));
        // Only that address: the user has not opted out.
        assert!(!database.store.is_opted_out(TENANT, arranged.user.id).await.unwrap());
    }
}

async fn a_late_engine_changes_nothing(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let late = database.claim_one().await;
    let answer = async |outcome: &Outcome| database.store.settle(&[settled(&late, outcome)], noon()).await.unwrap();

    // The claim was given back; then another engine has a newer one; then that has settled.
    database.store.release(&[late.claim], noon()).await.unwrap();
    let before = database.find(id).await;
    assert_eq!(answer(&Outcome::InactiveDevice(gone())).await, [Settling::Stale]);
    assert_eq!(database.find(id).await, before);

    let newer = database.claim_one().await;
    assert_eq!(answer(&busy(Scope::Configuration)).await, [Settling::Stale]);
    assert_eq!(database.store.settle(&[settled(&newer, &delivered())], noon()).await.unwrap(), [Settling::Applied]);

    let after = database.find(id).await;
    assert_eq!(answer(&busy(Scope::Account)).await, [Settling::Stale]);
    assert_eq!(database.find(id).await, after);
    assert_eq!(after.attempts.len(), 1);
    // Nor have the record and the target heard of it.
    assert_eq!(database.email().await, bob.target);
    assert_eq!(database.store.find_record(TENANT, bob.record.id).await.unwrap().record, bob.record);
}

async fn a_claim_is_good_for_one_settlement(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    let twice = [settled(&claimed, &delivered()), settled(&claimed, &delivered())];
    assert_eq!(database.store.settle(&twice, noon()).await.unwrap(), [Settling::Applied, Settling::Stale]);
    assert_eq!(database.store.settle(&twice, noon()).await.unwrap(), [Settling::Stale, Settling::Stale]);
    assert_eq!(database.find(id).await.attempts.len(), 1);
}

async fn an_older_claim_in_the_same_batch_is_stale(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let older = database.claim_one().await;
    database.store.release(&[older.claim], noon()).await.unwrap();
    let newer = database.claim_one().await;
    let batch = [settled(&older, &Outcome::InactiveDevice(gone())), settled(&newer, &delivered())];
    assert_eq!(database.store.settle(&batch, noon()).await.unwrap(), [Settling::Stale, Settling::Applied]);
    assert_eq!(database.find(id).await.attempts, [batch[1].attempt.clone()]);
    assert_eq!(database.store.find_record(TENANT, bob.record.id).await.unwrap().record, bob.record);
}

async fn answers_come_in_the_order_of_the_batch(database: Database) {
    let bob = database.user("bob").await;
    for _ in 0..50 {
        database.create(news(&bob.record)).await;
    }
    let claims = database.claim().await;
    let released: Vec<_> = claims.claimed.iter().step_by(3).map(|claimed| claimed.claim).collect();
    database.store.release(&released, noon()).await.unwrap();
    let batch: Vec<_> = claims.claimed.iter().map(|claimed| settled(claimed, &delivered())).collect();
    let answers = database.store.settle(&batch, noon()).await.unwrap();
    let expected: Vec<_> =
        (0..50).map(|place| if place % 3 == 0 { Settling::Stale } else { Settling::Applied }).collect();
    assert_eq!(answers, expected);
    assert_eq!(database.number("SELECT count(*) FROM attempts").await, 33);
}

async fn a_batch_that_cannot_be_written_changes_nothing(database: Database) {
    let (bob, cleo) = (database.user("bob").await, database.user("cleo").await);
    let (first, second) = (database.due(&bob, noon()).await, database.due(&cleo, noon()).await);
    let claims = database.claim().await;
    let dead = Outcome::InactiveDevice(gone());
    let mut batch: Vec<Settled> = claims.claimed.iter().map(|claimed| settled(claimed, &dead)).collect();
    // What no rule would say, and the database refuses.
    batch[1].settlement.status = Status::Retry;
    batch[1].settlement.attempted_delivery = None;
    let refusal = database.store.settle(&batch, noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable { passing: false, .. }), "{refusal:?}");
    for id in [first, second] {
        let found = database.find(id).await;
        assert_eq!((found.listed.notification.status, found.attempts.len()), (Status::Scheduled, 0));
    }
    assert_eq!(database.store.find_record(TENANT, bob.record.id).await.unwrap().record, bob.record);
    // The claims are as valid as before.
    batch[1] = settled(&claims.claimed[1], &dead);
    assert_eq!(database.store.settle(&batch, noon()).await.unwrap(), [Settling::Applied, Settling::Applied]);
}

async fn a_batch_that_fails_half_way_changes_nothing(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let first = database.claim_one().await;
    database.store.settle(&[settled(&first, &busy(Scope::Message))], noon()).await.unwrap();
    let claims = database.store.claim_due(&super::request(at("13:00:00"))).await.unwrap();
    let before = database.find(id).await;
    // Its number is taken, which shows only when everything else has been written.
    let mut second = settled(&claims.claimed[0], &delivered());
    second.attempt.number = 1;
    database.store.settle(&[second], noon()).await.unwrap_err();
    assert_eq!(database.find(id).await, before);
}

async fn a_text_that_is_too_long_is_cut_and_fails_nothing(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    let mut written = settled(&claimed, &delivered());
    written.attempt = Attempt { log: "l".repeat(MAX_LOG + 1), message: "a\0b".to_owned(), ..written.attempt };
    database.store.settle(&[written], noon()).await.unwrap();
    let attempt = &database.find(id).await.attempts[0];
    assert_eq!((attempt.log.len(), attempt.message.as_str(), attempt.engine), (MAX_LOG, "ab", ENGINE));
}

async fn an_empty_batch_is_no_work(database: Database) {
    assert_eq!(database.store.settle(&[], noon()).await.unwrap(), []);
    assert_eq!(database.store.release(&[], noon()).await.unwrap(), 0);
}

on_every_database!(
    an_outcome_is_written_with_its_attempt,
    a_retry_is_due_again_and_its_attempts_are_numbered,
    a_fault_of_the_configuration_leaves_it_scheduled_and_pauses_the_target,
    a_target_that_was_paused_meanwhile_keeps_its_reason,
    the_later_end_of_a_slow_down_counts,
    a_fault_of_the_account_slows_the_target_down,
    batches_that_slow_down_the_same_targets_do_not_hold_each_other_up,
    a_dead_address_is_switched_off,
    a_late_engine_changes_nothing,
    a_claim_is_good_for_one_settlement,
    an_older_claim_in_the_same_batch_is_stale,
    answers_come_in_the_order_of_the_batch,
    a_batch_that_cannot_be_written_changes_nothing,
    a_batch_that_fails_half_way_changes_nothing,
    a_text_that_is_too_long_is_cut_and_fails_nothing,
    an_empty_batch_is_no_work,
);
