//! Claims: who gets what, in which order, and what is not sent any more.

use std::collections::HashSet;

use engine::rules::notification::NewNotification;
use engine::rules::outcome::{Outcome, Scope};
use engine::rules::status::Status;
use engine::rules::target::{Pause, PauseKind};
use engine::store::{Claim, ClaimRequest, PreviousAttempt, Store, Targets};
use uuid::Uuid;

use super::{Database, TENANT, at, busy, gone, news, noon, on_every_database, record, request, settled};

async fn a_claim_brings_all_that_a_call_needs(database: Database) {
    let bob = database.user("bob").await;
    let new = news(&bob.record);
    let id = database.create(new.clone()).await;
    let claimed = database.claim_one().await;
    assert_eq!(claimed.claim, Claim { tenant: TENANT, notification: id, fence: 1 });
    assert_eq!(claimed.notification, database.stands(id).await);
    assert_eq!(claimed.notification.status, Status::Scheduled);
    assert_eq!((&claimed.notification.body, &claimed.notification.extra), (&new.body, &new.extra));
    assert_eq!((claimed.user, claimed.record, (*claimed.target).clone()), (bob.user, bob.record, bob.target));
    assert_eq!((claimed.attempt, claimed.previous), (1, None));
}

async fn the_earliest_comes_first_and_the_future_not_at_all(database: Database) {
    let bob = database.user("bob").await;
    let pigeon = database.target("Pigeon").await;
    let coop = super::Arranged { record: record(&bob.user, &pigeon, "coop 7"), user: bob.user.clone(), target: pigeon };
    database.store.add_record(TENANT, &coop.record, noon()).await.unwrap();
    let third = database.due(&bob, at("11:30:00")).await;
    let first = database.due(&coop, at("10:00:00")).await;
    let fourth = database.due(&coop, noon()).await;
    let second = database.due(&bob, at("11:00:00")).await;
    database.due(&bob, at("12:00:00.001")).await;

    let take = async |limit: u32| {
        let claims = database.store.claim_due(&ClaimRequest { limit, ..request(noon()) }).await.unwrap();
        let ids: Vec<_> = claims.claimed.iter().map(|claimed| claimed.notification.id).collect();
        let rights: Vec<_> = claims.claimed.iter().map(|claimed| claimed.claim).collect();
        (ids, rights)
    };
    for limit in 1..=3 {
        let (ids, rights) = take(limit).await;
        assert_eq!(ids, [first, second, third][..limit as usize]);
        database.store.release(&rights, noon()).await.unwrap();
    }
    take(3).await;
    let claims = database.claim().await;
    assert_eq!(claims.claimed.iter().map(|claimed| claimed.notification.id).collect::<Vec<_>>(), [fourth]);
    assert!(database.claim().await.claimed.is_empty());
}

async fn nothing_is_claimed_where_nothing_is_wanted(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let claims = database.store.claim_due(&ClaimRequest { limit: 0, ..request(noon()) }).await.unwrap();
    assert!(claims.claimed.is_empty() && claims.ended.is_empty());
}

async fn a_claim_takes_no_more_memory_than_it_may(database: Database) {
    let bob = database.user("bob").await;
    let body = "x".repeat(100_000);
    for _ in 0..5 {
        database.create(NewNotification { body: body.clone(), ..news(&bob.record) }).await;
    }
    for (bytes, claimed) in [(0, 1), (150_000, 2), (usize::MAX, 2)] {
        let claims = database.store.claim_due(&ClaimRequest { bytes, ..request(noon()) }).await.unwrap();
        assert_eq!(claims.claimed.len(), claimed, "{bytes}");
    }
}

async fn the_fence_grows_with_each_claim(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    for fence in 1..=3 {
        let claimed = database.claim_one().await;
        // Nothing was sent, so that it stays the first attempt.
        assert_eq!((claimed.claim.fence, claimed.attempt), (fence, 1));
        assert_eq!(database.store.release(&[claimed.claim], noon()).await.unwrap(), 1);
    }
}

async fn what_was_released_stands_as_before(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let before = database.stands(id).await;
    let claimed = database.claim_one().await;
    database.store.release(&[claimed.claim], noon()).await.unwrap();
    assert_eq!(database.stands(id).await, before);
    assert_eq!(database.store.release(&[claimed.claim], noon()).await.unwrap(), 0);
    // An old fence, and one that has not been yet: neither is valid.
    let newer = database.claim_one().await.claim;
    let future = Claim { fence: newer.fence + 1, ..newer };
    assert_eq!(database.store.release(&[claimed.claim, future], noon()).await.unwrap(), 0);
    assert_eq!(database.store.release(&[newer], noon()).await.unwrap(), 1);
}

