//! What each command does and prints.

use crate::support::program::{Program, Running};
use crate::support::smtp::{Answer, SmtpServer};
use crate::support::{folder_with, guest};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_from_the_first_command_to_the_last() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    let user = program.json(&["user", "add", "--username", "ada", "--email", "ada@example.org", "--first-name", "Ada"]);
    assert_eq!((&user["username"], &user["first_name"]), (&json!("ada"), &json!("Ada")));
    let arguments = ["record", "add", "--user", "ada", "--target", "Email", "--target-user-id", " Ada@EXAMPLE.org "];
    let record = program.json(&arguments);
    assert_eq!(record["target_user_id"], "Ada@example.org", "in its normal form");

    let made = program.json(&["notify", "--user", "ada", "--target", "email", "--title", "Hello", "--body", "World"]);
    let id = made[0]["notifications"][0].as_str().unwrap().to_owned();
    let list = program.json(&["notification", "list"]);
    assert_eq!(list[0]["id"], id.as_str());
    for (key, value) in [
        ("title", json!("Hello")),
        ("body", json!("World")),
        ("extra", json!({})),
        ("status", json!("SCHEDULED")),
        ("attempted_delivery", json!(null)),
        ("retry_time_interval", json!(1440)),
        ("retry_attempts", json!(0)),
        ("max_retries", json!(3)),
        ("target_user_record", record["id"].clone()),
    ] {
        assert_eq!(list[0][key], value, "{key}");
    }

    let ran = program.ok(&["process-notifications"]);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("ada - 20") && lines[0].ends_with("+00:00 - SCHEDULED"), "{lines:?}");
    assert_eq!(lines[1..], ["Hello - World", "Email Successfully Sent", "*********************************"]);
    assert_eq!(server.count(), 1);
    let shown = program.json(&["notification", "show", &id]);
    assert_eq!((&shown["status"], &shown["attempts"][0]["outcome"]), (&json!("DELIVERED"), &json!("delivered")));
    let text = program.ok(&["notification", "show", &id]).stdout;
    assert!(text.contains("status: DELIVERED") && text.contains("attempt 1 at"), "{text}");
    assert_eq!(program.ok(&["process-notifications"]).stdout, "", "nothing is due any more");

    program.refused(&["target", "remove", "email"], "in use");
    program.ok(&["notification", "remove", &id]);
    program.ok(&["record", "remove", record["id"].as_str().unwrap()]);
    program.ok(&["user", "remove", "ada"]);
    for kind in ["notification", "record", "user"] {
        assert_eq!(program.json(&[kind, "list"]), json!([]), "{kind}");
    }
}

