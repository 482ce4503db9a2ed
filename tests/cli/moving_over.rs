//! What those are used to who come from the predecessor, as they type it.

use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use serde_json::{Value, json};
use std::fs;

fn statuses(program: &Program) -> Vec<Value> {
    program.json(&["notification", "list"]).as_array().unwrap().iter().map(|n| n["status"].clone()).collect()
}

fn notify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["notify", "--user", "ada", "--title", "Tea", "--body", "It is ready."], more].concat()
}

#[test]
fn opting_out_ends_what_waits_and_opting_in_revives_nothing() {
    let program = Program::new();
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    let said = program.ok(&["opt-out", "add", "--user", "ada"]).stdout;
    assert_eq!(said, "The user ada has opted out; 1 waiting notification has ended.\n");
    assert_eq!(statuses(&program), ["OPTED OUT"]);
    assert_eq!(program.json(&["opt-out", "list"])[0]["username"], "ada");
    assert_eq!(program.run(&notify(&["--target", "email"])).code, Some(4));
    assert_eq!(program.run(&notify(&["--target", "email", "--raw"])).code, Some(4), "nor without a creator");
    program.ok(&["opt-out", "remove", "--user", "ada"]);
    assert_eq!(statuses(&program), ["OPTED OUT"]);
    assert_eq!(program.json(&["opt-out", "list"]), json!([]));
    program.ok(&notify(&["--target", "email"]));
}