async fn a_further_attempt_knows_what_the_earlier_ones_left_behind(database: Database) {
    let bob = database.user("bob").await;
    database.create(NewNotification { max_retries: 9, ..news(&bob.record) }).await;
    let unknown = || Outcome::Unknown(gone());
    let since = Some(at("12:10:00"));
    // When an attempt began, what it came to, and the provider's id; then what the next attempt is told of them.
    let table = [
        ("12:00:00", busy(Scope::Message), "", "", None),
        ("12:10:00", unknown(), "SM1", "SM1", since),
        ("12:20:00", unknown(), "SM2", "SM2", since),
        ("12:30:00", busy(Scope::Message), "", "SM2", since),
    ];
    let mut expected = None;
    for (place, (began, outcome, provider_id, known_id, unknown_since)) in table.into_iter().enumerate() {
        let claims = database.store.claim_due(&request(at("23:00:00"))).await.unwrap();
        let claimed = &claims.claimed[0];
        assert_eq!((claims.claimed.len(), claimed.attempt as usize), (1, place + 1));
        assert_eq!((claimed.claim.fence as usize, &claimed.previous), (place + 1, &expected));
        let mut written = settled(claimed, &outcome);
        written.attempt.started_at = at(began);
        written.attempt.provider_id = provider_id.to_owned();
        database.store.settle(&[written], noon()).await.unwrap();
        expected = Some(PreviousAttempt { last: at(began), provider_id: known_id.to_owned(), unknown_since });
    }
    let claims = database.store.claim_due(&request(at("23:00:00"))).await.unwrap();
    assert_eq!((claims.claimed[0].notification.status, &claims.claimed[0].previous), (Status::Retry, &expected));
}

async fn claims_can_be_kept_to_some_targets(database: Database) {
    let bob = database.user("bob").await;
    let pigeon = database.target("Pigeon").await;
    let coop = record(&bob.user, &pigeon, "coop 7");
    database.store.add_record(TENANT, &coop, noon()).await.unwrap();
    database.due(&bob, noon()).await;
    database.create(news(&coop)).await;
    let (email, pigeon) = (bob.target.id, pigeon.id);
    let claimed = async |targets: Targets| {
        let claims = database.store.claim_due(&ClaimRequest { targets, ..request(noon()) }).await.unwrap();
        let rights: Vec<_> = claims.claimed.iter().map(|claimed| claimed.claim).collect();
        database.store.release(&rights, noon()).await.unwrap();
        claims.claimed.iter().map(|claimed| claimed.target.id).collect::<HashSet<_>>()
    };
    assert_eq!(claimed(Targets::Only(vec![pigeon])).await, [pigeon].into());
    assert_eq!(claimed(Targets::Only(vec![])).await, [].into());
    assert_eq!(claimed(Targets::AllBut(vec![pigeon])).await, [email].into());
    assert_eq!(claimed(Targets::AllBut(vec![])).await, [email, pigeon].into());
    assert_eq!(claimed(Targets::All).await, [email, pigeon].into());
}

async fn a_paused_target_is_left_out(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let pause = Pause { kind: PauseKind::Operator, reason: "Holiday.".to_owned(), since: noon() };
    database.store.pause_target(TENANT, bob.target.id, &pause).await.unwrap();
    assert!(database.claim().await.claimed.is_empty());
    assert_eq!(database.store.next_due().await.unwrap(), None);
    database.store.resume_target(TENANT, bob.target.id, noon()).await.unwrap();
    database.claim_one().await;
}

async fn a_slowed_target_is_left_out_until_its_time(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, at("11:00:00")).await;
    database.store.slow_down_target(TENANT, bob.target.id, at("12:00:00.001"), noon()).await.unwrap();
    assert!(database.claim().await.claimed.is_empty());
    assert_eq!(database.store.next_due().await.unwrap(), Some(at("12:00:00.001")));
    let claims = database.store.claim_due(&request(at("12:00:00.001"))).await.unwrap();
    assert_eq!(claims.claimed.len(), 1);
}

async fn the_next_due_time_is_the_earliest_that_can_be_claimed(database: Database) {
    assert_eq!(database.store.next_due().await.unwrap(), None);
    let bob = database.user("bob").await;
    database.due(&bob, at("15:00:00")).await;
    database.due(&bob, noon()).await;
    assert_eq!(database.store.next_due().await.unwrap(), Some(noon()));
    let claimed = database.claim_one().await;
    assert_eq!(database.store.next_due().await.unwrap(), Some(at("15:00:00")));
    database.store.settle(&[settled(&claimed, &busy(Scope::Message))], noon()).await.unwrap();
    assert_eq!(database.store.next_due().await.unwrap(), Some(at("12:01:31")));
}

