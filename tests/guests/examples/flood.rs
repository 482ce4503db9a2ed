//! Writes a gigabyte into the log: `extra.lines` lines (262,144 if it does not say) of 4 KiB, or with `"to": "stdout"`
//! to standard output. Then it delivers: a full log is no fault.

use guest_sdk::runtime::{Level, log};
use guest_sdk::{Notification, Outcome};
use test_guests::extra;

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    let line = "0123456789abcdef".repeat(256);
    for wish in batch.iter().map(extra) {
        for _ in 0..wish["lines"].as_u64().unwrap_or(262_144) {
            if wish["to"] == "stdout" {
                println!("{line}");
            } else {
                log(Level::Info, &line);
            }
        }
    }
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Flood"), send);
