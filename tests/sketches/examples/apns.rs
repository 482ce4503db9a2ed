//! Apple's push service. Its token is a JWT that the component makes itself and has signed by the engine, with a key
//! that it never sees. It needs HTTP/2, which the engine speaks wherever a server offers it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
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

pub struct Apns;

/// Only for WebAssembly: a component's export names are not names that a native linker takes.
#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "generated")]
mod exported {
    use super::{Apns, bindings};
    bindings::export!(Apns with_types_in bindings);
}

/// Apple refuses tokens that are older than an hour, and senders who change theirs more often than every 20 minutes.
/// Each call runs in a fresh instance, so there is no place to keep a token: but a time rounded down to the half hour,
/// with a deterministic signature, makes the same token in all calls of that half hour.
const TOKEN_LASTS: u64 = 30 * 60;

/// Apple's limit for a payload.
const LARGEST_PAYLOAD: usize = 4096;

impl Guest for Apns {
    fn describe() -> String {
        let text = |description| json!({ "type": "string", "minLength": 1, "description": description });
        json!({
            "name": "APNs",
            "version": "0.1.0",
            "summary": "Pushes to an app on Apple's devices.",
            "address": { "title": "Device token", "example": "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0" },
            "http": { "origins": ["https://api.push.apple.com", "https://api.sandbox.push.apple.com"] },
            "secrets": [{
                "name": "key",
                "purpose": "The .p8 file of a key for Apple Push Notifications service.",
                "format": "pem",
            }],
            "settings": {
                "type": "object",
                "required": ["key_id", "team_id", "topic"],
                "properties": {
                    "key_id": text("The key's id, ten characters."),
                    "team_id": text("Your team's id, ten characters."),
                    "topic": text("The app's bundle id."),
                    "sandbox": { "type": "boolean", "description": "For apps that were not installed from a store." },
                },
            },
            "extra": {
                "type": "object",
                "properties": { "data": { "type": "object", "description": "Passed to the app beside `aps`." } },
            },
        })
        .to_string()
    }

    fn check_address(token: String) -> Result<String, Failure> {
        let token = token.trim().to_ascii_lowercase();
        // 64 digits today; Apple asks not to rely on it.
        if (64..=200).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(token);
        }
        Err(failure("not_a_token", "A device token is written in hexadecimal, at least 64 digits."))
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        let length = payload(&request.title, &request.body, &request.extra).len();
        if length > LARGEST_PAYLOAD {
            let message = format!("The payload would have {length} bytes, of {LARGEST_PAYLOAD} at most.");
            return Err(failure("PayloadTooLarge", &message));
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
        batch.iter().map(|notification| push(notification).unwrap_or_else(|outcome| outcome)).collect()
    }
}

fn payload(title: &str, body: &str, extra: &str) -> Vec<u8> {
    let extra: Value = serde_json::from_str(extra).unwrap_or_default();
    let mut payload = match &extra["data"] {
        Value::Object(data) => data.clone(),
        _ => serde_json::Map::new(),
    };
    payload.insert("aps".to_owned(), json!({ "alert": { "title": title, "body": body }, "sound": "default" }));
    Value::Object(payload).to_string().into_bytes()
}

/// Header and claims of the token, as they are signed.
fn unsigned_token(key_id: &str, team_id: &str, now: u64) -> String {
    let issued = now / 1000 / TOKEN_LASTS * TOKEN_LASTS;
    let part = |value: Value| BASE64URL.encode(value.to_string());
    let header = part(json!({ "alg": "ES256", "kid": key_id }));
    let claims = part(json!({ "iss": team_id, "iat": issued }));
    format!("{header}.{claims}")
}

