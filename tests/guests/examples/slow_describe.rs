//! Sleeps before it says who it is.

use guest_sdk::Manifest;
use wasip2::clocks::monotonic_clock::subscribe_duration;

fn manifest() -> Manifest {
    subscribe_duration(28_000_000_000).block();
    test_guests::manifest("Slow")
}

test_guests::guest!(manifest(), test_guests::delivered);
