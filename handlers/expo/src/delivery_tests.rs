//! Batches against an Expo that is played: a function of the tokens in a request.

use std::cell::RefCell;

use guest_sdk::http::Phase;
use serde_json::{Value, json};

use super::*;

fn message(token: &str) -> Result<Message, Failure> {
    Ok(Message { notification_id: format!("n-{token}"), token: token.to_owned(), json: "{}".to_owned() })
}

fn batch(tokens: &[&str]) -> Vec<Result<Message, Failure>> {
    tokens.iter().map(|token| message(token)).collect()
}

fn numbered(count: usize) -> Vec<Result<Message, Failure>> {
    (0..count).map(|number| message(&format!("t{number}"))).collect()
}

fn answer(status: u16, body: &Value) -> Result<Response, Error> {
    Ok(Response { status, headers: vec![], body: body.to_string().into_bytes() })
}

fn error(status: u16, code: &str, details: &Value) -> Result<Response, Error> {
    answer(status, &json!({ "errors": [{ "code": code, "message": "No", "details": details }] }))
}

/// A ticket for each, whose id says which token it was for.
fn taken(tokens: &[&str]) -> Result<Response, Error> {
    let tickets = tokens.iter().map(|token| json!({ "status": "ok", "id": format!("T-{token}") }));
    answer(200, &json!({ "data": tickets.collect::<Vec<_>>() }))
}

/// Delivers with all the time there is. Gives the outcomes, and the tokens of each request.
fn delivered(
    batch: Vec<Result<Message, Failure>>,
    expo: impl Fn(&[&str]) -> Result<Response, Error>,
) -> (Vec<Outcome>, Vec<Vec<String>>) {
    let requests = RefCell::new(Vec::new());
    let post = |messages: &[&Message]| {
        let tokens: Vec<&str> = messages.iter().map(|message| message.token.as_str()).collect();
        requests.borrow_mut().push(tokens.iter().map(|token| token.to_string()).collect());
        expo(&tokens)
    };
    let outcomes = deliver(batch, post, || Duration::from_secs(30));
    (outcomes, requests.into_inner())
}

/// An outcome's name, scope and id, short enough for a table.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(receipt) => receipt.provider_id.clone(),
        Outcome::Delivered(_) => "delivered".to_owned(),
        Outcome::Failed(reason) => format!("failed {}", reason.code),
        Outcome::InactiveDevice(_) => "inactive device".to_owned(),
        Outcome::OptedOut(_) => "opted out".to_owned(),
        Outcome::Unknown(reason) => format!("unknown {}", reason.code),
        Outcome::Retry(retry) => {
            let scope = match retry.scope {
                Scope::Message => "message",
                Scope::Address => "address",
                Scope::Account => "account",
                Scope::Configuration => "configuration",
            };
            format!("retry {scope} {}", retry.reason.code)
        }
    }
}

fn shorts(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().map(short).collect()
}

/// The project of a token is its first letter.
fn one_project_only(tokens: &[&str]) -> Result<Response, Error> {
    let mut projects: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for token in tokens {
        projects.entry(&token[..1]).or_default().push(token);
    }
    if projects.len() == 1 { taken(tokens) } else { error(400, "PUSH_TOO_MANY_EXPERIENCE_IDS", &json!(projects)) }
}

#[test]
fn a_batch_is_one_request() {
    let (outcomes, requests) = delivered(batch(&["a", "b", "c"]), taken);
    assert_eq!(shorts(&outcomes), ["T-a", "T-b", "T-c"]);
    assert_eq!(requests, [["a", "b", "c"]]);
}

#[test]
fn what_cannot_be_made_fails_alone() {
    let bad = || Err(Failure::new("invalid_extra", "No."));
    let (outcomes, requests) = delivered(vec![bad(), message("a"), bad(), message("b")], taken);
    assert_eq!(shorts(&outcomes), ["failed invalid_extra", "T-a", "failed invalid_extra", "T-b"]);
    assert_eq!(requests, [["a", "b"]]);
    let (outcomes, requests) = delivered(vec![bad()], taken);
    assert_eq!((shorts(&outcomes).len(), requests.len()), (1, 0));
}

#[test]
fn each_project_is_sent_on_its_own() {
    let (outcomes, requests) = delivered(batch(&["a1", "b1", "a2", "c1", "b2"]), one_project_only);
    assert_eq!(shorts(&outcomes), ["T-a1", "T-b1", "T-a2", "T-c1", "T-b2"]);
    assert_eq!(requests[1..], [vec!["a1", "a2"], vec!["b1", "b2"], vec!["c1"]]);
}

#[test]
fn tokens_that_expo_did_not_mention_are_sent_together() {
    let expo = |tokens: &[&str]| match tokens.len() {
        4 => error(400, "PUSH_TOO_MANY_EXPERIENCE_IDS", &json!({ "@ada/tea": ["b"] })),
        _ => taken(tokens),
    };
    let (outcomes, requests) = delivered(batch(&["a", "b", "c", "d"]), expo);
    assert_eq!(shorts(&outcomes), ["T-a", "T-b", "T-c", "T-d"]);
    assert_eq!(requests[1..], [vec!["a", "c", "d"], vec!["b"]]);
}

