//! A schema of `extra` whose expressions take a minute to match a page of text, and whose divisors take as long for a list of numbers.

use guest_sdk::Manifest;
use serde_json::{Value, json};

fn manifest() -> Manifest {
    let expression = |number| json!({ "pattern": format!("(?:e[\\t-~]{{3000}}q{{{number}}})|$") });
    let expressions: Vec<Value> = (2..18).map(expression).collect();
    let divisors: Vec<Value> = (0..16).map(|n| json!({ "multipleOf": 3.7e-300 + f64::from(n) * 1e-302 })).collect();
    test_guests::manifest("Long-winded").extra(json!({
        "properties": { "html": { "allOf": expressions }, "numbers": { "items": { "allOf": divisors } } },
    }))
}

test_guests::guest!(manifest(), test_guests::delivered);
