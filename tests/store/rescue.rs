//! Rescue: the claims of engines that will not settle them any more.

use engine::rules::notification::{NewNotification, OnUnknown};
use engine::rules::outcome::OutcomeKind;
use engine::rules::retry::OnUnknownPolicies;
use engine::rules::status::Status;
use engine::store::{ClaimRequest, Lost, Settling};
use uuid::Uuid;

use super::{Database, ENGINE, TENANT, at, delivered, news, noon, on_every_database, request, settled};

/// The engine that is alive; `ENGINE` is the one that died.
const ALIVE: Uuid = Uuid::from_u128(0xe2);

fn resend() -> OnUnknownPolicies {
    OnUnknownPolicies::everywhere(OnUnknown::Resend)
}

async fn a_dead_engines_claim_is_an_unknown_attempt_and_due_again(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    // It had been heard of a moment ago; whoever holds the lock knows better.
    database.store.heartbeat(ENGINE, at("12:00:20")).await.unwrap();
    let lost = database.claim_one().await;

    let rescued = database.store.rescue(ALIVE, Lost::OfOthers, &resend(), at("12:00:20")).await.unwrap();

    assert_eq!(rescued, 1);
    let found = database.find(id).await;
    let stands = &found.listed.notification;
    assert_eq!((stands.status, stands.retry_attempts), (Status::Retry, 0));
    assert_eq!((stands.scheduled_delivery, stands.attempted_delivery), (at("12:00:20"), Some(at("12:00:20"))));
    let attempt = &found.attempts[0];
    assert_eq!((attempt.outcome, attempt.code.as_str()), (OutcomeKind::Unknown, "engine_died"));
    assert_eq!((attempt.number, attempt.engine), (1, ENGINE));
    assert_eq!((attempt.started_at, attempt.finished_at), (noon(), at("12:00:20")));
    assert_eq!(database.number("SELECT lease_deaths FROM notifications").await, 1);

    // The dead engine was only slow. It cannot overwrite what has been decided, before the next claim or after it.
    assert_eq!(database.store.settle(&[settled(&lost, &delivered())], noon()).await.unwrap(), [Settling::Stale]);
    let again = database.store.claim_due(&request(at("12:00:20"))).await.unwrap();
    assert_eq!(
        (again.claimed[0].attempt, again.claimed[0].previous.as_ref().unwrap().unknown_since.is_some()),
        (2, true)
    );
    assert_eq!(database.store.settle(&[settled(&lost, &delivered())], noon()).await.unwrap(), [Settling::Stale]);
}

async fn what_is_to_be_held_is_held(database: Database) {
    let bob = database.user("bob").await;
    let own = NewNotification { on_unknown: Some(OnUnknown::Hold), ..news(&bob.record) };
    let resent = NewNotification { on_unknown: Some(OnUnknown::Resend), ..news(&bob.record) };
    let (own, resent) = (database.create(own).await, database.create(resent).await);
    let of_target = database.create(news(&bob.record)).await;
    database.claim().await;
    let mut policies = resend();
    policies.of_targets.insert(bob.target.id, OnUnknown::Hold);
    assert_eq!(database.store.rescue(ALIVE, Lost::OfOthers, &policies, noon()).await.unwrap(), 3);
    for (id, status) in [(own, Status::Unknown), (of_target, Status::Unknown), (resent, Status::Retry)] {
        assert_eq!(database.stands(id).await.status, status);
    }
}

async fn ones_own_claims_are_not_lost(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    assert_eq!(database.store.rescue(ENGINE, Lost::OfOthers, &resend(), at("12:30:00")).await.unwrap(), 0);
    assert_eq!(database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap(), [Settling::Applied]);
}

async fn a_lease_that_has_run_out_is_lost_even_to_oneself(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.claim_one().await;
    assert_eq!(database.store.rescue(ENGINE, Lost::OfOthers, &resend(), at("12:59:59.999")).await.unwrap(), 0);
    assert_eq!(database.store.rescue(ENGINE, Lost::OfOthers, &resend(), at("13:00:00")).await.unwrap(), 1);
}

async fn an_engine_that_is_heard_of_keeps_its_claims(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.store.heartbeat(ENGINE, noon()).await.unwrap();
    database.claim_one().await;
    let silent_since = |time| Lost::OfSilentSince(at(time));
    assert_eq!(database.store.rescue(ALIVE, silent_since("12:00:00"), &resend(), noon()).await.unwrap(), 0);
    database.store.heartbeat(ENGINE, at("12:00:05")).await.unwrap();
    assert_eq!(database.store.rescue(ALIVE, silent_since("12:00:05"), &resend(), noon()).await.unwrap(), 0);
    assert_eq!(database.store.rescue(ALIVE, silent_since("12:00:06"), &resend(), noon()).await.unwrap(), 1);
}

async fn a_stopped_engine_leaves_nothing_behind(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.store.heartbeat(ENGINE, noon()).await.unwrap();
    database.claim_one().await;
    database.store.engine_stopped(ENGINE).await.unwrap();
    let lost = Lost::OfSilentSince(at("11:00:00"));
    assert_eq!(database.store.rescue(ALIVE, lost, &resend(), noon()).await.unwrap(), 1);
}

async fn a_long_queue_is_rescued_whole(database: Database) {
    let bob = database.user("bob").await;
    let batch: Vec<_> = (0..1100).map(|_| news(&bob.record)).collect();
    database.store.create(TENANT, &batch, noon()).await.unwrap();
    let all = ClaimRequest { limit: 2000, ..request(noon()) };
    assert_eq!(database.store.claim_due(&all).await.unwrap().claimed.len(), 1100);
    assert_eq!(database.store.rescue(ALIVE, Lost::OfOthers, &resend(), noon()).await.unwrap(), 1100);
    assert_eq!(database.store.claim_due(&all).await.unwrap().claimed.len(), 1100);
}

on_every_database!(
    a_dead_engines_claim_is_an_unknown_attempt_and_due_again,
    what_is_to_be_held_is_held,
    ones_own_claims_are_not_lost,
    a_lease_that_has_run_out_is_lost_even_to_oneself,
    an_engine_that_is_heard_of_keeps_its_claims,
    a_stopped_engine_leaves_nothing_behind,
    a_long_queue_is_rescued_whole,
);
