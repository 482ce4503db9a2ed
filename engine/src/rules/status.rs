//! The ten statuses of a notification, and the one table that says what each of them means.
//!
//! The database's CHECK constraints follow from this table and are tested against it. A claim is not a status: it
//! stands beside SCHEDULED or RETRY. Every function here matches all ten by name, so that an eleventh does not compile
//! until each of them has decided.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rules::limits::Invalid;

/// Where a notification stands. Spelled for people, as in `DELIVERY FAILURE`, in the database, in JSON and on the
/// screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Waiting for its time; nothing has been attempted.
    #[serde(rename = "SCHEDULED")]
    Scheduled,
    /// Attempted, and to be attempted again at its scheduled time.
    #[serde(rename = "RETRY")]
    Retry,
    /// Taken by the provider, which will still say what became of it.
    #[serde(rename = "SENT")]
    Sent,
    /// Perhaps delivered, perhaps not; a person decides.
    #[serde(rename = "UNKNOWN")]
    Unknown,
    /// Delivered, as far as can be known.
    #[serde(rename = "DELIVERED")]
    Delivered,
    /// Not delivered, and not attempted again by itself.
    #[serde(rename = "DELIVERY FAILURE")]
    DeliveryFailure,
    /// The address is dead or switched off.
    #[serde(rename = "INACTIVE DEVICE")]
    InactiveDevice,
    /// The user, or the address, wants nothing.
    #[serde(rename = "OPTED OUT")]
    OptedOut,
    /// Its expiry passed before it could be sent.
    #[serde(rename = "EXPIRED")]
    Expired,
    /// Taken back by an operator or the application.
    #[serde(rename = "CANCELED")]
    Canceled,
}

/// Whether a notification in some status has an attempted delivery time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// It cannot have one.
    Never,
    /// It must have one.
    Set,
    /// It may have one.
    Either,
}

impl Attempted {
    /// Whether a row with, or without, an attempted delivery time agrees with this.
    pub fn allows(self, is_set: bool) -> bool {
        match self {
            Attempted::Never => !is_set,
            Attempted::Set => is_set,
            Attempted::Either => true,
        }
    }
}

impl Status {
    /// All of them, in the order of the table.
    pub const ALL: [Status; 10] = [
        Status::Scheduled,
        Status::Retry,
        Status::Sent,
        Status::Unknown,
        Status::Delivered,
        Status::DeliveryFailure,
        Status::InactiveDevice,
        Status::OptedOut,
        Status::Expired,
        Status::Canceled,
    ];

