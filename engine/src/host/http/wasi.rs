//! `wasi:http/outgoing-handler`, by which languages whose own libraries speak HTTP (JavaScript's `fetch`) come to the same door: a request of
//! theirs becomes one of `http.send`, whole, and so does its answer.
//!
//! What the handle does not have is said in headers: `engine-credential` names a secret. An error code has no words, so they are in the log.

use super::{Departure, failed};
use crate::host::bindings::http::{BasicCredential, Credential, Error, HeaderCredential, Request, Response};
use crate::host::bindings::phases::Phase;
use crate::host::exchanges::{Exchanges, Held, What};
use crate::rules::budget::Limit;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, EXPECT, HeaderName, TE, TRAILER};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use std::time::Duration;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error as Code, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks,
};

/// How much of a body is taken from the component at once.
const AT_ONCE: usize = 16 * 1024;

const CREDENTIAL: HeaderName = HeaderName::from_static("engine-credential");

/// Headers that libraries write of their own accord, and that the engine writes better.
const PASSED_OVER: [HeaderName; 4] = [ACCEPT_ENCODING, CONTENT_LENGTH, EXPECT, CREDENTIAL];

/// The other handle of the door.
pub struct Door(Arc<Exchanges>);

impl Door {
    /// That of one call.
    pub fn of(exchanges: &Arc<Exchanges>) -> Self {
        Door(exchanges.clone())
    }
}

type Sent = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Code>> + Send>), Code>;

impl WasiHttpHooks for Door {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| [TE, TRAILER].contains(name) || DEFAULT_FORBIDDEN_HEADERS.contains(name))
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        AT_ONCE
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Code>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let exchanges = self.0.clone();
        let (head, body) = request.into_parts();
        // Here and not in the task, so that the component's time pays for it.
        let admitted = of_head(&head).map_err(|e| exchanges.noted(e)).and_then(|request| exchanges.admit(request));
        Box::new(async move {
            let answered = match admitted {
                Ok(departure) => exchanges.send_whole(departure.within(options), body).await,
                Err(e) => Err(e),
            };
            match answered {
                Ok((answered, held)) => answer(answered, held),
                Err(e) => {
                    if e.phase != Phase::Denied {
                        exchanges.log.add("warn", &e.message);
                    }
                    Err(code(&e))
                }
            }
        })
    }
}

impl Departure {
    /// The same, with the patience that the component asks for where that is less. How long connecting may take is the engine's to say.
    fn within(mut self, options: Option<RequestOptions>) -> Self {
        let Some(RequestOptions { first_byte_timeout, between_bytes_timeout, .. }) = options else { return self };
        let shorter =
            |engines: &mut Duration, asked: Option<Duration>| *engines = asked.unwrap_or(*engines).min(*engines);
        shorter(&mut self.patience.first, first_byte_timeout);
        shorter(&mut self.patience.between, between_bytes_timeout);
        self
    }
}

impl Exchanges {
    /// Waits for the body's end, as only then can nobody take a part of it for the whole.
    async fn send_whole(
        self: &Arc<Self>,
        mut departure: Departure,
        mut body: WasiBody,
    ) -> Result<(Response, Held), Error> {
        let mut held = Held::by(self, What::Request);
        let largest = self.budget.bytes(Limit::Request);
        let invalid = |why: &str| self.noted(failed(Phase::Invalid, "invalid_request", why));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| invalid("The request's body was not finished, so nothing was sent."))?;
            let Ok(data) = frame.into_data() else {
                return Err(invalid("Trailers cannot be sent with a request."));
            };
            let bytes = &mut departure.ready.body;
            if bytes.len() + data.len() > largest || !held.add(data.len()) {
                return Err(invalid(&format!(
                    "A request's body has at most {largest} bytes, and those that a call writes at once three times as many."
                )));
            }
            bytes.extend_from_slice(&data);
        }
        self.carry_out(departure).await
    }
}

/// What `http.send` would have been given, but for the body.
fn of_head(head: &http::request::Parts) -> Result<Request, Error> {
    let invalid = |why: String| failed(Phase::Invalid, "invalid_request", why);
    let text = |name: &HeaderName, value: &http::HeaderValue| {
        let value = std::str::from_utf8(value.as_bytes());
        value.map(str::to_owned).map_err(|_| invalid(format!("The header {name} is not UTF-8.")))
    };
    let mut headers = Vec::new();
    for (name, value) in head.headers.iter().filter(|(name, _)| !PASSED_OVER.contains(name)) {
        headers.push((name.to_string(), text(name, value)?));
    }
    let mut credentials = Vec::new();
    for value in head.headers.get_all(CREDENTIAL) {
        let said = text(&CREDENTIAL, value)?;
        credentials.push(credential(&said).ok_or_else(|| {
            invalid(format!(
                "`engine-credential: {}` is not `bearer NAME`, `basic USER NAME` or `header HEADER NAME`.",
                said.escape_debug()
            ))
        })?);
    }
    Ok(Request {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        headers,
        credentials,
        body: Vec::new(),
        timeout: 0,
        about: Vec::new(),
    })
}

/// `bearer NAME`, `basic USER NAME` or `header HEADER NAME`.
fn credential(text: &str) -> Option<Credential> {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    match words[..] {
        ["bearer", secret] => Some(Credential::Bearer(secret.to_owned())),
        ["basic", user, secret] => {
            Some(Credential::Basic(BasicCredential { user: user.to_owned(), secret: secret.to_owned() }))
        }
        ["header", name, secret] => Some(Credential::Header(HeaderCredential {
            name: name.to_owned(),
            before: String::new(),
            secret: secret.to_owned(),
        })),
        _ => None,
    }
}

/// The answer, which is there whole. Of its head everything has been read by the HTTP library, and what has been cut out of it since is no
/// header's name or value any more only where a secret stood in the name.
fn answer(answer: Response, held: Held) -> Sent {
    let body = Full::new(Bytes::from(answer.body)).map_err(move |never| {
        // It is held as long as the body is.
        let _ = &held;
        Code::from(never)
    });
    let body = body.boxed_unsync();
    let mut response = http::Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(answer.status).map_err(|_| Code::HttpProtocolError)?;
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(value.as_bytes())) {
            response.headers_mut().append(name, value);
        }
    }
    Ok((response, Box::new(async { Ok(()) })))
}

/// The code that comes nearest. What is against a rule has none, and gets the one that has words.
fn code(error: &Error) -> Code {
    match (error.phase, error.code.as_str()) {
        (Phase::Invalid, _) => Code::InternalError(Some(error.message.clone())),
        (Phase::Denied, "address_not_public" | "record_not_allowed") => Code::DestinationIpProhibited,
        (Phase::Denied, _) => Code::HttpRequestDenied,
        (Phase::Resolve, _) => Code::DestinationNotFound,
        (Phase::Connect, "timeout") => Code::ConnectionTimeout,
        (Phase::Connect, _) => Code::ConnectionRefused,
        (Phase::Tls, _) => Code::TlsProtocolError,
        (Phase::Wait, "timeout") => Code::HttpResponseTimeout,
        (Phase::Write | Phase::Wait, _) => Code::ConnectionTerminated,
        (Phase::Read, "answer_too_large") => Code::HttpResponseBodySize(None),
        (Phase::Read, "timeout") => Code::ConnectionReadTimeout,
        (Phase::Read, _) => Code::HttpResponseIncomplete,
    }
}
