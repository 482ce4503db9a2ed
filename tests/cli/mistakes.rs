//! What people type wrongly: one sentence that says what to do, exit code 1 (2 for usage), and nothing half-written.

use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use crate::support::{folder_with, guest};
use serde_json::json;
use std::process::Command;

#[test]
fn each_mistake_gets_a_sentence_and_leaves_nothing() {
    let program = Program::new();
    program.ada();
    let long = "x".repeat(101);
    for (arguments, part) in [
        (&["user", "add", "--username", "ada"][..], "already"),
        (&["user", "add", "--username", ""], "username"),
        (&["user", "add", "--username", "bob", "--time-zone", "Mars/Olympus"], "time_zone"),
        (&["user", "remove", "nobody"], "There is no user `nobody`"),
        (
            &["record", "add", "--user", "nobody", "--target", "email", "--target-user-id", "a@b.example"],
            "no user `nobody`",
        ),
        (&["record", "add", "--user", "ada", "--target", "fax", "--target-user-id", "1"], "no target `fax`"),
        (
            &["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "nonsense"],
            "not an e-mail address",
        ),
        (&["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "ada@example.org"], "already"),
        (&["target", "add", "--name", "Pigeon", "--module", "carrier_pigeon"], "put carrier_pigeon.wasm into a folder"),
        (&["target", "add", "--name", "Pigeon", "--module", "../evil"], "small letters"),
        (&["target", "add", "--name", "A name that is too long", "--module", "email"], "name"),
        (&["target", "remove", "fax"], "no target `fax`"),
        (&["target", "install", "."], "The component . is no file: name the .wasm file itself"),
        (&["notify", "--user", "nobody", "--target", "email", "--title", "T", "--body", "B"], "no user `nobody`"),
        (&["notify", "--user", "ada", "--target", "fax", "--title", "T", "--body", "B"], "no target `fax`"),
        (&["notify", "--user", "ada", "--target", "email", "--title", "T"], "body"),
        (&["notify", "--user", "ada", "--target", "email", "--title", "", "--body", "B"], "title"),
        (&["notify", "--user", "ada", "--target", "email", "--title", &long, "--body", "B"], "100"),
        (&["notify", "--user", "ada", "--target", "email", "--title", "a\nb", "--body", "B"], "control character"),
        (
            &["notify", "--user", "ada", "--target", "email", "--title", "T", "--body", "B", "--max-retries", "5000"],
            "max_retries",
        ),
        (
            &[
                "notify",
                "--user",
                "ada",
                "--target",
                "email",
                "--title",
                "T",
                "--body",
                "B",
                "--extra",
                "{\"html\": 1}",
            ],
            "`html` in extra is not valid",
        ),
        (&["notification", "show", "00000000-0000-0000-0000-000000000000"], "There is no notification"),
        (&["notification", "remove", "00000000-0000-0000-0000-000000000000"], "There is no notification"),
    ] {
        program.refused(arguments, part);
    }
    assert_eq!(program.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(program.json(&["record", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(program.json(&["target", "list"]).as_array().unwrap().len(), 3, "those that are bundled");
    assert_eq!(program.json(&["notification", "list"]), json!([]));
}

#[test]
fn usage_errors_exit_with_2() {
    let program = Program::new();
    let notify = ["notify", "--user", "ada", "--target", "email", "--title", "T", "--body", "B"];
    for (arguments, part) in [
        (&["--extra", "{"][..], "not valid JSON"),
        (&["--extra", "[]"], "must be a JSON object"),
        (&["--at", "2030-02-30T00:00:00Z"], "is not a time"),
        (&["--at", "someday"], "is not a time"),
        (&["--retry-interval", "soon"], "is not a duration"),
        (&["--max-retries", "-1"], "'-1'"),
        (&["--no-such"], "--no-such"),
    ] {
        let ran = program.run(&[&notify[..], arguments].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(part), "{arguments:?}: {ran:?}");
    }
    assert_eq!(program.run(&["notification", "show", "x"]).code, Some(2));
    assert_eq!(program.run(&[]).code, Some(2));
    assert_eq!(std::fs::read_dir(program.folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn settings_that_cannot_be_say_which_key() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value, part) in [
        ("ENGINE_SMTP__PROT", "1", "did you mean `smtp.port`?"),
        ("ENGINE_SMTP_PORT", "1", "did you mean ENGINE_SMTP__PORT?"),
        ("ENGINE_SMTP__PORT", "many", "must be a whole number"),
        ("ENGINE_SMTP__TLS", "ssl", "unknown value `ssl`"),
        ("ENGINE_DATABASE__URL", "mysql://x", "`database.url` must be"),
        ("ENGINE_LOG__LEVEL", "a=b=c", "`log.level` must be"),
        (
            "ENGINE_TARGET__EMAIL__FROM_EMAIL",
            "nobody",
            "must be an e-mail address such as \"News <news@example.org>\", and \"nobody\" is none.",
        ),
        (
            "ENGINE_TARGET__PARCEL__FROM_EMAIL",
            "nobody",
            "`target.parcel.from_email` (the variable ENGINE_TARGET__PARCEL__FROM_EMAIL) must be an e-mail address",
        ),
        (
            "ENGINE_TARGET__PARCEL__TEMPLATES",
            "/no/such/folder",
            "ENGINE_TARGET__PARCEL__TEMPLATES) names /no/such/folder",
        ),
        ("ENGINE_DATABASE__URL", "postgres://u:hush@h:99999/d", "`database.url` cannot be read (invalid port number)"),
        ("ENGINE_RETENTION__ENDED", "30", "`retention.ended` needs a unit, such as \"30d\" for days"),
        ("ENGINE_TARGET__EMAIL__FORM_EMAIL", "a@b.example", "the nearest key is `from_email`"),
        ("ENGINE_TARGET__EMAIL__TEMPLATS", "t", "the nearest key is `templates`"),
        ("ENGINE_TARGET__TWILIO__ACOUNT_SID", "AC", "the nearest key is `account_sid`"),
        (
            "ENGINE_TARGET__TWILIO__ACCOUNT_SID",
            "AC",
            "`account_sid` in the variable ENGINE_TARGET__TWILIO__ACCOUNT_SID cannot be \"AC\": it has to be as described (\"The account's SID: `AC` and 32",
        ),
        (
            "ENGINE_TARGET__EXPO__TOKEN",
            "x",
            "the variable ENGINE_TARGET__EXPO__TOKEN holds `token`, and may hold `base_url`, `from_email`, `limits`,",
        ),
        ("ENGINE_TARGET__EMIAL__FROM_EMAIL", "a@b.example", "did you mean `email`?"),
    ] {
        let program = Program::new().with(name, value);
        program.refused(&["settings", "check"], part);
        assert!(!program.run(&["settings", "check"]).stderr.contains("hush"), "{name}");
    }
    let file = folder.path().join("engine.toml");
    std::fs::write(&file, "[target.Parcel]\nsecrets = ['key']").unwrap();
    let told = Program::new().run(&["--config", file.to_str().unwrap(), "settings", "check"]).stderr;
    assert!(
        told.contains("`Parcel` is not a module name: use small letters") && !told.contains("module_name"),
        "{told}"
    );
    let sid = format!("AC{}", "0".repeat(32));
    let sender = || Program::new().with("ENGINE_TARGET__TWILIO__SENDER", "+15550100999");
    let ran = sender().run(&["settings", "check"]);
    assert_eq!(ran.code, Some(1));
    for lack in ["cannot send: `account_sid` is not set under [target.twilio]", "`twilio_auth_token` has no value"] {
        assert!(ran.stderr.contains(lack), "{lack}: {ran:?}");
    }
    let twilio = || sender().with("ENGINE_TARGET__TWILIO__ACCOUNT_SID", &sid);
    twilio().refused(&["settings", "check"], "cannot send: The secret `twilio_auth_token` has no value");
    let misspelt = twilio().with("ENGINE_SECRET__TWILIO_AUTH_TOKN", "hush").run(&["settings", "check"]);
    assert!(misspelt.stderr.contains("TOKN; did you mean `twilio_auth_token`?"), "{misspelt:?}");
    twilio().with("ENGINE_SECRET__TWILIO_AUTH_TOKEN", "hush").ok(&["settings", "check"]);
    let folder_of_none = folder_with(&[]);
    std::fs::write(folder_of_none.path().join("broken.wasm"), "no component").unwrap();
    let broken = Program::new().with("ENGINE_TARGETS__PATHS", folder_of_none.path().to_str().unwrap());
    broken.refused(&["settings", "check"], "broken.wasm cannot be used");
    let missing = folder.path().join("none").join("engine.db");
    let program = Program::new().with("ENGINE_DATABASE__URL", &format!("sqlite:{}", missing.display()));
    program.refused(&["user", "list"], "none");
    program.refused(&["settings", "check"], "`database.url` names");
}

#[test]
fn a_component_that_is_none_is_refused_with_what_it_is() {
    let folder = folder_with(&["noop"]);
    let file = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    file("empty.wasm", b"");
    file("core.wasm", b"\0asm\x01\0\0\0");
    file("elf.wasm", b"\x7fELF\x02\x01\x01");
    file("text.wasm", b"(component)");
    let whole = std::fs::read(guest("noop")).unwrap();
    file("cut.wasm", &whole[..whole.len() / 2]);
    std::fs::copy(guest("not_a_target"), folder.path().join("other.wasm")).unwrap();
    let made = Command::new("mkfifo").arg(folder.path().join("pipe.wasm")).status().unwrap();
    assert!(made.success());
    let program = Program::new().with("ENGINE_TARGETS__PATHS", folder.path().to_str().unwrap());
    for (module, part) in [
        ("empty", "It is empty"),
        ("core", "a core module, not a component"),
        ("elf", "machine code"),
        ("text", "not a WebAssembly component"),
        ("cut", "not a valid component"),
        ("other", "not a target"),
        ("missing", "There is no component"),
        ("pipe", "it is no file"),
    ] {
        program.refused(&["target", "add", "--name", "Pigeon", "--module", module], part);
    }
    assert_eq!(program.json(&["target", "list"]).as_array().unwrap().len(), 3, "those that are bundled");
    program.ok(&["target", "add", "--name", "Pigeon", "--module", "noop"]);
    let program = Program::new().with("ENGINE_TARGETS__PATHS", "/no/such/folder");
    program.refused(
        &["target", "add", "--name", "Pigeon", "--module", "noop"],
        "names /no/such/folder, which is no folder",
    );
    program.refused(&["settings", "check"], "names /no/such/folder, which is no folder");
    program.refused(&["process-notifications"], "names /no/such/folder");
    assert_eq!(program.json(&["target", "list"])[0]["pause"], json!(null), "nothing is paused because of it");
}

/// Nobody has named the target whose component is broken.
#[test]
fn a_broken_component_does_not_keep_news_from_other_targets() {
    let folder = folder_with(&["noop"]);
    let program = Program::new().with("ENGINE_TARGETS__PATHS", &folder.path().display().to_string());
    program.ada();
    program.ok(&["target", "add", "--name", "Noop", "--module", "noop"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "noop", "--target-user-id", "7"]);
    std::fs::write(folder.path().join("noop.wasm"), b"no component").unwrap();
    let ran = program.ok(&["notify", "--user", "ada", "--title", "T", "--body", "B"]);
    assert!(ran.stdout.contains("Email: notification "), "{ran:?}");
    assert!(ran.stdout.contains("noop.wasm cannot be used"), "{ran:?}");
    assert_eq!(program.json(&["notification", "list"]).as_array().unwrap().len(), 1);
    // Who names it, or has no other, is told.
    program.refused(&["notify", "--user", "ada", "--target", "noop", "--title", "T", "--body", "B"], "cannot be used");
    let email = program.json(&["record", "list", "--target", "email"])[0]["id"].as_str().unwrap().to_owned();
    program.ok(&["record", "deactivate", &email]);
    program.refused(&["notify", "--user", "ada", "--title", "T", "--body", "B", "--quiet"], "cannot be used");
    assert_eq!(program.json(&["notification", "list"]).as_array().unwrap().len(), 1);
}

/// What was switched off or taken back is told with what helps, or with why nothing does.
#[test]
fn what_is_not_sent_any_more_says_why() {
    let program = Program::new();
    program.ada();
    let record = program.json(&["record", "list"])[0]["id"].as_str().unwrap().to_owned();
    let notify = ["notify", "--user", "ada", "--target", "email", "--title", "T", "--body", "B"];
    program.ok(&notify);
    let id = program.json(&["notification", "list"])[0]["id"].as_str().unwrap().to_owned();
    program.ok(&["notification", "cancel", &id]);
    let shown = program.ok(&["notification", "show", &id]).stdout;
    assert!(shown.contains("               why: It was taken back.\n"), "{shown}");
    let told = "It is CANCELED: only what failed, is UNKNOWN or waits for another attempt is tried again; `engine notify` makes a";
    program.refused(&["notification", "retry", &id], told);

    program.ok(&["record", "deactivate", &record]);
    let helps = format!("is not active: `engine record activate {record}` switches it on");
    program.refused(
        &["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "ada@example.org"],
        &helps,
    );
    let refused = program.run(&notify);
    assert!(
        refused.stderr.contains("`engine record activate ID` switches one on that `engine record list` shows"),
        "{refused:?}"
    );
    program.ok(&["record", "activate", &record]);
    program.ok(&notify);
}

/// For programs the sentence is the one value of standard output, and the code says the same as ever.
#[test]
fn a_program_is_told_why_in_json() {
    let program = Program::new();
    let ran = program.run(&["--output", "json", "target", "show", "fax"]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(told["error"].as_str().unwrap().contains("no target `fax`"), "{told}");
    assert!(ran.code == Some(1) && ran.stderr.contains("no target `fax`"), "{ran:?}");
    // What came of a request is that value already.
    program.ok(&["user", "add", "--username", "bob"]);
    let ran = program.run(&["--output", "json", "notify", "--user", "bob", "--target", "email", "--title", "T"]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &told[0]["result"]), (Some(5), &json!("UserHasNoTargetRecords")));
    assert!(ran.stderr.contains("`engine record add --user bob --target \"Email\" --target-user-id …`"), "{ran:?}");
}

/// Names that commands take for another target's.
#[test]
fn a_target_is_not_called_like_another() {
    let program = Program::new();
    let file = guest("noop");
    let install = |name: &str| program.run(&["target", "install", file.to_str().unwrap(), "--name", name]);
    for name in ["email", "EMAIL", "twilio", "Twilio"] {
        let ran = install(name);
        assert!(ran.code == Some(1) && ran.stderr.contains("choose another name"), "{ran:?}");
    }
    let ran = install("Em\u{200b}ail");
    assert!(ran.code == Some(1) && ran.stderr.contains("cannot be seen"), "{ran:?}");
    for name in ["expo ", " Pigeon"] {
        let ran = install(name);
        assert!(ran.code == Some(1) && ran.stderr.contains("begins or ends with a space"), "{ran:?}");
    }
    let ran = program.run(&["target", "add", "--name", "EXPO", "--module", "email"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("choose another name"), "{ran:?}");
    assert_eq!(install("noop").code, Some(0));
    assert_eq!(install("Noop two").code, Some(0), "one module may serve several");
}

/// Another user's key: what was made for the one is no answer for the other.
#[test]
fn an_idempotency_key_is_one_users() {
    let program = Program::new();
    program.ada();
    program.ok(&["user", "add", "--username", "bob"]);
    program.ok(&["record", "add", "--user", "bob", "--target", "email", "--target-user-id", "bob@example.org"]);
    let notify = |user: &str| {
        program.run(&[
            "notify",
            "--user",
            user,
            "--target",
            "email",
            "--title",
            "T",
            "--body",
            "B",
            "--idempotency-key",
            "order-7",
        ])
    };
    let first = notify("ada");
    assert_eq!((first.code, notify("ada").stdout), (Some(0), first.stdout));
    let other = notify("bob");
    assert!(other.code == Some(1) && other.stderr.contains("was used for another user's notification"), "{other:?}");
}

/// What somebody wrote in several lines does not pass for the engine's own words.
#[test]
fn no_line_of_a_body_passes_for_a_field() {
    let program = Program::new();
    program.ada();
    let body = "x\n            status: DELIVERED\nbob - forged";
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "T", "--body", body]);
    let id = program.json(&["notification", "list"])[0]["id"].as_str().unwrap().to_owned();
    let shown = program.ok(&["notification", "show", &id]).stdout;
    assert!(shown.contains("\n                                status: DELIVERED\n"), "{shown}");
}

/// The settings and what is said at the start show whose database it is, and no more.
#[test]
fn the_password_of_the_database_is_not_shown() {
    for url in [
        "postgres://127.0.0.1:1/engine?user=postgres&password=S3CRET",
        "postgres://u:S3CRET@127.0.0.1:1/engine?sslpassword=S3CRET",
        "postgres:/u:S3CRET@h/db",
        "postgres://u:S3C/S3CRET#T@h/db",
        "postgres://u:S3CRET@h:99999/db",
        "sqlite:postgres://u:S3CRET@h/db",
    ] {
        let program = Program::new().database(url);
        for arguments in [&["settings", "show"][..], &["--output", "json", "settings", "show"], &["target", "list"]] {
            let ran = program.run(arguments);
            assert!(!format!("{ran:?}").contains("S3CRET"), "{url}: {ran:?}");
        }
    }
}

/// Files that do not end are not read to their end.
#[test]
fn files_without_end_are_refused() {
    let program = Program::new();
    let ran = program.run(&["--config", "/dev/zero", "settings", "check"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("has more than 1048576 bytes"), "{ran:?}");
    let program = program.with("ENGINE_SMTP__USERNAME", "u").with("ENGINE_SMTP__PASSWORD_FILE", "/dev/zero");
    program.refused(&["settings", "check"], "has more than 1024 bytes");
    let program = Program::new().with("ENGINE_SMTP__HELLO_NAME", "a\r\nMAIL FROM:<evil@x.example>");
    program.refused(&["settings", "check"], "`smtp.hello_name` must be the name of a host");
}

/// What is wrong with the settings of one target holds up that one, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_of_one_target_stop_no_other() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&["target", "install", guest("http_probe").to_str().unwrap(), "--name", "Carrier Pigeon"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Carrier Pigeon", "--target-user-id", "coop 7"]);
    for (name, value, part) in [
        (
            "ENGINE_TARGET__HTTP_PROBE__SMTP",
            "perhaps",
            "`target.http_probe.smtp` (the variable ENGINE_TARGET__HTTP_PROBE__SMTP) must be true or false",
        ),
        ("ENGINE_TARGET__HTTP_PROBE__BASE_URL", "gopher://x", "ENGINE_TARGET__HTTP_PROBE__BASE_URL) must be an origin"),
        ("ENGINE_TARGET__HTTP_PROBE__LIMITS", "many", "ENGINE_TARGET__HTTP_PROBE__LIMITS) must be a table"),
    ] {
        let program = program.clone().with(name, value);
        program.ok(&["notify", "--user", "ada", "--target", "email", "--title", name, "--body", "B"]);
        program.ok(&["process-notifications"]);
        assert!(program.json(&["target", "show", "Carrier Pigeon"])["problem"].as_str().unwrap().contains(part));
        program
            .refused(&["notify", "--user", "ada", "--target", "Carrier Pigeon", "--title", "T", "--body", "B"], part);
        let checked = program.run(&["settings", "check"]);
        assert!(checked.code == Some(1) && checked.stderr.contains(part), "{checked:?}");
    }
    assert_eq!(server.count(), 3);
}

/// Also of arguments that make no sense a program is told in its own language.
#[test]
fn usage_is_told_to_programs_too() {
    let program = Program::new();
    for arguments in [&["--output", "json", "target", "shove", "fax"][..], &["target", "shove", "--output=json"]] {
        let ran = program.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(told["error"], "unrecognized subcommand 'shove'");
        assert!(ran.stderr.contains("Usage:"), "{ran:?}");
    }
    let ran = program.run(&["target", "shove"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert_eq!(program.run(&["--version", "--output", "json"]).code, Some(0));
}

/// A component is not called without a setting that it requires, and what it is to send waits until that is there.
#[test]
fn a_target_that_lacks_a_setting_is_not_called() {
    let program = Program::new();
    program.ada();
    program.ok(&["record", "add", "--user", "ada", "--target", "twilio", "--target-user-id", "+15550100123"]);
    let made = program.json(&["notify", "--user", "ada", "--target", "twilio", "--title", "T", "--body", "B"]);
    let id = made[0]["notifications"][0].as_str().unwrap().to_owned();
    let why = "`account_sid` is not set under [target.twilio]. `sender` is not set";
    for _ in 0..2 {
        let ran = program.ok(&["process-notifications"]);
        assert!(ran.stdout.contains(why) && ran.stderr.contains("engine: the target Twilio is paused"), "{ran:?}");
        let shown = program.json(&["notification", "show", &id]);
        assert_eq!((&shown["status"], &shown["attempts"]), (&json!("SCHEDULED"), &json!([])));
        assert!(shown["waits"].as_str().unwrap().contains(why), "{shown}");
        let previewed = program.ok(&["process-notifications", "--dry-run"]);
        assert!(previewed.stderr.contains(why), "{previewed:?}");
    }
    let program = program
        .with("ENGINE_TARGET__TWILIO__ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef")
        .with("ENGINE_TARGET__TWILIO__SENDER", "+15550100999")
        .with("ENGINE_TARGET__TWILIO__BASE_URL", "http://127.0.0.1:9");
    program.ok(&["process-notifications"]);
    let shown = program.json(&["notification", "show", &id]);
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1, "it goes on by itself: {shown}");
}
