//! Secrets: set, listed, rotated and removed, and never shown.

use super::grants::{fed, inspected, installed};
use crate::support::guest;
use crate::support::program::Program;
use serde_json::json;
use std::time::{Duration, Instant};

/// An engine that runs has the key before: what it cannot read any more waits for its next start, and nobody has to resume anything.
#[test]
fn a_key_that_is_changed_beside_an_engine_that_runs() {
    let program =
        installed(&["--grant-http", "https://provider.example", "--grant-secret", "token=https://provider.example"]);
    program.ada();
    program.ok(&["record", "add", "--user", "ada", "--target", "Carrier Pigeon", "--target-user-id", "coop 7"]);
    let set = ["secret", "set", "token", "--origin", "https://provider.example"];
    assert_eq!(fed(&program, &set, "hush-hush-hush\n").code, Some(0));
    let notify = || {
        let extra = ["--extra", "{\"url\": \"https://provider.example\"}"];
        let to = ["notify", "--user", "ada", "--target", "Carrier Pigeon", "--title", "Title"];
        program.json(&[&to[..], &extra].concat())[0]["notifications"][0].as_str().unwrap().to_owned()
    };
    let running = program.start();
    let until = |what: &str, done: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let status = |id: &str| program.json(&["notification", "show", id])["status"].clone();
    let first = notify();
    until("it delivers", &|| status(&first) == "DELIVERED");

    let (key, old) = (program.folder.path().join("engine.key"), program.folder.path().join("old.key"));
    std::fs::rename(&key, &old).unwrap();
    std::fs::write(&key, "07".repeat(32)).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let told = program.ok(&["secret", "rotate", "--old-key-file", old.to_str().unwrap()]).stdout;
    assert!(told.contains("Start those engines again that run"), "{told}");
    let second = notify();
    let listed = || program.ok(&["target", "list"]).stdout;
    until("it is paused", &|| listed().contains("paused until the next start"));
    assert_eq!(status(&second), "SCHEDULED");
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    let _running = program.start();
    until("it delivers again", &|| status(&second) == "DELIVERED");
}

/// Bytes of a file, if they are in any of the folder.
fn anywhere(program: &Program, needle: &str) -> bool {
    let files = std::fs::read_dir(program.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|file| file.is_file()).any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
    })
}

#[test]
fn a_secret_is_set_listed_rotated_and_removed_without_being_shown() {
    let program = installed(&["--grant-secret", "token=https://provider.example"]);
    let capability = "the secret token towards https://provider.example";
    assert_eq!(inspected(&program, capability)["removed_by"], "binding");
    let set = ["secret", "set", "token", "--origin", "https://provider.example", "--target", "Carrier Pigeon"];
    let ran = fed(&program, &set, "hush-hush-hush\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ran.stdout,
        "The secret token is set for the target Carrier Pigeon, and goes to https://provider.example only.\n"
    );
    assert_eq!(inspected(&program, capability)["in_force"], true);
    let listed = program.json(&["secret", "list"]);
    assert_eq!((&listed[0]["name"], &listed[0]["target"]), (&json!("token"), &json!("Carrier Pigeon")));
    assert_eq!(listed[0]["origins"], json!(["https://provider.example"]));
    assert!(!listed.to_string().contains("hush") && !program.ok(&["secret", "list"]).stdout.contains("hush"));
    assert!(!anywhere(&program, "hush-hush"), "it is encrypted at rest");

    // Another key.
    let key = program.folder.path().join("engine.key");
    let old = program.folder.path().join("old.key");
    std::fs::rename(&key, &old).unwrap();
    std::fs::write(&key, "07".repeat(32)).unwrap();
    let told = program.ok(&["secret", "list"]).stderr + &program.ok(&["target", "list"]).stderr;
    assert!(told.contains("can be read by others than its owner"), "{told}");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let line = inspected(&program, capability);
    assert_eq!(line["in_force"], false, "what this key cannot open is not there: {line}");
    assert!(line["why"].as_str().unwrap().contains("was encrypted with another key"), "{line}");
    let not_that_one = "Nothing was changed.";
    program.refused(&["secret", "rotate", "--old-key-file", key.to_str().unwrap()], not_that_one);
    let rotated = program.json(&["secret", "rotate", "--old-key-file", old.to_str().unwrap()]);
    assert_eq!(rotated["rotated"], 1);
    assert_eq!(program.json(&["secret", "rotate", "--old-key-file", old.to_str().unwrap()])["rotated"], 0);
    assert_eq!(inspected(&program, capability)["in_force"], true);

    // Somewhere else instead is said; the command of a refusal names all places.
    let set = ["secret", "set", "token", "--origin", "https://eu.wild.example", "--target", "Carrier Pigeon"];
    let told = fed(&program, &set, "hush-hush-hush\n").stdout;
    assert!(told.contains("It does not go to https://provider.example any more."), "{told}");
    let why = inspected(&program, capability)["why"].to_string();
    let both =
        "set token --origin https://eu.wild.example --origin https://provider.example --target \\\"Carrier Pigeon\\\"`";
    assert!(why.contains(both), "{why}");

    program.refused(&["secret", "remove", "token"], "`--target \"Carrier Pigeon\"` removes it");
    program.refused(&["secret", "remove", "tokn"], "There is no secret `tokn`: did you mean `token`?");
    program.ok(&["secret", "remove", "token", "--target", "Carrier Pigeon"]);
    assert_eq!(program.json(&["secret", "list"]), json!([]));
}

