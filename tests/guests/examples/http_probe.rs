//! Sends the HTTP request that `extra` describes, for each notification, and reports what came:
//!
//! ```json
//! { "method": "POST", "url": "https://…", "headers": [["accept", "text/plain"]], "body": "…", "timeout": 500, "about": ["…"],
//!   "credentials": [{ "basic": { "user": "u", "secret": "token" } }, { "bearer": "token" },
//!                   { "header": { "name": "x-key", "before": "Key ", "secret": "token" } },
//!                   { "url": { "marker": "{hook}", "secret": "hook" } }, { "body": { "marker": "{key}", "secret": "token" } }],
//!   "times": 33, "body_of": 6000000, "then": "trap", "outcome": "retry", "log": true }
//! ```
//!
//! All but the URL may be missing. `times` sends it more than once, and the last answer is reported; `body_of` makes a
//! body of so many bytes; `then` panics (`trap`) or never ends (`spin`) after the answer, to see what becomes of
//! notifications that have left; `outcome` makes a `retry` of it that says what the server said, or that something went wrong, or is `usual`: what the SDK makes of
//! an error; `log` says the report in the log too. The report is `{"status", "headers", "length", "characters", "body"}`, the body cut to 300 characters, or
//! `{"phase", "status", "code", "characters", "message"}`.

use std::time::Duration;

use guest_sdk::http::{BasicCredential, Credential, Error, HeaderCredential, MarkedSecret, Phase, Request};
use guest_sdk::runtime::{Level, log};
use guest_sdk::{Failure, Manifest, Notification, Outcome, Scope, Secret};
use serde_json::{Value, json};
use test_guests::{extra, report, text};

fn manifest() -> Manifest {
    test_guests::manifest("HTTP probe")
        .origin("https://provider.example")
        .origin("https://*.wild.example")
        .record_address()
        .declare(Secret::new("token", "Goes wherever the test says.").optional())
        .declare(Secret::new("hook", "The end of a URL.").prefix("https://provider.example/").optional())
        .largest_batch(100)
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(probe).collect()
}

fn probe(notification: &Notification) -> Outcome {
    let wish = extra(notification);
    let request = request(&wish);
    if wish["outcome"] == "usual"
        && let Err(error) = request.send()
    {
        return Outcome::from(error);
    }
    let mut found = exchange(&request);
    for _ in 1..wish["times"].as_u64().unwrap_or(1) {
        found = exchange(&request);
    }
    afterwards(&wish);
    if wish["log"] == true {
        log(Level::Info, found.to_string());
    }
    match wish["outcome"].as_str() {
        Some("retry") => Outcome::retry(Scope::Message, Failure::new("went_wrong", explained(&found))),
        _ => report(&found),
    }
}

/// What the provider said, or nothing in particular.
fn explained(found: &Value) -> String {
    found["body"].as_str().map_or_else(|| "Something went wrong.".to_owned(), str::to_owned)
}

#[expect(clippy::panic, reason = "the test asked for it")]
fn afterwards(wish: &Value) {
    match wish["then"].as_str() {
        Some("trap") => panic!("The test wants a panic after the answer."),
        Some("spin") => loop {
            std::hint::black_box(());
        },
        _ => {}
    }
}

fn request(wish: &Value) -> Request {
    let method = wish["method"].as_str().unwrap_or("GET");
    let mut request = Request::new(method, text(wish, "url"));
    for header in wish["headers"].as_array().into_iter().flatten() {
        request = request.header(header[0].as_str().unwrap_or_default(), header[1].as_str().unwrap_or_default());
    }
    for credential in wish["credentials"].as_array().into_iter().flatten().filter_map(credential) {
        request = request.credential(credential);
    }
    for id in wish["about"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        request = request.about(id);
    }
    let length = wish["body_of"].as_u64().and_then(|length| usize::try_from(length).ok());
    request.body = length.map_or_else(|| text(wish, "body").into_bytes(), |length| vec![b'x'; length]);
    match wish["timeout"].as_u64() {
        Some(milliseconds) => request.timeout(Duration::from_millis(milliseconds)),
        None => request,
    }
}

fn credential(wish: &Value) -> Option<Credential> {
    let (kind, of) = wish.as_object()?.iter().next()?;
    let marked = || MarkedSecret { marker: text(of, "marker"), secret: text(of, "secret") };
    Some(match kind.as_str() {
        "basic" => Credential::Basic(BasicCredential { user: text(of, "user"), secret: text(of, "secret") }),
        "bearer" => Credential::Bearer(of.as_str()?.to_owned()),
        "header" => Credential::Header(HeaderCredential {
            name: text(of, "name"),
            before: text(of, "before"),
            secret: text(of, "secret"),
        }),
        "url" => Credential::Url(marked()),
        "body" => Credential::Body(marked()),
        _ => return None,
    })
}

fn exchange(request: &Request) -> Value {
    match request.send() {
        Ok(response) => {
            let (characters, length) = (response.text().chars().count(), response.body.len());
            let body: String = response.text().chars().take(300).collect();
            json!({ "status": response.status, "headers": response.headers, "length": length, "characters": characters, "body": body })
        }
        Err(error) => {
            // What is cut out of a report says nothing of what the program has seen.
            let (phase, characters) = (phase(error.phase), error.message.chars().count());
            let Error { status, code, message, .. } = error;
            json!({ "phase": phase, "status": status, "code": code, "characters": characters, "message": message })
        }
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Invalid => "invalid",
        Phase::Denied => "denied",
        Phase::Resolve => "resolve",
        Phase::Connect => "connect",
        Phase::Tls => "tls",
        Phase::Write => "write",
        Phase::Wait => "wait",
        Phase::Read => "read",
    }
}

test_guests::guest!(manifest(), send);
