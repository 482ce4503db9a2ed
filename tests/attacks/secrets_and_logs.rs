//! Programs and servers that are after secrets, or after the log.

use super::arena::{Arena, Cases, case, is_delivered};
use super::probe::Probe;
use crate::support::engine::TestEngine;
use crate::support::guests;
use crate::support::http::{Answer, HttpServer};
use base64::Engine as _;
use engine::host::Powers;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use serde_json::{Value, json};
use std::sync::Arc;

const SECRET: &str = "hush/hush \"9f86d081\"";

/// A probe that may use one secret of the operator's, towards this server.
async fn with_secret(server: &HttpServer) -> Arena {
    let settings = format!("[target.http_probe]\nbase_url = '{}'\nsecrets = ['token']\n", server.origin());
    let builder = TestEngine::builder().targets_in(guests()).with(&settings).secret("token", SECRET);
    Arena::started("http_probe", builder.secret("hook", "of-the-operator").secret("other", "of-another")).await
}

/// Each way out of the sandbox that a standard library knows.
#[tokio::test]
async fn wall() {
    let shown = Arena::of("wall").await.tried(json!({})).await;
    let line = shown.attempts[0].log.lines().find_map(|line| line.strip_prefix("info: "));
    let line = line.unwrap_or_else(|| panic!("{shown:#?}"));
    let found: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    assert!(found.as_object().unwrap().len() > 15);
    for (way, got) in found.as_object().unwrap() {
        let got = got.as_str().unwrap();
        assert!(got == "nothing" || got.starts_with("refused"), "{way}: {got}");
    }
}

/// A blot where a component wrote a guess would tell it that the guess was right, a million times in a call.
#[tokio::test]
async fn guesses_of_a_secret() {
    let echo = HttpServer::start(Answer::status(200, "", "is it hush-hush, or hush-hash?")).await;
    let probe = Probe::new().await;
    let mut cases = Cases::default();
    let elsewhere = Arc::new(probe.of_stranger(&echo.origin(), &["https://provider.example"]));
    let length =
        async |powers: &Arc<Powers>, ask: Value| probe.tried(powers, ask).await["characters"].as_u64().unwrap();
    for (name, ask) in [
        (case("in_a_refused_origin"), json!({ "url": "https://GUESS.example/" })),
        (case("in_a_url_that_is_none"), json!({ "url": "GUESS" })),
        (case("in_a_method"), json!({ "url": echo.origin(), "method": "GUESS" })),
        (case("in_a_header"), json!({ "url": echo.origin(), "headers": [["GUESS?", "x"]] })),
        (case("in_about"), json!({ "url": echo.origin(), "about": ["GUESS"] })),
        (
            case("in_a_marker"),
            json!({ "url": format!("{}/x", echo.origin()), "credentials": [{ "url": { "marker": "GUESS", "secret": "token" } }] }),
        ),
    ] {
        let guess = |guess: &str| serde_json::from_str(&ask.to_string().replace("GUESS", guess)).unwrap();
        let lengths = (length(&elsewhere, guess("hush-hush")).await, length(&elsewhere, guess("hush-hash")).await);
        cases.check(name, lengths.0 == lengths.1, lengths);
    }
    let ask = json!({ "url": echo.origin() });
    let (whole, answered) = (30, length(&elsewhere, ask.clone()).await);
    cases.check(case("in_an_answer_of_another_than_its_own"), answered == whole, answered);
    let own = Arc::new(probe.of_stranger(&echo.origin(), &[&echo.origin()]));
    let answered = length(&own, ask).await;
    cases.check(case("not_in_one_of_its_own"), answered == 24, answered);
}

