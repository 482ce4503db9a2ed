//! `engine import django`: what comes out of a database of the predecessor's, with everything in it that its code lets happen. That a
//! database of the real one is read and delivered is what `cargo xtask predecessor` shows.

mod changes;
mod mistakes;
mod source;

use crate::support::program::Program;
use crate::support::smtp::SmtpServer;
use serde_json::{Value, json};
use source::{ADA, BOB, CLEO, NOON, Source, counts, id, is_of};
use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

const ATTEMPTED: &str = "attempted_delivery = '2026-03-20 12:00:01'";

/// How a notification stands here.
fn stands(program: &Program, number: u32) -> Value {
    let listed = program.json(&["notification", "list"]);
    let ids: Vec<String> = listed.as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap().to_owned()).collect();
    let id = ids.iter().find(|id| is_of(id, number)).unwrap_or_else(|| panic!("{number} is not among {ids:?}"));
    program.json(&["notification", "show", id])
}

/// All that people can see of what is here.
fn everything(program: &Program) -> Vec<Value> {
    [&["user", "list"], &["target", "list"], &["record", "list"], &["opt-out", "list"], &["notification", "list"]]
        .map(|arguments| program.json(arguments))
        .to_vec()
}

/// One of each that its code lets happen; which of them are left out, and for which column.
fn with_every_oddity(source: &Source) -> BTreeMap<String, String> {
    source.notification(1001, ADA, "");
    source.notification(1002, ADA, "extra = NULL, retry_time_interval = 1440, max_retries = 1");
    source.notification(1003, ADA, ATTEMPTED);
    source.notification(1004, ADA, &format!("status = 'RETRY', retry_attempts = 2, {ATTEMPTED}"));
    source.notification(1005, ADA, "status = 'RETRY'");
    source.notification(1006, ADA, "status = 'DELIVERED', modified_date = '2026-03-21 00:00:00'");
    source.notification(1007, ADA, &format!("status = 'DELIVERY FAILURE', retry_attempts = 3, {ATTEMPTED}"));
    source.notification(1008, ADA, "status = 'INACTIVE DEVICE'");
    source.notification(1009, ADA, &format!("status = 'RETRY', retry_attempts = 9, max_retries = 0, {ATTEMPTED}"));
    source.notification(1010, ADA, "extra = '{\"a\": [1, null]}', body = '<p>Ä</p>'");
    source.notification(1011, CLEO, "");
    source.notification(1012, CLEO, &format!("status = 'DELIVERED', {ATTEMPTED}"));
    source.notification(1013, CLEO, "status = 'OPTED OUT'");
    // Equal but for an `extra` of NULL, which its unique key lets happen.
    source.notification(1014, ADA, "title = 'Title 1002', extra = NULL");

    let mut left_out = BTreeMap::new();
    let mut bad = |number: u32, column: &str, changes: &str| {
        source.notification(number, BOB, changes);
        left_out.insert(id(number), column.to_owned());
    };
    bad(1101, "title", "title = printf('%.101c', 't')");
    bad(1102, "status", "status = 'DELIVERY_FAILURE'");
    bad(1103, "extra", "extra = '[1]'");
    bad(1104, "scheduled_delivery", "scheduled_delivery = 'someday'");
    bad(1105, "target_user_record_id", &format!("target_user_record_id = '{}'", id(19)));
    bad(1106, "target_user_record_id", "target_user_record_id = 'ffffffffffffffffffffffffffffffff'");
    bad(1107, "body", "body = CAST(x'41ff' AS TEXT)");
    source.record(19, BOB, 101, &"a".repeat(201));
    left_out.insert(id(19), "target_user_id".to_owned());
    left_out
}

