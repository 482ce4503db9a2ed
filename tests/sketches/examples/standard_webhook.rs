//! Signed requests to the user's own server, after the Standard Webhooks specification 1.0.0. The address is a URL, so
//! the target asks for the origin of each record's address and for no other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

#[allow(unsafe_code, unused_qualifications, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "target", additional_derives: [PartialEq] });
}

use bindings::exports::notification::engine::notification_target::{
    CreationRequest, Draft, Guest, Notification, Outcome, Receipt,
};
use bindings::notification::engine::http;
use bindings::notification::engine::phases::Phase;
use bindings::notification::engine::runtime;
use bindings::notification::engine::signing::{Algorithm, Refusal, sign};
use bindings::notification::engine::types::{Failure, Retry, Scope};

pub struct StandardWebhook;

/// Only for WebAssembly: a component's export names are not names that a native linker takes.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{StandardWebhook, bindings};
    bindings::export!(StandardWebhook with_types_in bindings);
}

/// What the specification advises as the most.
const LARGEST_PAYLOAD: usize = 20_000;

/// The key that signs, and while keys are changed the one before it: receivers believe either signature.
const KEYS: [&str; 2] = ["signing_key", "previous_signing_key"];

impl Guest for StandardWebhook {
    fn describe() -> String {
        let key = |name, purpose, required| json!({ "name": name, "purpose": purpose, "required": required, "format": "base64", "prefix": "whsec_" });
        json!({
            "name": "Webhook",
            "version": "0.1.0",
            "summary": "Posts to a server of the user's own, signed after Standard Webhooks.",
            "address": { "title": "URL", "example": "https://example.org/hooks/7" },
            "http": { "record_address": true },
            "secrets": [
                key(KEYS[0], "Signs the requests: whsec_ and 24 to 64 bytes in base64, another for each endpoint.", true),
                key(KEYS[1], "The key before that, until the receiver knows the new one.", false),
            ],
            "extra": {
                "type": "object",
                "properties": {
                    "type": { "type": "string", "description": "The event's type, such as `invoice.paid`." },
                    "data": { "type": "object", "description": "Further data for the receiver." },
                },
            },
            "retry_time_interval": 300,
            // Receivers tell copies by `webhook-id`, which stays the same.
            "on_unknown": "resend",
        })
        .to_string()
    }

    fn check_address(url: String) -> Result<String, Failure> {
        let wrong = |message: &str| Failure { code: "not_a_url".to_owned(), message: message.to_owned() };
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("A URL begins with https://."))?;
        if !scheme.eq_ignore_ascii_case("https") {
            return Err(wrong("Only https is safe enough for a webhook."));
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if authority.is_empty() || authority.contains('@') || !url.chars().all(plain) || path.contains(['#', '\\']) {
            return Err(wrong("A webhook's URL has a host, a path and a query: no user, no fragment, no spaces."));
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(format!("https://{}{path}", authority.to_lowercase()))
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        let payload = payload(&request.title, &request.body, &request.extra, request.scheduled_delivery);
        if payload.len() > LARGEST_PAYLOAD {
            let message = format!("The payload would have {} bytes, of {LARGEST_PAYLOAD} at most.", payload.len());
            return Err(Failure { code: "payload_too_large".to_owned(), message });
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
        batch.iter().map(|notification| post(notification).unwrap_or_else(|outcome| outcome)).collect()
    }
}

/// The exact bytes that are signed and sent: the same in every attempt, as the time in it is that of the event.
fn payload(title: &str, body: &str, extra: &str, scheduled: u64) -> Vec<u8> {
    let extra: Value = serde_json::from_str(extra).unwrap_or_default();
    let mut data = match &extra["data"] {
        Value::Object(data) => data.clone(),
        _ => serde_json::Map::new(),
    };
    data.insert("title".to_owned(), title.into());
    data.insert("body".to_owned(), body.into());
    let milliseconds = i64::try_from(scheduled).unwrap_or(i64::MAX);
    let timestamp = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX).to_string();
    let kind = extra["type"].as_str().unwrap_or("notification");
    json!({ "type": kind, "timestamp": timestamp, "data": data }).to_string().into_bytes()
}

/// What a signature is over.
fn signed_content(id: &str, seconds: u64, payload: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", seconds.to_string().as_bytes(), b".", payload].concat()
}

/// The value of `webhook-signature`: one signature for each key.
fn signature_list<'a>(signatures: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    signatures.into_iter().map(|bytes| format!("v1,{}", BASE64.encode(bytes))).collect::<Vec<_>>().join(" ")
}

fn post(notification: &Notification) -> Result<Outcome, Outcome> {
    let payload =
        payload(&notification.title, &notification.body, &notification.extra, notification.scheduled_delivery);
    // The key has no dot in it, by the contract, and nobody outside can choose it, as the specification wants.
    let id = &notification.idempotency_key;
    // That of this attempt: receivers refuse what is too old.
    let seconds = runtime::now() / 1000;
    let content = signed_content(id, seconds, &payload);
    let keys = KEYS.into_iter().filter(|key| *key == KEYS[0] || runtime::has_secret(key));
    let signatures =
        keys.map(|key| sign(key, Algorithm::HmacSha256, &content)).collect::<Result<Vec<_>, _>>().map_err(unsigned)?;
    let header = |name: &str, value: String| (name.to_owned(), value);
    let request = http::Request {
        method: "POST".to_owned(),
        url: notification.target_user_record.target_user_id.clone(),
        headers: vec![
            header("content-type", "application/json".to_owned()),
            header("webhook-id", id.clone()),
            header("webhook-timestamp", seconds.to_string()),
            header("webhook-signature", signature_list(&signatures)),
        ],
        credentials: vec![],
        body: payload,
        timeout: 0,
        about: vec![notification.id.clone()],
    };
    Ok(match http::send(&request) {
        Ok(response) => answer(&response),
        Err(error) => unanswered(error),
    })
}

