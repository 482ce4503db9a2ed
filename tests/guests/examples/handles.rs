//! Collects what the engine has to remember for it: `extra.pollables` of a clock that never come, or `extra.random` bytes from WASI in one go.

use guest_sdk::{Notification, Outcome};
use test_guests::extra;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::random::random::get_random_bytes;

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    for wish in batch.iter().map(extra) {
        let pollables = wish["pollables"].as_u64().unwrap_or_default();
        let kept: Vec<_> = (0..pollables).map(|_| subscribe_duration(u64::MAX)).collect();
        std::mem::forget(kept);
        if let Some(count) = wish["random"].as_u64() {
            std::hint::black_box(get_random_bytes(count));
        }
    }
    test_guests::delivered(batch)
}

test_guests::guest!(test_guests::manifest("Handles"), send);
