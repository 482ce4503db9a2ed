//! Panics while it sends.

use guest_sdk::{Notification, Outcome};

#[expect(clippy::panic, reason = "it is what this program is for")]
fn send(_: Vec<Notification>) -> Vec<Outcome> {
    panic!("This program always panics.")
}

test_guests::guest!(test_guests::manifest("Trap").largest_batch(100), send);
