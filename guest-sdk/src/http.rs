//! HTTP to granted origins.

use std::borrow::Cow;
use std::time::Duration;

use crate::bindings::target::notification::engine::http as imported;
pub use crate::bindings::target::notification::engine::phases::Phase;
use crate::{Failure, Outcome, Scope};
pub use imported::{BasicCredential, Credential, Error, HeaderCredential, MarkedSecret, Request, Response};

/// Sends a request and waits for the response. [`Request::send`] is the same.
///
/// ```no_run
/// use guest_sdk::http;
///
/// let request = http::Request::get("https://pigeons.example/lofts/7");
/// match http::send(&request) {
///     Ok(response) => println!("{} {}", response.status, response.text()),
///     Err(error) => println!("{:?}: {}", error.phase, error.message),
/// }
/// ```
pub fn send(request: &Request) -> Result<Response, Error> {
    imported::send(request)
}

impl Request {
    /// A request without headers, credentials and body, with the engine's own time limit, about all of the batch.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::new("DELETE", "https://pigeons.example/flights/4711");
    /// ```
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            credentials: Vec::new(),
            body: Vec::new(),
            timeout: 0,
            about: Vec::new(),
        }
    }

    /// A question.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::get("https://pigeons.example/lofts/7");
    /// ```
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A message.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::post("https://pigeons.example/flights").body("text/plain", "Fly!");
    /// ```
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// With a header more.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::get("https://pigeons.example/").header("accept", "application/json");
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With a credential, which the engine fills in.
    ///
    /// ```
    /// use guest_sdk::http::{Credential, HeaderCredential, Request};
    ///
    /// let key = HeaderCredential { name: "x-loft".into(), before: "Key ".into(), secret: "loft_key".into() };
    /// let request = Request::get("https://pigeons.example/").credential(Credential::Header(key));
    /// ```
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credentials.push(credential);
        self
    }

    /// With the named secret as a bearer token.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::get("https://pigeons.example/").bearer("loft_key");
    /// ```
    pub fn bearer(self, secret: impl Into<String>) -> Self {
        self.credential(Credential::Bearer(secret.into()))
    }

    /// With a user name and the named secret as its password.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::get("https://pigeons.example/").basic("loft-7", "loft_key");
    /// ```
    pub fn basic(self, user: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credential(Credential::Basic(BasicCredential { user: user.into(), secret: secret.into() }))
    }

    /// With the named secret in place of a marker in the URL: one that no text of others can hold, which would carry the
    /// secret with it.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::post("https://pigeons.example/doors/{door}").url_secret("{door}", "door");
    /// ```
    pub fn url_secret(self, marker: impl Into<String>, secret: impl Into<String>) -> Self {
        self.credential(Credential::Url(MarkedSecret { marker: marker.into(), secret: secret.into() }))
    }

    /// With a body of some type.
    ///
    /// ```
    /// let request = guest_sdk::http::Request::post("https://pigeons.example/flights").body("text/plain", "Fly!");
    /// ```
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// With a JSON body.
    ///
    /// ```
    /// let note = serde_json::json!({ "note": "Come home." });
    /// let request = guest_sdk::http::Request::post("https://pigeons.example/flights").json(&note);
    /// assert_eq!(request.body, br#"{"note":"Come home."}"#);
    /// ```
    pub fn json(self, value: &serde_json::Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// Carrying this notification, and no others but those that are named so.
    ///
    /// ```no_run
    /// # let batch: Vec<guest_sdk::Notification> = vec![];
    /// for notification in &batch {
    ///     let answer = guest_sdk::http::Request::post("https://pigeons.example/flights").about(&notification.id).send();
    /// }
    /// ```
    pub fn about(mut self, notification_id: impl Into<String>) -> Self {
        self.about.push(notification_id.into());
        self
    }

    /// With a shorter time limit than the engine's.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let request = guest_sdk::http::Request::get("https://pigeons.example/").timeout(Duration::from_secs(2));
    /// assert_eq!(request.timeout, 2000);
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
        self
    }

    /// Sends it and waits for the response.
    ///
    /// ```no_run
    /// let answer = guest_sdk::http::Request::get("https://pigeons.example/").send();
    /// ```
    pub fn send(&self) -> Result<Response, Error> {
        send(self)
    }
}

