//! Where users are reached, kept in step with their addresses.

use super::active;
use crate::support::program::Program;
use serde_json::json;

#[test]
fn create_email_target_user_records_respects_what_was_switched_off() {
    let program = Program::new();
    let run = || program.ok(&["create-email-target-user-records"]).stdout;
    let ada =
        ["user", "add", "--username", "ada", "--email", "ada@example.org", "--first-name", "Ada", "--last-name", "L"];
    program.ok(&ada);
    program.ok(&["user", "add", "--username", "bob"]);
    let said = "ada is reached at ada@example.org.\nbob has no email address on record.\n1 added, 0 described anew, 0 switched off, 0 refused, 1 without an address.\n";
    assert_eq!(run(), said, "one line per change and a summary");
    assert_eq!(program.json(&["record", "list"])[0]["description"], "Ada L's Email");
    let said = "bob has no email address on record.\n0 added, 0 described anew, 0 switched off, 0 refused, 1 without an address.\n";
    assert_eq!(run(), said, "a second run changes nothing");

    // One that was made by hand stays; that of an old address is switched off.
    program.ok(&["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "second@example.org"]);
    program.ok(&["user", "upsert", "--username", "ada", "--email", "new@example.org", "--last-name", "Lovelace"]);
    let said = run();
    assert!(
        said.contains("ada is reached at new@example.org.\nada's record of ada@example.org is switched off.\n"),
        "{said}"
    );
    assert_eq!(active(&program), ["new@example.org", "second@example.org"]);
    let records = program.json(&["record", "list"]);
    let new = records.as_array().unwrap().iter().find(|record| record["target_user_id"] == "new@example.org").unwrap();
    assert_eq!(new["description"], "Ada Lovelace's Email");

    // One that somebody switched off stays off, until somebody says otherwise.
    program.ok(&["record", "deactivate", new["id"].as_str().unwrap(), "--reason", "She asked."]);
    run();
    assert_eq!(active(&program), ["second@example.org"]);
    program.ok(&["record", "activate", new["id"].as_str().unwrap()]);
    assert_eq!(active(&program), ["new@example.org", "second@example.org"]);

    // One address that is too long for a record does not keep the others from theirs.
    let long = format!("{}@{}example.org", "cy".repeat(9), format!("{}.", "long".repeat(15)).repeat(3));
    program.ok(&["user", "add", "--username", "cy", "--email", &long]);
    program.ok(&["user", "add", "--username", "dan", "--email", "dan@example.org"]);
    let ran = program.run(&["create-email-target-user-records", "--output", "json"]);
    let changes: Vec<_> = ran.json().as_array().unwrap().iter().map(|change| change["change"].clone()).collect();
    assert_eq!((ran.code, changes), (Some(1), vec![json!("no_address"), json!("refused"), json!("added")]));
}
