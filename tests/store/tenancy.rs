//! Tenants: nothing of one can be seen from another, and no row can point across.

use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use engine::store::{RecordFilter, StoreError};

use super::{Arranged, Database, TENANT, delivered, news, noon, on_every_database, record, request, settled, target};

/// Bob in the default tenant, and Cleo, with a target of her own, in the other.
async fn two_tenants(database: &Database) -> (Arranged, Tenant, Arranged) {
    let bob = database.user("bob").await;
    let other = database.other_tenant().await;
    let email = target("Email");
    database.store.add_target(other, &email, noon()).await.unwrap();
    let cleo = database.user_of(other, "cleo", email).await;
    (bob, other, cleo)
}

async fn what_is_another_tenants_is_not_found(database: Database) {
    let (bob, other, cleo) = two_tenants(&database).await;
    let id = database.create(news(&bob.record)).await;
    let store = &database.store;
    let refusals = [
        store.find_user(other, "bob").await.map(drop),
        store.find_record(other, bob.record.id).await.map(drop),
        store.find_notification(other, id).await.map(drop),
        store.remove_user(other, bob.user.id).await,
        store.remove_record(other, bob.record.id).await,
        store.remove_notification(other, id).await,
        store.remove_target(other, bob.target.id).await,
        store.opt_out(other, bob.user.id, noon()).await.map(drop),
        store.switch_record_off(other, bob.record.id, "", noon()).await,
        store.resume_target(other, bob.target.id, noon()).await,
        store.create(other, &[news(&bob.record)], noon()).await.map(drop),
        store.add_record(other, &record(&bob.user, &cleo.target, "a"), noon()).await,
        store.add_record(other, &record(&cleo.user, &bob.target, "a"), noon()).await,
    ];
    for (place, refusal) in refusals.into_iter().enumerate() {
        assert!(matches!(refusal, Err(StoreError::NotFound { .. })), "number {place}: {refusal:?}");
    }
    let listed = store.list_records(other, &RecordFilter::default()).await.unwrap();
    assert_eq!(listed.into_iter().map(|listed| listed.record).collect::<Vec<_>>(), [cleo.record]);
    assert_eq!(store.list_users(other).await.unwrap(), [cleo.user]);
    assert_eq!(store.list_targets(other).await.unwrap(), [cleo.target]);
    assert_eq!(store.list_notifications(other, &Default::default()).await.unwrap(), []);
    assert_eq!(store.active_records(other, bob.user.id, bob.target.id).await.unwrap(), []);
    assert!(!store.is_opted_out(other, bob.user.id).await.unwrap());
}

async fn names_are_taken_within_a_tenant_only(database: Database) {
    let (_, other, _) = two_tenants(&database).await;
    database.store.add_user(other, &super::user("bob"), noon()).await.unwrap();
}

async fn a_claim_serves_all_tenants_and_settles_each(database: Database) {
    let (bob, other, cleo) = two_tenants(&database).await;
    let new = news(&cleo.record);
    // The same id in two tenants is two notifications.
    let of_bob = engine::rules::notification::NewNotification { id: new.id, ..news(&bob.record) };
    database.create(of_bob).await;
    database.store.create(other, std::slice::from_ref(&new), noon()).await.unwrap();
    let claims = database.store.claim_due(&request(noon())).await.unwrap();
    assert_eq!(claims.claimed.len(), 2);
    let cleos = claims.claimed.iter().find(|claimed| claimed.claim.tenant == other).unwrap();
    assert_eq!((&cleos.user, &cleos.record, &*cleos.target), (&cleo.user, &cleo.record, &cleo.target));
    database.store.settle(&[settled(cleos, &delivered())], noon()).await.unwrap();
    assert_eq!(database.store.find_notification(other, new.id).await.unwrap().attempts.len(), 1);
    assert_eq!(database.find(new.id).await.attempts.len(), 0);
    // Bob's is still claimed, and as it was.
    assert_eq!(database.stands(new.id).await.status, Status::Scheduled);
    assert_eq!(database.number("SELECT count(*) FROM notifications WHERE claimed_by IS NOT NULL").await, 1);
}

