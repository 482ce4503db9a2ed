//! Slack's incoming webhooks. Whoever knows the URL can post, so the URL is a secret, kept at each record; the address
//! itself is only a name, such as `#alerts`.

use serde_json::json;

#[allow(unsafe_code, unused_qualifications, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "target", additional_derives: [PartialEq] });
}

use bindings::exports::notification::engine::notification_target::{
    CreationRequest, Draft, Guest, Notification, Outcome, Receipt,
};
use bindings::notification::engine::http::{self, Credential, MarkedSecret};
use bindings::notification::engine::phases::Phase;
use bindings::notification::engine::types::{Failure, Retry, Scope};

pub struct Slack;

/// Only for WebAssembly: a component's export names are not names that a native linker takes.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Slack, bindings};
    bindings::export!(Slack with_types_in bindings);
}

impl Guest for Slack {
    fn describe() -> String {
        json!({
            "name": "Slack webhook",
            "version": "0.1.0",
            "summary": "Posts into the channel of an incoming webhook.",
            "address": { "title": "Channel", "example": "#alerts" },
            "http": { "origins": ["https://hooks.slack.com"] },
            "secrets": [{
                "name": "webhook",
                "purpose": "The webhook's URL, from the page of your Slack app. Set it at each record.",
                "prefix": "https://hooks.slack.com/services/",
            }],
            // A message that comes twice in a channel is better than one that never comes.
            "on_unknown": "resend",
        })
        .to_string()
    }

    fn check_address(channel: String) -> Result<String, Failure> {
        let name = channel.trim().trim_start_matches('#').to_lowercase();
        let allowed = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.chars().count() > 80 || !name.chars().all(allowed) {
            return Err(failure(
                "not_a_channel",
                "A channel is named like #alerts: letters, digits, hyphens, underscores.",
            ));
        }
        Ok(format!("#{name}"))
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        if request.title.is_empty() && request.body.is_empty() {
            return Err(failure("no_text", "A message for Slack needs a title or a body."));
        }
        let draft = |id| Draft {
            target_user_record_id: id,
            title: request.title.clone(),
            body: request.body.clone(),
            extra: "{}".to_owned(),
            not_before: None,
        };
        Ok(request.target_user_records.iter().map(|record| draft(record.id.clone())).collect())
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        batch.iter().map(post).collect()
    }
}

fn post(notification: &Notification) -> Outcome {
    let text = match (notification.title.as_str(), notification.body.as_str()) {
        (title, "") => escape(title),
        ("", body) => escape(body),
        (title, body) => format!("*{}*\n{}", escape(title), escape(body)),
    };
    let request = http::Request {
        method: "POST".to_owned(),
        url: "https://hooks.slack.com/services/{webhook}".to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        credentials: vec![Credential::Url(MarkedSecret {
            marker: "{webhook}".to_owned(),
            secret: "webhook".to_owned(),
        })],
        body: json!({ "text": text }).to_string().into_bytes(),
        timeout: 0,
        about: vec![notification.id.clone()],
    };
    match http::send(&request) {
        Ok(response) => answer(&response),
        Err(error) => unanswered(error),
    }
}

/// The three characters that mean something to Slack.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A webhook answers with a status and one word.
fn answer(response: &http::Response) -> Outcome {
    let said = String::from_utf8_lossy(&response.body).trim().to_owned();
    let reason = |message: &str| {
        let code = if said.is_empty() { response.status.to_string() } else { said.clone() };
        Failure { code, message: format!("{message} Slack said {} {said}", response.status).trim_end().to_owned() }
    };
    match (response.status, said.as_str()) {
        (200..=299, _) => Outcome::Delivered(Receipt { provider_id: String::new(), message: "Posted.".to_owned() }),
        (429, _) => retry(Scope::Account, retry_after(response), reason("Slack wants us to slow down.")),
        (_, "invalid_token" | "no_service" | "no_service_id" | "no_team" | "team_disabled") => {
            Outcome::InactiveDevice(reason("The webhook was taken back."))
        }
        (404 | 410, _) => Outcome::InactiveDevice(reason("The channel is gone or archived.")),
        (503, _) => retry(Scope::Message, retry_after(response), reason("Slack is not available.")),
        (500..=599, _) => Outcome::Unknown(reason("Slack had an error and may have posted it.")),
        _ => Outcome::Failed(reason("Slack refused the message.")),
    }
}

fn retry_after(response: &http::Response) -> Option<u32> {
    response.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, value)| value.parse().ok())
}

fn unanswered(error: http::Error) -> Outcome {
    let reason = Failure { code: error.code, message: error.message };
    match error.phase {
        Phase::Invalid => Outcome::Failed(reason),
        Phase::Denied => retry(Scope::Configuration, None, reason),
        Phase::Resolve | Phase::Connect | Phase::Tls => retry(Scope::Message, None, reason),
        Phase::Write | Phase::Wait => Outcome::Unknown(reason),
        // Only the word is missing: the status says whether it was posted.
        Phase::Read => answer(&http::Response { status: error.status, headers: vec![], body: vec![] }),
    }
}

fn retry(scope: Scope, after: Option<u32>, reason: Failure) -> Outcome {
    Outcome::Retry(Retry { after, scope, reason })
}

fn failure(code: &str, message: &str) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_have_one_spelling() {
        assert_eq!(Slack::check_address(" Alerts ".into()), Ok("#alerts".into()));
        assert!(Slack::check_address("https://hooks.slack.com/services/T/B/X".into()).is_err());
        assert!(Slack::check_address("#".into()).is_err());
        assert!(Slack::check_address("ü".repeat(80)).is_ok());
        assert!(Slack::check_address("ü".repeat(81)).is_err());
    }

    #[test]
    fn answers_become_outcomes() {
        let said = |status, word: &str, headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            answer(&http::Response { status, headers, body: word.into() })
        };
        assert!(matches!(said(200, "ok", &[]), Outcome::Delivered(_)));
        assert!(matches!(
            said(429, "", &[("retry-after", "30")]),
            Outcome::Retry(Retry { after: Some(30), scope: Scope::Account, .. })
        ));
        assert!(matches!(said(403, "invalid_token", &[]), Outcome::InactiveDevice(_)));
        assert!(matches!(said(410, "channel_is_archived", &[]), Outcome::InactiveDevice(_)));
        assert!(matches!(said(403, "action_prohibited", &[]), Outcome::Failed(_)));
        assert!(
            matches!(said(400, "invalid_payload", &[]), Outcome::Failed(reason) if reason.code == "invalid_payload")
        );
        assert!(matches!(said(500, "rollup_error", &[]), Outcome::Unknown(_)));
        assert!(matches!(said(503, "", &[]), Outcome::Retry(Retry { scope: Scope::Message, .. })));
    }

    #[test]
    fn a_lost_answer_is_judged_by_how_far_it_got() {
        let broke = |phase, status| unanswered(http::Error { phase, status, code: "x".into(), message: "y".into() });
        assert!(matches!(broke(Phase::Invalid, 0), Outcome::Failed(_)));
        assert!(matches!(broke(Phase::Denied, 0), Outcome::Retry(Retry { scope: Scope::Configuration, .. })));
        assert!(matches!(broke(Phase::Connect, 0), Outcome::Retry(Retry { scope: Scope::Message, .. })));
        assert!(matches!(broke(Phase::Wait, 0), Outcome::Unknown(_)));
        assert!(matches!(broke(Phase::Read, 200), Outcome::Delivered(_)));
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(escape("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;");
    }
}
