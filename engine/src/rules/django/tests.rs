//! Each way in which a row there differs from what there can be here.

use super::*;

const COLUMNS: &[&str] = &[
    "id",
    "title",
    "body",
    "extra",
    "status",
    "scheduled_delivery",
    "attempted_delivery",
    "retry_time_interval",
    "retry_attempts",
    "max_retries",
    "created_date",
    "modified_date",
];

/// A row of notifications like most, but for these columns.
fn row(changed: &[(&str, Option<&str>)]) -> Row {
    let mut values = [
        Some("0b5e1c2d3e4f40618293a4b5c6d7e8f9"),
        Some("News"),
        Some("It is spring."),
        Some("{}"),
        Some("SCHEDULED"),
        Some("2026-03-20 12:00:00.123456"),
        None,
        Some("60"),
        Some("0"),
        Some("3"),
        Some("2026-03-01 08:00:00"),
        Some("2026-03-02 08:00:00"),
    ];
    for (column, value) in changed {
        values[COLUMNS.iter().position(|name| name == column).unwrap()] = *value;
    }
    Row::new(COLUMNS, values.into_iter().map(|value| value.map(|text| text.as_bytes().to_vec())).collect())
}

fn read(changed: &[(&str, Option<&str>)], opted_out: bool) -> Result<(Notification, Vec<Adjustment>), Invalid> {
    notification(&row(changed), Tenant::DEFAULT, Uuid::from_u128(7), opted_out, &TimeZone::UTC)
}

const ATTEMPTED: (&str, Option<&str>) = ("attempted_delivery", Some("2026-03-19 09:00:00"));

#[test]
fn the_ordinary_one_is_itself_in_seconds() {
    let (made, adjustments) = read(&[], false).unwrap();
    assert_eq!(made.id.to_string().split_off(19), "8293-a4b5c6d7e8f9");
    let (seconds, nanoseconds) = made.id.get_timestamp().unwrap().to_unix();
    let time = made.created_date.as_millisecond();
    assert_eq!((seconds * 1000 + u64::from(nanoseconds) / 1_000_000) as i64, time, "it sorts by the time it was made");
    assert_eq!((made.status, made.attempted_delivery), (Status::Scheduled, None));
    assert_eq!((made.retry_time_interval, made.retry_attempts, made.max_retries), (3600, 0, 2));
    assert_eq!(made.scheduled_delivery.to_string(), "2026-03-20T12:00:00.123Z");
    assert_eq!(made.created_date.to_string(), "2026-03-01T08:00:00Z");
    assert_eq!(adjustments, []);
}

#[test]
fn each_standing_becomes_one_that_can_be() {
    let none = ("attempted_delivery", None);
    for (there, attempted, opted_out, here, adjustment) in [
        ("SCHEDULED", none, false, Status::Scheduled, None),
        ("SCHEDULED", none, true, Status::OptedOut, Some(Adjustment::WaitedForOptedOut)),
        ("SCHEDULED", ATTEMPTED, false, Status::Retry, Some(Adjustment::ScheduledButAttempted)),
        ("SCHEDULED", ATTEMPTED, true, Status::OptedOut, Some(Adjustment::WaitedForOptedOut)),
        ("RETRY", ATTEMPTED, false, Status::Retry, None),
        ("RETRY", none, false, Status::Scheduled, Some(Adjustment::RetryButNotAttempted)),
        ("RETRY", ATTEMPTED, true, Status::OptedOut, Some(Adjustment::WaitedForOptedOut)),
        ("DELIVERED", ATTEMPTED, true, Status::Delivered, None),
        ("DELIVERED", none, false, Status::Delivered, Some(Adjustment::AttemptWithoutTime)),
        ("DELIVERY FAILURE", none, false, Status::DeliveryFailure, Some(Adjustment::AttemptWithoutTime)),
        ("INACTIVE DEVICE", none, false, Status::InactiveDevice, None),
        ("OPTED OUT", none, true, Status::OptedOut, None),
        ("OPTED OUT", ATTEMPTED, false, Status::OptedOut, None),
    ] {
        let (made, adjustments) = read(&[("status", Some(there)), attempted], opted_out).unwrap();
        assert_eq!(
            (made.status, adjustments.first().copied()),
            (here, adjustment),
            "{there} {attempted:?} {opted_out}"
        );
        assert!(here.attempted().allows(made.attempted_delivery.is_some()), "{there} {attempted:?} {opted_out}");
    }
    let (made, _) = read(&[("status", Some("DELIVERED"))], false).unwrap();
    assert_eq!(made.attempted_delivery, Some(made.modified_date));
}