#[tokio::test]
async fn secrets_where_they_may_not_go() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = with_secret(&server).await;
    let own = server.origin();
    let mut cases = Cases::default();
    let marked = |kind: &str, marker: &str| json!([{ kind: { "marker": marker, "secret": "token" } }]);
    for (name, url, credentials, code) in [
        (
            case("to_another_origin"),
            "https://provider.example/".to_owned(),
            json!([{ "bearer": "token" }]),
            "origin_not_granted",
        ),
        (case("to_another_port"), "http://127.0.0.1:1/".to_owned(), json!([{ "bearer": "token" }]), "origin_not_asked"),
        (case("one_that_is_not_granted"), own.clone(), json!([{ "bearer": "hook" }]), "secret_not_granted"),
        (case("one_that_was_not_asked_for"), own.clone(), json!([{ "bearer": "other" }]), "secret_not_granted"),
        (case("the_engines_own_key"), own.clone(), json!([{ "bearer": "engine_key" }]), "secret_not_granted"),
        (case("one_by_its_variable"), own.clone(), json!([{ "bearer": "ENGINE_SECRET__HOOK" }]), "secret_not_granted"),
        (case("one_by_a_path"), own.clone(), json!([{ "bearer": "../engine.key" }]), "secret_not_granted"),
        (
            case("in_a_header_that_leads_elsewhere"),
            own.clone(),
            json!([{ "header": { "name": "Host", "before": "", "secret": "token" } }]),
            "invalid_request",
        ),
        (
            case("in_a_header_with_a_line_break"),
            own.clone(),
            json!([{ "header": { "name": "X-A", "before": "a\r\nb: ", "secret": "token" } }]),
            "invalid_request",
        ),
        (
            case("in_a_user_with_a_colon"),
            own.clone(),
            json!([{ "basic": { "user": "a:b", "secret": "token" } }]),
            "invalid_request",
        ),
        (case("in_the_fragment"), format!("{own}/#{{m}}"), marked("url", "{m}"), "invalid_request"),
        (case("nowhere"), format!("{own}/"), marked("url", "{m}"), "invalid_request"),
        (case("by_an_empty_marker"), format!("{own}/"), marked("url", ""), "invalid_request"),
        (case("as_a_body_of_another_type"), own.clone(), marked("body", "{m}"), "invalid_request"),
        (case("twice"), own.clone(), json!([{ "bearer": "token" }, { "bearer": "token" }]), "invalid_request"),
    ] {
        let found =
            arena.reported(json!({ "method": "POST", "url": url, "credentials": credentials, "body": "{m}" })).await;
        let says_it = found.to_string().contains("9f86d081");
        cases.check(name, found["code"] == code && !says_it, found);
    }
    let found = arena.reported(
        json!({ "url": own, "headers": [["Authorization", "mine"]], "credentials": [{ "bearer": "token" }] }),
    );
    cases.check(case("beside_a_header_of_its_own"), found.await["code"] == "invalid_request", ());
    assert_eq!(server.count(), 0, "nothing has left");
}

