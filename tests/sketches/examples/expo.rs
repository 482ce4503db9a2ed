//! Expo's push service: a hundred messages in one request, of which some fail; all of one project, or the request is
//! refused and says which belong together; and receipts by the hundred.

use std::collections::BTreeMap;

use serde_json::{Value, json};

#[allow(unsafe_code, unused_qualifications, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "target-with-receipts", additional_derives: [PartialEq] });
}

use bindings::exports::notification::engine::notification_target::{
    CreationRequest, Draft, Guest, Notification, Outcome, Receipt,
};
use bindings::exports::notification::engine::receipts;
use bindings::notification::engine::fates::Fate;
use bindings::notification::engine::http::{self, Credential};
use bindings::notification::engine::phases::Phase;
use bindings::notification::engine::runtime;
use bindings::notification::engine::types::{Failure, Retry, Scope};

pub struct Expo;

/// Only for WebAssembly: a component's export names are not names that a native linker takes.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Expo, bindings};
    bindings::export!(Expo with_types_in bindings);
}

/// When less than this is left of the call, no further request is begun: better a retry than an end without outcomes.
const TIME_FOR_A_REQUEST: u32 = 11_000;

/// Expo's limit for a message.
const LARGEST_MESSAGE: usize = 4096;

impl Guest for Expo {
    fn describe() -> String {
        json!({
            "name": "Expo sketch",
            "version": "0.1.0",
            "summary": "Pushes to apps that are made with Expo.",
            "address": { "title": "Push token", "example": "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]" },
            "http": { "origins": ["https://exp.host"] },
            "secrets": [{
                "name": "access_token",
                "purpose": "An access token, if enhanced security is on in your Expo account.",
                "required": false,
            }],
            "extra": {
                "type": "object",
                "properties": { "data": { "type": "object", "description": "Passed to the app." } },
            },
            "largest_batch": 100,
            // Earlier there is nothing to know, and after a day Expo has forgotten.
            "receipts": { "after": 900, "every": 1800, "give_up_after": 86_400 },
        })
        .to_string()
    }

    fn check_address(token: String) -> Result<String, Failure> {
        let token = token.trim();
        let inner = ["ExponentPushToken[", "ExpoPushToken["].iter().find_map(|opening| token.strip_prefix(opening));
        let valid = match inner {
            Some(inner) => inner.strip_suffix(']').is_some_and(|id| !id.is_empty() && !id.contains(['[', ']', ' '])),
            None => is_uuid(token),
        };
        if valid && token.len() <= 200 {
            return Ok(token.to_owned());
        }
        Err(failure("not_a_token", "A push token looks like ExponentPushToken[…]."))
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        let longest = request.target_user_records.iter().map(|record| {
            message(&record.target_user_id, &request.title, &request.body, &request.extra).to_string().len()
        });
        if longest.max().unwrap_or_default() > LARGEST_MESSAGE {
            let message = format!("With title, body and data a message has at most {LARGEST_MESSAGE} bytes.");
            return Err(failure("MessageTooBig", &message));
        }
        let draft = |id: &String| Draft {
            target_user_record_id: id.clone(),
            title: request.title.clone(),
            body: request.body.clone(),
            extra: request.extra.clone(),
            not_before: None,
        };
        Ok(request.target_user_records.iter().map(|record| draft(&record.id)).collect())
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        let all: Vec<&Notification> = batch.iter().collect();
        match push(&all) {
            Pushed::Outcomes(outcomes) => outcomes,
            Pushed::OtherProjects(projects) => push_apart(&all, &projects),
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn message(token: &str, title: &str, body: &str, extra: &str) -> Value {
    let extra: Value = serde_json::from_str(extra).unwrap_or_default();
    let mut message = json!({ "to": token, "title": title, "body": body });
    if extra["data"].is_object() {
        message["data"] = extra["data"].clone();
    }
    message
}

/// What came of one request.
#[derive(Debug, PartialEq)]
enum Pushed {
    /// One for each notification in it.
    Outcomes(Vec<Outcome>),
    /// Nothing was taken, since the tokens are of several projects: the project of each.
    OtherProjects(BTreeMap<String, String>),
}

fn push(notifications: &[&Notification]) -> Pushed {
    let messages: Vec<Value> = notifications
        .iter()
        .map(|n| message(&n.target_user_record.target_user_id, &n.title, &n.body, &n.extra))
        .collect();
    // Should this call end here, these are in doubt, and no others.
    let about = notifications.iter().map(|notification| notification.id.clone()).collect();
    match http::send(&request("send", &Value::Array(messages), about)) {
        Ok(response) => answer(&response, notifications.len()),
        Err(error) => Pushed::Outcomes(vec![unanswered(error); notifications.len()]),
    }
}

/// A request for each project, as far as the time goes.
fn push_apart(all: &[&Notification], projects: &BTreeMap<String, String>) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; all.len()];
    for places in by_project(all.iter().map(|n| n.target_user_record.target_user_id.as_str()), projects) {
        if runtime::time_left() < TIME_FOR_A_REQUEST {
            break;
        }
        let part: Vec<&Notification> = places.iter().filter_map(|place| all.get(*place).copied()).collect();
        if let Pushed::Outcomes(of_part) = push(&part) {
            for (place, outcome) in places.into_iter().zip(of_part) {
                outcomes[place] = Some(outcome);
            }
        }
    }
    // What had no time, and a part that Expo wants divided once more, although it said itself how to: nothing was
    // taken.
    let later = || again(Scope::Message, Some(1), failure("divided", "Expo wants this sent apart from others."));
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(later)).collect()
}

