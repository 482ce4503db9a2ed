//! Never ends, already while it creates.

use guest_sdk::{CreationRequest, Draft, Failure};

fn create(_: CreationRequest) -> Result<Vec<Draft>, Failure> {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

test_guests::guest!(test_guests::manifest("Spin in create"), test_guests::delivered, create);
