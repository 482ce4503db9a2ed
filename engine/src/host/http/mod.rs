//! The door for HTTP: one decision (`rules::grants::http`), then the secrets, then the exchange, bounded in size and time. `http.send` and
//! `wasi:http` (`wasi`) are two handles of it.

mod body;
mod client;
mod connector;
mod link;
mod markers;
mod network;
mod places;
mod reading;
mod request;
mod wasi;

pub(super) use link::link;
pub(super) use request::LONGEST_ID;

pub use client::HttpClient;
pub use network::{Network, Resolver};
pub use wasi::Door;

use super::bindings::http::{Error, Host, Request, Response};
use super::bindings::phases::Phase;
use super::call::CallState;
use super::exchanges::{Exchanges, Held, MOST_PARTS, What};
use super::redaction::Redactor;
use super::tls;
use crate::rules::budget::Limit;
use crate::rules::grants;
use crate::rules::origin::Origin;
use body::{Body, Wrong};
use connector::TooLate;
use http::Uri;
use http::header::{CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use network::NoAddress;
use reading::Expected;
use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Headers of an answer that only framed it.
const FRAMING: [&str; 7] =
    ["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"];

/// How long an answer is looked through for secrets, each byte of it, at least: longer than that takes.
const LOOKED_THROUGH: Duration = Duration::from_nanos(40);

fn failed(phase: Phase, code: &str, message: impl Into<String>) -> Error {
    Error { phase, status: 0, code: code.to_owned(), message: message.into() }
}

impl Host for CallState {
    async fn send(&mut self, request: Request) -> Result<Response, Error> {
        let departure = self.exchanges.admit(request)?;
        let stopwatch = self.meter.stopwatch.clone();
        let answered = stopwatch.outside(self.exchanges.carry_out(departure)).await;
        // From here on it is copied into the component's memory.
        answered.map(|(answer, _)| answer)
    }
}

/// A request that may go: judged, and with its secrets.
struct Departure {
    client: HttpClient,
    ready: request::Ready,
    url: Url,
    origin: Origin,
    uri: Uri,
    /// The notifications that it carries.
    about: Vec<String>,
    patience: Patience,
}

/// How long is waited for what.
struct Patience {
    whole: Duration,
    /// For the head of the answer, and from one part of its body to the next.
    first: Duration,
    between: Duration,
    /// The engine's own, and where that is said.
    longest: Duration,
    whose: String,
}

impl Patience {
    /// Within which time something had to happen, and who says so.
    fn said(&self, part: Duration) -> String {
        let time = part.min(self.whole);
        let whose = if time < self.longest { "as its component asked" } else { self.whose.as_str() };
        format!("within {time:?} ({whose})")
    }
}

impl Exchanges {
    /// Judges a request and takes it from those that the call has. This is the one way to a departure.
    fn admit(&self, request: Request) -> Result<Departure, Error> {
        // What it says are the component's own words and the engine's: to cut a secret out of those would tell that it was guessed.
        self.judge(request).map_err(|e| self.noted(e))
    }

    /// Sends it and reads its answer, which is held as long as what comes with it.
    async fn carry_out(self: &Arc<Self>, departure: Departure) -> Result<(Response, Held), Error> {
        let redactor = self.repeated_by(&departure.url);
        let answered = self.exchange(departure, &redactor).await;
        answered.map_err(|e| self.noted(Error { message: redactor.text(&e.message), ..e }))
    }

    /// Cuts out of an answer what whoever gives it can have been given.
    fn repeated_by(&self, url: &Url) -> Redactor {
        let Exchanges { powers, .. } = self;
        let Ok(origin) = Origin::of(url) else { return powers.redactor.clone() };
        powers.redactor.of_those(|name| grants::may_carry(&powers.grants, name, &origin))
    }

    /// An error, after it has been noted.
    fn noted(&self, error: Error) -> Error {
        self.broke(error.phase);
        if error.phase == Phase::Denied {
            self.denies(&error.message);
        }
        error
    }

    fn judge(&self, request: Request) -> Result<Departure, Error> {
        let Exchanges { powers, kind, records, .. } = self;
        let used = request::secrets(&request);
        let refused = |refused: request::Refused| match refused {
            request::Refused::Invalid(why) => failed(Phase::Invalid, "invalid_request", why),
            request::Refused::Secret { name, why } => {
                let set = format!("`engine secret set {name}{}` sets it anew", grants::binding(&powers.grants, &name));
                failed(Phase::Denied, "secret_denied", format!("{why}: {set}."))
            }
        };
        let largest = self.budget.bytes(Limit::Request);
        request::check_size(&request, self.batch.len()).map_err(refused)?;
        let judged = grants::http(&powers.grants, *kind, &request.url, &used, records).map_err(|denial| {
            let phase = if denial.code == "invalid_url" { Phase::Invalid } else { Phase::Denied };
            failed(phase, denial.code, denial.message)
        })?;
        let origin = Origin::of(&judged).map_err(|why| failed(Phase::Invalid, "invalid_url", why))?;
        request::check(&request, largest, &powers.said_where(Limit::Request)).map_err(refused)?;
        if let Some(header) = request::asks_for_another_answer(&request)
            && powers.secrets.keys().any(|name| grants::may_carry(&powers.grants, name, &origin))
        {
            let why = format!(
                "A secret may go there, and would not be known in a part of an answer, or in one that is not UTF-8: leave out the header {}.",
                header.escape_debug()
            );
            return Err(failed(Phase::Invalid, "invalid_request", why));
        }
        for name in &used {
            powers.has_secret(name).map_err(|why| failed(Phase::Denied, "no_such_secret", why))?;
        }
        let Some(client) = powers.http.clone() else {
            return Err(failed(Phase::Denied, "no_http", "This target has no HTTP."));
        };
        let about = self.carried(&request)?;
        let longest = self.budget.time(Limit::HttpTime);
        let whole = match request.timeout {
            0 => longest,
            asked => Duration::from_millis(asked.into()).min(longest),
        };
        let ready = request::fill(request, largest, |name| {
            powers.secrets.get(name).map_or_else(String::new, |(_, secret)| secret.reveal().to_owned())
        })
        .map_err(refused)?;
        // What was filled in is judged once more, as if it had been written whole; and that parsed form is what is sent.
        let url = grants::http(&powers.grants, *kind, &ready.url, &[], records)
            .map_err(|denial| failed(Phase::Denied, denial.code, "The secret leads the URL to another place."))?;
        let host = url.host_str().unwrap_or_default();
        if let Ok(literal) = host.trim_matches(['[', ']']).parse()
            && !grants::may_dial(&powers.grants, grants::is_operators(&powers.grants, &origin), literal)
        {
            return Err(not_public(self, &origin, host, literal));
        }
        let uri = Uri::try_from(url.as_str());
        let uri = uri.map_err(|e| failed(Phase::Invalid, "invalid_url", format!("The URL cannot be sent: {e}.")))?;
        if !self.take_request() {
            return Err(failed(
                Phase::Denied,
                "too_many_requests",
                format!(
                    "One call may send {} HTTP requests ({}).",
                    self.budget.amount(Limit::HttpRequests),
                    powers.said_where(Limit::HttpRequests)
                ),
            ));
        }
        let patience =
            Patience { whole, first: whole, between: whole, longest, whose: powers.said_where(Limit::HttpTime) };
        Ok(Departure { client, ready, url, origin, uri, about, patience })
    }

    async fn exchange(self: &Arc<Self>, departure: Departure, redactor: &Redactor) -> Result<(Response, Held), Error> {
        let Departure { client, ready, url, origin, uri, about, patience } = departure;
        let host = url.host_str().unwrap_or_default().to_owned();
        let authority = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let crowded = || failed(Phase::Connect, "timeout", format!("{host} had too much to do for too long."));
        let places = async {
            let own = client.own_place_at(&host).await;
            let _queueing = self.queues();
            (own, client.shared_places_at(&host).await)
        };
        let _places = tokio::time::timeout(self.time_left(), places).await.map_err(|_| crowded())?;
        if !self.leaves(&about) {
            return Err(failed(Phase::Invalid, "call_over", "The call has ended, and nothing is sent after that."));
        }
        let mut request = http::Request::new(Full::from(ready.body));
        (*request.method_mut(), *request.uri_mut(), *request.headers_mut()) = (ready.method, uri, ready.headers);
        let mut expected = Expected::of(self.budget.bytes(Limit::Answer));
        let until = Instant::now() + patience.whole.min(self.time_left());
        let head = patience.first.min(until.saturating_duration_since(Instant::now()));
        let error = match tokio::time::timeout(head, client.send(request, &origin, &mut expected)).await {
            Ok(Ok(answer)) => match self.read(answer, &host, &patience, until, &expected, redactor).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            },
            Ok(Err(_)) if expected.is_exceeded() => {
                failed(Phase::Wait, "answer_too_large", format!("{authority} sends on and on, and no answer among it."))
            }
            Ok(Err(e)) => unanswered(&e, self, &origin, &authority),
            Err(_) if expected.is_connected() => slow(&authority, &patience),
            Err(_) => unconnected(&authority),
        };
        if nothing_left(error.phase) {
            self.stayed(&about);
        }
        // Nothing of the provider's doing.
        if error.code == "timeout" && self.time_left().is_zero() {
            let (wall, whose) = (self.budget.time(Limit::Wall), self.powers.said_where(Limit::Wall));
            return Err(Error {
                message: format!("The {wall:?} of the call ({whose}) were over before {host} had answered."),
                ..error
            });
        }
        Err(error)
    }

    /// The answer, as many bytes of it as a call may have, without the secrets that it repeats.
    async fn read(
        self: &Arc<Self>,
        answer: http::Response<Incoming>,
        host: &str,
        patience: &Patience,
        until: Instant,
        expected: &Expected,
        redactor: &Redactor,
    ) -> Result<(Response, Held), Error> {
        let most = self.budget.bytes(Limit::Answer);
        let status = answer.status().as_u16();
        // What the provider has done with the request, its status says.
        let broke = |code: &str, how: &str| {
            let message = format!("{host} answered with {status}, but its answer {how}.");
            Error { phase: Phase::Read, status, code: code.to_owned(), message }
        };
        let packed: Vec<&[u8]> = answer.headers().get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
        let mut body = match packed[..] {
            [] => Body::plain(most),
            [one] if one.eq_ignore_ascii_case(b"identity") => Body::plain(most),
            [one] if one.eq_ignore_ascii_case(b"gzip") || one.eq_ignore_ascii_case(b"x-gzip") => Body::gzip(most),
            // Nothing else was asked for: a secret that is repeated in there could not be found.
            _ => return Err(broke("answer_packed", "is packed otherwise than by gzip")),
        };
        // Where nothing may be repeated, nothing has to be found.
        if !redactor.is_idle() {
            if status == 206 || answer.headers().contains_key(CONTENT_RANGE) {
                return Err(broke("answer_partial", "is a part of one, in which a secret would not be known"));
            }
            let kinds = answer.headers().get_all(CONTENT_TYPE).iter();
            if !kinds.map(|kind| String::from_utf8_lossy(kind.as_bytes())).all(|kind| reads_as_ascii(&kind)) {
                return Err(broke("answer_packed", "is in a character set in which a secret would not be known"));
            }
        }
        let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !answer.headers().get_all(TRANSFER_ENCODING).iter().all(is_chunked) {
            return Err(broke("answer_packed", "comes in a transfer coding other than chunked"));
        }
        let is_packed = body.is_packed();
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .filter(|(name, _)| !FRAMING.contains(&name.as_str()))
            .filter(|(name, _)| !is_packed || **name != CONTENT_ENCODING)
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let late = || broke("timeout", &format!("did not end {}", patience.said(patience.between)));
        let broke_off = |why: &dyn std::fmt::Display| broke("answer_broken", &format!("broke off: {why}"));
        let unpacked = |why: &dyn std::fmt::Display| broke("answer_broken", &format!("cannot be unpacked: {why}"));
        let large = || {
            let whose = self.powers.said_where(Limit::Answer);
            broke("answer_too_large", &format!("has more than {most} bytes ({whose})"))
        };
        let beside = || broke("answer_too_large", "brings too much beside its body");
        let unread = || broke("answer_too_large", "comes beside too much that the call has not read yet");
        let mut held = Held::by(self, What::Answer);
        let length = |(name, value): &(String, String)| name.len() + value.len();
        if !held.add(headers.iter().map(length).sum()) {
            return Err(unread());
        }
        let mut comes = answer.into_body();
        loop {
            let patient = patience.between.min(until.saturating_duration_since(Instant::now()));
            let chunk = match tokio::time::timeout(patient, comes.frame()).await.map_err(|_| late())? {
                None => break,
                Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
                Some(Err(_)) if expected.is_exceeded() => return Err(beside()),
                Some(Err(e)) => return Err(broke_off(&e.source().map_or_else(|| e.to_string(), ToString::to_string))),
            };
            if !self.take_part() {
                let how = format!("comes in too many parts: those of one call may have {MOST_PARTS} together");
                return Err(broke("answer_too_large", &how));
            }
            match body.add(&chunk) {
                Ok(more) if held.add(more) => {}
                Ok(_) => return Err(unread()),
                Err(Wrong::TooLarge) => return Err(large()),
                Err(Wrong::Broken(why)) => return Err(unpacked(&why)),
            }
        }
        match body.end() {
            Ok(body) if !redactor.is_idle() && MARKS.iter().any(|mark| body.starts_with(mark)) => {
                Err(broke("answer_packed", "is in a character set in which a secret would not be known"))
            }
            Ok(body) if redactor.is_idle() => Ok((Response { status, headers, body }, held)),
            Ok(body) => {
                let bytes = body.len() + headers.iter().map(length).sum::<usize>();
                let over = Instant::now() + LOOKED_THROUGH * u32::try_from(bytes).unwrap_or(u32::MAX);
                let (text, body) = (|text: &str| redactor.text(text), redactor.bytes(body));
                let headers = headers.iter().map(|(name, value)| (text(name), text(value))).collect();
                // It takes longer where something is like a secret, which may be one that does not go there.
                tokio::time::sleep_until(over.into()).await;
                Ok((Response { status, headers, body }, held))
            }
            Err(Wrong::TooLarge) => Err(large()),
            Err(Wrong::Broken(why)) => Err(unpacked(&why)),
        }
    }

    /// The notifications that a request carries, by its `about`.
    fn carried(&self, request: &Request) -> Result<Vec<String>, Error> {
        if request.about.is_empty() {
            let asks = matches!(request.method.as_str(), "GET" | "HEAD");
            return Ok(if asks { Vec::new() } else { self.batch.clone() });
        }
        match request.about.iter().find(|id| !self.batch.contains(id)) {
            None => Ok(request.about.clone()),
            Some(id) => Err(failed(
                Phase::Invalid,
                "invalid_request",
                format!("`about` names {}, which is not in this batch.", id.escape_debug()),
            )),
        }
    }
}

