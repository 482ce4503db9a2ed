//! Values that several tests begin with.

use guest_sdk::{CreationRequest, Notification, TargetUserRecord, User};

use crate::account::Account;

pub const ACCOUNT_SID: &str = "AC0123456789abcdef0123456789ABCDEF";
pub const SERVICE_SID: &str = "MG0123456789abcdef0123456789abcdef";
pub const TO: &str = "+15550100123";

/// A look-up in these settings.
pub fn settings(written: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name| written.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

/// The account with this sender.
pub fn account(sender: &str) -> Account {
    Account::read(settings(&[("account_sid", ACCOUNT_SID), ("sender", sender)])).unwrap()
}

fn user() -> User {
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

fn record() -> TargetUserRecord {
    TargetUserRecord { id: "r1".into(), target_user_id: TO.into(), description: String::new() }
}

/// A request for one record.
pub fn request(title: &str, body: &str, extra: &str) -> CreationRequest {
    CreationRequest {
        user: user(),
        target_user_records: vec![record()],
        title: title.into(),
        body: body.into(),
        extra: extra.into(),
        scheduled_delivery: 0,
        expires_at: None,
        retry_time_interval: 60,
        max_retries: 3,
    }
}

/// The first attempt at a notification.
pub fn notification(title: &str, body: &str, extra: &str) -> Notification {
    Notification {
        id: "n1".into(),
        idempotency_key: "k1".into(),
        user: user(),
        target_user_record: record(),
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
