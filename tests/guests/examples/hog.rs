//! Takes memory without bound, a mebibyte at a time, and writes to all of it.

use guest_sdk::{Notification, Outcome};

const MEBIBYTE: usize = 1024 * 1024;

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    // More than any component can address, so that it ends where memory does.
    for turn in 0..5000_usize {
        taken.push(std::hint::black_box(vec![turn.to_le_bytes()[0] | 1; MEBIBYTE]));
    }
    std::hint::black_box(&taken);
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Hog"), send);
