//! A schema of `extra` whose expressions take a minute to match a page of text.

use guest_sdk::Manifest;
use serde_json::{Value, json};

fn manifest() -> Manifest {
    let expression = |number| json!({ "pattern": format!("(?:e[\\t-~]{{3000}}q{{{number}}})|$") });
    let expressions: Vec<Value> = (2..18).map(expression).collect();
    test_guests::manifest("Long-winded").extra(json!({ "properties": { "html": { "allOf": expressions } } }))
}

test_guests::guest!(manifest(), test_guests::delivered);
