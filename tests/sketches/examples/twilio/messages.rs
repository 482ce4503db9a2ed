//! Twilio's list of messages: adding to it, looking into it.

use form_urlencoded::Serializer;
use serde_json::Value;

use crate::bindings::exports::notification::engine::notification_target::{Notification, Outcome, Receipt};
use crate::bindings::notification::engine::fates::Fate;
use crate::bindings::notification::engine::http::{self, BasicCredential, Credential};
use crate::bindings::notification::engine::phases::Phase;
use crate::bindings::notification::engine::runtime;
use crate::bindings::notification::engine::types::{Failure, Retry, Scope};
use crate::{Account, errors, failure, fate, instant, retry};

/// Our clock and Twilio's may be apart; and Twilio writes whole seconds.
const CLOCKS_APART: u64 = 60_000;

impl Account {
    /// Sends the message.
    pub fn create(&self, notification: &Notification) -> Result<Outcome, Outcome> {
        let form = form(self, notification, &runtime::callback_url(), runtime::now());
        let request = self.request("POST", "Messages.json", form, vec![notification.id.clone()]);
        Ok(match http::send(&request) {
            Ok(response) => answer(&response),
            Err(error) => unanswered(error),
        })
    }

    /// The message that an earlier attempt may have made, if it did. Should Twilio not say, this attempt ends here:
    /// nothing was sent in it, and the question stays open for the next.
    pub fn find(&self, notification: &Notification, since: u64) -> Result<Option<String>, Outcome> {
        let to = &notification.target_user_record.target_user_id;
        let query: String =
            Serializer::new(String::new()).append_pair("To", to).append_pair("PageSize", "100").finish();
        let listed = self.get(&format!("Messages.json?{query}")).map_err(Outcome::Retry)?;
        Ok(matching(&listed, &notification.body, since))
    }

    /// What became of a message.
    pub fn fate(&self, sid: &str) -> Result<Fate, Retry> {
        match self.get(&format!("Messages/{sid}.json")) {
            Ok(message) => {
                let error = message["error_code"].as_u64().and_then(|code| u32::try_from(code).ok());
                Ok(fate(message["status"].as_str().unwrap_or_default(), error))
            }
            // Deleted there, or never made.
            Err(refused) if refused.reason.code == "404" || refused.reason.code == "20404" => Ok(Fate::Lost),
            Err(refused) => Err(refused),
        }
    }

    fn get(&self, path: &str) -> Result<Value, Retry> {
        let request = self.request("GET", path, vec![], vec![]);
        let response = http::send(&request).map_err(|error| {
            let scope = if error.phase == Phase::Denied { Scope::Configuration } else { Scope::Message };
            retry(scope, None, Failure { code: error.code, message: error.message })
        })?;
        let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        match response.status {
            200 => Ok(said),
            401 | 403 => Err(retry(Scope::Configuration, None, refusal(&response, &said))),
            429 => Err(retry(Scope::Account, retry_after(&response), refusal(&response, &said))),
            _ => Err(retry(Scope::Message, retry_after(&response), refusal(&response, &said))),
        }
    }

    fn request(&self, method: &str, path: &str, body: Vec<u8>, about: Vec<String>) -> http::Request {
        let content_type = ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
        http::Request {
            method: method.to_owned(),
            url: format!("https://api.twilio.com/2010-04-01/Accounts/{}/{path}", self.sid),
            headers: if body.is_empty() { vec![] } else { vec![content_type] },
            credentials: vec![Credential::Basic(BasicCredential {
                user: self.sid.clone(),
                secret: "auth_token".to_owned(),
            })],
            body,
            timeout: 0,
            about,
        }
    }
}

fn form(account: &Account, notification: &Notification, callback_url: &str, now: u64) -> Vec<u8> {
    let mut form = Serializer::new(String::new());
    form.append_pair("To", &notification.target_user_record.target_user_id)
        .append_pair(account.sender.0, &account.sender.1)
        .append_pair("Body", &notification.body);
    if !callback_url.is_empty() {
        // With it a callback finds its notification even if the answer with the SID is lost.
        form.append_pair("StatusCallback", &format!("{callback_url}?notification={}", notification.id));
    }
    if let Some(expires_at) = notification.expires_at {
        let seconds = (expires_at.saturating_sub(now) / 1000).clamp(1, 36_000);
        form.append_pair("ValidityPeriod", &seconds.to_string());
    }
    form.finish().into_bytes()
}