#[test]
fn attempts_in_all_become_retries_after_the_first() {
    for (all, made, status, retries, attempts, adjustment) in [
        ("3", "0", "SCHEDULED", 2, 0, None),
        ("3", "2", "RETRY", 2, 2, None),
        ("1", "0", "SCHEDULED", 0, 0, None),
        ("0", "0", "SCHEDULED", 0, 0, Some(Adjustment::ForEver)),
        ("0", "7", "RETRY", 0, 0, Some(Adjustment::ForEver)),
        ("3", "3", "RETRY", 2, 2, Some(Adjustment::UsedUp)),
        ("3", "9", "RETRY", 2, 2, Some(Adjustment::UsedUp)),
        ("5000", "2", "RETRY", 1000, 2, Some(Adjustment::ManyRetries)),
        // What has ended keeps its count as far as it can be, and nobody needs to hear of it.
        ("3", "3", "DELIVERY FAILURE", 2, 3, None),
        ("3", "9", "DELIVERY FAILURE", 2, 3, None),
        ("0", "0", "DELIVERED", 0, 0, None),
        ("99999999999", "99999999999", "DELIVERED", 1000, 1001, None),
    ] {
        let attempted = if status == "SCHEDULED" { ("attempted_delivery", None) } else { ATTEMPTED };
        let changed = [("max_retries", Some(all)), ("retry_attempts", Some(made)), ("status", Some(status)), attempted];
        let (made, adjustments) = read(&changed, false).unwrap();
        let found = (made.max_retries, made.retry_attempts, adjustments.first().copied());
        assert_eq!(found, (retries, attempts, adjustment), "{changed:?}");
    }
}

#[test]
fn minutes_become_seconds_up_to_a_year() {
    for (minutes, seconds, adjustment) in [
        ("0", 0, None),
        ("1440", 86_400, None),
        ("525600", MAX_RETRY_TIME_INTERVAL, None),
        ("525601", MAX_RETRY_TIME_INTERVAL, Some(Adjustment::LongInterval)),
        ("18446744073709551615", MAX_RETRY_TIME_INTERVAL, Some(Adjustment::LongInterval)),
    ] {
        let (made, adjustments) = read(&[("retry_time_interval", Some(minutes))], false).unwrap();
        assert_eq!((made.retry_time_interval, adjustments.first().copied()), (seconds, adjustment), "{minutes}");
    }
}

#[test]
fn what_cannot_be_here_is_refused_by_field() {
    let long = "t".repeat(101);
    for (column, value) in [
        ("id", Some("7")),
        ("title", Some(long.as_str())),
        ("title", None),
        ("extra", Some("[1]")),
        ("status", Some("DELIVERY_FAILURE")),
        ("status", Some("scheduled")),
        ("status", Some("SENT")),
        ("scheduled_delivery", Some("1969-12-31 23:59:59")),
        ("scheduled_delivery", Some("infinity")),
        ("attempted_delivery", Some("soon")),
        ("retry_time_interval", Some("-1")),
        ("created_date", None),
    ] {
        assert_eq!(read(&[(column, value)], false).unwrap_err().field, column, "{value:?}");
    }
    assert_eq!(read(&[("extra", None)], false).unwrap().0.extra.len(), 0);
}

#[test]
fn equal_notifications_have_the_key_of_an_equal_request() {
    let (first, _) = read(&[("extra", Some(r#"{"a": 1, "b": 2}"#))], false).unwrap();
    let (second, _) = read(&[("extra", Some(r#"{"b": 2.0, "a": 1}"#)), ("body", Some("Else."))], false).unwrap();
    assert_eq!(first.idempotency_key, second.idempotency_key);
    let extra = first.extra.clone();
    let asked = duplicates::key(Uuid::from_u128(7), "News", first.scheduled_delivery, &extra, 0);
    assert_eq!(first.idempotency_key, Some(asked));
}

#[test]
fn users_keep_what_is_not_empty() {
    let columns = &["id", "username", "email", "first_name", "last_name"];
    let of = |values: [Option<&str>; 5]| {
        user(&Row::new(columns, values.map(|value| value.map(|text| text.as_bytes().to_vec())).to_vec()))
    };
    let (ada, no_address) = of([Some("1"), Some("ada"), Some("ada@example.org"), Some(""), None]).unwrap();
    assert_eq!(no_address, None);
    assert_eq!((ada.username.as_str(), ada.email.as_deref()), ("ada", Some("ada@example.org")));
    assert_eq!((ada.first_name, ada.last_name, ada.time_zone), (None, None, None));
    let (ada, no_address) = of([Some("1"), Some("ada"), Some("at home"), None, None]).unwrap();
    assert_eq!((ada.email, no_address.unwrap().field), (None, "email"));
    assert_eq!(of([Some("1"), Some(""), None, None, None]).unwrap_err().field, "username");
    assert_eq!(of([Some("1"), Some("ada\n"), None, None, None]).unwrap_err().field, "username");
}

#[test]
fn only_names_stand_in_statements() {
    assert_eq!(table("auth_user").unwrap(), "\"auth_user\"");
    assert_eq!(table("people.Person2").unwrap(), "\"people\".\"Person2\"");
    for name in ["", ".", "a.b.c", "a b", "a\"; DROP TABLE x; --", "2a", "ä", "a.", &"a".repeat(64)] {
        assert!(table(name).is_err(), "{name}");
    }
}
