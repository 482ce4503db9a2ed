//! Sleeps through a clock, `extra.times` times (once if it does not say) for `extra.milliseconds`, and then delivers.

use guest_sdk::{Notification, Outcome};
use std::time::Duration;
use test_guests::extra;

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    for wish in batch.iter().map(extra) {
        for _ in 0..wish["times"].as_u64().unwrap_or(1) {
            std::thread::sleep(Duration::from_millis(wish["milliseconds"].as_u64().unwrap_or_default()));
        }
    }
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Sleeper"), send);
