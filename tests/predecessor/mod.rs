//! What those have been told who come from django-notification-system 1.5.3: each promise has a test of its name.
//!
//! What is kept:
//!
//! | promise | test |
//! | --- | --- |
//! | the four models and their field names | `the_models_keep_their_names` |
//! | the six statuses, spelled with a space | `the_six_statuses_are_spelled_with_a_space` |
//! | Email, Twilio and Expo are there | `the_bundled_targets_are_there_after_the_first_start` |
//! | creators: parameters, refusals, `quiet` | `creators_keep_their_parameters_and_refusals` |
//! | opting out and in | `opting_out_ends_scheduled_and_retry_and_opting_in_revives_none` |
//! | an inactive record | `an_inactive_record_ends_in_inactive_device` |
//! | a target in use | `a_target_in_use_cannot_be_deleted` |
//! | `process-notifications` prints its block | `process_notifications_prints_the_predecessors_block` |
//! | custom targets in folders | `a_later_folder_wins_and_may_replace_a_bundled_target` |
//!
//! What is different, on purpose:
//!
//! | matter | test |
//! | --- | --- |
//! | `retry_time_interval` | `retry_time_interval_is_in_seconds_and_doubles`, `retry_time_interval_is_typed_as_people_say_it` |
//! | `max_retries` = N | `max_retries_n_means_one_plus_n_attempts` |
//! | rules on a notification | `rules_on_a_notification_are_the_databases` |
//! | opt-out | `opt_out_is_checked_at_creation_at_the_claim_and_before_the_send` |
//! | duplicates of a request | `duplicates_of_a_request_are_told_by_a_key` |
//! | the e-mail creator's `extra` | `email_creators_extra_is_kept` |
//! | template rendered | `template_rendered_at_creation` |
//! | text part of an HTML mail | `text_part_of_an_html_mail_is_readable` |
//! | permanent errors | `permanent_errors_end_at_once`, `twilios_21610_switches_off_that_record_alone` |
//! | connection refused, DNS, timeouts | `connection_refused_dns_and_timeouts_wait_the_notifications_interval` |
//! | Expo's DeviceNotRegistered | `expo_device_not_registered_is_an_inactive_device_at_once` |
//! | Expo | `expo_takes_a_hundred_a_request_and_not_for_ever` |
//! | Twilio | `twilio_checks_numbers_keeps_the_sid_and_sends_the_title_if_asked` |
//! | custom code that fails to load or crashes | `custom_code_that_fails_pauses_its_target_alone` |
//! | a failing notification | `a_failing_notification_affects_no_other` |
//! | two runs at once | `two_runs_at_once_send_everything_once` |
//! | `create_email_target_user_records` | `create_email_target_user_records_respects_what_was_switched_off` |
//! | output | `output_is_for_people_programs_and_cron` |
//!
//! Beyond it:
//!
//! | what | test |
//! | --- | --- |
//! | several targets in one call | `several_targets_in_one_call_with_a_body_per_target` |
//! | time zones | `time_zones_are_the_users` |
//! | expiry | `expiry_ends_what_is_too_late` |
//! | history | `history_keeps_every_attempt` |
//!
//! Not there yet: the admin page, cancelling, and `--idempotency-key` on the command line (the store has the key).

mod beyond;
mod kept;
mod mail;
mod models;
mod providers;
mod records;
mod retries;
mod runs;

use crate::support::program::Program;
use serde_json::{Value, json};

/// Arguments that notify Ada of her tea.
fn notify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["notify", "--user", "ada", "--title", "Tea", "--body", "It is ready."], more].concat()
}

/// Of all notifications, the newest first.
fn statuses(program: &Program) -> Vec<Value> {
    program.json(&["notification", "list"]).as_array().unwrap().iter().map(|n| n["status"].clone()).collect()
}

/// The addresses that are sent to.
fn active(program: &Program) -> Vec<String> {
    let records = program.json(&["record", "list"]);
    let records = records.as_array().unwrap().iter().filter(|record| record["active"] == json!(true));
    let mut active: Vec<String> = records.map(|record| record["target_user_id"].as_str().unwrap().to_owned()).collect();
    active.sort();
    active
}

/// The tables above and the tests below are the same ones.
#[test]
fn every_promise_has_its_test() {
    let mut tests: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/predecessor")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let of_tests = lines.windows(2).filter(|two| two[0] == "#[test]" || two[0].starts_with("#[tokio::test"));
        tests.extend(of_tests.map(|two| two[1].split(['(', ' ']).rfind(|word| word.contains('_')).unwrap().to_owned()));
    }
    tests.retain(|name| name != "every_promise_has_its_test");
    let rows = include_str!("mod.rs").lines().filter(|line| line.starts_with("//! |") && !line.contains("---"));
    let mut promised: Vec<&str> =
        rows.filter_map(|row| row.rsplit('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    promised.sort_unstable();
    tests.sort_unstable();
    assert_eq!(promised, tests);
}
