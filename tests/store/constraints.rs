//! What the database refuses by itself, whoever writes: statuses that cannot be, claims beside them, changes to the
//! history.

use engine::rules::status::Status;

use super::{Database, at, delivered, news, noon, on_every_database, settled};

async fn a_status_has_an_attempted_time_as_the_table_says(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    for status in Status::ALL {
        for attempted in ["NULL", "1000"] {
            let change = format!("UPDATE notifications SET status = '{status}', attempted_delivery = {attempted}");
            let expected = status.attempted().allows(attempted != "NULL");
            let outcome = database.execute(change).await;
            assert_eq!(outcome.is_ok(), expected, "{status} with {attempted}: {outcome:?}");
        }
    }
}

async fn there_are_no_other_statuses(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    for status in ["", "scheduled", "SENDING", "DELIVERY_FAILURE"] {
        for attempted in ["NULL", "1000"] {
            let change = format!("UPDATE notifications SET status = '{status}', attempted_delivery = {attempted}");
            database.execute(change).await.unwrap_err();
        }
    }
}

async fn a_claim_stands_only_beside_a_status_that_can_be_claimed(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    let engine = database.id(super::ENGINE);
    for status in Status::ALL {
        let attempted = if status.attempted().allows(true) { "1000" } else { "NULL" };
        let change = format!(
            "UPDATE notifications SET status = '{status}', attempted_delivery = {attempted}, claimed_by = {engine},
                claimed_at = 1, lease_until = 2"
        );
        let outcome = database.execute(change).await;
        assert_eq!(outcome.is_ok(), status.claimable(), "{status}: {outcome:?}");
    }
}

async fn a_claim_is_whole_or_absent(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    let engine = database.id(super::ENGINE);
    for claim in [
        format!("claimed_by = {engine}"),
        "claimed_at = 1".to_owned(),
        "lease_until = 1".to_owned(),
        format!("claimed_by = {engine}, claimed_at = 1"),
        format!("claimed_by = {engine}, lease_until = 1"),
    ] {
        database.execute(format!("UPDATE notifications SET {claim}")).await.unwrap_err();
    }
    database
        .execute(format!("UPDATE notifications SET claimed_by = {engine}, claimed_at = 1, lease_until = 1"))
        .await
        .unwrap();
}

async fn a_fence_only_grows(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    database.execute("UPDATE notifications SET fence = 7").await.unwrap();
    database.execute("UPDATE notifications SET fence = 7").await.unwrap();
    let refusal = database.execute("UPDATE notifications SET fence = 6").await.unwrap_err();
    assert!(refusal.contains("fence_only_grows"), "{refusal}");
}

async fn attempts_that_count_end_with_the_retries(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    database.execute("UPDATE notifications SET retry_attempts = max_retries + 1").await.unwrap();
    database.execute("UPDATE notifications SET retry_attempts = max_retries + 2").await.unwrap_err();
    database.execute("UPDATE notifications SET retry_attempts = -1").await.unwrap_err();
}

async fn the_history_is_only_added_to(database: Database) {
    let bob = database.user("bob").await;
    let id = database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap();
    for change in ["UPDATE attempts SET message = ''", "DELETE FROM attempts"] {
        let refusal = database.execute(change).await.unwrap_err();
        assert!(refusal.contains("append_only"), "{refusal}");
    }
    assert_eq!(database.find(id).await.attempts.len(), 1);
    // Together with its notification it may go.
    database.execute("DELETE FROM notifications").await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM attempts").await, 0);
}

async fn nothing_claimed_can_be_deleted_on_any_path(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    database.claim_one().await;
    for table in ["notifications", "target_user_records", "users"] {
        let refusal = database.execute(format!("DELETE FROM {table}")).await.unwrap_err();
        assert!(refusal.contains("claimed"), "{table}: {refusal}");
    }
}

async fn nothing_new_for_an_opted_out_user_on_any_path(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, at("18:00:00")).await;
    database.store.opt_out(super::TENANT, bob.user.id, noon()).await.unwrap();
    let copy = format!(
        "INSERT INTO notifications (tenant_id, id, target_user_record_id, target_id, status, scheduled_delivery,
            retry_time_interval, retry_attempts, max_retries, attempts, fence, lease_deaths, created_date,
            modified_date)
        SELECT tenant_id, {}, target_user_record_id, target_id, 'SCHEDULED', scheduled_delivery,
            retry_time_interval, 0, max_retries, 0, 0, 0, created_date, modified_date FROM notifications",
        database.id(uuid::Uuid::now_v7())
    );
    let refusal = database.execute(&copy).await.unwrap_err();
    assert!(refusal.contains("opted_out"), "{refusal}");
    database.store.opt_in(super::TENANT, bob.user.id, noon()).await.unwrap();
    database.execute(&copy).await.unwrap();
}

async fn only_what_is_in_use_is_protected(database: Database) {
    let bob = database.user("bob").await;
    database.execute("DELETE FROM targets").await.unwrap_err();
    database.execute("DELETE FROM tenants").await.unwrap_err();
    database.store.remove_user(super::TENANT, bob.user.id).await.unwrap();
    database.execute("DELETE FROM targets").await.unwrap();
    database.execute("DELETE FROM tenants").await.unwrap();
}

on_every_database!(
    a_status_has_an_attempted_time_as_the_table_says,
    there_are_no_other_statuses,
    a_claim_stands_only_beside_a_status_that_can_be_claimed,
    a_claim_is_whole_or_absent,
    a_fence_only_grows,
    attempts_that_count_end_with_the_retries,
    the_history_is_only_added_to,
    nothing_claimed_can_be_deleted_on_any_path,
    nothing_new_for_an_opted_out_user_on_any_path,
    only_what_is_in_use_is_protected,
);
