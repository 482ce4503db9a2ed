//! What those are used to who come from the predecessor, as they type it.

use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use serde_json::json;
use std::fs;

fn notify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["notify", "--user", "ada", "--title", "Tea", "--body", "It is ready."], more].concat()
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
