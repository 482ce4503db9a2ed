//! Values for a target's own tests, which change what they are about: `Notification { attempt: 2, ..notification(…) }`.

use crate::{CreationRequest, Notification, TargetUserRecord, User};

/// Ada, of whom nothing else is known.
pub fn user() -> User {
    User {
        id: "u1".into(),
        username: "ada".into(),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        time_zone: String::new(),
        locale: String::new(),
        attributes: "{}".into(),
    }
}

fn record(number: usize, address: &str) -> TargetUserRecord {
    TargetUserRecord { id: format!("r{number}"), target_user_id: address.into(), description: String::new() }
}

/// A request for Ada at these addresses, whose records are `r1`, `r2` and so on; `extra` is JSON.
///
/// ```
/// use guest_sdk::{Draft, samples};
///
/// let drafts = Draft::for_each_record(samples::request(&["Loft 7, Vienna"], "Tea", "It is ready.", "{}"));
/// assert_eq!(drafts[0].target_user_record_id, "r1");
/// ```
pub fn request(addresses: &[&str], title: &str, body: &str, extra: &str) -> CreationRequest {
    CreationRequest {
        user: user(),
        target_user_records: addresses.iter().zip(1..).map(|(address, number)| record(number, address)).collect(),
        title: title.into(),
        body: body.into(),
        extra: extra.into(),
        scheduled_delivery: 0,
        expires_at: None,
        retry_time_interval: 60,
        max_retries: 3,
    }
}

/// The first attempt at a notification for Ada at this address; `extra` is JSON.
pub fn notification(address: &str, title: &str, body: &str, extra: &str) -> Notification {
    Notification {
        id: "n1".into(),
        idempotency_key: "k1".into(),
        user: user(),
        target_user_record: record(1, address),
        title: title.into(),
        body: body.into(),
        extra: extra.into(),
        scheduled_delivery: 0,
        expires_at: None,
        attempt: 1,
        last_attempt: false,
        previous: None,
    }
}
