//! Ends its process instead of answering, as a program would that is no component.

use guest_sdk::{Notification, Outcome};

#[expect(clippy::exit, clippy::print_stderr, reason = "it is what this program is for")]
fn send(_: Vec<Notification>) -> Vec<Outcome> {
    eprintln!("This program always exits.");
    std::process::exit(3);
}

test_guests::guest!(test_guests::manifest("Exit"), send);
