//! Values that several tests begin with.

use guest_sdk::{CreationRequest, Notification, samples};

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

/// A request for one record.
pub fn request(title: &str, body: &str, extra: &str) -> CreationRequest {
    samples::request(&[TO], title, body, extra)
}

/// The first attempt at a notification.
pub fn notification(title: &str, body: &str, extra: &str) -> Notification {
    samples::notification(TO, title, body, extra)
}
