//! `ATTACKS.md` and the tests say the same.

use std::collections::BTreeSet;
use std::path::Path;

/// What is no room of attacks.
const ARRANGING: [&str; 5] = ["mod", "arena", "neighbours", "probe", "table"];

/// The attacks that are tested, as `room::test`, or `room::test::case` where a test has several.
fn tested() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks")).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ARRANGING.contains(&room.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for test in text.split("#[tokio::test").skip(1) {
            let (_, after) = test.split_once("async fn ").unwrap();
            let name = after.split('(').next().unwrap();
            // And not the end of `to_lowercase(`.
            let is_case = |at: &usize| !after[..*at].ends_with(|c: char| c.is_alphabetic());
            let places = after.match_indices("case(").map(|(at, _)| at).filter(is_case);
            let cases: Vec<&str> = places.filter_map(|at| after[at..].split('"').nth(1)).collect();
            if cases.is_empty() {
                all.insert(format!("{room}::{name}"));
            }
            for case in cases {
                assert!(all.insert(format!("{room}::{name}::{case}")), "{room}::{name} has two cases {case}");
            }
        }
    }
    all
}

/// The last column of the table.
fn told() -> BTreeSet<String> {
    let table = include_str!("../ATTACKS.md");
    let mut all = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| ") && line.ends_with("` |")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [kind, tried, outcome, test] = cells[..] else { panic!("this row has not four cells: {row}") };
        assert!(![kind, tried, outcome].contains(&""), "a cell is empty: {row}");
        assert!(all.insert(test.trim_matches('`').to_owned()), "there are two rows of {test}");
    }
    all
}

#[test]
fn the_table_and_the_tests_say_the_same() {
    let (tested, told) = (tested(), told());
    assert!(tested.len() > 60, "{tested:?}");
    let untold: Vec<_> = tested.difference(&told).collect();
    let untested: Vec<_> = told.difference(&tested).collect();
    assert!(untold.is_empty() && untested.is_empty(), "no row tells of {untold:#?}, and no test makes {untested:#?}");
}