#[test]
fn without_usable_details_a_mixed_batch_is_halved() {
    for details in [json!(null), json!({ "@ada/tea": ["a1", "b1"] })] {
        let expo = |tokens: &[&str]| match one_project_only(tokens) {
            Ok(response) if response.status == 400 => error(400, "PUSH_TOO_MANY_EXPERIENCE_IDS", &details),
            other => other,
        };
        let (outcomes, requests) = delivered(batch(&["a1", "b1"]), expo);
        assert_eq!(shorts(&outcomes), ["T-a1", "T-b1"]);
        assert_eq!(requests.len(), 3);
    }
}

#[test]
fn a_single_token_of_several_projects_waits() {
    let (outcomes, requests) =
        delivered(batch(&["a"]), |_| error(400, "PUSH_TOO_MANY_EXPERIENCE_IDS", &json!({ "x": ["a"], "y": ["a"] })));
    assert_eq!(shorts(&outcomes), ["retry message PUSH_TOO_MANY_EXPERIENCE_IDS"]);
    assert_eq!(requests.len(), 1);
}

#[test]
fn a_message_that_is_refused_takes_no_other_with_it() {
    let expo = |tokens: &[&str]| {
        if tokens.contains(&"t37") { error(400, "VALIDATION_ERROR", &json!(null)) } else { taken(tokens) }
    };
    let (outcomes, requests) = delivered(numbered(100), expo);
    for (number, outcome) in outcomes.iter().enumerate() {
        let expected = if number == 37 { "failed VALIDATION_ERROR".to_owned() } else { format!("T-t{number}") };
        assert_eq!(short(outcome), expected);
    }
    assert!(requests.len() <= 15, "{}", requests.len());
}

#[test]
fn keeps_to_the_requests_of_a_call_and_gets_on_in_each() {
    let (outcomes, requests) = delivered(numbered(100), |_| error(400, "VALIDATION_ERROR", &json!(null)));
    assert_eq!(requests.len(), MOST_REQUESTS);
    let failed = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Failed(_))).count();
    assert!((10..20).contains(&failed), "{failed}");
    assert_eq!(short(&outcomes[99]), "retry account not_reached");
    let Outcome::Retry(retry) = &outcomes[99] else { unreachable!() };
    assert_eq!(retry.after, Some(1));
}

#[test]
fn more_projects_than_requests_are_finished_by_later_calls() {
    // A project for each token.
    let expo = |tokens: &[&str]| {
        let projects: BTreeMap<_, _> = tokens.iter().map(|token| (*token, vec![*token])).collect();
        if tokens.len() == 1 { taken(tokens) } else { error(400, "PUSH_TOO_MANY_EXPERIENCE_IDS", &json!(projects)) }
    };
    let (outcomes, requests) = delivered(numbered(100), expo);
    assert_eq!(requests.len(), MOST_REQUESTS);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted(_))).count(), MOST_REQUESTS - 1);
    assert_eq!(outcomes.iter().filter(|o| short(o) == "retry account not_reached").count(), 100 - MOST_REQUESTS + 1);
}

#[test]
fn without_time_only_the_first_request_is_made() {
    let post = |messages: &[&Message]| {
        let tokens: Vec<&str> = messages.iter().map(|message| message.token.as_str()).collect();
        one_project_only(&tokens)
    };
    let little = || TIME_FOR_A_REQUEST - Duration::from_millis(1);
    assert_eq!(shorts(&deliver(batch(&["a1", "a2"]), post, little)), ["T-a1", "T-a2"]);
    // Nothing came to an end, so this costs an attempt.
    assert_eq!(shorts(&deliver(batch(&["a", "b"]), post, little)), ["retry message not_reached"; 2]);
    assert_eq!(shorts(&deliver(batch(&["a", "b"]), post, || TIME_FOR_A_REQUEST)), ["T-a", "T-b"]);
}

#[test]
fn what_is_turned_away_as_a_whole_ends_the_call() {
    for (status, expected) in [(429, "retry account 429"), (401, "retry configuration 401"), (503, "retry message 503")]
    {
        let expo = |tokens: &[&str]| match tokens {
            ["b"] => error(status, "", &json!(null)),
            _ => one_project_only(tokens),
        };
        let (outcomes, requests) = delivered(batch(&["a", "b", "c"]), expo);
        assert_eq!(shorts(&outcomes), ["T-a", expected, expected]);
        assert_eq!(requests.len(), 3);
    }
}

#[test]
fn no_answer_leaves_open_only_what_was_in_the_request() {
    for (phase, b, c) in [
        (Phase::Wait, "unknown timeout", "T-c"),
        (Phase::Read, "unknown timeout", "T-c"),
        (Phase::Write, "unknown timeout", "T-c"),
        (Phase::Connect, "retry message timeout", "retry message timeout"),
        (Phase::Denied, "retry configuration timeout", "retry configuration timeout"),
        (Phase::Invalid, "failed timeout", "T-c"),
    ] {
        let expo = |tokens: &[&str]| match tokens {
            ["b"] => Err(Error { phase, status: 0, code: "timeout".into(), message: "No answer.".into() }),
            _ => one_project_only(tokens),
        };
        let (outcomes, _) = delivered(batch(&["a", "b", "c"]), expo);
        assert_eq!(shorts(&outcomes), ["T-a", b, c], "{phase:?}");
    }
}