/// The places of the tokens of each project. Tokens that Expo did not mention go alone: one that is wrong spoils no
/// others.
fn by_project<'a>(tokens: impl Iterator<Item = &'a str>, projects: &BTreeMap<String, String>) -> Vec<Vec<usize>> {
    let (mut known, mut alone) = (BTreeMap::<&str, Vec<usize>>::new(), Vec::new());
    for (place, token) in tokens.enumerate() {
        match projects.get(token) {
            Some(project) => known.entry(project).or_default().push(place),
            None => alone.push(vec![place]),
        }
    }
    known.into_values().chain(alone).collect()
}

fn request(path: &str, body: &Value, about: Vec<String>) -> http::Request {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let token = runtime::has_secret("access_token").then(|| Credential::Bearer("access_token".to_owned()));
    http::Request {
        method: "POST".to_owned(),
        url: format!("https://exp.host/--/api/v2/push/{path}"),
        headers: vec![header("content-type", "application/json"), header("accept", "application/json")],
        credentials: token.into_iter().collect(),
        body: body.to_string().into_bytes(),
        timeout: 0,
        about,
    }
}

/// A ticket for each message, or one error for all.
fn answer(response: &http::Response, count: usize) -> Pushed {
    let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if let Some(tickets) = said["data"].as_array().filter(|tickets| tickets.len() == count) {
        return Pushed::Outcomes(tickets.iter().map(outcome).collect());
    }
    let error = &said["errors"][0];
    let code = error["code"].as_str().unwrap_or_default();
    let words = error["message"].as_str().unwrap_or("It gave no reason.");
    let reason = || Failure {
        code: if code.is_empty() { response.status.to_string() } else { code.to_owned() },
        message: format!("Expo answered {}: {words}", response.status),
    };
    let for_all = match (response.status, code) {
        (_, "PUSH_TOO_MANY_EXPERIENCE_IDS") => return Pushed::OtherProjects(projects(&error["details"])),
        (429, _) | (_, "TOO_MANY_REQUESTS") => again(Scope::Account, retry_after(response), reason()),
        (401 | 403, _) | (_, "UNAUTHORIZED") => again(Scope::Configuration, None, reason()),
        (400..=499, _) => Outcome::Failed(reason()),
        // With a status of success, but without a ticket for each: some may have been taken, nobody can say which.
        _ => Outcome::Unknown(reason()),
    };
    Pushed::Outcomes(vec![for_all; count])
}

