//! What was changed there between two imports: names, addresses, texts, opt-outs.

use super::source::{ADA, BOB, CLEO, NOON, Source, counts};
use super::{ATTEMPTED, stands};
use crate::support::program::Program;
use serde_json::{Value, json};

#[test]
fn who_was_renamed_there_is_renamed_here() {
    let program = Program::new();
    let source = Source::new(&program);
    source.notification(1001, BOB, "");
    source.import(&program, &[]);
    source.execute("UPDATE auth_user SET username = 'robert' WHERE username = 'bob'");
    source.opt_out(202, BOB, true, NOON);
    let dry = source.import(&program, &["--dry-run"]);
    let report = source.import(&program, &[]);
    for kind in ["user", "record", "opt_out"] {
        assert_eq!(dry["tallies"][kind], report["tallies"][kind]);
    }
    assert_eq!(dry["notes"], report["notes"]);
    assert_eq!((counts(&report, "user"), counts(&report, "record")), ([0, 0, 3, 0], [0, 0, 3, 0]));
    assert!(report["notes"].to_string().contains("The user bob is called robert now"), "{report}");
    assert_eq!(stands(&program, 1001)["status"], "OPTED OUT");
    let opted_out: Vec<Value> = program.json(&["opt-out", "list"]).as_array().unwrap().clone();
    assert!(opted_out.iter().any(|word| word["username"] == "robert" && word["active"] == true), "{opted_out:?}");
}

#[test]
fn who_got_anothers_name_there_is_not_taken_for_them() {
    let program = Program::new();
    let source = Source::new(&program);
    source.notification(1001, ADA, "");
    source.notification(1002, ADA, "");
    source.import(&program, &[]);
    // Ada is called eve now, and opts out; her old name is another person's.
    source.execute("UPDATE auth_user SET username = 'eve' WHERE id = 1");
    source.execute("INSERT INTO auth_user (id, username, last_name, email, first_name) VALUES (9, 'ada', '', '', '')");
    source.opt_out(209, ADA, true, NOON);
    source.record(29, 9, 101, "other@example.org");
    source.notification(1003, ADA, "");
    source.change(1001, &format!("status = 'DELIVERED', {ATTEMPTED}"));
    let report = source.import(&program, &[]);
    assert_eq!((counts(&report, "user"), counts(&report, "record")), ([1, 0, 2, 1], [0, 0, 2, 2]));
    let why = report["left_out"][0]["why"].as_str().unwrap();
    assert!(why.contains("ada is another person here, who is called eve there"), "{why}");
    let why = report["left_out"][1]["why"].as_str().unwrap();
    assert!(why.contains("is of ada here and of eve there"), "{why}");
    assert_eq!(counts(&report, "notification"), [0, 1, 1, 1], "nothing new is sent to whom the record was not");
    assert_eq!(stands(&program, 1001)["status"], "DELIVERED", "what has ended there ends here all the same");
    let records = program.json(&["record", "list"]);
    let hers = records.as_array().unwrap().iter().find(|record| record["target_user_id"] == "ada@example.org").unwrap();
    assert_eq!((&hers["active"], &hers["username"]), (&json!(false), &json!("ada")), "she has opted out there");
    // As it was told.
    program.ok(&["user", "remove", "eve"]);
    program.ok(&["user", "rename", "ada", "eve"]);
    let report = source.import(&program, &[]);
    assert_eq!((&report["left_out"], counts(&report, "record")), (&json!([]), [1, 0, 3, 0]));
}

/// Alice has got another name there and Carol has got hers: Carol's row is left out, and her opt-out reaches what is hers here.
#[test]
fn an_opt_out_reaches_the_records_of_who_is_left_out() {
    let program = Program::new();
    let source = Source::new(&program);
    source.execute("UPDATE notification_system_opt_out SET active = 0");
    source.import(&program, &[]);
    source.execute("UPDATE auth_user SET username = 'alice' WHERE username = 'ada'");
    source.execute("UPDATE auth_user SET username = 'ada' WHERE username = 'cleo'");
    source.execute("UPDATE notification_system_opt_out SET active = 1, modified_date = '2026-03-22 00:00:00'");
    let report = source.import(&program, &[]);
    assert_eq!(counts(&report, "user")[3], 1, "{report}");
    let records = program.json(&["record", "list"]);
    let hers =
        records.as_array().unwrap().iter().find(|record| record["target_user_id"] == "cleo@example.org").unwrap();
    assert_eq!(hers["active"], false, "{report}");
}

/// One record has got the address that another had.
#[test]
fn addresses_may_move_from_one_record_to_another() {
    let program = Program::new();
    let source = Source::new(&program);
    source.import(&program, &[]);
    source.execute(
        "UPDATE notification_system_target_user_record SET target_user_id = 'new@example.org' WHERE user_id = 1",
    );
    source.record(29, ADA, 101, "ada@example.org");
    let report = source.import(&program, &[]);
    assert_eq!(counts(&report, "record"), [1, 1, 2, 0], "{report}");
    let records = program.json(&["record", "list"]);
    let address = |number| {
        let id = uuid::Uuid::from_u128(number).to_string();
        records.as_array().unwrap().iter().find(|record| record["id"] == *id).unwrap()["target_user_id"].clone()
    };
    assert_eq!((address(11), address(29)), (json!("new@example.org"), json!("ada@example.org")));
}

#[test]
fn what_was_changed_there_is_changed_here() {
    let program = Program::new();
    let source = Source::new(&program);
    source.notification(1001, ADA, "");
    source.import(&program, &[]);
    source.execute(
        "UPDATE notification_system_target_user_record SET target_user_id = 'new@example.org' WHERE user_id = 1",
    );
    source.change(1001, "title = 'New', body = 'Text', modified_date = '2026-03-22 00:00:00'");
    let report = source.import(&program, &[]);
    assert_eq!((counts(&report, "record"), counts(&report, "notification")), ([0, 1, 2, 0], [0, 1, 0, 0]));
    let stands = stands(&program, 1001);
    assert_eq!(
        (&stands["title"], &stands["body"], &stands["target_user_id"]),
        (&json!("New"), &json!("Text"), &json!("new@example.org"))
    );
    let again = source.import(&program, &[]);
    assert_eq!((counts(&again, "record"), counts(&again, "notification")), ([0, 0, 3, 0], [0, 0, 1, 0]));
}

/// What was said there while an import was reading is newer than what it read.
#[test]
fn an_opt_out_during_an_import_counts_at_the_next() {
    let program = Program::new();
    let source = Source::new(&program);
    source.opt_out(202, BOB, false, "2026-03-20 12:00:00");
    source.execute("UPDATE notification_system_opt_out SET modified_date = 'never' WHERE user_id = 3");
    source.notification(1001, CLEO, "");
    let report = source.import(&program, &[]);
    assert!(
        report["notes"].to_string().contains("The opt-out of cleo cannot be read, and is taken for one"),
        "{report}"
    );
    assert_eq!(stands(&program, 1001)["status"], "OPTED OUT");
    source.execute(
        "UPDATE notification_system_opt_out SET active = 1, modified_date = '2026-03-20 12:00:01' WHERE user_id = 2",
    );
    assert_eq!(counts(&source.import(&program, &[]), "opt_out"), [0, 1, 1, 0]);
}
