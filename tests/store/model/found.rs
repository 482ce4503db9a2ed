//! Sequences in which the model and the databases differed once, each as short as it was found, with what was wrong. That `purge` did not keep
//! to its limit came from what a planner believed, and is in `store/postgres.rs`.

use super::commands::{Command, Draft, Ending, Meant, Which};
use engine::rules::target::MAX_FAULTS;

pub fn sequences() -> Vec<Vec<Command>> {
    let draft = Draft { record: 0, due: 0, expires: None, on_unknown: None, max_retries: 0, key: None };
    let claim = Command::Claim { engine: 0, limit: 1, targets: Meant::All, lease: 1 };
    vec![
        // `settle` answered that it had ended otherwise, although it would not have waited without the opt-out either.
        vec![
            Command::Create(vec![draft]),
            claim,
            Command::OptOut(0),
            Command::Settle(vec![(Which::Held(0), Ending::Unwanted)]),
        ],
        // The last fault that is borne did not pause the target; a random sequence seldom has so many of one.
        vec![Command::CountFault(0); MAX_FAULTS as usize],
    ]
}
