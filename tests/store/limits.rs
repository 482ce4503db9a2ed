//! The limits of the models stand in the rules and again in the schema: here the two are held against each other.

use engine::rules::attempt::{MAX_CODE, MAX_DIGEST, MAX_LOG, MAX_MESSAGE, MAX_PROVIDER_ID, MAX_USAGE, Phase};
use engine::rules::limits::LAST_MOMENT_MS;
use engine::rules::notification::{
    MAX_BODY, MAX_EXTRA, MAX_IDEMPOTENCY_KEY, MAX_MAX_RETRIES, MAX_RETRY_TIME_INTERVAL, MAX_TITLE, OnUnknown,
};
use engine::rules::outcome::OutcomeKind;
use engine::rules::target::{
    MAX_DESCRIPTION, MAX_MODULE_NAME, MAX_NAME, MAX_REASON, MAX_TARGET_USER_ID, PauseKind, check_module_name,
};
use engine::rules::user::{MAX_ATTRIBUTES, MAX_EMAIL, MAX_LOCALE, MAX_PERSON_NAME, MAX_TIME_ZONE, MAX_USERNAME};

use super::{Database, delivered, news, noon, on_every_database, settled};

/// Sets a column of the one row of a table, and says whether that was allowed.
async fn may_hold(database: &Database, table: &str, column: &str, value: &str) -> bool {
    database.execute(format!("UPDATE {table} SET {column} = {value}")).await.is_ok()
}

/// A literal of so many characters, each of them two bytes long.
fn characters(count: usize) -> String {
    format!("'{}'", "ä".repeat(count))
}

/// A literal of so many bytes.
fn bytes(count: usize) -> String {
    format!("'{}'", "b".repeat(count))
}

/// A literal of a JSON object of so many bytes.
fn object(count: usize) -> String {
    format!("'{{\"a\":\"{}\"}}'", "x".repeat(count - 8))
}

async fn texts_end_where_the_rules_say(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    database.execute("DELETE FROM targets WHERE name <> 'Email'".to_owned()).await.unwrap();
    let table = [
        ("users", "username", MAX_USERNAME),
        ("users", "email", MAX_EMAIL),
        ("users", "first_name", MAX_PERSON_NAME),
        ("users", "last_name", MAX_PERSON_NAME),
        ("users", "time_zone", MAX_TIME_ZONE),
        ("users", "locale", MAX_LOCALE),
        ("targets", "name", MAX_NAME),
        ("target_user_records", "target_user_id", MAX_TARGET_USER_ID),
        ("target_user_records", "description", MAX_DESCRIPTION),
        ("notification_texts", "title", MAX_TITLE),
        ("notifications", "idempotency_key", MAX_IDEMPOTENCY_KEY),
    ];
    for (table, column, most) in table {
        assert!(may_hold(&database, table, column, &characters(most)).await, "{table}.{column}, {most} characters");
        assert!(!may_hold(&database, table, column, &characters(most + 1)).await, "{table}.{column}, one too many");
    }
    let module = |length| bytes(length);
    assert!(may_hold(&database, "targets", "notification_module_name", &module(MAX_MODULE_NAME)).await);
    assert!(!may_hold(&database, "targets", "notification_module_name", &module(MAX_MODULE_NAME + 1)).await);
}

async fn what_takes_memory_ends_where_the_rules_say(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    type Literal = fn(usize) -> String;
    let table: [(&str, &str, usize, Literal); 3] = [
        ("notification_texts", "body", MAX_BODY, bytes),
        ("notification_texts", "extra", MAX_EXTRA, object),
        ("users", "attributes", MAX_ATTRIBUTES, object),
    ];
    for (table, column, most, literal) in table {
        assert!(may_hold(&database, table, column, &literal(most)).await, "{table}.{column}, {most} bytes");
        assert!(!may_hold(&database, table, column, &literal(most + 1)).await, "{table}.{column}, one too many");
    }
    // Bytes, not characters.
    assert!(!may_hold(&database, "notification_texts", "body", &characters(MAX_BODY / 2 + 1)).await);

    let no = database.flag(false);
    let off = |length| format!("{no}, inactive_reason = {}", bytes(length));
    assert!(may_hold(&database, "target_user_records", "active", &off(MAX_REASON)).await);
    assert!(!may_hold(&database, "target_user_records", "active", &off(MAX_REASON + 1)).await);
    let paused = |length| format!("'operator', paused_since = 1, pause_reason = {}", bytes(length));
    assert!(may_hold(&database, "targets", "pause_kind", &paused(MAX_REASON)).await);
    assert!(!may_hold(&database, "targets", "pause_kind", &paused(MAX_REASON + 1)).await);
}

async fn some_texts_may_not_be_empty(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    for (table, column) in [
        ("users", "username"),
        ("targets", "name"),
        ("targets", "notification_module_name"),
        ("target_user_records", "target_user_id"),
        ("notifications", "idempotency_key"),
    ] {
        assert!(!may_hold(&database, table, column, "''").await, "{table}.{column}");
    }
}

async fn module_names_are_the_same_here_and_there(database: Database) {
    for name in
        ["email", "carrier_pigeon", "s3", "a", "Email", "3s", "_a", "carrier-pigeon", "a/b", "..", "é", "aé", "a b"]
    {
        let allowed = may_hold(&database, "targets", "notification_module_name", &format!("'{name}'")).await;
        assert_eq!(allowed, check_module_name(name).is_ok(), "{name}");
    }
}