    /// The spelling for people, which is also the stored one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Scheduled => "SCHEDULED",
            Status::Retry => "RETRY",
            Status::Sent => "SENT",
            Status::Unknown => "UNKNOWN",
            Status::Delivered => "DELIVERED",
            Status::DeliveryFailure => "DELIVERY FAILURE",
            Status::InactiveDevice => "INACTIVE DEVICE",
            Status::OptedOut => "OPTED OUT",
            Status::Expired => "EXPIRED",
            Status::Canceled => "CANCELED",
        }
    }

    /// Whether there is an attempted delivery time in this status.
    pub const fn attempted(self) -> Attempted {
        match self {
            Status::Scheduled => Attempted::Never,
            Status::Retry | Status::Sent | Status::Unknown | Status::Delivered | Status::DeliveryFailure => {
                Attempted::Set
            }
            Status::InactiveDevice | Status::OptedOut | Status::Expired | Status::Canceled => Attempted::Either,
        }
    }

    /// Whether an engine may claim it once it is due.
    pub const fn claimable(self) -> bool {
        match self {
            Status::Scheduled | Status::Retry => true,
            Status::Sent
            | Status::Unknown
            | Status::Delivered
            | Status::DeliveryFailure
            | Status::InactiveDevice
            | Status::OptedOut
            | Status::Expired
            | Status::Canceled => false,
        }
    }

    /// Whether a person may have it tried again.
    pub const fn may_be_retried(self) -> bool {
        match self {
            Status::Retry | Status::Unknown | Status::DeliveryFailure => true,
            Status::Scheduled
            | Status::Sent
            | Status::Delivered
            | Status::InactiveDevice
            | Status::OptedOut
            | Status::Expired
            | Status::Canceled => false,
        }
    }

    /// Why it is not sent any more, of what may have ended without an attempt that would say it; in the predecessor's words where it had any.
    pub const fn why_ended(self) -> Option<&'static str> {
        match self {
            Status::InactiveDevice => Some("The target user record is not active."),
            Status::OptedOut => Some("The user has opted out of notifications."),
            Status::Expired => Some("It expired before it could be sent."),
            Status::Canceled => Some("It was taken back."),
            Status::Scheduled
            | Status::Retry
            | Status::Sent
            | Status::Unknown
            | Status::Delivered
            | Status::DeliveryFailure => None,
        }
    }

    /// The statuses that may follow this one, an operator's word included. SCHEDULED and RETRY may follow themselves,
    /// when a fault of the configuration has used nothing up or a retry asks for another.
    pub const fn goes_to(self) -> &'static [Status] {
        match self {
            Status::Scheduled => &[
                Status::Scheduled,
                Status::Retry,
                Status::Sent,
                Status::Unknown,
                Status::Delivered,
                Status::DeliveryFailure,
                Status::InactiveDevice,
                Status::OptedOut,
                Status::Expired,
                Status::Canceled,
            ],
            Status::Retry => &[
                Status::Retry,
                Status::Sent,
                Status::Unknown,
                Status::Delivered,
                Status::DeliveryFailure,
                Status::InactiveDevice,
                Status::OptedOut,
                Status::Expired,
                Status::Canceled,
            ],
            Status::Sent => &[
                Status::Delivered,
                Status::InactiveDevice,
                Status::OptedOut,
                Status::Retry,
                Status::DeliveryFailure,
                Status::Unknown,
            ],
            // An operator says what happened: delivered, failed, or worth another try.
            Status::Unknown => &[Status::Delivered, Status::DeliveryFailure, Status::Retry],
            // An operator asks for another try.
            Status::DeliveryFailure => &[Status::Retry],
            Status::Delivered | Status::InactiveDevice | Status::OptedOut | Status::Expired | Status::Canceled => &[],
        }
    }

    /// Whether `next` may follow this status.
    pub fn may_become(self, next: Status) -> bool {
        self.goes_to().contains(&next)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = Invalid;

    /// Reads the spelling for people; case, and `_` or `-` in place of the space, do not matter, because shells make
    /// spaces tiresome.
    fn from_str(text: &str) -> Result<Status, Invalid> {
        let spelled = text.trim().to_ascii_uppercase().replace(['_', '-'], " ");
        Status::ALL.into_iter().find(|status| status.as_str() == spelled).ok_or_else(|| {
            let all = Status::ALL.map(Status::as_str).join(", ");
            Invalid::new("status", format!("`{}` is not a status: choose one of {all}.", text.trim()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_read_back() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse::<Status>().unwrap(), status);
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(serde_json::from_value::<Status>(status.as_str().into()).unwrap(), status);
        }
        assert_eq!("delivery_failure".parse::<Status>().unwrap(), Status::DeliveryFailure);
        assert_eq!("opted-out".parse::<Status>().unwrap(), Status::OptedOut);
    }

    #[test]
    fn an_unknown_spelling_names_the_known_ones() {
        let refusal = "SENDING".parse::<Status>().unwrap_err().to_string();
        assert!(refusal.starts_with("`SENDING` is not a status: choose one of SCHEDULED, RETRY,"), "{refusal}");
    }

    #[test]
    fn claimable_statuses_are_those_that_wait_for_a_time() {
        let claimable: Vec<_> = Status::ALL.into_iter().filter(|status| status.claimable()).collect();
        assert_eq!(claimable, [Status::Scheduled, Status::Retry]);
    }

    #[test]
    fn what_may_be_retried_may_become_that() {
        let retried: Vec<_> = Status::ALL.into_iter().filter(|status| status.may_be_retried()).collect();
        assert_eq!(retried, [Status::Retry, Status::Unknown, Status::DeliveryFailure]);
        assert!(retried.iter().all(|status| status.may_become(Status::Retry)));
    }

    #[test]
    fn nothing_becomes_scheduled_again_after_an_attempt() {
        for status in Status::ALL {
            let attempted_for_sure = status.attempted() == Attempted::Set;
            assert!(!(attempted_for_sure && status.may_become(Status::Scheduled)), "{status}");
        }
    }

    #[test]
    fn what_is_delivered_stays_delivered() {
        assert_eq!(Status::Delivered.goes_to(), []);
        assert!(Status::Unknown.may_become(Status::Delivered));
        assert!(Status::DeliveryFailure.may_become(Status::Retry));
        assert!(!Status::DeliveryFailure.may_become(Status::Delivered));
    }

    #[test]
    fn each_expectation_about_the_attempted_time_allows_what_it_says() {
        assert!(Attempted::Never.allows(false) && !Attempted::Never.allows(true));
        assert!(!Attempted::Set.allows(false) && Attempted::Set.allows(true));
        assert!(Attempted::Either.allows(false) && Attempted::Either.allows(true));
    }
}
