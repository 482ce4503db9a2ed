//! What people decide: cancel, retry, resolve; and that it is noticed before a send.

use engine::rules::limits::Invalid;
use engine::rules::notification::NewNotification;
use engine::rules::outcome::{Failure, Outcome, Scope};
use engine::rules::status::Status;
use engine::store::{Canceling, Interventions, Lost, Recheck, Settling, StoreError};
use sqlx::AssertSqlSafe;
use std::time::{Duration, Instant};
use uuid::Uuid;

use super::{Database, TENANT, at, busy, delivered, news, noon, on_every_database, settled};
use crate::support::postgres as server;

async fn what_waits_is_canceled(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    assert_eq!(database.store.cancel_notification(TENANT, id, noon()).await.unwrap(), Canceling::Canceled);
    assert_eq!(database.stands(id).await.status, Status::Canceled);
    assert!(database.claim().await.claimed.is_empty());
    refused(database.store.cancel_notification(TENANT, id, noon()).await, "It is CANCELED");
    let nobody = database.store.cancel_notification(TENANT, Uuid::nil(), noon()).await;
    assert!(matches!(nobody, Err(StoreError::NotFound { .. })), "{nobody:?}");
}

async fn what_is_claimed_is_not_sent_after_it_was_canceled(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    assert_eq!(database.store.cancel_notification(TENANT, id, noon()).await.unwrap(), Canceling::Marked);
    let rechecked = database.store.recheck(&[claimed.claim], noon()).await.unwrap();
    assert_eq!(rechecked, [Recheck::Ended(Status::Canceled)]);
    assert_eq!(database.stands(id).await.status, Status::Canceled);
}

async fn what_had_left_keeps_its_outcome_and_is_not_tried_again(database: Database) {
    let bob = database.user("bob").await;
    let (sent, failing) = (database.due(&bob, noon()).await, database.due(&bob, noon()).await);
    let claimed = database.claim().await.claimed;
    for id in [sent, failing] {
        database.store.cancel_notification(TENANT, id, noon()).await.unwrap();
    }
    let outcome = |id| if id == sent { delivered() } else { busy(Scope::Message) };
    let batch: Vec<_> = claimed.iter().map(|c| settled(c, &outcome(c.notification.id))).collect();
    let written = database.store.settle(&batch, noon()).await.unwrap();
    assert!(
        written.contains(&Settling::Applied) && written.contains(&Settling::Ended(Status::Canceled)),
        "{written:?}"
    );
    assert_eq!(database.stands(sent).await.status, Status::Delivered);
    assert_eq!(database.stands(failing).await.status, Status::Canceled);
    assert_eq!(database.find(failing).await.attempts.len(), 1, "its attempt is in the history");

    // Canceled too late, it failed for good; whoever wants it after all can have it.
    let third = database.create(NewNotification { max_retries: 0, ..news(&bob.record) }).await;
    let claimed = database.claim_one().await;
    database.store.cancel_notification(TENANT, third, noon()).await.unwrap();
    database.store.settle(&[settled(&claimed, &busy(Scope::Message))], noon()).await.unwrap();
    assert_eq!(database.stands(third).await.status, Status::DeliveryFailure);
    database.store.retry_notification(TENANT, third, noon()).await.unwrap();
    assert_eq!(database.claim_one().await.notification.id, third);
}

async fn what_is_given_back_after_it_was_canceled_does_not_wait(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.cancel_notification(TENANT, id, noon()).await.unwrap();
    database.store.release(&[claimed.claim], noon()).await.unwrap();
    assert_eq!(database.stands(id).await.status, Status::Canceled);
}

async fn what_failed_is_tried_again_with_all_its_retries(database: Database) {
    let bob = database.user("bob").await;
    let id = database.create(NewNotification { max_retries: 0, ..news(&bob.record) }).await;
    refused(database.store.retry_notification(TENANT, id, noon()).await, "It is SCHEDULED");
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &busy(Scope::Message))], noon()).await.unwrap();
    assert_eq!(
        (database.stands(id).await.status, database.stands(id).await.retry_attempts),
        (Status::DeliveryFailure, 1)
    );
    database.store.retry_notification(TENANT, id, at("12:00:20")).await.unwrap();
    let stands = database.stands(id).await;
    assert_eq!((stands.status, stands.retry_attempts), (Status::Retry, 0));
    assert_eq!(stands.scheduled_delivery, at("12:00:20"));
    database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    assert_eq!(database.stands(id).await.status, Status::OptedOut);
    // What would not help is not told first.
    refused(database.store.retry_notification(TENANT, id, noon()).await, "It is OPTED OUT");

    let ada = database.user("ada").await;
    let id = database.create(NewNotification { max_retries: 0, ..news(&ada.record) }).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &busy(Scope::Message))], noon()).await.unwrap();
    database.store.opt_out(TENANT, ada.user.id, noon()).await.unwrap();
    let wanted = database.store.retry_notification(TENANT, id, noon()).await;
    assert!(matches!(wanted, Err(StoreError::OptedOut { .. })), "{wanted:?}");
}

