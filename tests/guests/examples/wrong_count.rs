//! Answers with one outcome too few, or with as many as `extra.outcomes` of the first notification says.

use guest_sdk::{Notification, Outcome, Receipt};

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    let too_few = batch.len().saturating_sub(1);
    let wish = batch.first().map(test_guests::extra).unwrap_or_default()["outcomes"].as_u64();
    let count = wish.and_then(|count| usize::try_from(count).ok()).unwrap_or(too_few);
    vec![Outcome::Delivered(Receipt::new("", "One of too few or too many.")); count]
}

test_guests::guest!(test_guests::manifest("Wrong count").largest_batch(100), send);
