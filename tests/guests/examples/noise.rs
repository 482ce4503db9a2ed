//! Writes `extra.bytes` (hexadecimal) to standard output, `extra.times` times, and `extra.line` into the log as often; then it panics if
//! `extra.then` is `trap`.

use guest_sdk::runtime::{Level, log};
use guest_sdk::{Notification, Outcome};
use std::io::Write;
use test_guests::{extra, text, unhex};

#[expect(clippy::panic, reason = "the test asked for it")]
fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    for wish in batch.iter().map(extra) {
        let (bytes, line) = (unhex(&text(&wish, "bytes")), text(&wish, "line"));
        for _ in 0..wish["times"].as_u64().unwrap_or(1) {
            let _ = std::io::stdout().write_all(&bytes);
            let _ = std::io::stdout().flush();
            if !line.is_empty() {
                log(Level::Info, &line);
            }
        }
        if wish["then"] == "trap" {
            panic!("The test wants a panic after the noise.");
        }
    }
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Noise"), send);