fn answer(response: &http::Response) -> Outcome {
    let after = response.headers.iter().find(|(name, _)| name == "retry-after").and_then(|(_, v)| v.parse().ok());
    let reason = |message: &str| Failure {
        code: response.status.to_string(),
        message: format!("{message} The status was {}.", response.status),
    };
    let retry = |scope, reason| Outcome::Retry(Retry { after, scope, reason });
    match response.status {
        200..=299 => Outcome::Delivered(Receipt {
            provider_id: String::new(),
            message: format!("Taken with status {}.", response.status),
        }),
        410 => Outcome::InactiveDevice(reason("The receiver wants no more of these.")),
        429 | 502 | 504 => retry(Scope::Address, reason("The receiver is overloaded.")),
        // Redirects too: whoever moved has to say so here. The receiver may have mended it by the next attempt.
        _ => retry(Scope::Message, reason("The receiver did not take it.")),
    }
}

fn unanswered(error: http::Error) -> Outcome {
    let reason = Failure { code: error.code, message: error.message };
    let retry = |scope, reason| Outcome::Retry(Retry { after: None, scope, reason });
    match error.phase {
        Phase::Invalid => Outcome::Failed(reason),
        // This user's address, which the operator forbids: no other user's messages wait for that.
        Phase::Denied if reason.code == "record_not_allowed" => Outcome::Failed(reason),
        Phase::Denied => retry(Scope::Configuration, reason),
        Phase::Resolve | Phase::Connect | Phase::Tls => retry(Scope::Message, reason),
        Phase::Write | Phase::Wait => Outcome::Unknown(reason),
        // What the receiver writes into its answer matters to nobody.
        Phase::Read => answer(&http::Response { status: error.status, headers: vec![], body: vec![] }),
    }
}

fn unsigned(refusal: Refusal) -> Outcome {
    let (code, message) = match refusal {
        Refusal::Denied => ("signing_denied", "Signing was not allowed."),
        Refusal::NoSuchSecret => ("no_signing_key", "This record has no signing_key."),
        Refusal::WrongKey => ("wrong_signing_key", "The signing key is not whsec_ and base64."),
    };
    let reason = Failure { code: code.to_owned(), message: message.to_owned() };
    Outcome::Retry(Retry { after: None, scope: Scope::Configuration, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_one_spelling() {
        for (typed, normal) in [
            (" HTTPS://Example.ORG ", "https://example.org/"),
            ("https://example.org:8443/Hooks/7?a=B", "https://example.org:8443/Hooks/7?a=B"),
            ("https://example.org?a=b", "https://example.org/?a=b"),
        ] {
            assert_eq!(StandardWebhook::check_address(typed.into()), Ok(normal.into()), "{typed}");
        }
        for wrong in [
            "",
            "example.org",
            "http://example.org/",
            "https:///x",
            "https://user@example.org/",
            "https://example.org/#x",
            "https://example.org\\@evil.example/",
            "https://example.org/a b",
        ] {
            assert!(StandardWebhook::check_address(wrong.into()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_payload_is_the_same_in_every_attempt() {
        let made = payload("Tea", "Ready.", r#"{"type": "tea.ready", "data": {"cups": 2}}"#, 1_770_000_000_123);
        assert_eq!(
            String::from_utf8(made).unwrap(),
            r#"{"data":{"body":"Ready.","cups":2,"title":"Tea"},"timestamp":"2026-02-02T02:40:00.123Z","type":"tea.ready"}"#
        );
        let plain: Value = serde_json::from_slice(&payload("Tea", "Ready.", "{}", 0)).unwrap();
        assert_eq!(plain["type"], "notification");
    }

    #[test]
    fn content_and_list_are_as_specified() {
        assert_eq!(signed_content("id-1", 1_700_000_000, b"{}"), b"id-1.1700000000.{}");
        assert_eq!(signature_list(&[vec![0; 3], vec![255; 3]]), "v1,AAAA v1,////");
    }

    #[test]
    fn only_2xx_is_success() {
        let said = |status| {
            answer(&http::Response { status, headers: vec![("retry-after".into(), "7".into())], body: vec![] })
        };
        assert!(matches!(said(204), Outcome::Delivered(_)));
        assert!(matches!(said(410), Outcome::InactiveDevice(_)));
        assert!(matches!(said(429), Outcome::Retry(Retry { after: Some(7), scope: Scope::Address, .. })));
        for status in [301, 400, 404, 500, 503] {
            assert!(matches!(said(status), Outcome::Retry(Retry { scope: Scope::Message, .. })), "{status}");
        }
    }
}
