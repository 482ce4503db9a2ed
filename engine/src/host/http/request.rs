//! A component's request becomes the one that is sent: checked against the rules of `wit/http.wit`, its secrets filled in.

use crate::host::bindings::http::{Credential, Request};
use crate::rules::grants::MAX_SECRET_NAME;
use base64::Engine as _;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RANGE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

pub const LONGEST_URL: usize = 8192;
/// A longer method is not even quoted where it is refused.
pub const LONGEST_METHOD: usize = 32;
/// A longer text is not even compared with the ids of notifications.
pub const LONGEST_ID: usize = 64;
const MOST_HEADERS: usize = 64;
const MOST_HEADER_BYTES: usize = 16 * 1024;
const LONGEST_MARKER: usize = 64;
const MOST_CREDENTIALS: usize = 16;
/// In how many places markers may stand: each is remembered, and a body of megabytes may hold nothing else.
const MOST_PLACES: usize = 1000;

/// Headers that the engine writes itself, because they frame the message or lead it elsewhere.
const OURS: [&str; 13] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "accept-encoding",
    "proxy-authorization",
    "engine-credential",
];

/// What may stand in a path as it is: unreserved characters, the sub-delimiters, `/`, `:` and `@` (RFC 3986).
pub const IN_PATH: &AsciiSet = &UNRESERVED_ONLY
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');
const UNRESERVED_ONLY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a request is not sent; a sentence for the component's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It never will be: it is against a rule.
    Invalid(String),
    /// It might be, with another value of this secret.
    Secret { name: String, why: String },
}

fn invalid<T>(text: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::Invalid(text.into()))
}

