use super::*;
use crate::rules::outcome::Receipt;

fn at(text: &str) -> Timestamp {
    format!("2026-03-20T{text}Z").parse().unwrap()
}

const DAY: u64 = 24 * 3600;

fn first_try() -> Standing {
    Standing {
        scheduled_delivery: at("11:00:00"),
        attempted_delivery: None,
        retry_time_interval: 60,
        retry_attempts: 0,
        max_retries: 3,
        expires_at: None,
    }
}

fn second_try() -> Standing {
    Standing { attempted_delivery: Some(at("11:00:00")), retry_attempts: 1, ..first_try() }
}

fn retry(scope: Scope, after: Option<u64>) -> Outcome {
    let reason = Failure::new("busy", "The server is busy.");
    Outcome::Retry { after: after.map(Duration::from_secs), scope, reason }
}

fn failure() -> Failure {
    Failure::new("550", "No such mailbox.")
}

/// At noon, with the default policy and no jitter.
fn settled(standing: &Standing, outcome: &Outcome) -> Settlement {
    settle(standing, outcome, &RetryPolicy::default(), false, at("12:00:00"), 0.0)
}

#[test]
fn every_outcome_has_its_status_and_its_time() {
    use Status::*;
    let (noon, due) = (Some(at("12:00:00")), at("11:00:00"));
    let before = Some(at("11:00:00"));
    let receipt = Receipt::default;
    // What was known, the outcome; then status, next time, attempted time, counted attempts.
    let table = [
        (first_try(), Outcome::Delivered(receipt()), Delivered, due, noon, 0),
        (second_try(), Outcome::Delivered(receipt()), Delivered, due, noon, 1),
        (first_try(), Outcome::Accepted(receipt()), Delivered, due, noon, 0),
        (first_try(), Outcome::Failed(failure()), DeliveryFailure, due, noon, 0),
        (first_try(), Outcome::InactiveDevice(failure()), InactiveDevice, due, noon, 0),
        (first_try(), Outcome::OptedOut(failure()), OptedOut, due, noon, 0),
        (first_try(), Outcome::Unknown(failure()), Retry, at("12:01:00"), noon, 1),
        (first_try(), retry(Scope::Message, None), Retry, at("12:01:00"), noon, 1),
        (second_try(), retry(Scope::Message, None), Retry, at("12:02:00"), noon, 2),
        (first_try(), retry(Scope::Address, None), Retry, at("12:01:00"), noon, 1),
        (first_try(), retry(Scope::Account, None), Retry, at("12:01:00"), noon, 0),
        (first_try(), retry(Scope::Account, Some(120)), Retry, at("12:02:00"), noon, 0),
        (first_try(), retry(Scope::Configuration, None), Scheduled, due, None, 0),
        (second_try(), retry(Scope::Configuration, None), Retry, due, before, 1),
    ];
    for (standing, outcome, status, next, attempted, counted) in table {
        let settlement = settled(&standing, &outcome);
        let seen = (
            settlement.status,
            settlement.scheduled_delivery,
            settlement.attempted_delivery,
            settlement.retry_attempts,
        );
        assert_eq!(seen, (status, next, attempted, counted), "{standing:?} and {outcome:?}");
    }
}

#[test]
fn every_settlement_agrees_with_the_table_of_statuses() {
    let receipt = Receipt::default;
    let mut outcomes = vec![
        Outcome::Delivered(receipt()),
        Outcome::Accepted(receipt()),
        Outcome::Failed(failure()),
        Outcome::InactiveDevice(failure()),
        Outcome::OptedOut(failure()),
        Outcome::Unknown(failure()),
    ];
    for scope in [Scope::Message, Scope::Address, Scope::Account, Scope::Configuration] {
        outcomes.extend([retry(scope, None), retry(scope, Some(7))]);
    }
    let used_up = Standing { retry_attempts: 3, ..second_try() };
    let expired = |standing| Standing { expires_at: Some(at("12:00:00")), ..standing };
    for standing in [first_try(), second_try(), used_up, expired(first_try()), expired(second_try())] {
        let before = if standing.attempted_delivery.is_some() { Status::Retry } else { Status::Scheduled };
        for outcome in &outcomes {
            for on_unknown in OnUnknown::ALL {
                for can_learn_more in [false, true] {
                    let policy = RetryPolicy { on_unknown, ..RetryPolicy::default() };
                    let after = settle(&standing, outcome, &policy, can_learn_more, at("12:00:00"), 1.0);
                    assert!(before.may_become(after.status), "{before} to {}", after.status);
                    assert!(after.status.attempted().allows(after.attempted_delivery.is_some()), "{after:?}");
                    assert!(after.retry_attempts <= standing.max_retries + 1, "{after:?}");
                }
            }
        }
    }
}

