//! The answers in `testdata/answers`, and what they have to become. One file each: `answer` is an HTTP response with
//! exactly this body, `expect` the outcome of a first attempt that gets it. Members of `expect` that are absent are not
//! compared.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use guest_sdk::http::Response;
use guest_sdk::{Failure, Outcome, Receipt, Retry, Scope};
use serde::Deserialize;

use crate::answers::{self, Attempt};

const TEXT: &str = "The tea is ready.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    name: String,
    answer: Answer,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    outcome: String,
    code: Option<String>,
    scope: Option<String>,
    after: Option<u32>,
    provider_id: Option<String>,
}

/// All files, by name.
fn recorded() -> Vec<(String, Recorded)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/answers");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let recorded = serde_json::from_slice(&fs::read(path).unwrap());
        let recorded = recorded.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, recorded)
    };
    files.iter().map(|path| read(path)).collect()
}

fn outcome(answer: Answer) -> Outcome {
    let response = Response { status: answer.status, headers: answer.headers, body: answer.body.into_bytes() };
    answers::outcome(&response, Attempt { number: 1, last: false, text: TEXT })
}

/// The outcome in the words of the files.
fn told(outcome: Outcome) -> Expect {
    let receipt = |outcome: &str, receipt: Receipt| Expect {
        outcome: outcome.into(),
        code: None,
        scope: None,
        after: None,
        provider_id: Some(receipt.provider_id),
    };
    let failure = |outcome: &str, failure: Failure| Expect {
        outcome: outcome.into(),
        code: Some(failure.code),
        scope: None,
        after: None,
        provider_id: None,
    };
    match outcome {
        Outcome::Delivered(taken) => receipt("delivered", taken),
        Outcome::Accepted(taken) => receipt("accepted", taken),
        Outcome::Failed(reason) => failure("failed", reason),
        Outcome::InactiveDevice(reason) => failure("inactive_device", reason),
        Outcome::OptedOut(reason) => failure("opted_out", reason),
        Outcome::Unknown(reason) => failure("unknown", reason),
        Outcome::Retry(Retry { after, scope, reason }) => {
            let scope = match scope {
                Scope::Message => "message",
                Scope::Address => "address",
                Scope::Account => "account",
                Scope::Configuration => "configuration",
            };
            Expect { scope: Some(scope.into()), after, ..failure("retry", reason) }
        }
    }
}

#[test]
fn recorded_answers_become_what_is_expected() {
    let recorded = recorded();
    assert!(recorded.len() > 50, "only {} files", recorded.len());
    for (file, Recorded { name, answer, expect }) in recorded {
        let came = told(outcome(answer));
        assert_eq!(came.outcome, expect.outcome, "{file}, {name}: {came:?}");
        for (what, came, expected) in [
            ("code", &came.code, &expect.code),
            ("scope", &came.scope, &expect.scope),
            ("after", &came.after.map(|seconds| seconds.to_string()), &expect.after.map(|seconds| seconds.to_string())),
            ("provider_id", &came.provider_id, &expect.provider_id),
        ] {
            assert!(expected.is_none() || came == expected, "{file}, {name}: {what} is {came:?}, not {expected:?}");
        }
    }
}

/// The list is the one that `codes` promises.
#[test]
fn each_code_has_an_answer() {
    let codes = [
        20003, 20429, 21211, 21212, 21217, 21401, 21408, 21601, 21603, 21606, 21608, 21610, 21611, 21612, 21614, 21635,
        21660, 21705, 30001, 30002, 30003, 30004, 30005, 30006, 30007, 30008, 30010, 30034, 35114, 35115, 35116, 35117,
        35118,
    ];
    let recorded: BTreeSet<_> = recorded().into_iter().filter_map(|(_, recorded)| recorded.expect.code).collect();
    for code in codes {
        assert!(recorded.contains(&code.to_string()), "no answer has the code {code}");
    }
}

#[test]
fn no_beginning_of_an_answer_does_harm() {
    for (_, Recorded { answer: Answer { status, headers, body }, .. }) in recorded() {
        for end in (0..body.len()).filter(|end| body.is_char_boundary(*end)) {
            let body = body[..end].to_owned();
            let message = match outcome(Answer { status, headers: headers.clone(), body }) {
                Outcome::Delivered(receipt) | Outcome::Accepted(receipt) => receipt.message,
                Outcome::Retry(retry) => retry.reason.message,
                Outcome::Failed(reason)
                | Outcome::InactiveDevice(reason)
                | Outcome::OptedOut(reason)
                | Outcome::Unknown(reason) => reason.message,
            };
            assert!(!message.contains(TEXT), "{message}");
        }
    }
}