#[test]
fn everything_comes_as_it_really_stands() {
    let program = Program::new();
    let source = Source::new(&program);
    let left_out = with_every_oddity(&source);
    let report = source.import(&program, &[]);
    assert_eq!(counts(&report, "user"), [3, 0, 0, 0]);
    assert_eq!(counts(&report, "target"), [0, 0, 3, 0]);
    assert_eq!(counts(&report, "record"), [3, 0, 0, 1]);
    assert_eq!(counts(&report, "opt_out"), [1, 0, 0, 0]);
    assert_eq!(counts(&report, "notification"), [14, 0, 0, 7]);
    let told = report["left_out"].as_array().unwrap().iter();
    let told: BTreeMap<String, String> = told
        .map(|left| (left["id"].as_str().unwrap().to_owned(), left["column"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(told, left_out);
    assert_eq!(
        report["adjusted"],
        json!({
            "waited_for_opted_out": 1, "scheduled_but_attempted": 1, "retry_but_not_attempted": 1,
            "attempt_without_time": 1, "for_ever": 1,
        })
    );
    for (number, status) in [
        (1001, "SCHEDULED"),
        (1002, "SCHEDULED"),
        (1003, "RETRY"),
        (1004, "RETRY"),
        (1005, "SCHEDULED"),
        (1006, "DELIVERED"),
        (1007, "DELIVERY FAILURE"),
        (1008, "INACTIVE DEVICE"),
        (1009, "RETRY"),
        (1010, "SCHEDULED"),
        (1011, "OPTED OUT"),
        (1012, "DELIVERED"),
        (1013, "OPTED OUT"),
        (1014, "SCHEDULED"),
    ] {
        assert_eq!(stands(&program, number)["status"], status, "{number}");
    }
    let first = stands(&program, 1001);
    assert_eq!(
        (&first["retry_time_interval"], &first["max_retries"], &first["username"]),
        (&json!(3600), &json!(2), &json!("ada"))
    );
    assert_eq!(first["scheduled_delivery"], "2026-03-20T12:00:00.123Z");
    assert_eq!(first["created_date"], "2026-03-20T12:00:00.123Z");
    let second = stands(&program, 1002);
    assert_eq!(
        (&second["retry_time_interval"], &second["max_retries"], &second["extra"]),
        (&json!(86_400), &json!(0), &json!({}))
    );
    assert_eq!(stands(&program, 1004)["retry_attempts"], 2);
    assert_eq!(stands(&program, 1006)["attempted_delivery"], "2026-03-21T00:00:00Z");
    let tenth = stands(&program, 1010);
    assert_eq!((&tenth["extra"], &tenth["body"]), (&json!({ "a": [1, null] }), &json!("<p>Ä</p>")));
    assert_eq!(program.json(&["user", "list"])[0]["first_name"], "ADA");
    assert_eq!(program.json(&["opt-out", "list"])[0]["username"], "cleo");
}

#[test]
fn a_second_import_changes_nothing_and_a_dry_run_only_says_so() {
    let program = Program::new();
    let source = Source::new(&program);
    with_every_oddity(&source);
    source.target(104, "Pigeon", "pigeon");
    let before = fs::read(&source.file).unwrap();
    let none = everything(&program);
    let mut dry = source.import(&program, &["--dry-run"]);
    assert_eq!(everything(&program), none, "nothing was written");
    dry["dry_run"] = false.into();
    let first = source.import(&program, &[]);
    assert_eq!(dry, first);
    let there = everything(&program);
    for more in [&[][..], &["--dry-run"]] {
        let again = source.import(&program, more);
        for kind in ["user", "target", "record", "opt_out", "notification"] {
            let [added, changed, unchanged, left_out] = counts(&first, kind);
            assert_eq!(changed, 0);
            assert_eq!(counts(&again, kind), [0, 0, added + unchanged, left_out], "{kind}");
        }
        assert_eq!(again["adjusted"], json!({}));
    }
    assert_eq!(everything(&program), there);
    assert_eq!(fs::read(&source.file).unwrap(), before, "the source is as it was");
    let beside: Vec<_> = fs::read_dir(program.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("django.sqlite3-"))
        .collect();
    assert_eq!(beside, Vec::<String>::new(), "nor is anything left beside it");
}

#[test]
fn people_read_what_was_done_and_why_not() {
    let program = Program::new();
    program.ok(&["user", "list"]);
    let source = Source::new(&program);
    source.notification(1001, ADA, "");
    source.notification(1002, ADA, "title = printf('%.101c', 't')");
    source.notification(1003, CLEO, "");
    let ran = program.run(&["import", "django", "--from", &source.url]);
    assert_eq!(ran.code, Some(1));
    let row = format!("notification {}: title has 101 characters: shorten it to 100 or fewer.\n", id(1002));
    assert_eq!(ran.stderr, row);
    let expected = "\
KIND                 ADDED  CHANGED  AS THEY WERE  LEFT OUT
users                3      0        0             0
targets              0      0        3             0
target user records  3      0        0             0
opt-outs             1      0        0             0
notifications        2      0        0             1
Left out for title: 1 notification.
1 notification waited for a user who has opted out: OPTED OUT here.
";
    assert_eq!(ran.stdout, expected);
    source.change(1002, "title = 'T'");
    let said = program.ok(&["import", "django", "--from", &source.url, "--dry-run"]).stdout;
    assert!(said.starts_with("Nothing was written. This would be done:\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_delivered_once() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    let told = tokio::task::spawn_blocking(move || {
        let source = Source::new(&program);
        source.notification(1001, ADA, "");
        source.notification(1002, ADA, &format!("status = 'RETRY', retry_attempts = 1, {ATTEMPTED}"));
        source.notification(1003, ADA, &format!("status = 'DELIVERED', {ATTEMPTED}"));
        source.notification(1004, BOB, "scheduled_delivery = '2100-01-01 00:00:00'");
        source.notification(1005, CLEO, "");
        source.import(&program, &[]);
        source.import(&program, &[]);
        let told = program.ok(&["process-notifications"]).stdout;
        // It is still SCHEDULED there; an import does not take back what was done here.
        let again = source.import(&program, &[]);
        assert_eq!(counts(&again, "notification"), [0, 0, 5, 0]);
        assert_eq!(program.ok(&["process-notifications"]).stdout, "");
        let second = stands(&program, 1002);
        assert_eq!((&second["status"], second["attempts"].as_array().unwrap().len()), (&json!("DELIVERED"), 1));
        assert_eq!(stands(&program, 1004)["status"], "SCHEDULED");
        told
    });
    let told = told.await.unwrap();
    assert_eq!(told.matches("Email Successfully Sent").count(), 2, "{told}");
    assert_eq!(server.count(), 2);
}

#[test]
fn a_later_import_follows_what_happened_there() {
    let program = Program::new();
    let source = Source::new(&program);
    for number in 1001..=1004 {
        source.notification(number, ADA, "");
    }
    source.import(&program, &[]);
    source.change(1001, &format!("status = 'DELIVERED', {ATTEMPTED}"));
    source.change(1002, &format!("status = 'RETRY', retry_attempts = 1, {ATTEMPTED}"));
    source.notification(1005, BOB, "");
    source.notification(1006, CLEO, &format!("status = 'DELIVERED', {ATTEMPTED}"));
    source.execute("UPDATE auth_user SET email = 'new@example.org', last_name = 'L' WHERE id = 1");
    let report = source.import(&program, &[]);
    assert_eq!(counts(&report, "user"), [0, 1, 2, 0]);
    assert_eq!(counts(&report, "notification"), [2, 2, 2, 0]);
    let status = |number| stands(&program, number)["status"].clone();
    assert_eq!([status(1001), status(1002), status(1003)], ["DELIVERED", "RETRY", "SCHEDULED"]);
    assert_eq!(status(1006), "DELIVERED", "a history comes even for who has opted out");
    assert_eq!(program.json(&["user", "list"])[0]["email"], "new@example.org");

    // Bob opts out there: what waits for him ends, here and with what is new. Cleo has opted in here since, and stays so.
    program.ok(&["opt-out", "remove", "--user", "cleo"]);
    source.opt_out(202, BOB, true, NOON);
    source.notification(1007, BOB, "");
    let report = source.import(&program, &[]);
    assert_eq!(counts(&report, "opt_out"), [1, 0, 1, 0]);
    assert_eq!([status(1005), status(1007)], ["OPTED OUT", "OPTED OUT"]);
    let opted_out = program.json(&["opt-out", "list"]);
    assert_eq!(opted_out.as_array().unwrap().iter().map(|o| &o["username"]).collect::<Vec<_>>(), ["bob"]);
    let notify = ["notify", "--user", "bob", "--target", "email", "--title", "T", "--body", "B"];
    assert_eq!(program.run(&notify).code, Some(4));
    source.execute("UPDATE notification_system_opt_out SET active = 0, modified_date = '2100-01-01 00:00:00'");
    assert_eq!(counts(&source.import(&program, &[]), "opt_out"), [0, 1, 1, 0]);
    assert_eq!(program.run(&notify).code, Some(0), "the newer word counts");
}

#[test]
fn what_is_here_already_is_kept() {
    let program = Program::new();
    program.ok(&["user", "add", "--username", "ada", "--email", "old@example.org", "--time-zone", "Europe/Vienna"]);
    let record = ["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "ada@example.org"];
    program.ok(&[&record[..], &["--description", "mine"]].concat());
    let source = Source::new(&program);
    source.execute("UPDATE notification_system_target_user_record SET active = 0 WHERE user_id = 1");
    source.execute("UPDATE auth_user SET first_name = '' WHERE id = 1");
    source.notification(1001, ADA, "");
    let report = source.import(&program, &[]);
    assert_eq!((counts(&report, "user"), counts(&report, "record")), ([2, 1, 0, 0], [2, 0, 1, 0]));
    let ada = program.json(&["user", "list"])[0].clone();
    assert_eq!((&ada["email"], &ada["time_zone"]), (&json!("ada@example.org"), &json!("Europe/Vienna")));
    let records = program.json(&["record", "list"]);
    assert_eq!((&records[0]["description"], &records[0]["active"]), (&json!("mine"), &json!(true)));
    assert_eq!(stands(&program, 1001)["target_user_record"], records[0]["id"]);
    let note = report["notes"][0].as_str().unwrap();
    assert!(note.contains("is active here, and was switched off there"), "{note}");
    // What was asked for there is not made once more by asking for it here.
    let again = ["notify", "--user", "ada", "--target", "email", "--title", "Title 1001", "--body", "Body"];
    let ran = program.run(&[&again[..], &["--at", "2026-03-20T12:00:00.123456Z"]].concat());
    assert_eq!(ran.code, Some(6), "{ran:?}");
}

#[test]
fn rows_that_cannot_be_are_left_out_and_the_others_come() {
    let program = Program::new();
    let source = Source::new(&program);
    let hyphens = |number| uuid::Uuid::from_u128(number).to_string();
    source.record(21, ADA, 101, "second@example.org");
    source.execute(&format!(
        "UPDATE notification_system_target_user_record SET id = '{}' WHERE id = '{}'",
        hyphens(12),
        id(21)
    ));
    source.notification(1001, ADA, "");
    source.notification(1002, ADA, "");
    source.change(1002, &format!("id = '{}'", hyphens(1001)));
    source.execute("UPDATE auth_user SET email = 'ada' || char(10) WHERE username = 'ada'");
    // Renamed, and spelled otherwise.
    source.execute("UPDATE notification_system_target SET name = 'email' WHERE name = 'Email'");
    let report = source.import(&program, &[]);
    assert_eq!((counts(&report, "target"), counts(&report, "record")), ([0, 0, 3, 0], [3, 0, 0, 1]), "{report}");
    assert_eq!(counts(&report, "notification"), [1, 0, 0, 1]);
    let notes = report["notes"].to_string();
    assert!(notes.contains("The user ada comes without an address: email holds a line break"), "{notes}");
    assert!(notes.contains("The target email with the module `email` there is Email"), "{notes}");
}

/// In the middle of an import: all is read before anything is written.
#[test]
fn the_application_can_write_while_it_is_imported() {
    let program = Program::new();
    let source = Source::new(&program);
    let count = 20_000;
    source.execute(&format!(
        "INSERT INTO notification_system_notification
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
        SELECT '{NOON}', '{NOON}', printf('%032x', 5000 + i), 'Title ' || i, 'Body', '{{}}', 'SCHEDULED', '{NOON}', NULL, 60, 0, 3,
            '{}' FROM n",
        id(11)
    ));
    let mut import =
        program.command(&["import", "django", "--from", &source.url]).stdout(Stdio::null()).spawn().unwrap();
    let here = || program.json(&["notification", "list", "--limit", "1"]).as_array().unwrap().len();
    while here() == 0 {
        assert!(import.try_wait().unwrap().is_none(), "the import was too quick for this test");
    }
    source.execute("PRAGMA busy_timeout = 0; UPDATE auth_user SET last_name = 'Lovelace' WHERE username = 'ada'");
    assert!(import.try_wait().unwrap().is_none(), "the import was too quick for this test");
    assert!(import.wait().unwrap().success());
    assert_eq!(program.json(&["user", "list"])[0]["last_name"], "", "as of one moment");
}

#[test]
fn targets_of_ones_own_come_with_what_is_in_them() {
    let program = Program::new();
    let source = Source::new(&program);
    source.target(104, "Pigeon", "carrier_pigeon");
    source.target(105, "Hawk", "carrier-hawk");
    source.record(21, ADA, 104, "the blue loft");
    source.record(22, ADA, 105, "the old tower");
    source.notification(1001, ADA, &format!("target_user_record_id = '{}'", id(21)));
    source.notification(1002, ADA, &format!("target_user_record_id = '{}'", id(22)));
    let report = source.import(&program, &[]);
    assert_eq!((counts(&report, "target"), counts(&report, "notification")), ([1, 0, 3, 1], [1, 0, 0, 1]));
    let why = report["left_out"][0]["why"].as_str().unwrap();
    assert!(why.contains("`carrier-hawk` is not a module name") && why.contains("engine target add"), "{why}");
    assert!(report["notes"][0].as_str().unwrap().contains("carrier_pigeon.wasm"), "{report}");
    // As it was told.
    program.ok(&["target", "add", "--name", "Hawk", "--module", "email"]);
    let report = source.import(&program, &[]);
    assert_eq!((counts(&report, "target"), counts(&report, "notification")), ([0, 0, 5, 0], [1, 0, 1, 0]));
    assert_eq!(stands(&program, 1002)["target_name"], "Hawk");
}

#[test]
fn users_may_be_in_a_table_of_ones_own() {
    let program = Program::new();
    let source = Source::new(&program);
    source.execute(
        "CREATE TABLE people (id char(32) PRIMARY KEY, username text);
        INSERT INTO people VALUES ('aa', 'ada'), ('bb', 'bob'), ('cc', 'ada'), ('dd', '');
        UPDATE notification_system_target_user_record SET user_id = 'aa' WHERE user_id = 1;
        UPDATE notification_system_target_user_record SET user_id = 'cc' WHERE user_id = 2;
        DELETE FROM notification_system_opt_out;",
    );
    let report = source.import(&program, &["--users-table", "people"]);
    assert_eq!((counts(&report, "user"), counts(&report, "record")), ([2, 0, 0, 2], [1, 0, 0, 2]));
    let why = report["left_out"][0]["why"].as_str().unwrap();
    assert!(why.contains("`ada` is another row's already"), "two people do not become one: {why}");
    assert_eq!(program.json(&["record", "list"])[0]["username"], "ada");
}

#[test]
fn times_without_a_zone_are_of_the_one_that_is_named() {
    let program = Program::new();
    let source = Source::new(&program);
    let local = "scheduled_delivery = '2026-07-01 12:00:00', created_date = '2026-03-01 08:00:00'";
    source.notification(1001, ADA, local);
    source.import(&program, &["--time-zone", "Europe/Vienna"]);
    assert_eq!(stands(&program, 1001)["scheduled_delivery"], "2026-07-01T10:00:00Z");
    // Who has forgotten the zone, or corrects it, does not make everything twice.
    for zone in ["UTC", "Europe/Vienna", "America/New_York"] {
        source.import(&program, &["--time-zone", zone]);
        assert_eq!(everything_listed(&program), 1, "{zone}");
    }
}

/// How many notifications there are.
fn everything_listed(program: &Program) -> usize {
    program.json(&["notification", "list"]).as_array().unwrap().len()
}

#[test]
fn more_than_fits_into_one_transaction() {
    let program = Program::new();
    let source = Source::new(&program);
    source.execute(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 5000 UNION ALL SELECT i + 1 FROM n WHERE i < 6200)
        INSERT INTO notification_system_notification SELECT '{NOON}', '{NOON}', printf('%032x', i), 'T' || i, 'B', '{{}}',
            'DELIVERED', '{NOON}', '{NOON}', 60, 0, 3, '{}' FROM n",
        id(11)
    ));
    assert_eq!(counts(&source.import(&program, &[]), "notification"), [1201, 0, 0, 0]);
    assert_eq!(counts(&source.import(&program, &[]), "notification"), [0, 0, 1201, 0]);
}
