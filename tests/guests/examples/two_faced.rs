//! Says something else of itself whenever it is asked.

use guest_sdk::Manifest;
use wasip2::random::random::get_random_u64;

fn manifest() -> Manifest {
    test_guests::manifest("Two faced").retry_time_interval(1 + get_random_u64() as u32 % 80_000)
}

test_guests::guest!(manifest(), test_guests::delivered);