#[test]
fn a_secret_is_checked_against_what_the_component_declares() {
    let program = Program::new();
    program.ok(&["target", "install", guest("sign_probe").to_str().unwrap(), "--name", "Signer"]);
    let set = ["secret", "set", "hex_key", "--origin", "https://a.example"];
    let refused = fed(&program, &set, "no digits");
    assert_ne!(refused.code, Some(0), "{refused:?}");
    let why =
        "The component of the target Signer wants the secret `hex_key` as hexadecimal digits, which this value is not";
    assert!(refused.stderr.contains(why) && !refused.stderr.contains("no digits"), "{refused:?}");
    assert_eq!(program.json(&["secret", "list"]), json!([]));
    let short = fed(&program, &set, "00ff");
    assert!(short.code == Some(0) && short.stdout.contains("it can be guessed"), "{short:?}");
    let long = fed(&program, &set, "00ff00ff00ff");
    assert!(long.code == Some(0) && !long.stdout.contains("guessed"), "{long:?}");
    // Another target's component asks for no such secret.
    let other = [&set[..], &["--target", "Email"]].concat();
    assert_eq!(fed(&program, &other, "no digits").code, Some(0));
}

#[test]
fn a_secret_that_cannot_be_set_is_refused_in_a_sentence() {
    let program = Program::new();
    program.ok(&["target", "list"]);
    for (arguments, input, part) in [
        (&["token", "--origin", "https://a.example"][..], "", "value is empty"),
        (&["token", "--origin", "https://a.example"], "\n", "value is empty"),
        (
            &["token", "--origin", "https://a.example", "--file", "/nonexistent"],
            "x",
            "cannot be read from /nonexistent",
        ),
        (&["token", "--origin", "a.example"], "x", "write an origin such as"),
        (&["Token", "--origin", "https://a.example"], "x", "is not the name of a secret"),
        (&["token", "--origin", "https://a.example", "--target", "fax"], "x", "There is no target `fax`"),
    ] {
        let ran = fed(&program, &[&["secret", "set"], arguments].concat(), input);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(part) && ran.stderr.lines().count() == 1, "{arguments:?}: {ran:?}");
    }
    let long = fed(&program, &["secret", "set", "token", "--origin", "https://a.example"], &"x".repeat(40_000));
    assert!(long.stderr.contains("more than 32768 bytes"), "{long:?}");
    assert_eq!(program.json(&["secret", "list"]), json!([]));
}

/// A terminal is asked, and does not show what is typed.
#[test]
fn a_secret_is_typed_unseen() {
    let program = installed(&[]);
    let set = ["secret", "set", "token", "--origin", "https://provider.example"];
    let shown = program.asked_on_a_terminal("The value, which is not shown: ", "hush-hush", &set);
    assert!(shown.contains("The secret token is set") && !shown.contains("hush-hush"), "{shown}");
}

/// What somebody types in the place of something else: nothing of it is kept or shown.
#[test]
fn a_secret_in_the_place_of_something_else() {
    let program = installed(&[]);
    for (arguments, part) in [
        (&["target", "grant", "Carrier Pigeon", "--secret", "token=hush-hush"][..], "`engine secret set` reads"),
        (&["target", "set", "Carrier Pigeon", "token=hush-hush"], "`engine secret set token --origin"),
    ] {
        let ran = program.run(arguments);
        assert!(ran.code == Some(1) && ran.stderr.contains(part) && !ran.stderr.contains("hush-hush"), "{ran:?}");
    }
}

/// A secret is not led to where its component does not go, nor away from where others need it.
#[test]
fn a_secret_towards_the_wrong_place() {
    let program = Program::new();
    program.ok(&["target", "install", guest("needy").to_str().unwrap(), "--name", "Carrier Pigeon"]);
    program.ok(&["target", "grant", "Carrier Pigeon", "--http", "https://provider.example"]);
    let granted = |origin: &str| {
        program.ok(&["target", "grant", "Carrier Pigeon", "--secret", &format!("loft_key={origin}")]).stdout
    };
    let told = granted("http://provider.example");
    let why = "asks for no HTTP to http://provider.example, but for https://provider.example; `engine target revoke \"Carrier Pigeon\" --secret loft_key=http://provider.example` takes the grant back.";
    assert!(told.contains(why), "{told}");
    let told =
        fed(&program, &["secret", "set", "loft_key", "--origin", "https://elsewhere.example"], "hush-hush").stdout;
    let why = "No component that asks for it asks for HTTP to https://elsewhere.example, so that it does not go there.";
    assert!(told.contains(why), "{told}");
    let told = granted("https://provider.example");
    let why = "it is bound to https://elsewhere.example; `engine secret set loft_key --origin https://provider.example --target \"Carrier Pigeon\"` sets one for this target alone.";
    assert!(told.contains(why), "{told}");

    let program = program.with("ENGINE_TARGET__NEEDY__BASE_URL", "http://127.0.0.1:8124");
    let shown = inspected(&program, "the secret loft_key towards https://elsewhere.example");
    assert_eq!(shown["asked"], false, "{shown}");
    let opened = inspected(&program, "HTTP to http://127.0.0.1:8124");
    assert_eq!((&opened["in_force"], &opened["granted_by"]), (&json!(true), &json!("operator")), "{opened}");
    let revoke = ["target", "revoke", "Carrier Pigeon", "--http", "http://127.0.0.1:8124"];
    program.refused(&revoke, "what the operator says under [target.needy] opens it");
}