/// The SID of a listed message that is ours: outgoing, with this text, made no earlier than the attempt in question.
fn matching(listed: &Value, body: &str, since: u64) -> Option<String> {
    let ours = |message: &&Value| {
        let made = message["date_created"].as_str().and_then(instant);
        message["direction"].as_str().is_some_and(|direction| direction.starts_with("outbound"))
            && message["body"].as_str() == Some(body)
            && made.is_some_and(|made| made + CLOCKS_APART >= since)
    };
    let found = listed["messages"].as_array()?.iter().find(ours)?;
    found["sid"].as_str().map(str::to_owned)
}

fn answer(response: &http::Response) -> Outcome {
    let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let reason = refusal(response, &said);
    match (response.status, said["code"].as_u64().and_then(|code| u32::try_from(code).ok())) {
        (200..=299, _) => match said["sid"].as_str() {
            Some(sid) => {
                let status = said["status"].as_str().unwrap_or_default();
                Outcome::Accepted(Receipt {
                    provider_id: sid.to_owned(),
                    message: format!("Twilio took it: {status}."),
                })
            }
            None => Outcome::Unknown(failure("no_sid", "Twilio took something, but did not say which message.")),
        },
        (429, _) => Outcome::Retry(retry(Scope::Account, retry_after(response), reason)),
        (500..=599, _) => Outcome::Unknown(reason),
        (_, Some(code)) => errors::meaning(code).into_outcome(reason),
        (401 | 403, None) => Outcome::Retry(retry(Scope::Configuration, None, reason)),
        (_, None) => Outcome::Failed(reason),
    }
}

fn unanswered(error: http::Error) -> Outcome {
    let reason = Failure { code: error.code, message: error.message };
    match error.phase {
        Phase::Invalid => Outcome::Failed(reason),
        Phase::Denied => Outcome::Retry(retry(Scope::Configuration, None, reason)),
        Phase::Resolve | Phase::Connect | Phase::Tls => Outcome::Retry(retry(Scope::Message, None, reason)),
        // Even if a status came: without the SID only the list can tell.
        Phase::Write | Phase::Wait | Phase::Read => Outcome::Unknown(reason),
    }
}

/// Twilio's own code and words if it gave them, else the status.
fn refusal(response: &http::Response, said: &Value) -> Failure {
    let words = said["message"].as_str().unwrap_or("no reason given");
    match said["code"].as_u64().and_then(|code| u32::try_from(code).ok()) {
        Some(code) => errors::reason(code, words),
        None => failure(&response.status.to_string(), &format!("Twilio answered {}: {words}", response.status)),
    }
}

fn retry_after(response: &http::Response) -> Option<u32> {
    response.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, value)| value.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, body: &Value) -> Outcome {
        answer(&http::Response { status, headers: vec![], body: body.to_string().into_bytes() })
    }

    #[test]
    fn answers_become_outcomes() {
        assert!(matches!(
            said(201, &json!({ "sid": "SM1", "status": "queued" })),
            Outcome::Accepted(receipt) if receipt.provider_id == "SM1"
        ));
        assert!(matches!(said(201, &json!({})), Outcome::Unknown(_)));
        assert!(matches!(
            said(400, &json!({ "code": 21_610, "message": "STOP" })),
            Outcome::OptedOut(reason) if reason.code == "21610"
        ));
        assert!(matches!(said(400, &json!({ "code": 21_211 })), Outcome::InactiveDevice(_)));
        assert!(matches!(
            said(401, &json!({ "code": 20_003 })),
            Outcome::Retry(Retry { scope: Scope::Configuration, .. })
        ));
        assert!(matches!(said(429, &json!({ "code": 20_429 })), Outcome::Retry(Retry { scope: Scope::Account, .. })));
        assert!(matches!(said(503, &Value::Null), Outcome::Unknown(_)));
        assert!(matches!(said(400, &Value::Null), Outcome::Failed(reason) if reason.code == "400"));
    }

    #[test]
    fn only_our_own_message_is_taken_for_it() {
        let message = |sid: &str, direction: &str, body: &str, made: &str| json!({ "sid": sid, "direction": direction, "body": body, "date_created": made });
        let before = "Fri, 24 May 2019 17:43:45 +0000";
        let after = "Fri, 24 May 2019 17:44:45 +0000";
        let since = instant("Fri, 24 May 2019 17:44:46 +0000").unwrap();
        let listed = json!({ "messages": [
            message("SM1", "outbound-api", "Other", after),
            message("SM2", "inbound", "Tea", after),
            message("SM3", "outbound-api", "Tea", before),
            message("SM4", "outbound-api", "Tea", ""),
            message("SM5", "outbound-api", "Tea", after),
        ] });
        assert_eq!(matching(&listed, "Tea", since), Some("SM5".into()));
        assert_eq!(matching(&listed, "Cake", since), None);
        assert_eq!(matching(&Value::Null, "Tea", since), None);
    }
}
