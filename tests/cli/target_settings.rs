//! What the components of targets know: as it is set by commands, in the settings and by variables.

use super::grants::installed;
use crate::support::program::Program;
use crate::support::{folder_with, guest};
use serde_json::json;

/// What is set at the installation is seen, taken away by an empty value, and comes after the operator's.
#[test]
fn settings_are_seen_and_taken_away() {
    let program = Program::new();
    let file = guest("settings_probe");
    let install = |more: &[&str]| {
        let named = ["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"];
        program.ok(&[&named[..], more].concat());
    };
    let settings = |program: &Program| program.json(&["target", "inspect", "Carrier Pigeon"])["settings"].clone();
    install(&["--setting", "count=3", "--setting", "colour=red"]);
    assert_eq!(settings(&program), json!({ "count": 3, "colour": "red" }));
    install(&[]);
    assert_eq!(settings(&program), json!({ "count": 3, "colour": "red" }), "it stays where nothing is said");
    install(&["--setting", "count="]);
    assert_eq!(settings(&program), json!({ "colour": "red" }));
    let text = program.ok(&["target", "inspect", "Carrier Pigeon"]).stdout;
    assert!(text.contains("SETTING") && text.contains("\"red\""), "{text}");
    let set =
        |program: &Program, more: &[&str]| program.ok(&[&["target", "set", "settings_probe"], more].concat()).stdout;
    assert_eq!(
        set(&program, &["count=4", "colour="]),
        "`colour` of Carrier Pigeon is not set any more.\n`count` of Carrier Pigeon is 4.\n"
    );
    assert_eq!(settings(&program), json!({ "count": 4 }));
    let of_operator = program.clone().with("ENGINE_TARGET__SETTINGS_PROBE__COLOUR", "grey");
    assert_eq!(settings(&of_operator), json!({ "colour": "grey", "count": 4 }));
    let number = of_operator.clone().with("ENGINE_TARGET__SETTINGS_PROBE__COUNT", "7");
    assert_eq!(
        settings(&number),
        json!({ "colour": "grey", "count": 7 }),
        "a variable is read as what is wanted there"
    );
    assert!(
        set(&of_operator, &["colour=red"])
            .contains("The operator's comes before it, under [target.settings_probe]: \"grey\".")
    );
    assert!(set(&program, &["count=7.0"]).contains("`count` of Carrier Pigeon is 7.\n"), "as languages have it");
    for (setting, part) in [
        ("count=many", "`count` in what is set is not valid"),
        ("base_url=https://evil.example", "is the operator's to set"),
        ("colour", "needs a key and a value"),
    ] {
        program.refused(&["target", "set", "Carrier Pigeon", setting], part);
    }
    program.refused(&["target", "set", "email", "from_email=a@b.example"], "under [target.email]");
    program.refused(
        &["target", "set", "settings_probe", "cout="],
        "`cout` of Carrier Pigeon is not set; did you mean `count`?",
    );
    program.refused(&["target", "set", "settings_probe", "size="], "`size` of Carrier Pigeon is not set.");
}

/// A setting that another version does not know is told with the command that takes it away, and a secret among settings as what it is.
#[test]
fn settings_that_do_not_fit_are_told_where_they_were_set() {
    let program = Program::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("courier.wasm");
    let install = |component: &[u8], more: &[&str]| {
        std::fs::write(&file, component).unwrap();
        program.ok(&[&["target", "install", file.to_str().unwrap(), "--name", "Courier"], more].concat()).stdout
    };
    let first = std::fs::read(guest("settings_probe")).unwrap();
    install(&first, &["--setting", "colour=red"]);
    let mut second = first;
    for at in 0..second.len() - 6 {
        if second[at..].starts_with(b"colour") {
            second[at..at + 6].copy_from_slice(b"colors");
        }
    }
    let told = install(&second, &[]);
    let why = "The settings of \"Courier\" cannot be used: what was set holds `colour`, and may hold `colors`, `count`";
    assert!(told.contains(why) && told.contains("; `engine target set \"Courier\" colour=` takes it away."), "{told}");
    program.ok(&["target", "set", "Courier", "colour="]);
    let told = "`bas_url` of Courier is not set; `base_url` would be the operator's, under [target.courier].";
    program.refused(&["target", "set", "Courier", "bas_url="], told);
    assert!(program.ok(&["target", "list"]).stdout.contains("courier  delivers"));

    for (variable, value, told) in [
        (
            "ENGINE_TARGET__COURIER__COUNT",
            "many",
            "`count` in the variable ENGINE_TARGET__COURIER__COUNT is not valid: \"many\" is not of type \"integer\"; write a whole",
        ),
        (
            "ENGINE_TARGET__COURIER__COUTN",
            "3",
            "the variable ENGINE_TARGET__COURIER__COUTN holds `coutn`, and may hold `base_url`, `colors`, `count`,",
        ),
    ] {
        let listed = program.clone().with(variable, value).ok(&["target", "list"]).stdout;
        assert!(listed.contains(told), "{listed}");
    }

    let program = program.clone().with("ENGINE_TARGET__COURIER__TOKEN", "hush-hush");
    let told = program.ok(&["target", "list"]).stdout;
    let why = "`target.courier.token` (the variable ENGINE_TARGET__COURIER__TOKEN) is a secret, and stands where settings do: take";
    assert!(told.contains(why) && !told.contains("hush"), "{told}");
}

