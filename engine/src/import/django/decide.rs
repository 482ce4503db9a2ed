//! What becomes of a row that may be here already. An import can be repeated while both are at work, so that the newer word counts; and a
//! second import of the same changes nothing.

use crate::rules::django::OptOut;
use crate::rules::notification::Notification;
use crate::rules::target::Target;
use crate::store::{KnownNotification, ListedOptOut, Upserted};
use uuid::Uuid;

/// The target that a row is about: the one of its name, so that one that cannot be here as it is there can be made by hand; else the one of its
/// id, whose name has changed; else one of its module whose name differs only in case.
pub fn same_target<'a>(known: &'a [Target], id: Option<Uuid>, name: &str, module: &str) -> Option<&'a Target> {
    let find = |same: &dyn Fn(&Target) -> bool| known.iter().find(|target| same(target));
    find(&|target| target.name == name)
        .or_else(|| find(&|target| Some(target.id) == id))
        .or_else(|| find(&|target| target.name.eq_ignore_ascii_case(name) && target.notification_module_name == module))
}

/// Whether a user wants nothing: whoever said it last.
pub fn opt_out(known: Option<&ListedOptOut>, there: &OptOut) -> Upserted {
    match known {
        None => Upserted::Added,
        Some(known) if known.active != there.active && known.modified_date < there.modified_date => Upserted::Changed,
        Some(_) => Upserted::Unchanged,
    }
}

/// A notification: what has ended there is not sent here any more; what an engine has had, or has ended, is the engine's.
pub fn notification(known: Option<&KnownNotification>, there: &Notification) -> Upserted {
    let Some(known) = known else { return Upserted::Added };
    if known.is_claimed || !known.status.claimable() {
        return Upserted::Unchanged;
    }
    let has_moved = known.modified_date < there.modified_date
        || (known.status, known.scheduled_delivery, known.attempted_delivery, known.retry_attempts)
            != (there.status, there.scheduled_delivery, there.attempted_delivery, there.retry_attempts);
    if !there.status.claimable() || (known.fence == 0 && has_moved) { Upserted::Changed } else { Upserted::Unchanged }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::status::Status;
    use crate::rules::tenant::Tenant;
    use jiff::Timestamp;
    use serde_json::Map;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn there(status: Status, attempts: u32) -> Notification {
        Notification {
            id: Uuid::from_u128(1),
            tenant: Tenant::DEFAULT,
            target_user_record: Uuid::from_u128(2),
            title: String::new(),
            body: String::new(),
            extra: Map::new(),
            status,
            scheduled_delivery: at(100),
            attempted_delivery: (status != Status::Scheduled).then(|| at(50)),
            retry_time_interval: 60,
            retry_attempts: attempts,
            max_retries: 3,
            expires_at: None,
            idempotency_key: None,
            on_unknown: None,
            created_date: at(0),
            modified_date: at(0),
        }
    }

    fn here(status: Status) -> KnownNotification {
        let like = there(status, 0);
        KnownNotification {
            id: like.id,
            status,
            scheduled_delivery: like.scheduled_delivery,
            attempted_delivery: like.attempted_delivery,
            retry_attempts: like.retry_attempts,
            is_claimed: false,
            fence: 0,
            modified_date: like.modified_date,
        }
    }

    #[test]
    fn a_target_is_known_by_its_name_then_its_id_then_its_module() {
        let target = |id, name: &str, module: &str| Target {
            id: Uuid::from_u128(id),
            name: name.to_owned(),
            notification_module_name: module.to_owned(),
            pause: None,
            slowed_until: None,
            faults: 0,
            revision: 0,
        };
        let known = [target(1, "Email", "email"), target(2, "Pigeons", "carrier_pigeon")];
        let found = |id, name, module| {
            same_target(&known, Some(Uuid::from_u128(id)), name, module).map(|target| target.name.as_str())
        };
        assert_eq!(found(9, "Email", "mailer"), Some("Email"));
        assert_eq!(found(2, "Email", "email"), Some("Email"));
        assert_eq!(found(2, "Doves", "carrier_pigeon"), Some("Pigeons"));
        assert_eq!(found(9, "email", "email"), Some("Email"));
        assert_eq!(found(9, "email", "mailer"), None);
        assert_eq!(found(9, "News", "email"), None);
    }

    #[test]
    fn what_has_ended_there_ends_here() {
        let waiting = here(Status::Scheduled);
        let delivered = there(Status::Delivered, 0);
        assert_eq!(notification(None, &delivered), Upserted::Added);
        assert_eq!(notification(Some(&waiting), &delivered), Upserted::Changed);
        assert_eq!(notification(Some(&KnownNotification { fence: 3, ..waiting }), &delivered), Upserted::Changed);
        assert_eq!(
            notification(Some(&KnownNotification { is_claimed: true, ..waiting }), &delivered),
            Upserted::Unchanged
        );
    }

    #[test]
    fn what_waits_follows_until_an_engine_has_had_it() {
        let waiting = here(Status::Scheduled);
        assert_eq!(notification(Some(&waiting), &there(Status::Scheduled, 0)), Upserted::Unchanged);
        assert_eq!(notification(Some(&waiting), &there(Status::Retry, 1)), Upserted::Changed);
        let touched = KnownNotification { fence: 1, ..waiting };
        assert_eq!(notification(Some(&touched), &there(Status::Retry, 1)), Upserted::Unchanged);
    }

    #[test]
    fn what_has_ended_here_stays() {
        for status in Status::ALL.into_iter().filter(|status| !status.claimable()) {
            for new in [Status::Scheduled, Status::Retry, Status::Delivered] {
                assert_eq!(notification(Some(&here(status)), &there(new, 0)), Upserted::Unchanged, "{status} {new}");
            }
        }
    }

    #[test]
    fn the_newer_word_about_an_opt_out_counts() {
        let known = |active, second| ListedOptOut { username: "ada".to_owned(), active, modified_date: at(second) };
        let there = |active, second| OptOut { active, modified_date: at(second) };
        assert_eq!(opt_out(None, &there(true, 1)), Upserted::Added);
        assert_eq!(opt_out(Some(&known(false, 1)), &there(true, 2)), Upserted::Changed);
        assert_eq!(opt_out(Some(&known(true, 1)), &there(false, 2)), Upserted::Changed);
        assert_eq!(opt_out(Some(&known(false, 2)), &there(true, 1)), Upserted::Unchanged);
        assert_eq!(opt_out(Some(&known(true, 1)), &there(true, 2)), Upserted::Unchanged);
    }
}