#[test]
fn each_refusal_is_told_apart_in_text_json_and_exit_code() {
    let program = Program::new();
    program.ada();
    let at = ["--target", "email", "--at", "2040-01-01T00:00:00Z"];
    program.ok(&notify(&at));
    let cases = [
        (notify(&["--target", "expo"]), 5, "UserHasNoTargetRecords", "no active record in the target Expo"),
        (notify(&at), 6, "NotificationsNotCreated", "scheduled for the same time already"),
    ];
    for (arguments, code, name, part) in &cases {
        let ran = program.run(arguments);
        assert_eq!(ran.code, Some(*code), "{ran:?}");
        assert!(ran.stderr.contains(part) && ran.stdout.is_empty(), "{ran:?}");
        let ran = program.run(&[&arguments[..], &["--output", "json"]].concat());
        assert_eq!((ran.code, ran.json()[0]["result"].as_str()), (Some(*code), Some(*name)));
        let ran = program.run(&[&arguments[..], &["--quiet"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""), "{arguments:?}");
    }
    assert_eq!(statuses(&program).len(), 1, "what was refused stored nothing");
    let ran = program.run(&[&notify(&["--target", "nowhere"])[..], &["--quiet"]].concat());
    assert_eq!(ran.code, Some(1), "a mistake is not quiet");
}

#[test]
fn several_targets_or_all_and_each_is_reported() {
    let program = Program::new();
    program.ada();
    program.ok(&["record", "add", "--user", "ada", "--target", "twilio", "--target-user-id", "+15550100123"]);
    let made = program.json(&notify(&["--body-for", "twilio=Tea!"]));
    let made: Vec<_> = made.as_array().unwrap().iter().map(|r| (r["target"].as_str(), r["result"].as_str())).collect();
    assert_eq!(made, [(Some("Email"), Some("created")), (Some("Twilio"), Some("created"))]);
    let bodies = program.json(&["notification", "list"]);
    let mut bodies: Vec<_> = bodies.as_array().unwrap().iter().map(|n| n["body"].as_str().unwrap()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["It is ready.", "Tea!"]);

    let made = program.json(&notify(&["--target", "email", "--target", "expo"]));
    assert_eq!((&made[0]["result"], &made[1]["result"]), (&json!("created"), &json!("UserHasNoTargetRecords")));
    // One target refuses what was asked: nothing is stored in any.
    let long = "x".repeat(1601);
    let before = statuses(&program).len();
    program.refused(
        &notify(&["--target", "email", "--target", "twilio", "--body-for", &format!("twilio={long}")]),
        "1600",
    );
    assert_eq!(statuses(&program).len(), before);
}

#[test]
fn a_time_is_on_the_users_clock() {
    let program = Program::new();
    program.ada();
    program.ok(&["user", "upsert", "--username", "ada", "--time-zone", "Europe/Vienna"]);
    for (at, time) in [
        ("2040-06-01 18:00", "2040-06-01T16:00:00Z"),
        ("2040-06-02T18:00:00Z", "2040-06-02T18:00:00Z"),
        ("2040-12-01", "2040-11-30T23:00:00Z"),
    ] {
        program.ok(&notify(&["--target", "email", "--at", at]));
        assert_eq!(program.json(&["notification", "list"])[0]["scheduled_delivery"], time, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_limited_and_previewed() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    for _ in 0..3 {
        program.ok(&notify(&["--target", "email"]));
    }
    let preview = program.ok(&["process-notifications", "--dry-run"]).stdout;
    assert_eq!(preview.matches("It is due; nothing was sent.").count(), 3, "{preview}");
    assert_eq!(program.json(&["process-notifications", "--dry-run", "--limit", "2"]).as_array().unwrap().len(), 2);
    assert_eq!(server.count(), 0);
    assert_eq!(program.ok(&["process-notifications", "--target", "expo"]).stdout, "");
    program.ok(&["process-notifications", "--limit", "2"]);
    assert_eq!(server.count(), 2);
    program.ok(&["process-notifications", "--target", "email"]);
    assert_eq!(server.count(), 3);
}

#[test]
fn email_records_follow_the_users() {
    let program = Program::new();
    let run = || program.ok(&["create-email-target-user-records"]).stdout;
    let active = || {
        let records = program.json(&["record", "list"]);
        let records = records.as_array().unwrap().iter().filter(|record| record["active"] == true);
        let mut records: Vec<String> = records.map(|r| r["target_user_id"].as_str().unwrap().to_owned()).collect();
        records.sort();
        records
    };
    program.ok(&[
        "user",
        "add",
        "--username",
        "ada",
        "--email",
        "ada@example.org",
        "--first-name",
        "Ada",
        "--last-name",
        "L",
    ]);
    program.ok(&["user", "add", "--username", "bob"]);
    let said = run();
    assert!(
        said.contains("ada is reached at ada@example.org.") && said.contains("bob has no email address on record."),
        "{said}"
    );
    assert_eq!(program.json(&["record", "list"])[0]["description"], "Ada L's Email");
    assert!(!run().contains("ada is reached"), "a second run changes nothing");

    // One that was made by hand stays; one that was switched off stays off; that of an old address is switched off.
    program.ok(&["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "second@example.org"]);
    program.ok(&["user", "upsert", "--username", "ada", "--email", "new@example.org"]);
    assert!(run().contains("ada's record of ada@example.org is switched off."));
    assert_eq!(active(), ["new@example.org", "second@example.org"]);
    let records = program.json(&["record", "list"]);
    let new = records.as_array().unwrap().iter().find(|record| record["target_user_id"] == "new@example.org").unwrap();
    program.ok(&["record", "deactivate", new["id"].as_str().unwrap(), "--reason", "She asked."]);
    run();
    assert_eq!(active(), ["second@example.org"]);
    program.ok(&["record", "activate", new["id"].as_str().unwrap()]);
    assert_eq!(active(), ["new@example.org", "second@example.org"]);

    program.ok(&["user", "add", "--username", "cy", "--email", "not an address"]);
    let ran = program.run(&["create-email-target-user-records"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("cy gets no record"), "{ran:?}");
}

#[test]
fn upserts_say_what_they_changed() {
    let program = Program::new();
    let user = |email: &str| program.json(&["user", "upsert", "--username", "ada", "--email", email])["change"].clone();
    assert_eq!([user("a@x.example"), user("a@x.example"), user("b@x.example")], ["added", "unchanged", "changed"]);
    let record = |address: &str, more: &[&str]| {
        let arguments = ["record", "upsert", "--user", "ada", "--target", "email", "--target-user-id", address];
        program.json(&[&arguments[..], more].concat())["change"].clone()
    };
    assert_eq!(
        [record("a@x.example", &[]), record("A@x.example", &[])],
        ["added", "added"],
        "case counts before the @"
    );
    assert_eq!(record("a@X.EXAMPLE", &[]), "unchanged");
    assert_eq!(record("b@x.example", &["--replace", "--description", "The only one"]), "added");
    let active = program.json(&["record", "list"]);
    let active: Vec<_> = active.as_array().unwrap().iter().filter(|record| record["active"] == true).collect();
    assert_eq!((active.len(), &active[0]["target_user_id"]), (1, &json!("b@x.example")));
}

#[test]
fn users_are_imported_and_bad_lines_are_told() {
    let program = Program::new();
    let file = program.folder.path().join("users.csv");
    let import =
        |more: &[&str]| program.run(&[&["user", "import", file.to_str().unwrap(), "--output", "json"], more].concat());
    fs::write(&file, "username,email,first_name,last_name,time_zone\nada,ada@example.org,Ada,Lovelace,Europe/London\nbob,bob@example.org,Bob,,Mars\n").unwrap();
    let ran = import(&["--all-or-nothing"]);
    assert_eq!((ran.code, &ran.json()["added"], &ran.json()["bad"][0]["line"]), (Some(1), &json!(0), &json!(3)));
    assert_eq!(program.json(&["user", "list"]), json!([]));
    let ran = import(&[]);
    assert_eq!((ran.code, &ran.json()["added"]), (Some(1), &json!(1)));
    assert_eq!(program.json(&["user", "list"])[0]["time_zone"], "Europe/London");
    fs::write(&file, "username,first_name\nada,Augusta\n").unwrap();
    let ran = import(&["--all-or-nothing"]);
    assert_eq!((ran.code, &ran.json()["changed"]), (Some(0), &json!(1)));
    assert_eq!(program.json(&["user", "list"])[0]["email"], "ada@example.org", "what no column says stays");
    fs::write(&file, b"username,first_name\nada,Ad\xe8le\n").unwrap();
    assert!(import(&[]).json()["bad"][0]["why"].as_str().unwrap().contains("UTF-8"));
    fs::write(&file, "name\nada\n").unwrap();
    program.refused(&["user", "import", file.to_str().unwrap()], "There is no column `name`");
    program.refused(&["user", "import", "nowhere.csv"], "cannot be opened");

    let lines = program.folder.path().join("users.jsonl");
    let many: String = (0..1200).map(|n| format!("{{\"username\": \"user{n}\"}}\n")).collect();
    fs::write(&lines, many).unwrap();
    assert_eq!(program.json(&["user", "import", lines.to_str().unwrap()])["added"], 1200);
}