impl Response {
    /// The first header of a name, which may be written in any case.
    ///
    /// ```no_run
    /// # let Ok(response) = guest_sdk::http::Request::get("https://pigeons.example/").send() else { return };
    /// let content_type = response.header("Content-Type").unwrap_or_default();
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The seconds in `retry-after`. `None` too if it holds a date, which few providers send.
    ///
    /// ```no_run
    /// # let Ok(response) = guest_sdk::http::Request::get("https://pigeons.example/").send() else { return };
    /// let pause = response.retry_after().unwrap_or(60);
    /// ```
    pub fn retry_after(&self) -> Option<u32> {
        self.header("retry-after")?.trim().parse().ok()
    }

    /// The body as text; what is not UTF-8 is replaced.
    ///
    /// ```no_run
    /// # let Ok(response) = guest_sdk::http::Request::get("https://pigeons.example/").send() else { return };
    /// println!("{}", response.text());
    /// ```
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON; `null` if it is none.
    ///
    /// ```no_run
    /// # let Ok(response) = guest_sdk::http::Request::get("https://pigeons.example/").send() else { return };
    /// let flight = &response.json()["flight"]["id"];
    /// ```
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The engine's code for a request that was denied because of the address of the notification's own record, which its
/// operator forbids: no matter of the target's set-up, as all else is that is denied.
pub const RECORD_NOT_ALLOWED: &str = "record_not_allowed";

/// What a request that had no response means for a message that it would have carried, in a provider that does not tell
/// copies apart: whether it may have been taken, and whether it is worth another try.
impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        let Error { phase, status: _, code, message } = error;
        let reason = Failure { code, message };
        match phase {
            Phase::Invalid => Self::Failed(reason),
            Phase::Denied if reason.code == RECORD_NOT_ALLOWED => Self::Failed(reason),
            Phase::Denied => Self::retry(Scope::Configuration, reason),
            Phase::Resolve | Phase::Connect | Phase::Tls => Self::retry(Scope::Message, reason),
            Phase::Write | Phase::Wait | Phase::Read => Self::Unknown(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_sets_each_field_once() {
        let request = Request::post("https://pigeons.example/{door}")
            .url_secret("{door}", "door")
            .basic("loft-7", "loft_key")
            .header("accept", "text/plain")
            .json(&serde_json::json!({ "note": "ü" }))
            .about("n1")
            .about("n2")
            .timeout(Duration::from_secs(u64::MAX));
        assert_eq!(
            request,
            Request {
                method: "POST".into(),
                url: "https://pigeons.example/{door}".into(),
                headers: vec![
                    ("accept".into(), "text/plain".into()),
                    ("content-type".into(), "application/json".into())
                ],
                credentials: vec![
                    Credential::Url(MarkedSecret { marker: "{door}".into(), secret: "door".into() }),
                    Credential::Basic(BasicCredential { user: "loft-7".into(), secret: "loft_key".into() }),
                ],
                body: "{\"note\":\"ü\"}".into(),
                timeout: u32::MAX,
                about: vec!["n1".into(), "n2".into()],
            }
        );
    }

    #[test]
    fn a_response_is_read_leniently() {
        let mut response = Response {
            status: 429,
            headers: vec![("retry-after".into(), " 120 ".into()), ("retry-after".into(), "7".into())],
            body: vec![b'{', 0xff],
        };
        assert_eq!(response.retry_after(), Some(120));
        assert_eq!(response.text(), "{\u{fffd}");
        assert_eq!(response.json(), serde_json::Value::Null);
        response.headers[0].1 = "Wed, 21 Oct 2026 07:28:00 GMT".into();
        assert_eq!(response.retry_after(), None);
        assert_eq!(response.header("x-loft"), None);
    }

    #[test]
    fn an_error_becomes_the_outcome_that_its_phase_allows() {
        let outcome = |phase| Outcome::from(Error { phase, status: 0, code: "c".into(), message: "m".into() });
        let reason = || Failure::new("c", "m");
        assert_eq!(outcome(Phase::Invalid), Outcome::Failed(reason()));
        assert_eq!(outcome(Phase::Denied), Outcome::retry(Scope::Configuration, reason()));
        let of_record = Error { phase: Phase::Denied, status: 0, code: RECORD_NOT_ALLOWED.into(), message: "m".into() };
        assert_eq!(Outcome::from(of_record), Outcome::Failed(Failure::new(RECORD_NOT_ALLOWED, "m")));
        for phase in [Phase::Resolve, Phase::Connect, Phase::Tls] {
            assert_eq!(outcome(phase), Outcome::retry(Scope::Message, reason()));
        }
        for phase in [Phase::Write, Phase::Wait, Phase::Read] {
            assert_eq!(outcome(phase), Outcome::Unknown(reason()));
        }
    }
}