/// A request that is ready to be sent.
#[derive(Debug)]
pub struct Ready {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// The names of the secrets that a request uses.
pub fn secrets(request: &Request) -> Vec<&str> {
    request
        .credentials
        .iter()
        .map(|credential| match credential {
            Credential::Basic(basic) => basic.secret.as_str(),
            Credential::Bearer(secret) => secret,
            Credential::Header(header) => &header.secret,
            Credential::Url(marked) | Credential::Body(marked) => &marked.secret,
        })
        .collect()
}

/// Checks what even to judge a request would take long for.
pub fn check_size(request: &Request, batch: usize) -> Result<(), Refused> {
    if request.url.len() > LONGEST_URL {
        return invalid(format!("The URL has {} characters, and {LONGEST_URL} is the most.", request.url.len()));
    }
    if request.method.len() > LONGEST_METHOD {
        return invalid(format!(
            "The method has {} characters, and {LONGEST_METHOD} is the most.",
            request.method.len()
        ));
    }
    if request.about.len() > batch {
        return invalid(format!("`about` names {} notifications, and the batch has {batch}.", request.about.len()));
    }
    if request.credentials.len() > MOST_CREDENTIALS {
        return invalid(format!("{MOST_CREDENTIALS} credentials are the most."));
    }
    let beside = |credential: &Credential| match credential {
        Credential::Basic(basic) => basic.user.len(),
        Credential::Bearer(_) => 0,
        Credential::Header(header) => header.name.len() + header.before.len(),
        Credential::Url(marked) | Credential::Body(marked) => marked.marker.len(),
    };
    if request.credentials.iter().map(beside).sum::<usize>() > MOST_HEADER_BYTES {
        return invalid(format!(
            "What the credentials hold beside the names of secrets has at most {MOST_HEADER_BYTES} bytes."
        ));
    }
    if request.about.iter().any(|id| id.len() > LONGEST_ID) {
        return invalid("`about` holds what is no id of a notification.");
    }
    if secrets(request).iter().any(|name| name.len() > MAX_SECRET_NAME) {
        return invalid(format!("The name of a secret has at most {MAX_SECRET_NAME} characters."));
    }
    Ok(())
}

/// Checks what the component wrote, before anything is filled in. Its body has at most so many bytes, by a limit that is said there.
pub fn check(request: &Request, largest: usize, said_where: &str) -> Result<(), Refused> {
    method(&request.method)?;
    if request.body.len() > largest {
        let length = request.body.len();
        return invalid(format!("The body has {length} bytes, and {largest} is the most ({said_where})."));
    }
    let bytes: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if request.headers.len() > MOST_HEADERS || bytes > MOST_HEADER_BYTES {
        return invalid(format!("{MOST_HEADERS} headers of {MOST_HEADER_BYTES} bytes together are the most."));
    }
    for (name, value) in &request.headers {
        header(name, value)?;
    }
    Ok(())
}

/// Fills in the secrets, whose values `value` knows; all of them have been granted and found. With them too, the body has at most so many bytes.
pub fn fill(request: Request, largest: usize, value: impl Fn(&str) -> String) -> Result<Ready, Refused> {
    let mut headers = HeaderMap::new();
    for (name, text) in &request.headers {
        let (name, text) = header(name, text)?;
        headers.append(name, text);
    }
    let (mut in_url, mut secrets_in_url, mut in_body) = (Vec::new(), Vec::new(), Vec::new());
    for credential in &request.credentials {
        match credential {
            Credential::Basic(basic) => {
                if basic.user.contains(':') || basic.user.chars().any(char::is_control) {
                    return invalid("The user name of a basic credential holds a colon or a control character.");
                }
                let pair = format!("{}:{}", basic.user, value(&basic.secret));
                let pair = base64::engine::general_purpose::STANDARD.encode(pair);
                secret_header(&mut headers, AUTHORIZATION, "", &format!("Basic {pair}"))?;
            }
            Credential::Bearer(secret) => {
                secret_header(&mut headers, AUTHORIZATION, secret, &format!("Bearer {}", value(secret)))?
            }
            Credential::Header(asked) => {
                let (name, before) = header(&asked.name, &asked.before)?;
                let before = before.to_str().unwrap_or_default().to_owned();
                // A header's value loses the spaces at its end, and here one may stand before the secret.
                let spaces = &asked.before[asked.before.trim_end().len()..];
                let before = format!("{}{spaces}", before.trim_end());
                secret_header(&mut headers, name, &asked.secret, &format!("{before}{}", value(&asked.secret)))?;
            }
            Credential::Url(marked) => {
                check_marker(&marked.marker)?;
                in_url.push((marked.marker.as_str(), value(&marked.secret)));
                secrets_in_url.push(marked.secret.as_str());
            }
            Credential::Body(marked) => {
                check_marker(&marked.marker)?;
                in_body.push((marked.marker.as_str(), value(&marked.secret)));
            }
        }
    }
    if !request.credentials.is_empty() && headers.contains_key(RANGE) {
        return invalid("A request with a credential asks for the whole answer: leave out the header range.");
    }
    let url = if in_url.is_empty() { request.url } else { fill_url(&request.url, &in_url, &secrets_in_url)? };
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = if in_body.is_empty() { request.body } else { fill_body(&request.body, kind, &in_body, largest)? };
    Ok(Ready { method: method(&request.method)?, url, headers, body })
}

fn method(text: &str) -> Result<Method, Refused> {
    match text {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => {
            Method::from_bytes(text.as_bytes()).or_else(|_| invalid(""))
        }
        _ => invalid(format!(
            "The method \"{}\" is not one of GET, HEAD, POST, PUT, PATCH and DELETE.",
            text.escape_debug()
        )),
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Refused> {
    let shown = name.escape_debug();
    if OURS.contains(&name.to_ascii_lowercase().as_str()) {
        return invalid(format!("The header {shown} is not the component's to write: leave it out."));
    }
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
        return invalid(format!("\"{shown}\" is not the name of a header."));
    };
    match HeaderValue::from_str(value).or_else(|_| HeaderValue::from_bytes(value.as_bytes())) {
        Ok(value) => Ok((name, value)),
        Err(_) => invalid(format!("The header {name} holds a control character.")),
    }
}

fn secret_header(headers: &mut HeaderMap, name: HeaderName, secret: &str, value: &str) -> Result<(), Refused> {
    if headers.contains_key(&name) {
        return invalid(format!("The header {name} is given twice: as a credential and otherwise."));
    }
    let Ok(mut value) = HeaderValue::from_bytes(value.as_bytes()) else {
        let why = format!(
            "The secret `{secret}`, which goes into the header {name}, holds a control character, a line break perhaps"
        );
        return Err(Refused::Secret { name: secret.to_owned(), why });
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn check_marker(marker: &str) -> Result<(), Refused> {
    if (1..=LONGEST_MARKER).contains(&marker.chars().count()) {
        return Ok(());
    }
    invalid(format!("A marker must have 1 to {LONGEST_MARKER} characters."))
}

/// A marker, and the secret that takes its place.
type Marked<'a> = (&'a str, String);

/// Puts secrets in the place of their markers, all at once: a marker is looked for in what the component wrote and never in a secret that was
/// filled in, of which it could otherwise learn. `most` bounds the result before it is made.
fn fill_text(text: &str, marked: &[Marked<'_>], most: usize) -> Result<String, Refused> {
    let mut places: Vec<(usize, &str, &str)> = Vec::new();
    for (marker, secret) in marked {
        // One more would be enough to know.
        let found = text.match_indices(marker).take(MOST_PLACES + 1);
        places.extend(found.map(|(at, found)| (at, found, secret.as_str())));
        if places.len() > MOST_PLACES {
            return invalid(format!("The markers for secrets stand in more than {MOST_PLACES} places."));
        }
    }
    places.sort_unstable_by_key(|(at, _, _)| *at);
    if places.windows(2).any(|pair| pair[0].0 + pair[0].1.len() > pair[1].0) {
        return invalid("Two markers for secrets overlap.");
    }
    let grown: usize = places.iter().map(|(_, _, secret)| secret.len()).sum();
    let taken: usize = places.iter().map(|(_, marker, _)| marker.len()).sum();
    let length = text.len() - taken + grown;
    if length > most {
        return invalid("With its secrets the request is too large: let the markers stand in fewer places.");
    }
    let mut filled = String::with_capacity(length);
    let mut rest = 0;
    for (at, marker, secret) in places {
        filled.push_str(&text[rest..at]);
        filled.push_str(secret);
        rest = at + marker.len();
    }
    filled.push_str(&text[rest..]);
    Ok(filled)
}

/// The secrets, encoded for where they go.
fn encoded<'a>(marked: &[Marked<'a>], encode: impl Fn(&str) -> String) -> Vec<Marked<'a>> {
    marked.iter().map(|(marker, secret)| (*marker, encode(secret))).collect()
}

/// Puts secrets into the path and the query, where their markers stand, and nowhere else.
fn fill_url(url: &str, marked: &[Marked<'_>], secrets: &[&str]) -> Result<String, Refused> {
    let (rest, fragment) = url.split_once('#').map_or((url, None), |(rest, fragment)| (rest, Some(fragment)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let path_at = rest.find("://").and_then(|at| rest[at + 3..].find(['/', '\\']).map(|slash| at + 3 + slash));
    let (before, path) = rest.split_at(path_at.unwrap_or(rest.len()));
    for (marker, _) in marked {
        let shown = marker.escape_debug();
        if before.contains(marker) || fragment.is_some_and(|f| f.contains(marker)) {
            return invalid(format!("The marker {shown} may stand in the URL's path or query only."));
        }
        if !path.contains(marker) && !query.is_some_and(|query| query.contains(marker)) {
            return invalid(format!("The marker {shown} does not stand in the URL."));
        }
    }
    let percent = |set: &'static AsciiSet| move |secret: &str| utf8_percent_encode(secret, set).to_string();
    let in_path = fill_text(path, &encoded(marked, percent(IN_PATH)), LONGEST_URL)?;
    let mut filled = format!("{before}{in_path}");
    if let Some(query) = query {
        filled.push('?');
        filled.push_str(&fill_text(query, &encoded(marked, percent(&UNRESERVED_ONLY)), LONGEST_URL)?);
    }
    if filled.len() > LONGEST_URL {
        return invalid(format!("With its secrets the URL has more than {LONGEST_URL} characters."));
    }
    // The parser takes `.` and `..` segments away, which would lead to another path than the one that is written.
    let whole = Url::parse(&filled).map_err(|_| Refused::Invalid("The URL cannot be read.".to_owned()))?;
    let brings_dots =
        marked.iter().any(|(_, secret)| secret.split('/').any(|segment| segment == "." || segment == ".."));
    if brings_dots
        || whole.path().split('/').count() != in_path.split('/').count()
        || !whole.path().ends_with(in_path.rsplit('/').next().unwrap_or_default())
    {
        let name = secrets.first().copied().unwrap_or_default().to_owned();
        let why = format!("The secret `{name}`, which goes into the URL, would change its path");
        return Err(Refused::Secret { name, why });
    }
    Ok(filled)
}

/// A text as it stands between quotes in JSON.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn fill_body(body: &[u8], content_type: &str, marked: &[Marked<'_>], largest: usize) -> Result<Vec<u8>, Refused> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let encoded = match kind.as_str() {
        "application/x-www-form-urlencoded" => {
            encoded(marked, |secret| utf8_percent_encode(secret, &UNRESERVED_ONLY).to_string())
        }
        "application/json" => encoded(marked, in_json),
        _ => {
            return invalid("A secret goes into a body of application/x-www-form-urlencoded or application/json only.");
        }
    };
    let Ok(text) = std::str::from_utf8(body) else {
        return invalid("The body holds a marker for a secret, but is not UTF-8.");
    };
    for (marker, _) in marked {
        if !text.contains(marker) {
            return invalid(format!("The marker {} does not stand in the body.", marker.escape_debug()));
        }
    }
    Ok(fill_text(text, &encoded, largest)?.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::bindings::http::{BasicCredential, HeaderCredential, MarkedSecret};

    const LARGEST: usize = 1024 * 1024;

    fn request(url: &str, credentials: Vec<Credential>) -> Request {
        Request {
            method: "POST".into(),
            url: url.into(),
            headers: vec![("Content-Type".into(), "application/json; charset=utf-8".into())],
            credentials,
            body: br#"{"key":"{key}"}"#.to_vec(),
            timeout: 0,
            about: vec![],
        }
    }

    fn marked(marker: &str) -> MarkedSecret {
        MarkedSecret { marker: marker.into(), secret: "s".into() }
    }

    fn filled(request: Request, value: &str) -> Result<Ready, String> {
        let text = |refused| match refused {
            Refused::Invalid(why) | Refused::Secret { why, .. } => why,
        };
        check_size(&request, 1).map_err(text)?;
        check(&request, LARGEST, "`request`").map_err(text)?;
        fill(request, LARGEST, |_| value.to_owned()).map_err(text)
    }

    #[test]
    fn credentials_go_where_they_belong() {
        let basic = Credential::Basic(BasicCredential { user: "AC1".into(), secret: "s".into() });
        let ready = filled(request("https://a.example/", vec![basic]), "tok").unwrap();
        assert_eq!(ready.headers["authorization"], "Basic QUMxOnRvaw==");
        assert!(ready.headers["authorization"].is_sensitive());
        let ready = filled(request("https://a.example/", vec![Credential::Bearer("s".into())]), "tok").unwrap();
        assert_eq!(ready.headers["authorization"], "Bearer tok");
        let header = HeaderCredential { name: "X-Key".into(), before: "Bot ".into(), secret: "s".into() };
        let ready = filled(request("https://a.example/", vec![Credential::Header(header)]), "tok").unwrap();
        assert_eq!(ready.headers["x-key"], "Bot tok");
        let ready = filled(request("https://a.example/", vec![Credential::Body(marked("{key}"))]), "a\"b").unwrap();
        assert_eq!(ready.body, br#"{"key":"a\"b"}"#);
    }

    #[test]
    fn secrets_in_a_url() {
        for (url, secret, result) in [
            ("https://h.example/services/{m}", "T0/B0/x y", Ok("https://h.example/services/T0/B0/x%20y")),
            ("https://h.example/bot{m}/send", "12:ab", Ok("https://h.example/bot12:ab/send")),
            ("https://h.example/?key={m}&x=1", "a/b&c=d", Ok("https://h.example/?key=a%2Fb%26c%3Dd&x=1")),
            ("https://h.example/{m}", "x?y#z", Ok("https://h.example/x%3Fy%23z")),
            ("https://h.example/{m}", "../admin", Err("would change")),
            ("https://h.example/a/{m}", "..", Err("would change")),
            ("https://{m}.example/", "evil", Err("path or query only")),
            ("https://h.example{m}/", "@evil.example", Err("path or query only")),
            ("https://h.example/#{m}", "x", Err("path or query only")),
            ("https://h.example/", "x", Err("does not stand in the URL")),
        ] {
            let ready = filled(request(url, vec![Credential::Url(marked("{m}"))]), secret);
            match result {
                Ok(expected) => assert_eq!(ready.unwrap().url, expected),
                Err(part) => assert!(ready.as_ref().is_err_and(|e| e.contains(part)), "{url}: {ready:?}"),
            }
        }
    }

    #[test]
    fn a_secret_is_not_searched_for_markers() {
        // Each guess would be answered if the second marker were looked for in what the first has left.
        for guess in ["s3", "x"] {
            let second = format!("key\":\"{guess}");
            let asked = vec![Credential::Body(marked("{key}")), Credential::Body(marked(&second))];
            let error = filled(request("https://a.example/", asked), "s3cret").unwrap_err();
            assert!(error.contains("does not stand in the body"), "{error}");
        }
        let overlapping = vec![Credential::Body(marked("{key}")), Credential::Body(marked("key}\""))];
        assert!(filled(request("https://a.example/", overlapping), "s3cret").unwrap_err().contains("overlap"));
    }

    #[test]
    fn secrets_cannot_make_a_request_large() {
        let mut large = request("https://a.example/", vec![Credential::Body(marked("x"))]);
        large.body = vec![b'x'; 1_000_000];
        assert!(filled(large.clone(), "0123456789").unwrap_err().contains("more than 1000 places"));
        large.body.truncate(MOST_PLACES);
        assert!(filled(large, &"0123456789".repeat(200)).unwrap_err().contains("too large"));
        let long = request("https://a.example/{m}{m}{m}", vec![Credential::Url(marked("{m}"))]);
        assert!(filled(long, &"y".repeat(3000)).unwrap_err().contains("too large"));
        let many = request("https://a.example/", vec![Credential::Bearer("s".into()); 17]);
        assert!(filled(many, "s").unwrap_err().contains("are the most"));
    }

    #[test]
    fn what_would_break_the_framing_is_refused() {
        let base = || request("https://a.example/", vec![]);
        for (request, part) in [
            (Request { about: vec!["a".into(), "b".into()], ..base() }, "and the batch has 1"),
            (Request { method: "CONNECT".into(), ..base() }, "is not one of GET"),
            (Request { method: "post".into(), ..base() }, "is not one of GET"),
            (Request { headers: vec![("Host".into(), "b".into())], ..base() }, "not the component's"),
            (
                Request { headers: vec![("transfer-ENCODING".into(), "chunked".into())], ..base() },
                "not the component's",
            ),
            (Request { headers: vec![("x".into(), "a\r\nHost: b".into())], ..base() }, "control character"),
            (Request { headers: vec![("x\r\ny".into(), "a".into())], ..base() }, "not the name of a header"),
            (Request { headers: vec![("x".into(), "a\0".into())], ..base() }, "control character"),
            (Request { headers: vec![("x".into(), "a".into()); 65], ..base() }, "are the most"),
            (Request { headers: vec![("x".into(), "a".repeat(17_000))], ..base() }, "are the most"),
            (Request { body: vec![0; LARGEST + 1], ..base() }, "is the most"),
            (Request { url: format!("https://a.example/{}", "x".repeat(9000)), ..base() }, "is the most"),
        ] {
            let error = filled(request, "").expect_err(part);
            assert!(error.contains(part), "{error}");
        }
        let twice = Request {
            headers: vec![("Authorization".into(), "Bearer mine".into())],
            credentials: vec![Credential::Bearer("s".into())],
            ..base()
        };
        assert!(filled(twice, "x").unwrap_err().contains("given twice"));
        let broken = request("https://a.example/", vec![Credential::Bearer("s".into())]);
        let error = filled(broken, "a\r\nHost: evil").unwrap_err();
        assert!(error.contains("a line break perhaps") && !error.contains("evil"), "a secret is not quoted: {error}");
    }
}
