//! Twilio's requests to us: whether they are Twilio's, and what they say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::bindings::exports::notification::engine::callbacks::{AddressReport, Event, Report, Request};
use crate::bindings::notification::engine::signing::{Algorithm, verify};
use crate::{failure, fate};

/// Whether Twilio signed it with our Auth Token. Old versions of its software leave out the port of the URL or put the
/// usual one in, so each way of writing it is tried.
pub fn is_genuine(request: &Request) -> bool {
    let signature = request.headers.iter().find(|(name, _)| name == "x-twilio-signature");
    let Some(signature) = signature.and_then(|(_, value)| BASE64.decode(value).ok()) else { return false };
    spellings(&request.url).iter().any(|url| {
        let content = signed_content(url, &request.body);
        verify("auth_token", Algorithm::HmacSha1, content.as_bytes(), &signature) == Ok(true)
    })
}

/// The URL as it is, without a port, and with that of its scheme.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = vec![url.to_owned()];
    if let Some((scheme, rest)) = url.split_once("://") {
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        match authority.split_once(':') {
            Some((host, _)) => spellings.push(format!("{scheme}://{host}{path}")),
            None => spellings.push(format!("{scheme}://{authority}:{}{path}", if scheme == "http" { 80 } else { 443 })),
        }
    }
    spellings
}

/// What the signature is over: the URL, and the form's fields in order of their names, without anything between them.
fn signed_content(url: &str, body: &[u8]) -> String {
    let mut fields: Vec<_> = form_urlencoded::parse(body).collect();
    fields.sort();
    fields.iter().fold(url.to_owned(), |content, (name, value)| content + name + value)
}

/// What it says: of a message that we sent, or of a person who wrote STOP or START.
pub fn events(request: &Request) -> Vec<Event> {
    let fields: Vec<_> = form_urlencoded::parse(&request.body).collect();
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map_or("", |(_, value)| value);
    match field("OptOutType") {
        "STOP" => {
            let reason = failure("STOP", &format!("The person wrote {:?}.", field("Body")));
            return vec![Event::OptedOut(AddressReport { target_user_id: field("From").to_owned(), reason })];
        }
        "START" => {
            let reason = failure("START", &format!("The person wrote {:?}.", field("Body")));
            return vec![Event::OptedIn(AddressReport { target_user_id: field("From").to_owned(), reason })];
        }
        _ => {}
    }
    let (sid, status) = (field("MessageSid"), field("MessageStatus"));
    if sid.is_empty() || status.is_empty() {
        return vec![];
    }
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let ours = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "notification");
    vec![Event::Fate(Report {
        notification_id: ours.map(|(_, id)| id.into_owned()).unwrap_or_default(),
        provider_id: sid.to_owned(),
        fate: fate(status, field("ErrorCode").parse().ok()),
    })]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::notification::engine::fates::Fate;

    fn request(url: &str, body: &str) -> Request {
        Request { method: "POST".into(), url: url.into(), headers: vec![], body: body.into() }
    }

    /// The content of the vector that Twilio's own libraries test with; what the key 12345 makes of it, the tests of
    /// the host check.
    #[test]
    fn the_signed_content_is_twilios() {
        let body = "CallSid=CA1234567890ABCDE&Digits=1234&Caller=%2B12349013030&To=%2B18005551212&From=%2B12349013030";
        assert_eq!(
            signed_content("https://mycompany.com/myapp.php?foo=1&bar=2", body.as_bytes()),
            "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+12349013030Digits1234From+12349013030To+18005551212"
        );
    }

    #[test]
    fn urls_are_tried_with_and_without_port() {
        assert_eq!(spellings("https://a.example/x?y=:1"), ["https://a.example/x?y=:1", "https://a.example:443/x?y=:1"]);
        assert_eq!(spellings("https://a.example:8443/x"), ["https://a.example:8443/x", "https://a.example/x"]);
        assert_eq!(spellings("nonsense"), ["nonsense"]);
    }

    #[test]
    fn a_status_is_news_of_a_message() {
        let request = request(
            "https://e.example/c/t?notification=n1",
            "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005&To=%2B15550100123",
        );
        let [Event::Fate(report)] = &events(&request)[..] else { panic!("one event was expected") };
        assert_eq!((report.notification_id.as_str(), report.provider_id.as_str()), ("n1", "SM1"));
        assert!(matches!(report.fate, Fate::InactiveDevice(_)));
    }

    #[test]
    fn stop_and_start_are_news_of_a_number() {
        let said = |kind: &str| {
            events(&request("https://e.example/c/t", &format!("From=%2B15550100123&Body=x&OptOutType={kind}")))
        };
        assert!(matches!(&said("STOP")[..], [Event::OptedOut(report)] if report.target_user_id == "+15550100123"));
        assert!(matches!(&said("START")[..], [Event::OptedIn(report)] if report.target_user_id == "+15550100123"));
        assert_eq!(said("HELP"), []);
        assert_eq!(events(&request("https://e.example/c/t", "")), []);
    }
}