async fn numbers_and_times_end_where_the_rules_say(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    let table = [
        ("notifications", "scheduled_delivery", 0, LAST_MOMENT_MS),
        ("notifications", "expires_at", 0, LAST_MOMENT_MS),
        ("notifications", "retry_time_interval", 0, i64::from(MAX_RETRY_TIME_INTERVAL)),
        ("notifications", "max_retries", 0, i64::from(MAX_MAX_RETRIES)),
        ("targets", "slowed_until", 0, LAST_MOMENT_MS),
    ];
    for (table, column, least, most) in table {
        for (value, expected) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            let allowed = may_hold(&database, table, column, &value.to_string()).await;
            assert_eq!(allowed, expected, "{table}.{column} = {value}");
        }
    }
}

async fn words_are_the_same_here_and_there(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    for choice in OnUnknown::ALL.map(OnUnknown::as_str) {
        assert!(may_hold(&database, "notifications", "on_unknown", &format!("'{choice}'")).await, "{choice}");
    }
    assert!(!may_hold(&database, "notifications", "on_unknown", "'maybe'").await);
    let paused = |kind: &str| format!("'{kind}', pause_reason = '', paused_since = 1");
    for kind in PauseKind::ALL.map(PauseKind::as_str) {
        assert!(may_hold(&database, "targets", "pause_kind", &paused(kind)).await, "{kind}");
    }
    assert!(!may_hold(&database, "targets", "pause_kind", &paused("weather")).await);
    assert!(!may_hold(&database, "targets", "pause_kind", "NULL").await, "half a pause");
    assert!(!may_hold(&database, "target_user_records", "inactive_reason", "'why'").await, "active, with a reason");
    assert!(!may_hold(&database, "target_user_records", "active", "2").await);
}

async fn json_is_an_object(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    for value in ["''", "'[]'", "'1'", "'null'", "'{'", "NULL"] {
        assert!(!may_hold(&database, "notification_texts", "extra", value).await, "{value}");
        assert!(!may_hold(&database, "users", "attributes", value).await, "{value}");
    }
}

async fn the_history_is_bounded_too(database: Database) {
    let bob = database.user("bob").await;
    database.due(&bob, noon()).await;
    let claimed = database.claim_one().await;
    database.store.settle(&[settled(&claimed, &delivered())], noon()).await.unwrap();
    // Attempts are never changed, so each value needs a row of its own: a copy of the first with another number.
    let columns = [
        "tenant_id",
        "notification_id",
        "number",
        "started_at",
        "finished_at",
        "outcome",
        "code",
        "message",
        "provider_id",
        "phase",
        "log",
        "component_digest",
        "engine_id",
        "request_hash",
        "usage",
    ];
    let mut number = 1;
    let mut may_add = async |column: &str, value: &str| {
        number += 1;
        let values = columns.map(|name| match name {
            _ if name == column => value.to_owned(),
            "number" => number.to_string(),
            _ => name.to_owned(),
        });
        let (columns, values) = (columns.join(", "), values.join(", "));
        let copy = format!("INSERT INTO attempts ({columns}) SELECT {values} FROM attempts WHERE number = 1");
        database.execute(copy).await.is_ok()
    };
    for (column, most) in [
        ("code", MAX_CODE),
        ("message", MAX_MESSAGE),
        ("provider_id", MAX_PROVIDER_ID),
        ("log", MAX_LOG),
        ("component_digest", MAX_DIGEST),
        ("request_hash", MAX_DIGEST),
        ("usage", MAX_USAGE),
    ] {
        assert!(may_add(column, &bytes(most)).await, "{column}");
        assert!(!may_add(column, &bytes(most + 1)).await, "{column}");
    }
    for kind in OutcomeKind::ALL.map(OutcomeKind::as_str) {
        assert!(may_add("outcome", &format!("'{kind}'")).await, "{kind}");
    }
    for phase in Phase::ALL.map(Phase::as_str) {
        assert!(may_add("phase", &format!("'{phase}'")).await, "{phase}");
    }
    assert!(!may_add("outcome", "'perhaps'").await);
    assert!(!may_add("phase", "'perhaps'").await);
    assert!(!may_add("number", "0").await);
    assert!(!may_add("number", "1").await, "a number twice");
}

async fn ids_have_sixteen_bytes_and_columns_their_type(database: Database) {
    let bob = database.user("bob").await;
    database.create(news(&bob.record)).await;
    for (table, column, value) in [
        ("users", "id", "x'00'"),
        ("notifications", "claimed_at = 1, lease_until = 1, claimed_by", "x'00'"),
        ("notifications", "scheduled_delivery", "'tomorrow'"),
        ("notifications", "scheduled_delivery", "NULL"),
        ("notifications", "max_retries", "1.5"),
        ("users", "username", "x'00'"),
    ] {
        // PostgreSQL makes a whole number of the one, and a text of bits of the other.
        if database.is_postgres() && (value == "1.5" || column == "username") {
            continue;
        }
        assert!(!may_hold(&database, table, column, value).await, "{table}.{column} = {value}");
    }
}

on_every_database!(
    texts_end_where_the_rules_say,
    what_takes_memory_ends_where_the_rules_say,
    some_texts_may_not_be_empty,
    module_names_are_the_same_here_and_there,
    numbers_and_times_end_where_the_rules_say,
    words_are_the_same_here_and_there,
    json_is_an_object,
    the_history_is_bounded_too,
    ids_have_sixteen_bytes_and_columns_their_type,
);