#[test]
fn accepted_waits_for_news_only_where_news_can_come() {
    let accepted = Outcome::Accepted(Receipt::default());
    let policy = RetryPolicy::default();
    let status = |more| settle(&first_try(), &accepted, &policy, more, at("12:00:00"), 0.0).status;
    assert_eq!((status(true), status(false)), (Status::Sent, Status::Delivered));
}

#[test]
fn one_attempt_and_as_many_more_as_granted() {
    for max_retries in [0, 1, 3] {
        let mut standing = Standing { max_retries, ..first_try() };
        let mut attempts = 0;
        loop {
            attempts += 1;
            assert_eq!(is_last_attempt(&standing), attempts == 1 + max_retries);
            let settlement = settled(&standing, &retry(Scope::Message, None));
            assert_eq!(settlement.retry_attempts, attempts);
            if settlement.status == Status::DeliveryFailure {
                break;
            }
            standing.retry_attempts = settlement.retry_attempts;
            standing.attempted_delivery = settlement.attempted_delivery;
        }
        assert_eq!(attempts, 1 + max_retries);
    }
}

#[test]
fn resending_the_unknown_ends_too() {
    let used_up = Standing { retry_attempts: 3, ..second_try() };
    assert_eq!(settled(&used_up, &Outcome::Unknown(failure())).status, Status::DeliveryFailure);
}

#[test]
fn the_unknown_is_held_where_the_policy_says_so() {
    let hold = RetryPolicy { on_unknown: OnUnknown::Hold, ..RetryPolicy::default() };
    let settlement = settle(&first_try(), &Outcome::Unknown(failure()), &hold, false, at("12:00:00"), 0.0);
    assert_eq!((settlement.status, settlement.retry_attempts), (Status::Unknown, 0));
    assert_eq!(settlement.attempted_delivery, Some(at("12:00:00")));
}

#[test]
fn waits_double_up_to_a_day_and_spread_by_a_fifth() {
    let seconds = |interval, before, jitter| wait(Backoff::Exponential, interval, before, jitter).as_secs_f64();
    // Interval, attempts that counted before, jitter; seconds to wait.
    let table = [
        (60, 0, 0.0, 60.0),
        (60, 1, 0.0, 120.0),
        (60, 5, 0.0, 1920.0),
        (60, 11, 0.0, DAY as f64),
        (60, 1000, 0.0, DAY as f64),
        (60, 0, 1.0, 72.0),
        (60, 0, -1.0, 48.0),
        (60, 0, 5.0, 72.0),
        (60, 0, f64::NAN, 60.0),
        (0, 9, 1.0, 0.0),
        // Longer than a day by the notification's own wish: it does not grow, and it does not shrink.
        (2 * DAY as u32, 3, 0.0, 2.0 * DAY as f64),
    ];
    for (interval, before, jitter, expected) in table {
        assert_eq!(seconds(interval, before, jitter), expected, "{interval} s after {before}, jitter {jitter}");
    }
}

#[test]
fn a_fixed_wait_stays_what_it_is() {
    for before in [0, 1, 50] {
        assert_eq!(wait(Backoff::Fixed, 90, before, 1.0), Duration::from_secs(90));
    }
}