/// What may have been meant otherwise is said, and keeps nothing from being done.
#[test]
fn what_is_spelled_much_like_another_is_remarked_on() {
    let program = Program::new();
    program.ok(&[
        "target",
        "install",
        guest("misses").to_str().unwrap(),
        "--name",
        "Loft",
        "--http",
        "https://a.example",
    ]);
    let told = program.ok(&["target", "set", "Loft", "lfot=7"]).stdout;
    let remark = "Its component names no setting `lfot`; did you mean `loft`?";
    assert_eq!(told, format!("`lfot` of Loft is \"7\".\n{remark}\n"));
    assert_eq!(program.json(&["target", "show", "Loft"])["remarks"], json!([remark]));
    program.ok(&["target", "set", "Loft", "lfot=", "loft=7", "other=8"]);
    assert_eq!(program.json(&["target", "show", "Loft"])["remarks"], json!([]));

    let program = program.with("ENGINE_TARGET__MISSE__LOFT", "7");
    let remark = "engine: [target.misse] is for no target; did you mean [target.misses]?\n";
    for command in [&["target", "list"][..], &["target", "inspect", "Loft"], &["process-notifications"]] {
        let ran = program.ok(command);
        assert!(ran.stderr.contains(remark), "{ran:?}");
    }
    let checked = program.ok(&["settings", "check"]);
    assert!(checked.stdout.contains("are valid, as far as they were checked (from"), "{checked:?}");

    // One of the engine's own, of a component in a folder.
    let folder = folder_with(&["misses"]);
    let program = Program::new().with("ENGINE_TARGETS__PATHS", folder.path().to_str().unwrap());
    let program = program.with("ENGINE_TARGET__MISSES__BASE_ULR", "https://a.example");
    let told = program.ok(&["settings", "check"]).stderr;
    assert!(
        told.contains("[target.misses]: Its component names no setting `base_ulr`; did you mean `base_url`?"),
        "{told}"
    );
}

/// What the operator has written for a component that is installed meanwhile is told, and keeps nothing from being installed.
#[test]
fn a_component_that_the_settings_do_not_fit_is_installed_all_the_same() {
    let program = Program::new().with("ENGINE_TARGET__NEEDY__SECRETS", "loft_kee");
    let file = guest("needy");
    let install = ["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"];
    let told = program.ok(&install).stdout;
    let why = "`target.needy.secrets` (the variable ENGINE_TARGET__NEEDY__SECRETS) names `loft_kee`, which its component does not ask for: write `loft_key`, or take it out";
    assert!(
        told.starts_with("The target Carrier Pigeon is installed.\nIt is not ready: ") && told.contains(why),
        "{told}"
    );
    assert!(program.ok(&["target", "list"]).stdout.contains(why));
    let program = program.with("ENGINE_TARGET__NEEDY__SECRETS", "loft_key");
    let told = program.ok(&install).stdout;
    assert!(told.starts_with("The target Carrier Pigeon has this component already.\n"), "{told}");
}

/// What is installed is in the database, which the check of settings does not ask.
#[test]
fn the_check_of_settings_does_not_blame_what_is_installed() {
    let program = installed(&[])
        .with("ENGINE_TARGET__HTTP_PROBE__BASE_URL", "http://127.0.0.1:9")
        .with("ENGINE_TARGET__HTTP_PROBE__SECRETS", "token")
        .with("ENGINE_SECRET__TOKEN", "hush-hush");
    let ran = program.ok(&["settings", "check"]);
    assert!(ran.stdout.contains("are valid") && ran.stderr.contains("`engine target show http_probe`"), "{ran:?}");
    let checked = program.json(&["settings", "check"]);
    assert!(checked["unchecked"][0].as_str().unwrap().contains("`engine target show http_probe`"), "{checked}");
}
