//! What is kept: names, spellings, refusals, the block that is printed.

use super::{notify, statuses};
use crate::support::folder_with;
use crate::support::guest;
use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::fs;

/// The columns of the tables that keep a model. A reference is a column with `_id`.
async fn columns(program: &Program, tables: &[&str]) -> Vec<String> {
    let file = program.folder.path().join("engine.db");
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let mut columns = Vec::new();
    for table in tables {
        let query = sqlx::query_scalar::<_, String>("SELECT name FROM pragma_table_info(?)").bind(table);
        columns.extend(query.fetch_all(&mut connection).await.unwrap());
    }
    connection.close().await.unwrap();
    columns
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_keep_their_names() {
    let program = Program::new();
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    program.ok(&["opt-out", "add", "--user", "ada"]);
    let of_a_notification = [
        "id",
        "target_user_record",
        "title",
        "body",
        "extra",
        "status",
        "scheduled_delivery",
        "attempted_delivery",
        "retry_time_interval",
        "retry_attempts",
        "max_retries",
    ];
    for (command, tables, names) in [
        ("target", &["targets"][..], &["id", "name", "notification_module_name"][..]),
        ("record", &["target_user_records"], &["id", "user", "target", "target_user_id", "description", "active"]),
        ("opt-out", &["opt_outs"], &["user", "active"]),
        ("notification", &["notifications", "notification_texts"], &of_a_notification),
    ] {
        let columns = columns(&program, tables).await;
        let listed = program.json(&[command, "list"]);
        for name in names {
            assert!(
                columns.iter().any(|c| c == name || *c == format!("{name}_id")),
                "{command}: {name} of {columns:?}"
            );
            // A person is known by name in the list of those who have opted out.
            let name = if (command, *name) == ("opt-out", "user") { "username" } else { name };
            assert!(listed[0].get(name).is_some(), "{command}: {name} in {listed}");
        }
    }
}

#[test]
fn the_six_statuses_are_spelled_with_a_space() {
    let program = Program::new();
    for status in ["SCHEDULED", "RETRY", "DELIVERED", "DELIVERY FAILURE", "INACTIVE DEVICE", "OPTED OUT"] {
        assert_eq!(program.json(&["notification", "list", "--status", status]), json!([]), "{status}");
    }
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    program.ok(&["opt-out", "add", "--user", "ada"]);
    assert_eq!(statuses(&program), ["OPTED OUT"]);
}

#[test]
fn the_bundled_targets_are_there_after_the_first_start() {
    let targets = Program::new().json(&["target", "list"]);
    let named = |target: &Value| (target["name"].clone(), target["notification_module_name"].clone());
    let targets: Vec<_> = targets.as_array().unwrap().iter().map(named).collect();
    let expected = [("Email", "email"), ("Expo", "expo"), ("Twilio", "twilio")];
    assert_eq!(targets, expected.map(|(name, module)| (json!(name), json!(module))));
}

#[test]
fn creators_keep_their_parameters_and_refusals() {
    let program = Program::new();
    program.ada();
    let parameters =
        ["--target", "email", "--at", "2040-01-01T00:00:00Z", "--retry-interval", "90", "--max-retries", "7"];
    let at = notify(&[&parameters[..], &["--extra", r#"{"cc": "bob@example.org"}"#]].concat());
    program.ok(&at);
    let made = program.json(&["notification", "list"])[0].clone();
    for (key, value) in [
        ("title", json!("Tea")),
        ("body", json!("It is ready.")),
        ("scheduled_delivery", json!("2040-01-01T00:00:00Z")),
        ("retry_time_interval", json!(90)),
        ("max_retries", json!(7)),
        ("extra", json!({"cc": "bob@example.org"})),
        ("status", json!("SCHEDULED")),
    ] {
        assert_eq!(made[key], value, "{key}");
    }

    let bob = ["notify", "--user", "bob", "--target", "email", "--title", "Tea", "--body", "It is ready."].to_vec();
    program.ok(&["user", "add", "--username", "bob"]);
    program.ok(&["opt-out", "add", "--user", "bob"]);
    for (arguments, code, name, part) in [
        (bob, 4, "UserIsOptedOut", "`bob` has opted out"),
        (notify(&["--target", "expo"]), 5, "UserHasNoTargetRecords", "no active record in the target Expo"),
        (at, 6, "NotificationsNotCreated", "scheduled for the same time already"),
    ] {
        let ran = program.run(&arguments);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        assert!(ran.stderr.contains(part) && ran.stdout.is_empty(), "{ran:?}");
        let ran = program.run(&[&arguments[..], &["--output", "json"]].concat());
        assert_eq!((ran.code, ran.json()[0]["result"].as_str()), (Some(code), Some(name)));
        let ran = program.run(&[&arguments[..], &["--quiet"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""), "{arguments:?}");
    }
    assert_eq!(statuses(&program).len(), 1, "what was refused stored nothing");
    let ran = program.run(&[&notify(&["--target", "nowhere"])[..], &["--quiet"]].concat());
    assert_eq!(ran.code, Some(1), "a mistake is not quiet");
}

#[tokio::test(flavor = "multi_thread")]
async fn opting_out_ends_scheduled_and_retry_and_opting_in_revives_none() {
    let server = SmtpServer::start(&[("RCPT", Answer::Says("450 4.2.0 Busy"))]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    program.ok(&["process-notifications"]);
    program.ok(&notify(&["--target", "email", "--at", "2040-01-01T00:00:00Z"]));
    assert_eq!(statuses(&program), ["SCHEDULED", "RETRY"]);
    let said = program.ok(&["opt-out", "add", "--user", "ada"]).stdout;
    assert_eq!(said, "The user ada has opted out; 2 waiting notifications have ended.\n");
    assert_eq!(statuses(&program), ["OPTED OUT", "OPTED OUT"]);
    assert_eq!(program.json(&["opt-out", "list"])[0]["username"], "ada");
    assert_eq!(program.run(&notify(&["--target", "email", "--raw"])).code, Some(4), "nor without a creator");

    program.ok(&["opt-out", "remove", "--user", "ada"]);
    assert_eq!(program.json(&["opt-out", "list"]), json!([]));
    assert_eq!(statuses(&program), ["OPTED OUT", "OPTED OUT"]);
    assert_eq!(program.ok(&["process-notifications"]).stdout, "");
    program.ok(&notify(&["--target", "email"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_record_ends_in_inactive_device() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    let record = program.json(&["record", "list"])[0]["id"].as_str().unwrap().to_owned();
    program.ok(&["record", "deactivate", &record]);
    let block = program.ok(&["process-notifications"]).stdout;
    assert!(block.contains("\nThe target user record is not active.\n"), "{block}");
    assert_eq!(statuses(&program), ["INACTIVE DEVICE"]);
    program.ok(&["record", "activate", &record]);
    assert_eq!((program.ok(&["process-notifications"]).stdout.as_str(), server.count()), ("", 0));
}

#[test]
fn a_target_in_use_cannot_be_deleted() {
    let program = Program::new();
    program.ada();
    program.refused(&["target", "remove", "email"], "in use");
    assert_eq!(program.json(&["target", "list"]).as_array().unwrap().len(), 3);
    program.ok(&["target", "remove", "expo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn process_notifications_prints_the_predecessors_block() {
    let server = SmtpServer::start(&[("RCPT", Answer::Says("450 4.2.0 Busy"))]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    let news = ["notify", "--user", "ada", "--target", "email", "--title", "Tea", "--retry-interval", "0"];
    let of_then = ["--body", "Two\nlines.", "--at", "2020-12-06T19:57:38Z"];
    program.ok(&[&news[..], &of_then].concat());
    let stars = "*********************************";
    let begins = "ada - 2020-12-06 19:57:38+00:00 - SCHEDULED\nTea - Two\nlines.\nEmail could not be sent: ";
    let block = program.ok(&["process-notifications"]).stdout;
    assert!(block.starts_with(begins) && block.ends_with(&format!("\n{stars}\n")), "{block}");

    server.script.lock().unwrap().clear();
    let block = program.ok(&["process-notifications"]).stdout;
    assert!(block.contains(" - RETRY\nTea - Two\nlines.\nEmail Successfully Sent\n"), "the status before: {block}");
    program.ok(&[&news[..], &["--body", "B", "--at", "2020-12-06T19:57:38.5Z"]].concat());
    let block = program.ok(&["process-notifications"]).stdout;
    let expected =
        format!("ada - 2020-12-06 19:57:38.500000+00:00 - SCHEDULED\nTea - B\nEmail Successfully Sent\n{stars}\n");
    assert_eq!(block, expected);
}

#[test]
fn a_later_folder_wins_and_may_replace_a_bundled_target() {
    let (first, second) = (folder_with(&["noop"]), folder_with(&["trap"]));
    for (folder, name) in [(&first, "noop"), (&second, "trap")] {
        fs::copy(guest(name), folder.path().join("email.wasm")).unwrap();
    }
    let (first, second) = (first.path().display(), second.path().display());
    let in_force = |paths: String| {
        let program = Program::new().with("ENGINE_TARGETS__PATHS", &paths);
        program.json(&["target", "show", "email"])["component"]["manifest"]["name"].clone()
    };
    assert_eq!(in_force(String::new()), "Email");
    assert_eq!(in_force(format!("{first}")), "Noop");
    assert_eq!(in_force(format!("{first}:{second}")), "Trap");
    assert_eq!(in_force(format!("{second}:{first}")), "Noop");

    let program = Program::new().with("ENGINE_TARGETS__PATHS", &format!("{second}:{first}"));
    program.ada();
    program.ok(&notify(&["--target", "email"]));
    assert!(program.ok(&["process-notifications"]).stdout.contains("\nNothing was done.\n"), "no mail was");
}
