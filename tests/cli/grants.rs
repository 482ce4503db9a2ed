//! Components that tenants install, what is granted to them, and secrets: as they are typed.

use crate::support::guest;
use crate::support::http::{Answer, HttpServer};
use crate::support::program::{Program, Ran};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

/// Runs the program with something on its standard input.
pub fn fed(program: &Program, arguments: &[&str], input: &str) -> Ran {
    let mut command = program.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may refuse without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The HTTP probe, installed as "Carrier Pigeon".
pub fn installed(more: &[&str]) -> Program {
    let program = Program::new();
    let file = guest("http_probe");
    program.ok(&[&["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"], more].concat());
    program
}

/// What `inspect` says of one capability.
pub fn inspected(program: &Program, capability: &str) -> Value {
    let shown = program.json(&["target", "inspect", "Carrier Pigeon"]);
    let found = shown["capabilities"].as_array().unwrap().iter().find(|line| line["capability"] == capability).cloned();
    found.unwrap_or_else(|| panic!("{capability}: {shown:#}"))
}

#[test]
fn a_component_is_installed_inspected_granted_and_removed() {
    let program = installed(&["--grant-http", "https://eu.wild.example"]);
    let listed = program.json(&["target", "list"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["notification_module_name"]),
        (&json!("Carrier Pigeon"), &json!("http_probe"))
    );

    let shown = program.json(&["target", "inspect", "http_probe"]);
    assert_eq!(shown["component"]["source"], "installed");
    let provider = "HTTP to https://provider.example";
    for (capability, asked, granted, in_force, removed_by) in [
        (provider, true, false, false, json!("tenant")),
        ("HTTP to https://eu.wild.example", true, true, true, json!(null)),
        ("HTTP to https://*.wild.example", true, false, false, json!("tenant")),
    ] {
        let line = inspected(&program, capability);
        assert_eq!(line["asked"], asked, "{line}");
        assert_eq!(line["granted"], granted, "{line}");
        assert_eq!((&line["in_force"], &line["removed_by"]), (&json!(in_force), &removed_by), "{line}");
    }
    let text = program.ok(&["target", "inspect", "Carrier Pigeon"]).stdout;
    assert!(
        text.contains("`engine target grant \"Carrier Pigeon\" --http https://provider.example` lets it."),
        "{text}"
    );
    assert!(text.contains("installed\n") && text.contains("wasi:"), "{text}");

    // The very words that it says.
    program.ok(&["target", "grant", "Carrier Pigeon", "--http", "https://provider.example"]);
    assert_eq!(inspected(&program, provider)["in_force"], true);
    program.ok(&["target", "revoke", "Carrier Pigeon", "--http", "https://provider.example"]);
    assert_eq!(inspected(&program, provider)["in_force"], false);
    program.refused(&["target", "revoke", "Carrier Pigeon", "--http", "https://provider.example"], "was not granted");

    program.ok(&["target", "remove", "Carrier Pigeon"]);
    program.refused(&["target", "inspect", "Carrier Pigeon"], "There is no target");
    program.refused(&["target", "show", "tiwlio"], "There is no target `tiwlio`: did you mean `twilio`? `engine");
}

/// What a newcomer is told from the installation to the first delivery leads there, step by step.
#[test]
fn what_is_lacking_is_told_with_the_command_that_helps() {
    let program = Program::new();
    let file = guest("needy");
    program.ok(&["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"]);
    let state = || {
        let listed = program.json(&["target", "list"]);
        listed.as_array().unwrap().iter().find(|target| target["name"] == "Carrier Pigeon").unwrap().to_string()
    };
    let set = "engine secret set loft_key --origin https://provider.example";
    let grant = "engine target grant \\\"Carrier Pigeon\\\" --secret loft_key=https://provider.example";
    assert!(state().contains(grant), "{}", state());
    let (listed, shown) = (program.ok(&["target", "list"]).stdout, program.json(&["target", "show", "needy"]));
    let many = shown["problems"].as_array().unwrap().len() - 1;
    let others = format!("(and {many} more: `engine target show \"Carrier Pigeon\"`)");
    assert!(many > 0 && listed.contains(&others), "{many}: {listed}");
    program.ok(&["target", "grant", "Carrier Pigeon", "--secret", "loft_key=https://provider.example"]);
    assert!(state().contains(set), "{}", state());
    let ran = fed(&program, &["secret", "set", "loft_key", "--origin", "https://provider.example"], "key");
    assert!(ran.code == Some(1) && ran.stderr.contains("fewer than 4 characters"), "{ran:?}");
    fed(&program, &["secret", "set", "loft_key", "--origin", "https://provider.example"], "opens the loft");
    assert!(state().contains("--http https://provider.example"), "{}", state());

    // To install it once more says what is still missing, and what the operator opens is not taken away.
    let again = program.ok(&["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"]).stdout;
    assert!(again.contains("It is not ready: ") && again.contains("--http https://provider.example"), "{again}");
    program.ok(&["target", "pause", "Carrier Pigeon"]);
    let granted = program.ok(&["target", "grant", "Carrier Pigeon", "--http", "https://provider.example"]).stdout;
    assert!(granted.contains("`engine target resume \"Carrier Pigeon\"`"), "{granted}");
    let program = program.with("ENGINE_TARGET__NEEDY__BASE_URL", "https://provider.example");
    let revoked = program.ok(&["target", "revoke", "Carrier Pigeon", "--http", "https://provider.example"]).stdout;
    assert!(revoked.contains("Still in force: HTTP to https://provider.example"), "{revoked}");
}

/// A folder of templates, without which a component may do, and which the operator alone can name.
#[test]
fn a_folder_that_is_asked_for_is_told_to_be_missing() {
    let program = Program::new();
    let file = guest("needy");
    fed(&program, &["secret", "set", "loft_key", "--origin", "https://provider.example"], "opens the loft");
    let named = ["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"];
    let granted = ["--grant-http", "https://provider.example", "--grant-secret", "loft_key=https://provider.example"];
    let installed = program.ok(&[&named[..], &granted].concat()).stdout;
    let told = "The target Carrier Pigeon is installed.\nIt does without this: The target Carrier Pigeon may not read the folder of templates: the operator names none; `templates = \"FOLDER\"` under [target.needy] does.\n";
    assert_eq!(installed, told);
    let state = |program: &Program| program.ok(&["target", "list"]).stdout;
    assert!(state(&program).contains("delivers, without 1 of the things that its component asks for: see `engine"));
    let folder = tempfile::tempdir().unwrap();
    let program = program.with("ENGINE_TARGET__NEEDY__TEMPLATES", folder.path().to_str().unwrap());
    assert!(!state(&program).contains("without"), "{}", state(&program));
    assert_eq!(program.ok(&named).stdout, "The target Carrier Pigeon has this component already.\n");
    let inspected = program.with("ENGINE_TARGET__TWILIO__TEMPLATES", folder.path().to_str().unwrap());
    let told = "The target Twilio may not read the folder of templates: its component does not ask for it";
    assert!(inspected.ok(&["target", "inspect", "twilio"]).stdout.contains(told));
}

/// To install once more under another name makes another target, which may not be what somebody meant.
#[test]
fn another_target_of_a_module_is_said_to_be_one() {
    let program = installed(&[]);
    let file = guest("http_probe");
    let install = |name: &str| program.ok(&["target", "install", file.to_str().unwrap(), "--name", name]).stdout;
    let told = "It is another target of the module http_probe, beside `Carrier Pigeon`: commands now want `Hawk`, not `http_probe`, and `engine target remove \"Hawk\"` takes it away again.";
    assert!(install("Hawk").contains(told));
    assert!(!install("Hawk").contains("It is another"), "it was said");
    let add = ["target", "add", "--name", "Owl", "--module", "http_probe"];
    program.refused(
        &add,
        "The component of http_probe was installed for Carrier Pigeon: `engine target install http_probe.wasm --name \"Owl\"` makes another target of it.",
    );
    // Of another version only one of the two knows.
    let folder = tempfile::tempdir().unwrap();
    let next = folder.path().join("http_probe.wasm");
    std::fs::copy(guest("noop"), &next).unwrap();
    let told = program.ok(&["target", "install", next.to_str().unwrap(), "--name", "Hawk"]).stdout;
    let behind = format!(
        "Carrier Pigeon keeps the component that it has; `engine target install {} --name \"Carrier Pigeon\"` gives it this one.",
        next.display()
    );
    assert!(told.contains("has another component") && told.contains(&behind), "{told}");
    program.ok(&["target", "remove", "Hawk"]);
    program.ok(&["target", "inspect", "http_probe"]);
}

/// A secret that goes where the component does not is no use to it, nor is one under a name that nobody asks for; less memory than it begins with is none.
#[test]
fn all_that_a_target_lacks_is_told_at_once() {
    let program = Program::new();
    let file = guest("needy");
    program.ok(&["target", "install", file.to_str().unwrap(), "--grant-secret", "loft_key=https://provider.example"]);
    let set =
        |name: &str, origin: &str| fed(&program, &["secret", "set", name, "--origin", origin], "opens the loft").stdout;
    assert!(set("loft_kee", "https://provider.example").contains("did you mean `loft_key`?"));
    set("loft_key", "https://elsewhere.example");
    let told = program.ok(&["target", "limit", "needy", "memory=1MiB", "http_requests=0"]).stdout;
    assert!(told.contains("It is not ready: Its component begins with 1088KiB of memory"), "{told}");
    let problems = || program.json(&["target", "show", "needy"])["problems"].to_string();
    for part in [
        "it is bound to https://elsewhere.example; `engine secret set loft_key --origin https://provider.example --target",
        "--http https://provider.example",
        "asks for HTTP requests, and may send none in a call (`http_requests` by `engine target limit`",
        "may have 1MiB (`memory` by `engine target limit`; `engine target limit",
    ] {
        assert!(problems().contains(part), "{part}: {}", problems());
    }
    let shown = program.ok(&["target", "show", "needy"]).stdout;
    assert_eq!(shown.matches("and also: ").count(), 3, "{shown}");
    set("loft_key", "https://provider.example");
    program.ok(&["target", "grant", "needy", "--http", "https://provider.example"]);
    program.ok(&["target", "limit", "needy", "memory=", "http_requests="]);
    assert_eq!(problems(), "[]");
}

#[test]
fn a_tenant_sets_lower_limits_and_no_higher_ones() {
    let program = installed(&["--limit", "cpu=200ms", "--limit", "mails=0"]);
    let limits = || {
        let shown = program.json(&["target", "inspect", "Carrier Pigeon"]);
        let line = |line: &Value| format!("{} {} {}", line["limit"], line["amount"], line["set_by"]).replace('"', "");
        shown["limits"].as_array().unwrap().iter().map(line).collect::<Vec<_>>().join(", ")
    };
    let more = "memory 67108864 operator, http_requests 32 operator";
    assert_eq!(
        limits(),
        format!(
            "cpu 200 tenant, wall 30000 operator, {more}, mails 0 tenant, request 5242880 operator, answer 1048576 operator, \
             http_connect 3000 operator, http_time 10000 operator, result 262144 operator, log 65536 operator, log_lines 200 operator"
        )
    );
    let text = program.ok(&["target", "inspect", "Carrier Pigeon"]).stdout;
    assert!(text.contains("200ms") && text.contains("64MiB") && text.contains("target limit"), "{text}");
    program.refused(&["target", "limit", "Carrier Pigeon", "cpu=1s"], "`cpu` is at most 500ms for this target");
    program.refused(&["target", "limit", "Carrier Pigeon", "cpu=20ms", "cpu="], "`cpu` is said twice");
    program.refused(&["target", "limit", "Carrier Pigeon", "speed=1"], "`speed` is no limit: There are cpu, wall,");
    program
        .refused(&["target", "limit", "Carrier Pigeon", "cup=1s"], "`cup` is no limit: did you mean `cpu`? There are");
    program.refused(
        &["target", "limit", "Carrier Pigeon", "memory=64"],
        "64 is not: a number alone means bytes, and KiB,",
    );
    program.refused(&["target", "limit", "Carrier Pigeon", "cpu"], "write it like cpu=200ms");
    program.refused(&["target", "limit", "Carrier Pigeon", "memory=1"], "between 1MiB and 4GiB");
    program.ok(&["target", "limit", "Carrier Pigeon", "cpu=", "memory=32MiB"]);
    assert!(limits().starts_with("cpu 500 operator, wall 30000 operator, memory 33554432 tenant"), "{}", limits());

    // The operator's word for this one comes before that for all, and a tenant may use all of it.
    let program = program.with("ENGINE_SANDBOX__CPU", "100ms");
    program.refused(
        &["target", "limit", "Carrier Pigeon", "cpu=101ms"],
        "at most 100ms for this target, as the operator has it in [sandbox]",
    );
}

/// A log that nobody reads any more, as that of `engine run | head`, stops nothing.
#[test]
fn a_log_that_is_closed_stops_nothing() {
    let program = Program::new();
    let file = guest("trap");
    program.ok(&["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"]);
    program.ok(&["user", "add", "--username", "ada"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Carrier Pigeon", "--target-user-id", "Loft 7"]);
    program.ok(&["notify", "--user", "ada", "--title", "T", "--body", "B"]);
    let mut child = program.command(&["process-notifications"]).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let began = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed().as_secs() > 30 {
            child.kill().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(program.json(&["notification", "list"])[0]["status"], "RETRY");
}

/// `wasi:http` is inspected for what it is worth, and whatever is wrong with a request fills the component's log and not the engine's.
#[test]
fn a_client_of_its_own_is_inspected_and_says_nothing_in_the_engines_name() {
    let program = Program::new();
    let file = guest("wasi_http_probe");
    program.ok(&["target", "install", file.to_str().unwrap(), "--name", "Carrier Pigeon"]);
    let worth = || {
        let shown = program.json(&["target", "inspect", "Carrier Pigeon"]);
        let mut imports = shown["imports"].as_array().unwrap().iter();
        imports.find(|import| import["name"].as_str().unwrap().starts_with("wasi:http/outgoing-handler")).unwrap()["state"].clone()
    };
    assert_eq!(worth(), "refused");
    program.ok(&["target", "grant", "Carrier Pigeon", "--http", "https://provider.example"]);
    assert_eq!(worth(), "works");

    program.ok(&["user", "add", "--username", "ada"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Carrier Pigeon", "--target-user-id", "Loft 7"]);
    let wish = r#"{ "authority": "provider.example", "path": null, "times": 100 }"#;
    program.ok(&["notify", "--user", "ada", "--title", "T", "--body", "B", "--extra", wish]);
    let said = program.ok(&["process-notifications"]).stderr;
    assert!(!said.contains("request error"), "{said}");
}

#[test]
fn a_dry_run_says_what_would_be_denied() {
    let program = installed(&[]);
    program.ok(&["user", "add", "--username", "ada"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Carrier Pigeon", "--target-user-id", "Loft 7"]);
    program.ok(&["notify", "--user", "ada", "--title", "T", "--body", "B"]);
    let said = program.ok(&["process-notifications", "--dry-run"]).stderr;
    let command = "`engine target grant \"Carrier Pigeon\" --http https://provider.example`";
    assert!(said.contains(command), "{said}");
    program.ok(&["target", "grant", "Carrier Pigeon", "--http", "https://provider.example"]);
    let said = program.ok(&["process-notifications", "--dry-run"]).stderr;
    assert!(!said.contains(command), "{said}");
}

#[test]
fn what_is_granted_and_not_in_force_is_said() {
    let program = installed(&[]);
    for (option, value, part) in [
        ("--http", "https://other.example", "does not ask for it in its manifest, but for https://provider.example"),
        ("--secret", "tokne", "does not ask for it in its manifest, but for `token`"),
        ("--http", "http://provider.example", "does not ask for it in its manifest"),
        (
            "--secret",
            "token=https://provider.example",
            "it has no value; `engine secret set token --origin https://provider.example`",
        ),
    ] {
        let said = program.ok(&["target", "grant", "Carrier Pigeon", option, value]).stdout;
        assert!(said.contains("Not in force yet: ") && said.contains(part), "{value}: {said}");
    }
    let said = program.ok(&["target", "grant", "Carrier Pigeon", "--smtp"]).stdout;
    assert!(said.contains("does not ask for mail"), "{said}");
    let told = program.json(&["target", "grant", "Carrier Pigeon", "--http", "https://another.example"]);
    assert_eq!(told["not_in_force"][0]["removed_by"], "component", "{told}");
    let told = program.json(&["target", "install", guest("http_probe").to_str().unwrap(), "--name", "Carrier Pigeon"]);
    assert_eq!((&told["not_in_force"], told["lacks"].as_array().map(Vec::len)), (&json!([]), Some(1)), "{told}");
    for (option, value, part) in [
        ("--http", "https://*.co.uk", "public suffix"),
        ("--http", "provider.example", "write an origin such as"),
        ("--smtp-from", "news", "is not an e-mail address"),
        ("--secret", "Token=https://provider.example", "is not the name of a secret"),
    ] {
        program.refused(&["target", "grant", "Carrier Pigeon", option, value], part);
    }
    assert_eq!(program.run(&["target", "grant", "Carrier Pigeon"]).code, Some(2), "nothing to grant");
}

#[test]
fn what_cannot_be_installed_is_refused_in_a_sentence() {
    let program = Program::new();
    let probe = guest("http_probe");
    let probe = probe.to_str().unwrap();
    let named = |name: &str, bytes: &[u8]| {
        let file = program.folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let bad_name = named("Carrier-Pigeon.wasm", b"");
    let text = named("pigeon.wasm", b"(component)");
    let folder = program.folder.path().join("pigeons");
    std::fs::create_dir(&folder).unwrap();
    let folder = folder.to_str().unwrap().to_owned();
    for (arguments, part) in [
        (&["/nonexistent/pigeon.wasm"][..], "cannot be read"),
        (&[&folder], "is no file"),
        (&[&bad_name], "such as carrier_pigeon.wasm"),
        (&[&text], "not a WebAssembly component"),
        (&[probe, "--name", "A name that is too long"], "shorten it to 15"),
        (&[probe, "--name", "Pigeon\u{202e}"], "breaks or turns text"),
        (&[probe, "--name", "Pigeon\u{7}"], "control character"),
        (&[probe, "--name=-x"], "take it for an option"),
        (&[probe, "--setting", "colour"], "needs a key and a value"),
        (&[probe, "--setting", "base_url=https://evil.example"], "is the operator's to set"),
        (&[probe, "--grant-http", "nonsense"], "write an origin such as"),
    ] {
        program.refused(&[&["target", "install"], arguments].concat(), part);
    }
    let settings = guest("settings_probe");
    program.ok(&["target", "install", settings.to_str().unwrap(), "--name", "Probe"]);
    program.refused(
        &["target", "install", probe, "--name", "Probe"],
        "with the module `settings_probe`: choose another name",
    );
}

#[test]
fn a_target_is_paused_and_resumed_by_hand() {
    let program = Program::new();
    program.ok(&["target", "pause", "email", "--reason", "Holiday."]);
    assert!(program.ok(&["target", "list"]).stdout.contains("paused: Holiday."));
    program.refused(&["target", "pause", "email"], "is paused already: Holiday.");
    assert_eq!(program.ok(&["target", "resume", "email"]).stdout, "The target Email is resumed.\n");
    let told = "The target Email was neither paused nor slowed down.\n";
    assert_eq!(program.ok(&["target", "resume", "email"]).stdout, told);
    program.ok(&["target", "pause", "email"]);
    assert!(program.ok(&["target", "list"]).stdout.contains("by hand"));
}

#[test]
fn a_target_without_a_way_to_its_provider_does_not_say_that_it_delivers() {
    let program = installed(&[]);
    let state = || program.json(&["target", "list"])[0]["problem"].clone();
    let problem = state();
    assert!(problem.as_str().unwrap().contains("`engine target grant \"Carrier Pigeon\" --http https://"), "{problem}");
    assert!(program.ok(&["target", "list"]).stdout.contains("not ready: "));
    program.ok(&["target", "grant", "Carrier Pigeon", "--http", "https://provider.example"]);
    assert_eq!(state(), Value::Null, "one way is enough");
}

/// A record's own address that the operator forbids is refused when it is added, and fails alone if it is known later: no other record's notifications wait for that.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_operator_forbids_stops_no_other() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let program = installed(&[]);
    let allowed = format!("[sandbox]\nplain_http = ['{}']\nnetworks = ['127.0.0.1/32']\n", server.origin());
    std::fs::write(program.folder.path().join("engine.toml"), allowed).unwrap();
    let add = |user: &'static str, address: String| {
        ["record", "add", "--user", user, "--target", "Carrier Pigeon", "--target-user-id", &address].map(str::to_owned)
    };
    let (hers, his) = (server.origin(), "https://127.0.0.2/hook".to_owned());
    for (user, address) in [("ada", &hers), ("bob", &his)] {
        program.ok(&["user", "add", "--username", user]);
        program.ok(&add(user, address.clone()).each_ref().map(String::as_str));
    }
    program.ok(&["target", "grant", "Carrier Pigeon", "--http", "record_address"]);
    let refused = "The address of this record may not be used: it is an address instead of a name";
    program.refused(&add("bob", "https://127.0.0.3/".to_owned()).each_ref().map(String::as_str), refused);

    for (user, address) in [("bob", &his), ("ada", &hers)] {
        let extra = json!({ "url": address, "outcome": "usual" }).to_string();
        let to = ["notify", "--user", user, "--target", "Carrier Pigeon", "--title", user, "--extra", &extra];
        program.ok(&to);
    }
    assert_eq!(program.run(&["process-notifications"]).code, Some(3), "one failed");
    let listed = program.json(&["notification", "list"]);
    let status = |title: &str| {
        listed.as_array().unwrap().iter().find(|listed| listed["title"] == title).unwrap()["status"].clone()
    };
    assert_eq!((status("ada"), status("bob")), (json!("DELIVERED"), json!("DELIVERY FAILURE")), "{listed:#}");
    assert_eq!(program.json(&["target", "list"])[0]["paused"], Value::Null);
}

/// What waits is said when it is made, and where it is resumed.
#[test]
fn what_is_made_for_a_target_that_does_not_deliver_is_said_to_wait() {
    let program = installed(&[]);
    program.ada();
    program.ok(&["record", "add", "--user", "ada", "--target", "Carrier Pigeon", "--target-user-id", "coop 7"]);
    let notify = ["notify", "--user", "ada", "--target", "Carrier Pigeon", "--title"];
    let made = program.ok(&[&notify[..], &["One"]].concat());
    assert!(made.stderr.contains("engine: Carrier Pigeon is not ready: "), "{made:?}");
    program.ok(&["target", "pause", "Carrier Pigeon"]);
    let made = program.json(&[&notify[..], &["Two"]].concat());
    let waits = made[0]["waits"].as_str().unwrap();
    let why = "Carrier Pigeon is paused: Somebody has paused it by hand. `engine target resume \"Carrier Pigeon\"` ends that.";
    assert!(waits.starts_with("Carrier Pigeon is not ready: ") && waits.ends_with(why), "{waits}");
    assert!(program.ok(&["target", "list"]).stdout.contains("`engine target resume \"Carrier Pigeon\"` ends that."));
    let resumed = program.ok(&["target", "resume", "Carrier Pigeon"]).stdout;
    assert!(resumed.contains("is resumed.\nIt is not ready: "), "{resumed}");
}
