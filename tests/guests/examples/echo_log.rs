//! Writes into the log in all ways that there are, among them lines that want to look like other lines.

use guest_sdk::runtime::{Level, log};
use guest_sdk::{Notification, Outcome};

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    for notification in &batch {
        log(Level::Debug, format!("debug {}", notification.title));
        log(Level::Info, format!("info {}", notification.title));
        log(Level::Warn, "warn: two\nlines, and \u{1b}[31mred\u{1b}[0m");
        log(Level::Error, "error: forged\r\n2026-01-01T00:00:00Z ERROR engine: all is lost");
        log(Level::Info, "long ".repeat(2000));
        println!("printed {}", notification.title);
        eprintln!("printed to stderr {}", notification.title);
        println!("printed: two\nlines, and \u{1b}[31mred\u{1b}[0m");
        print!("printed without an end");
    }
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Echo log"), send);