#[test]
fn lists_are_readable() {
    let program = Program::new();
    assert!(program.ok(&["user", "list"]).stdout.starts_with("There are no users"));
    program.ada();
    let table = program.ok(&["record", "list", "--user", "ada"]).stdout;
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("ID") && lines[0].contains("TARGET USER ID"), "{table}");
    assert!(lines[1].contains("ada@example.org") && lines[1].ends_with("active"), "{table}");
    let targets = program.json(&["target", "list"]);
    assert_eq!((&targets[0]["name"], &targets[0]["notification_module_name"]), (&json!("Email"), &json!("email")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_shown_and_lifted() {
    let server = SmtpServer::start(&[("MAIL", Answer::Says("530 5.7.0 Log in first"))]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "T", "--body", "B"]);
    program.ok(&["process-notifications"]);
    assert!(program.ok(&["target", "list"]).stdout.contains("paused: "));
    server.script.lock().unwrap().clear();
    program.ok(&["process-notifications"]);
    assert_eq!(server.count(), 0, "paused until somebody says otherwise");
    program.ok(&["target", "resume", "email"]);
    program.ok(&["process-notifications"]);
    assert_eq!(server.count(), 1);
}

#[test]
fn settings_are_shown_and_checked() {
    let program = Program::new()
        .with("ENGINE_SMTP__PORT", "2525")
        .with("ENGINE_TARGET__TWILIO__SENDER", "+15550100")
        .with("ENGINE_TARGET__TWILIO__ACCOUNT_SID", &format!("AC{}", "0".repeat(32)))
        .with("ENGINE_SECRET__TWILIO_AUTH_TOKEN", "hush");
    assert!(program.ok(&["settings", "check"]).stdout.contains("are valid"));
    let settings = program.json(&["settings", "show"]);
    assert_eq!(settings["smtp"]["port"], 2525);
    assert_eq!(settings["target"]["twilio"]["sender"], "+15550100", "text stays text");
    let defaults = program.ok(&["settings", "show", "--defaults"]).stdout;
    std::fs::write(program.folder.path().join("engine.toml"), &defaults).unwrap();
    program.ok(&["settings", "check"]);
    let left = std::fs::read_dir(program.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["engine.toml"], "checking makes nothing");
}

#[test]
fn a_target_is_shown_with_what_its_component_says() {
    let program = Program::new();
    let shown = program.ok(&["target", "show", "twilio"]).stdout;
    for part in [
        "name: Twilio\n",
        "state: not ready: `account_sid` is not set under [target.twilio].\n",
        "component: sha256:",
        "asks for: HTTP to https://api.twilio.com\n",
        "asks for: the secret twilio_auth_token: ",
        "largest batch: 1\n",
        "retry interval: 60 s",
        "\nSettings, under [target.twilio]:\n  The engine reads there, for every target: base_url, from_email, ",
        "secrets, smtp, templates.\n  account_sid: text, required, matching ^(AC",
        "  validity_period: a whole number, at least 1, at most 36000\n      Seconds for which",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = program.json(&["target", "show", "email"]);
    assert_eq!((&shown["name"], &shown["pause"], &shown["problem"]), (&json!("Email"), &json!(null), &json!(null)));
    let component = &shown["component"];
    assert_eq!(component["manifest"]["smtp"], true);
    let from_email = &component["settings"][0];
    assert_eq!((&from_email["key"], &from_email["type"]), (&json!("from_email"), &json!("text")));
    assert_eq!(from_email["bounds"], json!(["at least 3 characters"]));
    assert_eq!(component["extra"].as_array().unwrap().len(), 9);
    program.refused(&["target", "show", "fax"], "no target `fax`");
}

#[test]
fn a_target_without_a_component_is_shown_too() {
    let folder = folder_with(&["noop"]);
    let program = Program::new().with("ENGINE_TARGETS__PATHS", folder.path().to_str().unwrap());
    program.ok(&["target", "add", "--name", "Pigeon", "--module", "noop"]);
    std::fs::remove_file(folder.path().join("noop.wasm")).unwrap();
    let problem = "There is no component for the module `noop`; put noop.wasm into a folder of `[targets] paths`, or give it to `engine target install`.";
    assert!(program.ok(&["target", "show", "Pigeon"]).stdout.ends_with(&format!("state: not ready: {problem}\n")));
    let shown = program.json(&["target", "show", "Pigeon"]);
    assert_eq!((&shown["component"], &shown["problem"]), (&json!(null), &json!(problem)));
}

#[test]
fn a_new_database_is_said() {
    let program = Program::new();
    let said = program.ok(&["user", "list"]).stderr;
    let file = program.folder.path().canonicalize().unwrap().join("engine.db");
    assert_eq!(said, format!("engine: a new database was made: {}\n", file.display()));
    assert_eq!(program.ok(&["user", "list"]).stderr, "", "once");
}

#[test]
fn a_settings_file_can_be_named() {
    let program = Program::new();
    std::fs::write(program.folder.path().join("other.toml"), "[database]\nurl = 'sqlite:other.db'\n").unwrap();
    program.ok(&["--config", "other.toml", "user", "list"]);
    assert!(program.folder.path().join("other.db").exists());
    program.refused(&["--config", "none.toml", "user", "list"], "none.toml cannot be read");
}

#[test]
fn the_demo_shows_the_same_news_going_four_ways() {
    let program = Program::new();
    let shown = program.json(&["demo"]);
    let notifications = shown["notifications"].as_array().unwrap();
    assert_eq!(notifications.len(), 4);
    assert!(notifications.iter().all(|notification| notification["status"] == "DELIVERED"), "{shown:#}");
    let mut arrived: Vec<_> = shown["arrived"].as_array().unwrap().iter().collect();
    arrived.sort_by_key(|one| one["by"].as_str());
    let ways: Vec<_> = arrived.iter().map(|one| (one["by"].as_str().unwrap(), one["to"].as_str().unwrap())).collect();
    let expected = [
        ("SMS", "+15550100123"),
        ("e-mail", "ada@example.org"),
        ("pigeon", "Loft 7, London"),
        ("push", "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]"),
    ];
    assert_eq!(ways, expected);
    assert!(arrived.iter().all(|one| one["text"].as_str().unwrap().contains("a component in a sandbox")), "{shown:#}");
    let text = program.ok(&["demo"]).stdout;
    assert!(text.contains("| The engine works ✓") && text.contains("pigeon to Loft 7, London"), "{text}");
    assert_eq!(std::fs::read_dir(program.folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}

/// A request to notify Ada by e-mail, and what else it says.
fn tea<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["notify", "--user", "ada", "--target", "email", "--title", "Tea", "--body", "Tea."], more].concat()
}

#[test]
fn the_same_key_gives_the_first_answer() {
    let program = Program::new();
    program.ada();
    let notify = |title: &str, key: &str| {
        program.json(&[
            "notify",
            "--user",
            "ada",
            "--target",
            "email",
            "--title",
            title,
            "--body",
            "Tea.",
            "--idempotency-key",
            key,
        ])
    };
    let first = notify("Tea", "order-7");
    assert_eq!(notify("Tea, once more", "order-7"), first);
    assert_ne!(notify("Tea", "order-8"), first);
    assert_eq!(program.json(&["notification", "list"]).as_array().unwrap().len(), 2);
    program.ok(&["opt-out", "add", "--user", "ada"]);
    assert_eq!(notify("Tea", "order-7"), first, "whatever has become of it");
    program
        .refused(&["notify", "--user", "ada", "--title", "Tea", "--idempotency-key", " "], "idempotency_key is empty");
}

#[test]
fn requests_at_one_moment_with_one_key_make_one_notification() {
    let program = Program::new();
    program.ada();
    let notify = tea(&["--idempotency-key", "k", "--output", "json"]);
    program.ok(&["settings", "check"]);
    let running: Vec<_> =
        (0..20).map(|_| program.command(&notify).stdout(std::process::Stdio::piped()).spawn().unwrap()).collect();
    let answers: Vec<_> = running.into_iter().map(|child| child.wait_with_output().unwrap().stdout).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0] && !answer.is_empty()), "{answers:?}");
    assert_eq!(program.json(&["notification", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_notification_is_canceled_and_tried_again_by_hand() {
    let program = Program::new();
    program.ada();
    program.ok(&tea(&["--at", "in 1h"]));
    let id = program.json(&["notification", "list"])[0]["id"].as_str().unwrap().to_owned();
    program.refused(&["notification", "retry", &id], "It is SCHEDULED: only what failed");
    program.refused(&["notification", "resolve", &id, "delivered"], "It is SCHEDULED: only what is UNKNOWN");
    assert!(
        program.ok(&["notification", "cancel", &id]).stdout.contains(&format!("The notification {id} is canceled."))
    );
    assert_eq!(program.json(&["notification", "show", &id])["status"], "CANCELED");
    program.refused(&["notification", "cancel", &id], "It is CANCELED: it does not wait any more");

    // Nobody listens where the relay should be.
    program.ok(&tea(&["--max-retries", "0"]));
    let id = program.json(&["notification", "list", "--status", "SCHEDULED"])[0]["id"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        assert_eq!(program.run(&["process-notifications"]).code, Some(3));
        assert_eq!(program.json(&["notification", "show", &id])["status"], "DELIVERY FAILURE");
        assert!(program.ok(&["notification", "retry", &id]).stdout.contains("is due at once"));
    }
    assert_eq!(program.json(&["notification", "show", &id])["attempts"].as_array().unwrap().len(), 2);
}

#[test]
fn what_has_ended_is_kept_as_long_as_the_settings_say() {
    let program = Program::new();
    program.ada();
    program.ok(&tea(&["--at", "in 1h"]));
    let id = program.json(&["notification", "list"])[0]["id"].as_str().unwrap().to_owned();
    program.ok(&["notification", "cancel", &id]);
    program.ok(&["process-notifications"]);
    let left = |program: &Program| program.json(&["notification", "list"]).as_array().unwrap().len();
    assert_eq!(left(&program), 1, "for ever, unless it is said otherwise");
    let program = program.with("ENGINE_RETENTION__ENDED", "1d");
    program.ok(&["process-notifications"]);
    assert_eq!(left(&program), 1);
    let program = program.with("ENGINE_RETENTION__ENDED", "0s");
    program.ok(&["process-notifications"]);
    assert_eq!(left(&program), 0);
    program.with("ENGINE_RETENTION__ENDED", "long").refused(&["settings", "check"], "is not a duration");
}

/// Where there is room for one component, those of many targets are looked at one after the other.
#[test]
fn targets_are_listed_where_there_is_room_for_one_component() {
    let program = Program::new().with("ENGINE_SANDBOX__COMPILED", "64KiB");
    for name in ["noop", "sleeper", "trap"] {
        program.ok(&["target", "install", guest(name).to_str().unwrap(), "--name", name]);
    }
    let listing = Running(program.command(&["target", "list"]).spawn().unwrap());
    assert_eq!(listing.ended(), Some(0));
}