/// Expo lists the tokens of each project; turned around, the project of each token.
fn projects(details: &Value) -> BTreeMap<String, String> {
    let listed = details.as_object().into_iter().flatten();
    listed
        .flat_map(|(project, tokens)| {
            tokens.as_array().into_iter().flatten().filter_map(Value::as_str).map(|t| (t.to_owned(), project.clone()))
        })
        .collect()
}

fn outcome(ticket: &Value) -> Outcome {
    if ticket["status"] == "ok" {
        let provider_id = ticket["id"].as_str().unwrap_or_default().to_owned();
        return Outcome::Accepted(Receipt { provider_id, message: "Expo took it.".to_owned() });
    }
    match fate(ticket) {
        Fate::InactiveDevice(reason) => Outcome::InactiveDevice(reason),
        Fate::Retry(retry) => Outcome::Retry(retry),
        Fate::Failed(reason) | Fate::OptedOut(reason) => Outcome::Failed(reason),
        Fate::Pending | Fate::Delivered | Fate::Lost => {
            Outcome::Unknown(failure("no_status", "Expo did not say whether it took it."))
        }
    }
}

/// What a receipt says, or a ticket that is an error: they have the same form.
fn fate(receipt: &Value) -> Fate {
    let code = receipt["details"]["error"].as_str().unwrap_or("no_code");
    let words = receipt["message"].as_str().unwrap_or("Expo gave no reason.");
    let reason = failure(code, words);
    let again = |scope| Fate::Retry(Retry { after: None, scope, reason: reason.clone() });
    match (receipt["status"].as_str(), code) {
        (Some("ok"), _) => Fate::Delivered,
        (Some("error"), "DeviceNotRegistered") => Fate::InactiveDevice(reason),
        (Some("error"), "MessageRateExceeded") => again(Scope::Address),
        (Some("error"), "MismatchSenderId" | "InvalidCredentials") => again(Scope::Configuration),
        (Some("error"), _) => Fate::Failed(reason),
        _ => Fate::Pending,
    }
}

impl receipts::Guest for Expo {
    fn check(provider_ids: Vec<String>) -> Result<Vec<Fate>, Retry> {
        let retry = |scope, after, reason| Retry { after, scope, reason };
        let response =
            http::send(&request("getReceipts", &json!({ "ids": provider_ids }), vec![])).map_err(|error| {
                let scope = if error.phase == Phase::Denied { Scope::Configuration } else { Scope::Message };
                retry(scope, None, Failure { code: error.code, message: error.message })
            })?;
        let reason = || failure(&response.status.to_string(), "Expo did not tell what became of these messages.");
        match response.status {
            200 => {
                let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
                Ok(provider_ids.iter().map(|id| fate(&said["data"][id])).collect())
            }
            401 | 403 => Err(retry(Scope::Configuration, None, reason())),
            429 => Err(retry(Scope::Account, retry_after(&response), reason())),
            _ => Err(retry(Scope::Message, retry_after(&response), reason())),
        }
    }
}

fn retry_after(response: &http::Response) -> Option<u32> {
    response.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, value)| value.parse().ok())
}

fn unanswered(error: http::Error) -> Outcome {
    let reason = Failure { code: error.code, message: error.message };
    match error.phase {
        Phase::Invalid => Outcome::Failed(reason),
        Phase::Denied => again(Scope::Configuration, None, reason),
        Phase::Resolve | Phase::Connect | Phase::Tls => again(Scope::Message, None, reason),
        // Also if only the tickets were lost: without them nobody can say which were taken.
        Phase::Write | Phase::Wait | Phase::Read => Outcome::Unknown(reason),
    }
}

fn again(scope: Scope, after: Option<u32>, reason: Failure) -> Outcome {
    Outcome::Retry(Retry { after, scope, reason })
}

fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &Value, count: usize) -> Pushed {
        answer(&http::Response { status, headers: vec![], body: body.to_string().into_bytes() }, count)
    }

    fn error(code: &str) -> Value {
        json!({ "status": "error", "message": "no", "details": { "error": code } })
    }

    #[test]
    fn tokens_come_in_three_forms() {
        for right in ["ExponentPushToken[abc]", " ExpoPushToken[abc]", "12345678-9abc-def0-1234-56789abcdef0"] {
            assert_eq!(Expo::check_address(right.into()), Ok(right.trim().into()));
        }
        for wrong in ["", "abc", "ExponentPushToken[]", "ExponentPushToken[abc", "ExpoPushToken[a]b]", "12345678-9abc"]
        {
            assert!(Expo::check_address(wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_message_has_its_own_outcome() {
        let tickets = json!({ "data": [
            { "status": "ok", "id": "T1" },
            error("DeviceNotRegistered"),
            error("MessageRateExceeded"),
            error("MismatchSenderId"),
            error("MessageTooBig"),
            { "status": "error", "message": "no details" },
            {},
        ] });
        let Pushed::Outcomes(outcomes) = said(200, &tickets, 7) else { panic!("outcomes were expected") };
        assert!(matches!(&outcomes[0], Outcome::Accepted(receipt) if receipt.provider_id == "T1"));
        assert!(matches!(&outcomes[1], Outcome::InactiveDevice(reason) if reason.code == "DeviceNotRegistered"));
        assert!(matches!(&outcomes[2], Outcome::Retry(Retry { scope: Scope::Address, .. })));
        assert!(matches!(&outcomes[3], Outcome::Retry(Retry { scope: Scope::Configuration, .. })));
        assert!(matches!(&outcomes[4], Outcome::Failed(_)));
        assert!(matches!(&outcomes[5], Outcome::Failed(reason) if reason.code == "no_code"));
        assert!(matches!(&outcomes[6], Outcome::Unknown(_)));
    }

    #[test]
    fn a_missing_ticket_leaves_all_in_doubt() {
        let Pushed::Outcomes(outcomes) = said(200, &json!({ "data": [{ "status": "ok", "id": "T1" }] }), 2) else {
            panic!("outcomes were expected")
        };
        assert_eq!(outcomes.len(), 2);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown(_))));
    }

    #[test]
    fn an_error_of_the_request_is_for_all() {
        let error = |code: &str| json!({ "errors": [{ "code": code, "message": "no" }] });
        let each = |pushed, expected: fn(&Outcome) -> bool| {
            let Pushed::Outcomes(outcomes) = pushed else { panic!("outcomes were expected") };
            assert_eq!(outcomes.len(), 3);
            assert!(outcomes.iter().all(expected), "{outcomes:?}");
        };
        each(
            said(429, &error("TOO_MANY_REQUESTS"), 3),
            |o| matches!(o, Outcome::Retry(r) if r.scope == Scope::Account),
        );
        each(
            said(400, &error("UNAUTHORIZED"), 3),
            |o| matches!(o, Outcome::Retry(r) if r.scope == Scope::Configuration),
        );
        each(said(400, &error("VALIDATION_ERROR"), 3), |o| matches!(o, Outcome::Failed(_)));
        each(said(503, &Value::Null, 3), |o| matches!(o, Outcome::Unknown(_)));
    }

    #[test]
    fn mixed_projects_are_sent_apart() {
        let mixed = json!({ "errors": [{
            "code": "PUSH_TOO_MANY_EXPERIENCE_IDS",
            "details": { "@ada/tea": ["t1", "t3"], "@bob/cake": ["t2"] },
        }] });
        let Pushed::OtherProjects(projects) = said(400, &mixed, 4) else { panic!("projects were expected") };
        assert_eq!(by_project(["t1", "t2", "t3", "t4"].into_iter(), &projects), [vec![0, 2], vec![1], vec![3]]);
    }

    #[test]
    fn receipts_say_what_became_of_it() {
        assert_eq!(fate(&json!({ "status": "ok" })), Fate::Delivered);
        assert_eq!(fate(&Value::Null), Fate::Pending);
        assert!(matches!(fate(&error("DeviceNotRegistered")), Fate::InactiveDevice(_)));
        assert!(matches!(fate(&error("InvalidCredentials")), Fate::Retry(Retry { scope: Scope::Configuration, .. })));
    }
}