/// Of what stands before a secret a provider would make another character with the first of it, and whoever got that back would know the rest.
#[tokio::test]
async fn secrets_that_would_be_decoded() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = with_secret(&server).await;
    let own = server.origin();
    let mut cases = Cases::default();
    let (json, form) = ("application/json", "application/x-www-form-urlencoded");
    let body = |kind: &str, body: &str| {
        let marked = json!([{ "body": { "marker": "{m}", "secret": "token" } }]);
        json!({ "url": own, "headers": [["content-type", kind]], "body": body, "credentials": marked })
    };
    let url = |url: &str| json!({ "url": format!("{own}{url}"), "credentials": [{ "url": { "marker": "{m}", "secret": "token" } }] });
    let header = |before: &str| json!({ "url": own, "credentials": [{ "header": { "name": "Cookie", "before": before, "secret": "token" } }] });
    for (name, wish) in [
        (case("in_a_path"), url("/%{m}")),
        (case("in_a_query"), url("/?q=%4{m}")),
        (case("that_is_decoded_twice"), url("/?q=%254{m}")),
        (case("in_a_form"), body(form, "q=%4{m}")),
        (case("in_json"), body(json, r#""\u00{m}""#)),
        (case("as_a_number"), body(json, r#"{"a":1{m}}"#)),
        (case("beside_a_text_in_json"), body(json, r#"{"a":"b"}{m}"#)),
        (case("in_another_charset"), body(&format!("{json}; charset=utf-16le"), r#""{m}""#)),
        (case("in_another_charset_spelled_otherwise"), body(&format!("{json}; charset*=utf-8''utf-7"), r#""+{m}-""#)),
        (
            case("in_a_body_that_is_packed"),
            json!({ "url": own, "headers": [["content-type", form], ["content-encoding", "identity"], ["content-encoding", "deflate"]],
                "body": "{m}", "credentials": [{ "body": { "marker": "{m}", "secret": "token" } }] }),
        ),
        (case("in_a_cookie"), header("a=%4")),
        (case("in_an_encoded_word"), header("=?utf-8?q?=4")),
    ] {
        let found = arena.reported(wish).await;
        cases.check(name, found["code"] == "invalid_request", found);
    }
    assert_eq!(server.count(), 0, "nothing has left");
    let right = body(json, r#"{"a":"{m}"}"#);
    assert_eq!(arena.reported(right).await["status"], 200);
    assert!(server.last().ends_with(r#"{"a":"hush/hush \"9f86d081\""}"#), "{}", server.last());
}

/// Half of a secret would not be known for one.
#[tokio::test]
async fn a_part_of_an_answer() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = with_secret(&server).await;
    let url = server.origin();
    let mut cases = Cases::default();
    for (name, wish) in [
        (case("by_a_range"), json!({ "url": url, "headers": [["Range", "bytes=0-20"]] })),
        (case("by_another_header"), json!({ "url": url, "headers": [["x-ms-range", "bytes=30-"]] })),
        (
            case("by_a_credential"),
            json!({ "url": url, "credentials": [{ "header": { "name": "range", "before": "bytes=30-,", "secret": "token" } }] }),
        ),
        (case("in_another_charset"), json!({ "url": url, "headers": [["accept-charset", "utf-16"]] })),
        (
            case("of_a_type_by_a_credential"),
            json!({ "url": url, "credentials": [{ "header": { "name": "accept", "before": "text/plain;charset=utf-16, x/", "secret": "token" } }] }),
        ),
        (
            case("of_a_type_in_another_charset"),
            json!({ "url": url, "headers": [["accept", "text/plain; charset=utf-16"]] }),
        ),
    ] {
        let found = arena.reported(wish).await;
        cases.check(name, found["code"] == "invalid_request" && server.count() == 0, found);
    }
    for (name, answer, code) in [
        (case("unasked"), Answer::status(206, "", "9f86"), "answer_partial"),
        (case("unasked_and_said"), Answer::status(200, "content-range: bytes 30-40/100\r\n", "9f86"), "answer_partial"),
        (
            case("in_utf_16_by_its_mark"),
            Answer::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe9\0".to_vec()),
            "answer_packed",
        ),
        (
            case("in_utf_16"),
            Answer::status(200, "content-type: text/plain; charset=utf-16\r\n", "9\0f\0"),
            "answer_packed",
        ),
    ] {
        server.answers(answer);
        let found = arena.reported(json!({ "url": url })).await;
        cases.check(name, found["phase"] == "read" && found["code"] == code, found);
    }
}

/// Others show the beginning and the end of what is long, and a component may make it as long as it likes.
#[tokio::test]
async fn a_server_that_cuts_what_it_repeats() {
    let server = HttpServer::start(Answer::status(400, "", "not valid: 'xxxx5f3c9a7be1d2...c3d4e5f60718'")).await;
    let settings = format!("[target.http_probe]\nbase_url = '{}'\nsecrets = ['token']\n", server.origin());
    let builder = TestEngine::builder().targets_in(guests()).with(&settings);
    let arena = Arena::started("http_probe", builder.secret("token", "5f3c9a7be1d24f6081b2c3d4e5f60718")).await;
    let found = arena.reported(json!({ "url": server.origin() })).await;
    // Of parts that were cut, some letters are left.
    assert_eq!(found["body"], "not valid: 'xxxx•••d2...•••18'", "{found}");
}

/// A column for UUIDs, a fingerprint, a mail: the same letters, with something between them.
#[tokio::test]
async fn a_server_that_repeats_in_groups() {
    let mut cases = Cases::default();
    for (name, echo) in [
        (case("as_a_uuid"), "5f3c9a7b-e1d2-4f60-81b2-c3d4e5f60718"),
        (case("as_a_fingerprint"), "5F:3C:9A:7B:E1:D2:4F:60:81:B2:C3:D4:E5:F6:07:18"),
        (case("in_lines"), "5f3c9a7be1d24f60\r\n  81b2c3d4e5f60718"),
        (case("base64_in_lines"), "NWYzYzlhN2JlMWQyNGY2\nMDgxYjJjM2Q0ZTVmNjA3MTg="),
        (
            case("in_hexadecimal_digits"),
            "3566 3363 3961 3762 6531 6432 3466 3630 3831 6232 6333 6434 6535 6636 3037 3138",
        ),
    ] {
        let server = HttpServer::start(Answer::status(400, "", &format!("<{echo}>"))).await;
        let settings = format!("[target.http_probe]\nbase_url = '{}'\nsecrets = ['token']\n", server.origin());
        let builder = TestEngine::builder().targets_in(guests()).with(&settings);
        let arena = Arena::started("http_probe", builder.secret("token", "5f3c9a7be1d24f6081b2c3d4e5f60718")).await;
        let found = arena.reported(json!({ "url": server.origin() })).await;
        let body = found["body"].as_str().unwrap_or_default();
        // Base64 has its last letter from what comes behind, too.
        cases.check(name, body.starts_with("<•••") && body.len() < "<•••>".len() + 4, found.clone());
    }
}

/// Whoever knows the beginning could else guess one letter after another, and see by what is cut out which was right.
#[tokio::test]
async fn guesses_letter_by_letter() {
    let guesses = "github_pat_110 github_pat_111 github_pat_11a github_pat_11b";
    let server = HttpServer::start(Answer::status(400, "", guesses)).await;
    let settings = format!("[target.http_probe]\nbase_url = '{}'\nsecrets = ['token']\n", server.origin());
    let builder = TestEngine::builder().targets_in(guests()).with(&settings);
    let arena = Arena::started("http_probe", builder.secret("token", "github_pat_11abcdef0q7w")).await;
    let found = arena.reported(json!({ "url": server.origin() })).await;
    assert_eq!(found["body"], guesses.replace("github_pat_1", "•••"), "each alike: {found}");
}

/// A server that sends a secret back, in whatever spelling it had got it: the component does not see it, and neither does the history.
#[tokio::test]
async fn a_server_that_echoes() {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("user:{SECRET}"));
    let encoded = "hush%2Fhush%20%229f86d081%22";
    let mut cases = Cases::default();
    for (name, echo) in [
        (case("as_it_is"), SECRET.to_owned()),
        (case("as_basic"), pair),
        (case("as_in_a_form"), encoded.to_owned()),
        (case("as_in_a_path"), encoded.replace("%2F", "/")),
        (case("as_in_json"), "hush/hush \\\"9f86d081\\\"".to_owned()),
    ] {
        let server = HttpServer::start(Answer::status(200, &format!("x-echo: {echo}\r\n"), &format!("<{echo}>"))).await;
        let arena = with_secret(&server).await;
        let asked =
            json!({ "url": server.origin(), "credentials": [{ "basic": { "user": "user", "secret": "token" } }] });
        let found = arena.reported(asked).await;
        let text = found.to_string();
        // Of what was encoded together with something else, that stays.
        let blotted = text.matches("•••").count() == 2 && !text.contains(&echo[7..echo.len() - 4]);
        cases.check(name, blotted && !text.contains("9f86d081"), found);
    }
}

/// A component that has come by a secret all the same, and says it: the history does not repeat it.
#[tokio::test]
async fn a_component_that_knows_a_secret() {
    let builder = TestEngine::builder().targets_in(guests());
    let settings = "[target.settings_probe]\nsecrets = ['token']\n[target.http_probe]\nsecrets = ['token']\nbase_url = 'http://127.0.0.1:1'\n";
    let arena = Arena::started("http_probe", builder.with(settings).secret("token", "well-known")).await;
    let mut cases = Cases::default();
    let shown =
        arena.tried(json!({ "url": "http://127.0.0.1:1/well-known", "headers": [["well-known\r\n", ""]] })).await;
    let attempt = &shown.attempts[0];
    cases.check(
        case("in_an_outcome"),
        attempt.message.contains("•••") && !attempt.message.contains("well-known"),
        &shown,
    );
    let shown = arena.tried(json!({ "url": "http://127.0.0.1:1/", "then": "trap" })).await;
    cases.check(case("in_a_fault"), !format!("{shown:?}").contains("well-known"), &shown);
}

#[tokio::test]
async fn echo_log() {
    let shown = Arena::of("echo_log").await.tried(json!({})).await;
    let log = &shown.attempts[0].log;
    for line in [
        "debug: debug Title",
        "info: info Title",
        "warn: warn: two\\nlines, and \\u{1b}[31mred\\u{1b}[0m",
        "info: printed Title",
        "warn: printed to stderr Title",
        "info: printed: two",
        "info: lines, and \\u{1b}[31mred\\u{1b}[0m",
    ] {
        assert!(log.lines().any(|l| l == line), "{line:?} is not a line of:\n{log}");
    }
    assert!(log.lines().all(|line| ["debug: ", "info: ", "warn: ", "error: "].iter().any(|l| line.starts_with(l))));
    assert!(log.lines().all(|line| line.len() < 4300), "a long line is cut");
}

#[tokio::test]
async fn flood() {
    let arena = Arena::of("flood").await;
    let mut cases = Cases::default();
    for (name, extra) in
        [(case("of_lines"), json!({ "lines": 20_000 })), (case("of_output"), json!({ "lines": 2_000, "to": "stdout" }))]
    {
        let shown = arena.tried(extra).await;
        let log = &shown.attempts[0].log;
        let delivered = shown.listed.notification.status == Status::Delivered;
        let counted = log.ends_with("more lines were dropped)") && log.len() <= 64 * 1024;
        cases.check(name, delivered && counted, log.len());
    }
    // A gigabyte takes longer than it may compute.
    let shown = arena.tried(json!({ "lines": 262_144 })).await;
    let ended = shown.attempts[0].code == "out_of_cpu" || shown.listed.notification.status == Status::Delivered;
    cases.check(case("of_a_gigabyte"), ended && shown.attempts[0].log.len() <= 64 * 1024, shown);
}

#[tokio::test]
async fn noise() {
    let arena = Arena::of("noise").await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut cases = Cases::default();
    for (name, extra, most, holds) in [
        (case("no_utf8"), json!({ "bytes": "fffe80c1c0aff5" }), 64, "\u{fffd}"),
        (case("half_a_character"), json!({ "bytes": "e282" }), 16, "\u{fffd}"),
        (case("a_null"), json!({ "bytes": "610062" }), 32, "a\\u{0}b"),
        (case("escapes"), json!({ "bytes": hex(b"\x1b[2J\x1b]0;x\x07\x9b31m") }), 128, "\\u{1b}[2J"),
        (case("a_carriage_return"), json!({ "line": "all is well\rerror: " }), 64, "all is well\\rerror: "),
        (
            case("separators_of_lines"),
            json!({ "line": "a\u{2028}b\u{2029}c\u{85}d\u{b}e" }),
            64,
            "a\\u{2028}b\\u{2029}c\\u{85}d\\u{b}e",
        ),
        (case("a_turned_line"), json!({ "line": "\u{202e}ton si siht\u{2066}" }), 64, "\\u{202e}ton si siht\\u{2066}"),
        (case("a_forged_line"), json!({ "line": "x\nerror: all is lost" }), 64, "x\\nerror: all is lost"),
        (case("a_line_without_end"), json!({ "bytes": "61".repeat(8000), "times": 100 }), 4200, "…"),
        (
            case("escapes_without_end"),
            json!({ "line": "\u{1b}".repeat(4000), "times": 300 }),
            64 * 1024,
            "were dropped)",
        ),
        (case("many_lines"), json!({ "line": "x", "times": 1000 }), 2000, "(800 more lines were dropped)"),
        (case("a_blank_line"), json!({ "bytes": "0a0a0a" }), 64, "info: "),
    ] {
        let shown = arena.tried(extra).await;
        let log = &shown.attempts[0].log;
        let tame = log.chars().all(|c| c == '\n' || !c.is_control()) && log.lines().count() <= 201;
        let delivered = shown.listed.notification.status == Status::Delivered;
        cases.check(name, delivered && tame && log.len() <= most && log.contains(holds), log);
    }
    let shown = arena.tried(json!({ "line": "x".repeat(4000), "times": 300, "then": "trap" })).await;
    let attempt = &shown.attempts[0];
    let right =
        (attempt.outcome, attempt.code.as_str()) == (OutcomeKind::Retry, "trapped") && attempt.log.len() <= 64 * 1024;
    cases.check(case("a_full_log_and_a_fault"), right, shown.attempts[0].log.len());
}

/// A secret of one letter would be longer where it is blotted out: the log does not grow by it.
#[tokio::test]
async fn a_log_full_of_secrets() {
    let settings = "[target.http_probe]\nsecrets = ['token']\nbase_url = 'http://127.0.0.1:1'\n[target.noise]\n";
    let builder = TestEngine::builder().targets_in(guests()).with(settings).secret("token", "xxxx");
    let arena = Arena::started("noise", builder).await;
    let shown = arena.tried(json!({ "line": "xxxx".repeat(1000), "times": 300 })).await;
    is_delivered(&shown);
    assert!(shown.attempts[0].log.len() <= 64 * 1024);
}

/// A refusal quotes what was asked for, and is kept with each notification of a batch.
#[tokio::test]
async fn a_secret_with_a_name_of_megabytes() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = Arena::with("http_probe", &format!("[target.http_probe]\nbase_url = '{}'\n", server.origin())).await;
    let wish = json!({ "url": server.origin(), "credentials": [{ "bearer": "A".repeat(60_000) }] });
    let shown = arena.tried(wish).await;
    let attempt = &shown.attempts[0];
    assert!(attempt.message.contains("at most 63 characters") && attempt.log.len() < 1000, "{}", attempt.log.len());
    assert_eq!(server.count(), 0);
}

/// What is packed otherwise than it was asked for could hold what was sent, and nobody would find it.
#[tokio::test]
async fn an_answer_that_is_packed_otherwise() {
    let server = HttpServer::start(Answer::Closes).await;
    let arena = Arena::with("http_probe", &format!("[target.http_probe]\nbase_url = '{}'\n", server.origin())).await;
    for answer in [
        Answer::status(200, "content-encoding: deflate\r\n", "hush-hush"),
        Answer::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n4\r\nhush\r\n0\r\n\r\n".to_vec()),
    ] {
        server.answers(answer);
        let found = arena.reported(json!({ "url": server.origin() })).await;
        assert_eq!((&found["phase"], &found["code"]), (&json!("read"), &json!("answer_packed")), "{found}");
    }
}