async fn what_is_unknown_is_resolved_by_a_persons_word(database: Database) {
    let bob = database.user("bob").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(database.due(&bob, noon()).await);
    }
    refused(database.store.resolve_notification(TENANT, ids[0], true, noon()).await, "It is SCHEDULED");
    let unknown = Outcome::Unknown(Failure::new("lost", "No answer."));
    for claimed in database.claim().await.claimed {
        let mut settled = settled(&claimed, &unknown);
        settled.settlement.status = Status::Unknown;
        database.store.settle(&[settled], noon()).await.unwrap();
    }
    for (id, delivered, status) in [(ids[0], true, Status::Delivered), (ids[1], false, Status::DeliveryFailure)] {
        database.store.resolve_notification(TENANT, id, delivered, noon()).await.unwrap();
        assert_eq!(database.stands(id).await.status, status);
    }
}

impl Database {
    /// Whether it is noticed afterwards; always the same from then on, and never by those who begin later.
    async fn is_noticed(&self, since: Interventions) -> bool {
        let noticed = self.store.has_intervened(since).await.unwrap();
        assert_eq!(self.store.has_intervened(since).await.unwrap(), noticed);
        self.seen().await;
        noticed
    }

    /// All that has been decided until now. The server's other transactions, those of other tests too, may hold that up while they are under way.
    async fn seen(&self) -> Interventions {
        let began = Instant::now();
        loop {
            let seen = self.store.interventions().await.unwrap();
            if !self.store.has_intervened(seen).await.unwrap() {
                return seen;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it is seen by now");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn what_may_keep_a_claim_from_being_sent_is_noticed(database: Database) {
    let [bob, cleo] = [database.user("bob").await, database.user("cleo").await];
    let store = &database.store;
    let seen = async || database.seen().await;

    let before = seen().await;
    let (taken, held) = (database.due(&bob, noon()).await, database.due(&cleo, noon()).await);
    let claimed = database.claim().await.claimed;
    store.heartbeat(Uuid::from_u128(1), noon()).await.unwrap();
    let done = claimed.iter().find(|claimed| claimed.notification.id == taken).unwrap();
    store.settle(&[settled(done, &delivered())], noon()).await.unwrap();
    assert!(!database.is_noticed(before).await, "ordinary work is no intervention");

    let before = seen().await;
    store.cancel_notification(TENANT, held, noon()).await.unwrap();
    assert!(database.is_noticed(before).await, "a cancel");
    let before = seen().await;
    store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    assert!(database.is_noticed(before).await, "an opt-out");
    let before = seen().await;
    store.switch_record_off(TENANT, cleo.record.id, "It is broken.", noon()).await.unwrap();
    assert!(database.is_noticed(before).await, "a record");
    let before = seen().await;
    assert_eq!(store.rescue(Uuid::from_u128(99), Lost::OfOthers, noon()).await.unwrap(), 1);
    assert!(database.is_noticed(before).await, "a claim that was taken away");
    let before = seen().await;
    assert_eq!(store.rescue(Uuid::from_u128(99), Lost::OfOthers, noon()).await.unwrap(), 0);
    assert!(!database.is_noticed(before).await, "nothing was taken away");
}

/// It had begun before, and ended after: a claim in between did not see it.
async fn what_was_under_way_is_noticed(database: Database) {
    let bob = database.user("bob").await;
    let opt_out = format!(
        "INSERT INTO opt_outs (tenant_id, user_id, active, created_date, modified_date)
        SELECT tenant_id, id, {}, 0, 0 FROM users WHERE username = '{}'",
        if database.is_postgres() { "true" } else { "1" },
        bob.user.username
    );
    // A file has one writer, so that nothing of it comes between.
    let seen = if database.is_postgres() {
        let mut other = server::connect(&database.url).await;
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {opt_out}"))).execute(&mut other).await.unwrap();
        let seen = database.store.interventions().await.unwrap();
        assert!(!database.store.has_intervened(seen).await.unwrap());
        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        seen
    } else {
        let seen = database.store.interventions().await.unwrap();
        database.execute(opt_out).await.unwrap();
        seen
    };
    assert!(database.store.has_intervened(seen).await.unwrap());
}

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, part: &str) {
    match result {
        Err(StoreError::Invalid(Invalid { sentence, .. })) => assert!(sentence.contains(part), "{sentence}"),
        other => panic!("{other:?}"),
    }
}

on_every_database!(
    what_waits_is_canceled,
    what_is_claimed_is_not_sent_after_it_was_canceled,
    what_had_left_keeps_its_outcome_and_is_not_tried_again,
    what_is_given_back_after_it_was_canceled_does_not_wait,
    what_failed_is_tried_again_with_all_its_retries,
    what_is_unknown_is_resolved_by_a_persons_word,
    what_may_keep_a_claim_from_being_sent_is_noticed,
    what_was_under_way_is_noticed,
);