#[test]
fn the_providers_wish_beats_the_formula_within_bounds() {
    for (wish, seconds) in [(0, 1), (30, 30), (DAY, DAY), (DAY + 1, DAY)] {
        let expected = later(at("12:00:00"), Duration::from_secs(seconds));
        for scope in [Scope::Message, Scope::Account] {
            assert_eq!(settled(&first_try(), &retry(scope, Some(wish))).scheduled_delivery, expected);
        }
    }
}

#[test]
fn only_an_account_or_the_configuration_touches_the_target() {
    let target = |scope| settled(&first_try(), &retry(scope, Some(30))).target;
    assert_eq!(target(Scope::Message), TargetChange::None);
    assert_eq!(target(Scope::Address), TargetChange::None);
    assert_eq!(target(Scope::Account), TargetChange::SlowDown { until: at("12:00:30") });
    let reason = "busy: The server is busy.".to_owned();
    assert_eq!(target(Scope::Configuration), TargetChange::Pause { kind: PauseKind::Configuration, reason });
}

#[test]
fn only_a_dead_or_unwilling_address_is_switched_off() {
    let off = RecordChange::SwitchOff { reason: "550: No such mailbox.".to_owned() };
    assert_eq!(settled(&first_try(), &Outcome::InactiveDevice(failure())).record, off);
    assert_eq!(settled(&first_try(), &Outcome::OptedOut(failure())).record, off);
    assert_eq!(settled(&first_try(), &Outcome::Failed(failure())).record, RecordChange::None);
}

#[test]
fn a_retry_that_would_come_too_late_is_not_waited_for() {
    // The expiry and the outcome; the status. A retry would come at 12:01.
    let table = [
        ("12:01:00", retry(Scope::Message, None), Status::Expired),
        ("12:01:01", retry(Scope::Message, None), Status::Retry),
        ("12:01:00", retry(Scope::Account, None), Status::Expired),
        ("12:00:00", retry(Scope::Configuration, None), Status::Expired),
        ("12:00:01", retry(Scope::Configuration, None), Status::Scheduled),
        ("12:00:00", Outcome::Delivered(Receipt::default()), Status::Delivered),
    ];
    for (expiry, outcome, status) in table {
        let standing = Standing { expires_at: Some(at(expiry)), ..first_try() };
        assert_eq!(settled(&standing, &outcome).status, status, "expires {expiry}, {outcome:?}");
    }
}

#[test]
fn used_up_attempts_are_said_before_the_expiry() {
    let standing = Standing { max_retries: 0, expires_at: Some(at("12:00:30")), ..first_try() };
    assert_eq!(settled(&standing, &retry(Scope::Message, None)).status, Status::DeliveryFailure);
}

#[test]
fn times_have_milliseconds_and_an_end() {
    let fine: Timestamp = "2026-03-20T12:00:00.123456Z".parse().unwrap();
    let settlement = settle(&first_try(), &retry(Scope::Message, None), &RetryPolicy::default(), false, fine, 0.01);
    assert_eq!(settlement.scheduled_delivery.to_string(), "2026-03-20T12:01:00.243Z");
    assert_eq!(later(Timestamp::MAX, Duration::from_secs(9)).as_millisecond(), limits::LAST_MOMENT_MS);
}

#[test]
fn an_account_that_stays_at_fault_is_asked_ever_less() {
    for (attempt, counted, seconds) in [
        (1, 0, 0),
        (5, 0, 0),
        (6, 0, 1),
        (7, 0, 2),
        (7, 1, 1),
        (9, 0, 8),
        (15, 0, 512),
        (16, 0, 900),
        (u32::MAX, 3, 900),
        (1, 2, 0),
    ] {
        assert_eq!(least_account_wait(attempt, counted), Duration::from_secs(seconds), "{attempt} {counted}");
    }
    let policy = RetryPolicy { least_account_wait: Duration::from_secs(512), ..RetryPolicy::default() };
    for (asked, at_last) in [(Some(1), "12:08:32"), (None, "12:08:32"), (Some(3600), "13:00:00")] {
        let asked = retry(Scope::Account, asked);
        let settlement = settle(&first_try(), &asked, &policy, false, at("12:00:00"), 0.0);
        assert_eq!(settlement.scheduled_delivery, at(at_last));
    }
}
