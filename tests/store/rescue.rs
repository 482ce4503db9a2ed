//! Rescue: the claims of engines that will not settle them any more.

use engine::rules::notification::OnUnknown;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::store::{Claim, ClaimRequest, Lost, Settling};
use jiff::SignedDuration;
use uuid::Uuid;

use super::{Database, ENGINE, TENANT, at, delivered, news, noon, on_every_database, request, settled};

/// The engine that is alive; `ENGINE` is the one that died.
const ALIVE: Uuid = Uuid::from_u128(0xe2);

async fn a_dead_engines_claim_is_an_unknown_attempt_and_due_again(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    // It had been heard of a moment ago; whoever holds the lock knows better.
    database.store.heartbeat(ENGINE, at("12:00:20")).await.unwrap();
    let lost = database.claim_one().await;

    let rescued = database.store.rescue(ALIVE, Lost::OfOthers, at("12:00:20")).await.unwrap();

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

async fn what_is_marked_as_held_is_held_and_the_rest_is_sent_again(database: Database) {
    let bob = database.user("bob").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(database.due(&bob, noon()).await);
    }
    let claimed = database.claim().await.claimed;
    let claim = |id: Uuid| claimed.iter().find(|claimed| claimed.notification.id == id).unwrap().claim;
    let stale = Claim { fence: 7, ..claim(ids[2]) };
    let marks = [(claim(ids[0]), OnUnknown::Hold), (claim(ids[1]), OnUnknown::Resend), (stale, OnUnknown::Hold)];
    database.store.mark_sending(&marks).await.unwrap();
    assert_eq!(database.store.rescue(ALIVE, Lost::OfOthers, noon()).await.unwrap(), 3);
    for (id, status) in ids.into_iter().zip([Status::Unknown, Status::Retry, Status::Retry]) {
        assert_eq!(database.stands(id).await.status, status);
    }
    assert_eq!(database.number("SELECT count(*) FROM notifications WHERE sending IS NOT NULL").await, 0);
}

async fn what_kills_engines_is_not_sent_for_ever(database: Database) {
    let bob = database.user("bob").await;
    let (poison, neighbour) = (database.due(&bob, noon()).await, database.due(&bob, noon()).await);
    for death in 1..=4 {
        let claimed = database.store.claim_due(&request(at("12:00:20"))).await.unwrap().claimed;
        // Whose send begins, once that must be known.
        let killer = claimed.iter().find(|claimed| claimed.notification.id == poison);
        if let Some(killer) = killer.filter(|killer| killer.lease_deaths > 0) {
            database.store.mark_sending(&[(killer.claim, OnUnknown::Resend)]).await.unwrap();
        }
        assert_eq!(database.store.rescue(ALIVE, Lost::OfOthers, noon()).await.unwrap(), if death < 4 { 2 } else { 1 });
    }
    let found = database.find(poison).await;
    assert_eq!(found.listed.notification.status, Status::DeliveryFailure);
    assert_eq!((found.attempts.len(), found.attempts[2].code.as_str()), (3, "quarantined"));
    assert_eq!(database.stands(neighbour).await.status, Status::Retry, "it was only near");
    assert_eq!(database.number("SELECT min(lease_deaths) FROM notifications").await, 1);
}

async fn ones_own_claims_are_not_lost(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    assert_eq!(database.store.rescue(ENGINE, Lost::OfOthers, at("12:30:00")).await.unwrap(), 0);
    assert_eq!(database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap(), [Settling::Applied]);
}

async fn a_lease_that_has_run_out_is_lost_even_to_oneself(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.claim_one().await;
    assert_eq!(database.store.rescue(ENGINE, Lost::OfOthers, at("12:59:59.999")).await.unwrap(), 0);
    assert_eq!(database.store.rescue(ENGINE, Lost::OfOthers, at("13:00:00")).await.unwrap(), 1);
}

async fn an_engine_that_is_heard_of_keeps_its_claims(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.store.heartbeat(ENGINE, noon()).await.unwrap();
    database.claim_one().await;
    let silent_since = |time| Lost::OfSilentSince(at(time));
    assert_eq!(database.store.rescue(ALIVE, silent_since("12:00:00"), noon()).await.unwrap(), 0);
    database.store.heartbeat(ENGINE, at("12:00:05")).await.unwrap();
    assert_eq!(database.store.rescue(ALIVE, silent_since("12:00:05"), noon()).await.unwrap(), 0);
    assert_eq!(database.store.rescue(ALIVE, silent_since("12:00:06"), noon()).await.unwrap(), 1);
}

async fn a_stopped_engine_leaves_nothing_behind(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.store.heartbeat(ENGINE, noon()).await.unwrap();
    database.claim_one().await;
    database.store.engine_stopped(ENGINE).await.unwrap();
    let lost = Lost::OfSilentSince(at("11:00:00"));
    assert_eq!(database.store.rescue(ALIVE, lost, noon()).await.unwrap(), 1);
}

async fn a_claim_whose_answer_never_came_is_given_back(database: Database) {
    let bob = database.user("bob").await;
    let lost = database.due(&bob, noon()).await;
    let unanswered = request(noon());
    database.store.claim_due(&unanswered).await.unwrap();
    let held = database.due(&bob, noon()).await;
    let later =
        ClaimRequest { lease_until: unanswered.lease_until + SignedDuration::from_millis(1), ..request(noon()) };
    let claimed = database.store.claim_due(&later).await.unwrap().claimed;
    assert_eq!(claimed[0].notification.id, held);
    let release =
        async |engine| database.store.release_unanswered(engine, unanswered.lease_until, noon()).await.unwrap();
    assert_eq!(release(ALIVE).await, 0, "it is another one's");
    assert_eq!((release(ENGINE).await, release(ENGINE).await), (1, 0));
    assert_eq!(database.claim_one().await.notification.id, lost);
    assert_eq!(database.find(lost).await.attempts.len(), 0, "nothing was sent, and nothing counts");
    assert_eq!(
        database.store.settle(&[settled(&claimed[0], &delivered())], noon()).await.unwrap(),
        [Settling::Applied]
    );
}

async fn a_long_queue_is_rescued_whole(database: Database) {
    let bob = database.user("bob").await;
    let batch: Vec<_> = (0..1100).map(|_| news(&bob.record)).collect();
    database.store.create(TENANT, &batch, noon()).await.unwrap();
    let all = ClaimRequest { limit: 2000, ..request(noon()) };
    assert_eq!(database.store.claim_due(&all).await.unwrap().claimed.len(), 1100);
    assert_eq!(database.store.rescue(ALIVE, Lost::OfOthers, noon()).await.unwrap(), 1100);
    assert_eq!(database.store.claim_due(&all).await.unwrap().claimed.len(), 1100);
}

on_every_database!(
    a_dead_engines_claim_is_an_unknown_attempt_and_due_again,
    what_is_marked_as_held_is_held_and_the_rest_is_sent_again,
    what_kills_engines_is_not_sent_for_ever,
    ones_own_claims_are_not_lost,
    a_lease_that_has_run_out_is_lost_even_to_oneself,
    an_engine_that_is_heard_of_keeps_its_claims,
    a_stopped_engine_leaves_nothing_behind,
    a_claim_whose_answer_never_came_is_given_back,
    a_long_queue_is_rescued_whole,
);
