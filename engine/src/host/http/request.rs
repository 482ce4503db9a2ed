//! A component's request becomes the one that is sent: checked against the rules of `wit/http.wit`, its secrets filled in.

use super::markers;
use crate::host::bindings::http::{Credential, Request};
use crate::rules::grants::MAX_SECRET_NAME;
use base64::Engine as _;
use http::Method;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

pub const LONGEST_URL: usize = 8192;
/// A longer method is not even quoted where it is refused.
pub const LONGEST_METHOD: usize = 32;
/// A longer text is not even compared with the ids of notifications.
pub const LONGEST_ID: usize = 64;
const MOST_HEADERS: usize = 64;
const MOST_HEADER_BYTES: usize = 16 * 1024;
const MOST_CREDENTIALS: usize = 16;

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

/// Why a request is not sent; a sentence for the component's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It never will be: it is against a rule.
    Invalid(String),
    /// It might be, with another value of this secret.
    Secret { name: String, why: String },
}

pub(super) fn invalid<T>(text: impl Into<String>) -> Result<T, Refused> {
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

/// The header by which it asks for a part of an answer, or for one that is written otherwise than in UTF-8, if it does: a secret that is repeated in there could not
/// be found.
pub fn asks_for_another_answer(request: &Request) -> Option<&str> {
    let of_credentials = request.credentials.iter().filter_map(|credential| match credential {
        Credential::Header(header) => Some((header.name.as_str(), header.before.as_str())),
        _ => None,
    });
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(of_credentials);
    let asks = |(name, value): &(&str, &str)| {
        let name = name.to_ascii_lowercase();
        name.contains("range")
            || name == "accept-charset"
            || (name == "accept" && value.to_ascii_lowercase().contains("charset"))
    };
    headers.into_iter().find(asks).map(|(name, _)| name)
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
                markers::check_before(&before)?;
                if before.contains("=?") {
                    return invalid(
                        "A secret in a header may not stand behind an encoded word (`=?`): leave that out.",
                    );
                }
                secret_header(&mut headers, name, &asked.secret, &format!("{before}{}", value(&asked.secret)))?;
            }
            Credential::Url(marked) => {
                markers::check(&marked.marker)?;
                in_url.push((marked.marker.as_str(), value(&marked.secret)));
                secrets_in_url.push(marked.secret.as_str());
            }
            Credential::Body(marked) => {
                markers::check(&marked.marker)?;
                in_body.push((marked.marker.as_str(), value(&marked.secret)));
            }
        }
    }
    let url = if in_url.is_empty() { request.url } else { markers::fill_url(&request.url, &in_url, &secrets_in_url)? };
    let body = match in_body.is_empty() {
        true => request.body,
        false => markers::fill_body(&request.body, &headers, &in_body, largest)?,
    };
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
        let many = request("https://a.example/", vec![Credential::Bearer("s".into()); 17]);
        assert!(filled(many, "s").unwrap_err().contains("are the most"));
        for before in ["a=%4", "\\", "=?utf-8?q?=4"] {
            let credential = HeaderCredential { name: "Cookie".into(), before: before.into(), secret: "s".into() };
            let error =
                filled(request("https://a.example/", vec![Credential::Header(credential)]), "5f3c").unwrap_err();
            assert!(error.contains("A secret"), "{before}: {error}");
        }
        let broken = request("https://a.example/", vec![Credential::Bearer("s".into())]);
        let error = filled(broken, "a\r\nHost: evil").unwrap_err();
        assert!(error.contains("a line break perhaps") && !error.contains("evil"), "a secret is not quoted: {error}");
    }
}