/// Whether what is of this content type has the characters of ASCII where ASCII has them.
fn reads_as_ascii(content_type: &str) -> bool {
    let said = content_type.to_ascii_lowercase();
    // However it is written, and as often.
    said.split("charset").skip(1).all(|set| {
        let set = set.trim_start_matches(['*', '=', ' ', '\t', '"', '\'']);
        ["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-", "latin1", "windows-125"]
            .iter()
            .any(|known| set.starts_with(known))
    })
}

/// How texts in UTF-16 and UTF-32 begin that say so themselves.
const MARKS: [&[u8]; 3] = [b"\xfe\xff", b"\xff\xfe", b"\0\0\xfe\xff"];

/// Whether an exchange that broke here certainly brought nothing to the provider.
fn nothing_left(phase: Phase) -> bool {
    match phase {
        Phase::Invalid | Phase::Denied | Phase::Resolve | Phase::Connect | Phase::Tls => true,
        Phase::Write | Phase::Wait | Phase::Read => false,
    }
}

fn slow(host: &str, patience: &Patience) -> Error {
    let within = patience.said(patience.first);
    failed(Phase::Wait, "timeout", format!("{host} took the request and did not answer {within}."))
}

fn unconnected(host: &str) -> Error {
    failed(Phase::Connect, "timeout", format!("{host} did not answer in time."))
}