async fn no_row_can_point_into_another_tenant(database: Database) {
    let (bob, other, cleo) = two_tenants(&database).await;
    database.create(news(&bob.record)).await;
    let new = news(&cleo.record);
    database.store.create(other, std::slice::from_ref(&new), noon()).await.unwrap();
    let literal = |id| database.id(id);
    let (user, target, record, notification) =
        (literal(cleo.user.id), literal(cleo.target.id), literal(cleo.record.id), literal(new.id));
    let own_target = literal(bob.target.id);
    let tenant = TENANT.0;
    let statements = [
        format!("UPDATE target_user_records SET user_id = {user} WHERE tenant_id = {tenant}"),
        format!("UPDATE target_user_records SET target_id = {target} WHERE tenant_id = {tenant}"),
        format!("UPDATE notifications SET target_user_record_id = {record} WHERE tenant_id = {tenant}"),
        format!("UPDATE notifications SET target_id = {target} WHERE tenant_id = {tenant}"),
        format!(
            "UPDATE notifications SET target_user_record_id = {record}, target_id = {target} WHERE tenant_id = {tenant}"
        ),
        format!("UPDATE notifications SET tenant_id = 2 WHERE tenant_id = {tenant}"),
        format!("UPDATE notification_texts SET notification_id = {notification} WHERE tenant_id = {tenant}"),
        format!("INSERT INTO opt_outs VALUES ({tenant}, {user}, {}, 0, 0)", database.flag(true)),
        format!("INSERT INTO grants VALUES ({tenant}, {target}, 'smtp', '', 0)"),
        format!("INSERT INTO secrets VALUES ({tenant}, {user}, {target}, NULL, 'token', 'k1', {user}, 0, 0)"),
        format!("INSERT INTO secrets VALUES ({tenant}, {user}, NULL, {record}, 'token', 'k1', {user}, 0, 0)"),
    ];
    for statement in statements {
        let refusal = database.execute(&statement).await.unwrap_err();
        assert!(refusal.to_uppercase().contains("FOREIGN KEY"), "{statement}: {refusal}");
    }
    // PostgreSQL would have to look for the notification of each attempt once more. One that has none there is an attempt of nothing.
    let attempt = format!(
        "INSERT INTO attempts
        VALUES ({tenant}, {notification}, 1, 0, 0, 'delivered', '', '', '', NULL, '', NULL, {user}, NULL, NULL)"
    );
    match database.execute(&attempt).await {
        Ok(_) => assert!(database.is_postgres()),
        Err(refusal) => assert!(refusal.to_uppercase().contains("FOREIGN KEY"), "{refusal}"),
    }
    assert!(database.store.find_notification(other, new.id).await.unwrap().attempts.is_empty());
    // The same within one tenant is no trouble.
    database.execute(format!("INSERT INTO grants VALUES ({tenant}, {own_target}, 'smtp', '', 0)")).await.unwrap();
    let secret =
        format!("INSERT INTO secrets VALUES ({tenant}, {user}, {own_target}, NULL, 'token', 'k1', {user}, 0, 0)");
    database.execute(secret).await.unwrap();
    database
        .execute(format!("INSERT INTO secret_origins VALUES ({tenant}, {user}, 'https://example.org')"))
        .await
        .unwrap();
    let refusal =
        database.execute(format!("INSERT INTO secret_origins VALUES (2, {user}, 'https://example.org')")).await;
    assert!(refusal.unwrap_err().to_uppercase().contains("FOREIGN KEY"));
}

async fn a_notifications_target_is_that_of_its_record(database: Database) {
    let bob = database.user("bob").await;
    let pigeon = database.target("Pigeon").await;
    database.create(news(&bob.record)).await;
    let refusal = database.execute(format!("UPDATE notifications SET target_id = {}", database.id(pigeon.id))).await;
    assert!(refusal.unwrap_err().to_uppercase().contains("FOREIGN KEY"));
}

on_every_database!(
    what_is_another_tenants_is_not_found,
    names_are_taken_within_a_tenant_only,
    a_claim_serves_all_tenants_and_settles_each,
    no_row_can_point_into_another_tenant,
    a_notifications_target_is_that_of_its_record,
);