fn setting(name: &str) -> String {
    let value: Value = serde_json::from_str(&runtime::setting(name)).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn token() -> Result<String, Outcome> {
    let unsigned = unsigned_token(&setting("key_id"), &setting("team_id"), runtime::now());
    let signature = sign("key", Algorithm::EcdsaP256Sha256, unsigned.as_bytes()).map_err(|refusal| {
        let message = match refusal {
            Refusal::Denied => "Signing with the key was not allowed.",
            Refusal::NoSuchSecret => "The key is not set.",
            Refusal::WrongKey => "The key is not the content of a .p8 file.",
        };
        retry(Scope::Configuration, None, failure("no_key", message))
    })?;
    Ok(format!("{unsigned}.{}", BASE64URL.encode(signature)))
}

fn push(notification: &Notification) -> Result<Outcome, Outcome> {
    let host = if runtime::setting("sandbox") == "true" { "api.sandbox.push.apple.com" } else { "api.push.apple.com" };
    let header = |name: &str, value: String| (name.to_owned(), value);
    // 0 would mean: now or never. Without an expiry, a month, after which Apple forgets it anyway.
    let expiration = notification.expires_at.unwrap_or_else(|| runtime::now() + 30 * 86_400_000) / 1000;
    let request = http::Request {
        method: "POST".to_owned(),
        url: format!("https://{host}/3/device/{}", notification.target_user_record.target_user_id),
        headers: vec![
            // Not a credential in the contract's sense: the component made it, so it writes it.
            header("authorization", format!("bearer {}", token()?)),
            header("apns-topic", setting("topic")),
            header("apns-push-type", "alert".to_owned()),
            header("apns-id", notification.id.clone()),
            header("apns-expiration", expiration.to_string()),
            // A second copy replaces the first on the device instead of standing beside it.
            header("apns-collapse-id", notification.idempotency_key.clone()),
        ],
        credentials: vec![],
        body: payload(&notification.title, &notification.body, &notification.extra),
        timeout: 0,
        about: vec![notification.id.clone()],
    };
    Ok(match http::send(&request) {
        Ok(response) => answer(&response),
        Err(error) => unanswered(error),
    })
}

fn answer(response: &http::Response) -> Outcome {
    let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if response.status == 200 {
        // Apple says no more about it: for us this is delivery.
        let provider_id = header("apns-id").unwrap_or_default().to_owned();
        return Outcome::Delivered(Receipt { provider_id, message: "Apple took it.".to_owned() });
    }
    let said: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = said["reason"].as_str().map_or_else(|| response.status.to_string(), str::to_owned);
    let reason = failure(&code, &format!("Apple refused it: {} {code}", response.status));
    let after = header("retry-after").and_then(|value| value.parse().ok());
    match (response.status, code.as_str()) {
        (410, _) | (_, "BadDeviceToken" | "DeviceTokenNotForTopic") => Outcome::InactiveDevice(reason),
        (_, "TooManyProviderTokenUpdates") => retry(Scope::Account, Some(20 * 60), reason),
        // Our clock and Apple's are apart, or it took us very long; the next token is made of a later time.
        (_, "ExpiredProviderToken") => retry(Scope::Account, Some(60), reason),
        (403, _) | (_, "BadTopic" | "MissingTopic" | "TopicDisallowed") => retry(Scope::Configuration, None, reason),
        // Apple counts these for each device.
        (429, _) => retry(Scope::Address, after, reason),
        (500..=599, _) => retry(Scope::Message, after, reason),
        _ => Outcome::Failed(reason),
    }
}

fn unanswered(error: http::Error) -> Outcome {
    let reason = Failure { code: error.code, message: error.message };
    match error.phase {
        Phase::Invalid => Outcome::Failed(reason),
        Phase::Denied => retry(Scope::Configuration, None, reason),
        Phase::Resolve | Phase::Connect | Phase::Tls => retry(Scope::Message, None, reason),
        Phase::Write | Phase::Wait => Outcome::Unknown(reason),
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
    fn the_token_changes_once_in_half_an_hour() {
        let at = |seconds: u64| unsigned_token("KEY0000001", "TEAM000001", seconds * 1000);
        assert_eq!(at(1_800_000_000), at(1_800_000_000 + TOKEN_LASTS - 1));
        assert_ne!(at(1_800_000_000), at(1_800_000_000 + TOKEN_LASTS));
        let (header, claims) = at(1_800_000_001).split_once('.').map(|(h, c)| (h.to_owned(), c.to_owned())).unwrap();
        let decoded = |part| serde_json::from_slice::<Value>(&BASE64URL.decode(part).unwrap()).unwrap();
        assert_eq!(decoded(header), json!({ "alg": "ES256", "kid": "KEY0000001" }));
        assert_eq!(decoded(claims), json!({ "iss": "TEAM000001", "iat": 1_800_000_000 }));
    }

    #[test]
    fn tokens_have_one_spelling() {
        assert_eq!(Apns::check_address(format!(" {} ", "A0".repeat(32))), Ok("a0".repeat(32)));
        for wrong in ["", "a0", "../../3/device", &"g0".repeat(32)] {
            assert!(Apns::check_address(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn data_stands_beside_the_alert_and_cannot_replace_it() {
        let made: Value =
            serde_json::from_slice(&payload("Tea", "Ready.", r#"{"data": {"aps": 1, "cups": 2}}"#)).unwrap();
        assert_eq!(made["cups"], 2);
        assert_eq!(made["aps"]["alert"]["title"], "Tea");
    }

    #[test]
    fn answers_become_outcomes() {
        let said = |status, reason: &str| {
            let body = if reason.is_empty() { vec![] } else { json!({ "reason": reason }).to_string().into_bytes() };
            answer(&http::Response { status, headers: vec![("apns-id".into(), "ID".into())], body })
        };
        assert!(matches!(said(200, ""), Outcome::Delivered(receipt) if receipt.provider_id == "ID"));
        assert!(matches!(said(410, "Unregistered"), Outcome::InactiveDevice(_)));
        assert!(matches!(said(400, "BadDeviceToken"), Outcome::InactiveDevice(_)));
        assert!(matches!(said(403, "InvalidProviderToken"), Outcome::Retry(Retry { scope: Scope::Configuration, .. })));
        assert!(matches!(said(400, "TopicDisallowed"), Outcome::Retry(Retry { scope: Scope::Configuration, .. })));
        assert!(matches!(
            said(429, "TooManyProviderTokenUpdates"),
            Outcome::Retry(Retry { scope: Scope::Account, after: Some(1200), .. })
        ));
        assert!(matches!(said(429, "TooManyRequests"), Outcome::Retry(Retry { scope: Scope::Address, .. })));
        assert!(matches!(said(503, "Shutdown"), Outcome::Retry(Retry { scope: Scope::Message, .. })));
        assert!(matches!(said(413, "PayloadTooLarge"), Outcome::Failed(_)));
        assert!(matches!(said(418, ""), Outcome::Failed(reason) if reason.code == "418"));
    }
}