fn not_public(exchanges: &Exchanges, origin: &Origin, host: &str, address: IpAddr) -> Error {
    let Exchanges { powers, records, .. } = exchanges;
    let denial = grants::not_public(&powers.grants, origin, records, host, address);
    failed(Phase::Denied, denial.code, denial.message)
}

/// Why no answer came, by how far the exchange got. What is not certainly earlier is `wait`: the provider may have taken it.
fn unanswered(error: &legacy::Error, exchanges: &Exchanges, origin: &Origin, host: &str) -> Error {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        match e.downcast_ref::<NoAddress>() {
            Some(NoAddress::Denied { host, address }) => return not_public(exchanges, origin, host, *address),
            Some(NoAddress::NotFound(why)) => return failed(Phase::Resolve, "unknown_host", why),
            None => {}
        }
        if e.is::<TooLate>() {
            return unconnected(host);
        }
        if let Some(why) = tls::failure(e) {
            // Once there is a connection, a request may have left over it, whatever comes back.
            if error.is_connect() {
                return failed(Phase::Tls, "tls", format!("TLS to {host} failed: {why}."));
            }
            words = why;
            break;
        }
        words = e.to_string();
        cause = e.source();
    }
    if error.is_connect() || client::was_not_done(error) {
        return failed(Phase::Connect, "no_connection", format!("{host} cannot be reached: {words}."));
    }
    let hint = if !origin.is_https() { "; if TLS is spoken there, the URL has to begin with https://" } else { "" };
    failed(Phase::Wait, "connection_lost", format!("The connection to {host} broke: {words}{hint}."))
}
