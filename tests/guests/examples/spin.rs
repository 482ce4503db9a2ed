//! Never ends, and waits for nothing.

use guest_sdk::{Notification, Outcome};

fn send(_: Vec<Notification>) -> Vec<Outcome> {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

test_guests::guest!(test_guests::manifest("Spin"), send);