async fn what_must_not_be_sent_ends_at_the_claim(database: Database) {
    let (bob, cleo, dan) = (database.user("bob").await, database.user("cleo").await, database.user("dan").await);
    let expiring =
        NewNotification { scheduled_delivery: at("11:00:00"), expires_at: Some(at("12:00:01")), ..news(&dan.record) };
    let expired = database.create(expiring.clone()).await;
    let in_time = NewNotification { id: Uuid::now_v7(), expires_at: Some(at("12:00:01.001")), ..expiring };
    let in_time = database.create(in_time).await;
    let inactive = database.due(&bob, noon()).await;
    database.store.switch_record_off(TENANT, bob.record.id, "It bounced.", noon()).await.unwrap();
    let unwanted = database.due(&cleo, noon()).await;
    // Past the store, which would have ended it at once: as if it had been claimed then, and given back.
    let id = database.id(cleo.user.id);
    let opt_out = format!("INSERT INTO opt_outs VALUES ({}, {id}, {}, 0, 0)", TENANT.0, database.flag(true));
    database.execute(opt_out).await.unwrap();

    let claims = database.store.claim_due(&request(at("12:00:01"))).await.unwrap();

    assert_eq!(claims.claimed.iter().map(|claimed| claimed.notification.id).collect::<Vec<_>>(), [in_time]);
    let mut ended: Vec<_> = claims.ended.iter().map(|ended| (ended.notification.id, ended.status)).collect();
    ended.sort();
    let mut expected = [(expired, Status::Expired), (inactive, Status::InactiveDevice), (unwanted, Status::OptedOut)];
    expected.sort();
    assert_eq!(ended, expected);
    for (id, status) in expected {
        let stands = database.stands(id).await;
        assert_eq!((stands.status, stands.attempted_delivery, stands.modified_date), (status, None, at("12:00:01")));
    }
    let of_bob = claims.ended.iter().find(|ended| ended.user.username == "bob").unwrap();
    assert_eq!((of_bob.notification.status, of_bob.target.name.as_str()), (Status::Scheduled, "Email"));
    assert_eq!(of_bob.record.inactive_reason.as_deref(), Some("It bounced."));
    assert_eq!(database.number("SELECT count(*) FROM attempts").await, 0);
}

async fn an_opt_out_says_more_than_an_expiry(database: Database) {
    let bob = database.user("bob").await;
    let new = NewNotification { scheduled_delivery: at("11:00:00"), expires_at: Some(noon()), ..news(&bob.record) };
    database.create(new).await;
    database.store.switch_record_off(TENANT, bob.record.id, "It bounced.", noon()).await.unwrap();
    let id = database.id(bob.user.id);
    database
        .execute(format!("INSERT INTO opt_outs VALUES ({}, {id}, {}, 0, 0)", TENANT.0, database.flag(true)))
        .await
        .unwrap();
    assert_eq!(database.claim().await.ended[0].status, Status::OptedOut);
}

async fn two_claimers_never_get_the_same(database: Database) {
    let bob = database.user("bob").await;
    let batch: Vec<_> = (0..2000).map(|_| news(&bob.record)).collect();
    database.store.create(TENANT, &batch, noon()).await.unwrap();
    // A second store on the same database is what a second process would be.
    let other = Store::open(&database.url).await.unwrap();
    let claimers = [&database.store, &other, &database.store, &other].map(|store| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let claims = store.claim_due(&ClaimRequest { limit: 37, ..request(noon()) }).await.unwrap();
                if claims.claimed.is_empty() {
                    return claimed;
                }
                claimed.extend(claims.claimed.iter().map(|claimed| claimed.notification.id));
            }
        })
    });
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap());
    }
    let different: HashSet<_> = all.iter().copied().collect();
    assert_eq!((all.len(), different.len()), (2000, 2000));
    other.close().await;
}

on_every_database!(
    a_claim_brings_all_that_a_call_needs,
    the_earliest_comes_first_and_the_future_not_at_all,
    nothing_is_claimed_where_nothing_is_wanted,
    a_claim_takes_no_more_memory_than_it_may,
    the_fence_grows_with_each_claim,
    what_was_released_stands_as_before,
    a_further_attempt_knows_what_the_earlier_ones_left_behind,
    claims_can_be_kept_to_some_targets,
    a_paused_target_is_left_out,
    a_slowed_target_is_left_out_until_its_time,
    the_next_due_time_is_the_earliest_that_can_be_claimed,
    what_must_not_be_sent_ends_at_the_claim,
    an_opt_out_says_more_than_an_expiry,
    two_claimers_never_get_the_same,
);
