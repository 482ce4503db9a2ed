//! What an answer means for the messages of its request. A ticket for each says it best; else the code of the first
//! error and the status do, once for all messages.

use std::collections::BTreeMap;

use guest_sdk::http::Response;
use guest_sdk::{Failure, Outcome, Retry, Scope};
use serde_json::Value;

use crate::ticket;

/// What Expo said to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// What came of each message, in their order.
    Each(Vec<Outcome>),
    /// What came of all of them alike.
    All(Outcome),
    /// Nothing was taken, and never will be in this form: at least one message is at fault, and it is not said which.
    Refused(Failure),
    /// Nothing was taken, since the tokens are of several projects: the project of each, as far as it is said.
    SeveralProjects(BTreeMap<String, String>, Failure),
}

/// Reads the answer to a request with so many messages.
pub fn read(response: &Response, messages: usize) -> Answer {
    let said = response.json();
    match tickets(&said["data"], messages) {
        Some(tickets) => Answer::Each(tickets.iter().map(ticket::outcome).collect()),
        None => without_tickets(response, &said["errors"][0]),
    }
}

/// The tickets, if there is one for each message. With more or fewer nobody can say which belongs to which. A single
/// message may have its ticket without a list around it.
fn tickets(data: &Value, messages: usize) -> Option<&[Value]> {
    let tickets = match data {
        Value::Array(tickets) => tickets.as_slice(),
        Value::Object(_) => std::slice::from_ref(data),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    (tickets.len() == messages).then_some(tickets)
}

fn without_tickets(response: &Response, error: &Value) -> Answer {
    let status = response.status;
    let code = error["code"].as_str().unwrap_or_default();
    let words = error["message"].as_str().unwrap_or_default();
    let reason = |advice: &str| {
        let code = if code.is_empty() { status.to_string() } else { code.to_owned() };
        Failure::new(code, ticket::sentence(&format!("the answer was {status} {words}"), advice))
    };
    let retry = |scope, reason| Answer::All(Outcome::Retry(Retry { after: response.retry_after(), scope, reason }));
    match (status, code) {
        (_, "PUSH_TOO_MANY_EXPERIENCE_IDS") => Answer::SeveralProjects(projects(&error["details"]), reason("")),
        (_, "PUSH_TOO_MANY_NOTIFICATIONS") => Answer::Refused(reason("")),
        (429, _) | (_, "TOO_MANY_REQUESTS") => retry(Scope::Account, reason("")),
        // Not Expo's words: a firewall before it does not like one of the messages.
        (403, "") => Answer::Refused(reason("")),
        (401 | 403, _) | (_, "UNAUTHORIZED") => retry(
            Scope::Configuration,
            reason(
                "Give the secret `expo_access_token` a valid access token of the Expo account, then resume the target.",
            ),
        ),
        // Not the push service: any message would meet with the same.
        (300..=399 | 404 | 405 | 410, _) => {
            retry(Scope::Configuration, reason("Check the target's `base_url`, then resume the target."))
        }
        // The request did not arrive whole (RFC 9110, 15.5.9), or Expo had a bad moment.
        (408 | 500..=599, _) => retry(Scope::Message, reason("")),
        (400..=499, _) => Answer::Refused(reason("")),
        _ => Answer::All(Outcome::Unknown(Failure::new(
            if code.is_empty() { "no_tickets" } else { code },
            format!("Expo answered {status} without a ticket for each message, so it may have taken them."),
        ))),
    }
}

/// Expo lists the tokens of each project; turned around, the project of each token.
fn projects(details: &Value) -> BTreeMap<String, String> {
    let listed = details.as_object().into_iter().flatten();
    listed
        .flat_map(|(project, tokens)| {
            let tokens = tokens.as_array().into_iter().flatten().filter_map(Value::as_str);
            tokens.map(|token| (token.to_owned(), project.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, body: &Value) -> Answer {
        read(&Response { status, headers: vec![], body: body.to_string().into_bytes() }, 2)
    }

    fn several(details: &Value) -> BTreeMap<String, String> {
        let error = json!({ "code": "PUSH_TOO_MANY_EXPERIENCE_IDS", "message": "Several", "details": details });
        let answer = said(400, &json!({ "errors": [error] }));
        let Answer::SeveralProjects(projects, reason) = answer else { panic!("{answer:?}") };
        assert_eq!(reason.code, "PUSH_TOO_MANY_EXPERIENCE_IDS");
        projects
    }

    #[test]
    fn several_projects_are_turned_around() {
        let projects = several(&json!({ "@ada/tea": ["t1", "t3"], "@bob/cake": ["t2"] }));
        let expected = [("t1", "@ada/tea"), ("t2", "@bob/cake"), ("t3", "@ada/tea")];
        assert!(
            projects.iter().map(|(token, project)| (token.as_str(), project.as_str())).eq(expected),
            "{projects:?}"
        );
    }

    #[test]
    fn projects_that_cannot_be_read_are_not_known() {
        for details in
            [json!(null), json!([]), json!("x"), json!({ "@ada/tea": "t1" }), json!({ "@ada/tea": [1, null] })]
        {
            assert_eq!(several(&details), BTreeMap::new(), "{details}");
        }
    }

    #[test]
    fn a_refusal_is_not_yet_anyones() {
        for (status, code) in
            [(400, "VALIDATION_ERROR"), (403, ""), (413, ""), (422, ""), (400, "PUSH_TOO_MANY_NOTIFICATIONS")]
        {
            let answer = said(status, &json!({ "errors": [{ "code": code, "message": "No." }] }));
            let Answer::Refused(reason) = answer else { panic!("{status} {code}: {answer:?}") };
            assert_eq!(reason.message, format!("Expo did not take it: the answer was {status} No."));
        }
    }

    #[test]
    fn tickets_count_more_than_the_status() {
        let tickets = json!({ "data": [{ "status": "ok", "id": "T1" }, { "status": "ok", "id": "T2" }] });
        for status in [200, 400, 500] {
            assert!(matches!(said(status, &tickets), Answer::Each(outcomes) if outcomes.len() == 2), "{status}");
        }
    }
}
