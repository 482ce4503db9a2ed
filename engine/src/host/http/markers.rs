//! Secrets in a URL and in a body, in the place of markers, and only where the provider reads a secret's characters as they are: what stands before a marker
//! could else make others of the first of them, and whoever got those back would not be known for a secret.

use super::request::{LONGEST_URL, Refused, invalid};
use crate::host::redaction::{IN_PATH, UNRESERVED};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};
use serde::de::IgnoredAny;
use url::Url;

const LONGEST_MARKER: usize = 64;
/// In how many places markers may stand: each is remembered, and a body of megabytes may hold nothing else.
const MOST_PLACES: usize = 1000;

/// How far back an escape may begin that is not whole, and how many times what stands there is decoded at most.
const LONGEST_ESCAPE: usize = 24;
const MOST_DECODINGS: usize = 4;

/// A marker, and the secret that takes its place.
pub type Marked<'a> = (&'a str, String);

/// Checks that something can be a marker.
pub fn check(marker: &str) -> Result<(), Refused> {
    if (1..=LONGEST_MARKER).contains(&marker.chars().count()) {
        return Ok(());
    }
    invalid(format!("A marker must have 1 to {LONGEST_MARKER} characters."))
}

/// Refuses a text behind which the first characters of a secret would be read as a part of an escape: of percent-encoding, once or several times, of JSON and
/// JavaScript, of a page.
pub fn check_before(before: &str) -> Result<(), Refused> {
    let from = before.char_indices().rev().take(LONGEST_ESCAPE).last().map_or(0, |(at, _)| at);
    let mut tail = before[from..].to_owned();
    for _ in 0..MOST_DECODINGS {
        if ends_within_an_escape(&tail) {
            return invalid(
                "A secret may not stand right behind the beginning of an escape (`%`, `\\`, `&#`): let something stand between.",
            );
        }
        let decoded = percent_decode_str(&tail).decode_utf8_lossy().into_owned();
        if decoded == tail {
            break;
        }
        tail = decoded;
    }
    Ok(())
}

fn ends_within_an_escape(text: &str) -> bool {
    let behind = |beginning: &str| text.rfind(beginning).map(|at| &text[at + beginning.len()..]);
    let is_short = |beginning: &str, digits: usize| {
        behind(beginning).is_some_and(|rest| rest.len() < digits && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let backslashes = text.len() - text.trim_end_matches('\\').len();
    backslashes % 2 == 1
        || [("%", 2), ("%u", 4), ("\\u", 4), ("\\x", 2)].iter().any(|(beginning, digits)| is_short(beginning, *digits))
        || behind("&#").is_some_and(|rest| rest.trim_start_matches(['x', 'X']).bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Where markers stand, in the order of the text: none overlaps another. A marker is looked for in what the component wrote and never in a secret that was
/// filled in, of which it could otherwise learn.
struct Places<'a>(Vec<(usize, &'a str, &'a str)>);

impl<'a> Places<'a> {
    fn of(text: &'a str, marked: &'a [Marked<'_>]) -> Result<Self, Refused> {
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
        for (at, _, _) in &places {
            check_before(&text[..*at])?;
        }
        Ok(Places(places))
    }

    /// Whether each stands in a string of this text, which is JSON, from its beginning to its end.
    fn are_in_strings(&self, text: &str) -> bool {
        let mut places = self.0.iter().peekable();
        let (mut in_string, mut is_escaped) = (false, false);
        for (at, byte) in text.bytes().enumerate() {
            if let Some((_, marker, _)) = places.next_if(|(place, _, _)| *place == at)
                && (!in_string || is_escaped || marker.contains(['"', '\\']))
            {
                return false;
            }
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = !in_string,
                _ => {}
            }
        }
        true
    }

    /// The text with the secrets in it, if it has at most so many bytes, which is known before it is made.
    fn filled(self, text: &str, most: usize) -> Result<String, Refused> {
        let Places(places) = self;
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
}

/// The secrets, encoded for where they go.
fn encoded<'a>(marked: &[Marked<'a>], encode: impl Fn(&str) -> String) -> Vec<Marked<'a>> {
    marked.iter().map(|(marker, secret)| (*marker, encode(secret))).collect()
}

/// Puts secrets into the path and the query, where their markers stand, and nowhere else.
pub fn fill_url(url: &str, marked: &[Marked<'_>], secrets: &[&str]) -> Result<String, Refused> {
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
    let filled_with = |text: &str, marked: &[Marked<'_>], set: &'static AsciiSet| {
        let marked = encoded(marked, |secret| utf8_percent_encode(secret, set).to_string());
        Places::of(text, &marked)?.filled(text, LONGEST_URL)
    };
    let in_path = filled_with(path, marked, IN_PATH)?;
    let mut filled = format!("{before}{in_path}");
    if let Some(query) = query {
        filled.push('?');
        filled.push_str(&filled_with(query, marked, UNRESERVED)?);
    }
    if filled.len() > LONGEST_URL {
        return invalid(format!("With its secrets the URL has more than {LONGEST_URL} characters."));
    }
    // The parser takes `.` and `..` segments away, which would lead to another path than the one that is written.
    let is_as_written = |in_path: &str| -> Result<bool, Refused> {
        let whole = Url::parse(&format!("{before}{in_path}"));
        let whole = whole.map_err(|_| Refused::Invalid("The URL cannot be read.".to_owned()))?;
        let (read, mut written) = (whole.path(), in_path.split('/'));
        Ok(read.split('/').count() == written.clone().count()
            && read.ends_with(written.next_back().unwrap_or_default()))
    };
    let brings_dots =
        marked.iter().any(|(_, secret)| secret.split('/').any(|segment| segment == "." || segment == ".."));
    if brings_dots || !is_as_written(&in_path)? {
        let plain: Vec<Marked<'_>> = marked.iter().map(|(marker, _)| (*marker, "secret".to_owned())).collect();
        if !is_as_written(&filled_with(path, &plain, IN_PATH)?)? {
            return invalid(
                "A URL with a secret in its path has to be written as it is sent: without `.` and `..` in its path, and with what is no letter of it percent-encoded.",
            );
        }
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

/// Puts secrets into a form or into the strings of a JSON text, as its headers say which it is.
pub fn fill_body(body: &[u8], headers: &HeaderMap, marked: &[Marked<'_>], largest: usize) -> Result<Vec<u8>, Refused> {
    let said: Vec<&str> = headers.get_all(CONTENT_TYPE).iter().map(|kind| kind.to_str().unwrap_or_default()).collect();
    let said = if let [one] = said[..] { one.to_ascii_lowercase() } else { String::new() };
    let (kind, parameters) = said.split_once(';').unwrap_or((&said, ""));
    let is_json = match kind.trim() {
        "application/x-www-form-urlencoded" => false,
        "application/json" => true,
        _ => {
            return invalid("A secret goes into a body of application/x-www-form-urlencoded or application/json only.");
        }
    };
    // There are many ways to write a parameter, and some servers know them all.
    let is_utf8 = matches!(parameters.trim(), "" | "charset=utf-8" | "charset=\"utf-8\"");
    if !is_utf8 || headers.contains_key(CONTENT_ENCODING) {
        return invalid(
            "A body into which a secret goes is UTF-8, and not packed: leave out what the header content-type says beside `charset=utf-8`, and the header content-encoding.",
        );
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return invalid("The body holds a marker for a secret, but is not UTF-8.");
    };
    for (marker, _) in marked {
        if !text.contains(marker) {
            return invalid(format!("The marker {} does not stand in the body.", marker.escape_debug()));
        }
    }
    let encode = |secret: &str| {
        if is_json { in_json(secret) } else { utf8_percent_encode(secret, UNRESERVED).to_string() }
    };
    let encoded = encoded(marked, encode);
    let places = Places::of(text, &encoded)?;
    if is_json && !(serde_json::from_str::<IgnoredAny>(text).is_ok() && places.are_in_strings(text)) {
        return invalid("A secret goes into a string of a JSON text: let its marker, without quotes, stand in one.");
    }
    Ok(places.filled(text, largest)?.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderValue;

    const LARGEST: usize = 1024 * 1024;

    fn words<T>(filled: Result<T, Refused>) -> Result<T, String> {
        filled.map_err(|refused| match refused {
            Refused::Invalid(why) | Refused::Secret { why, .. } => why,
        })
    }

    /// A body of this type, in which each of the markers stands for a secret.
    fn body(kind: &str, text: &str, marked: &[(&str, &str)]) -> Result<String, String> {
        let kind = HeaderValue::from_str(kind).unwrap();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        let marked: Vec<Marked<'_>> = marked.iter().map(|(marker, secret)| (*marker, (*secret).to_owned())).collect();
        words(fill_body(text.as_bytes(), &headers, &marked, LARGEST)).map(|body| String::from_utf8(body).unwrap())
    }

    fn json(text: &str, marked: &[(&str, &str)]) -> Result<String, String> {
        body("application/json", text, marked)
    }

    #[test]
    fn secrets_in_a_url() {
        for (url, secret, result) in [
            ("https://h.example/services/{m}", "T0/B0/x y", Ok("https://h.example/services/T0/B0/x%20y")),
            ("https://h.example/bot{m}/send", "12:ab", Ok("https://h.example/bot12:ab/send")),
            ("https://h.example/?key={m}&x=1", "a/b&c=d", Ok("https://h.example/?key=a%2Fb%26c%3Dd&x=1")),
            ("https://h.example/{m}", "x?y#z", Ok("https://h.example/x%3Fy%23z")),
            ("https://h.example/%20{m}", "x", Ok("https://h.example/%20x")),
            ("https://h.example/{m}", "../admin", Err("would change")),
            ("https://h.example/a/{m}", "..", Err("would change")),
            ("https://h.example/.{m}", ".", Err("would change")),
            // What the component has written itself is not the secret's fault.
            ("https://h.example/a/../{m}", "x", Err("has to be written as it is sent")),
            ("https://h.example/a/../{m}", "..", Err("has to be written as it is sent")),
            ("https://h.example/a/%2e/{m}", "x", Err("has to be written as it is sent")),
            ("https://{m}.example/", "evil", Err("path or query only")),
            ("https://h.example{m}/", "@evil.example", Err("path or query only")),
            ("https://h.example/#{m}", "x", Err("path or query only")),
            ("https://h.example/", "x", Err("does not stand in the URL")),
            ("https://h.example/%{m}", "5f3c", Err("beginning of an escape")),
            ("https://h.example/?q=%4{m}", "5f3c", Err("beginning of an escape")),
        ] {
            let marked = [("{m}", secret.to_owned())];
            let filled = words(fill_url(url, &marked, &["s"]));
            match result {
                Ok(expected) => assert_eq!(filled.unwrap(), expected),
                Err(part) => assert!(filled.as_ref().is_err_and(|e| e.contains(part)), "{url}: {filled:?}"),
            }
        }
    }

    #[test]
    fn no_escape_begins_before_a_secret() {
        for before in
            ["", "bot", "%20", "%2520", "100%, ", "\\n", "\\\\", "\\u000a", "\\x0a", "&#10;", "a=1&", "é", "%25%20"]
        {
            assert!(check_before(before).is_ok(), "{before}");
        }
        for before in [
            "%", "%4", "a%4", "%25", "%254", "%252525", "%u", "%u00", "%u004", "\\", "\\\\\\", "\\u", "\\u00",
            "\\u004", "\\x", "\\x4", "&#", "&#x4", "&#1",
        ] {
            assert!(check_before(before).is_err(), "{before}");
        }
    }

    #[test]
    fn secrets_in_json() {
        assert_eq!(json(r#"{"key":"{key}"}"#, &[("{key}", "a\"b")]).unwrap(), r#"{"key":"a\"b"}"#);
        assert_eq!(json(r#"{"a\"K":["x K","K"]}"#, &[("K", "s")]).unwrap(), r#"{"a\"s":["x s","s"]}"#);
        for (text, marker) in [
            (r#"{"a":1}"#, "1"),
            (r#"{"a":"b"}"#, "\"b\""),
            (r#"{"a":"b"}"#, "a\":\"b"),
            (r#"{"a":true}"#, "ru"),
            ("{a:'K'}", "K"),
            ("\u{feff}\"K\"", "K"),
            (r#""a" "K""#, "K"),
        ] {
            let error = json(text, &[(marker, "s3cret")]).unwrap_err();
            assert!(error.contains("goes into a string"), "{text}: {error}");
        }
        for text in [r#""\u00K""#, r#""\uK""#, r#""%4K""#, r#""&#x4K;""#] {
            let error = json(text, &[("K", "s3cret")]).unwrap_err();
            assert!(error.contains("beginning of an escape"), "{text}: {error}");
        }
    }

    #[test]
    fn a_body_is_read_as_it_is_written() {
        let form = "application/x-www-form-urlencoded";
        assert_eq!(body(form, "a=K", &[("K", "x&y")]).unwrap(), "a=x%26y");
        assert_eq!(body("Application/JSON; Charset=\"UTF-8\"", r#""K""#, &[("K", "x")]).unwrap(), r#""x""#);
        for (kind, part) in [
            ("text/plain", "only"),
            ("application/json; charset=utf-16le", "is UTF-8"),
            ("application/json;a=b; CHARSET = utf-7", "is UTF-8"),
            ("application/json; charset*=utf-8''utf-7", "is UTF-8"),
            ("application/json; charset*0=utf-;charset*1=7", "is UTF-8"),
            ("application/json; charset=utf-8; charset=utf-7", "is UTF-8"),
        ] {
            let error = body(kind, r#""K""#, &[("K", "x")]).unwrap_err();
            assert!(error.contains(part), "{kind}: {error}");
        }
        for (name, value) in [(CONTENT_TYPE, "application/json; charset=utf-16"), (CONTENT_ENCODING, "identity")] {
            let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
            headers.append(name, HeaderValue::from_static(value));
            assert!(fill_body(br#""K""#, &headers, &[("K", "x".to_owned())], LARGEST).is_err(), "{value}");
        }
    }

    #[test]
    fn a_secret_is_not_searched_for_markers() {
        // Each guess would be answered if the second marker were looked for in what the first has left.
        for guess in ["s3", "x"] {
            let error = json(r#"{"key":"{key}"}"#, &[("{key}", "s3cret"), (guess, "other")]).unwrap_err();
            assert!(error.contains("does not stand in the body"), "{error}");
        }
        let error = json(r#"{"key":"{key}"}"#, &[("{key}", "s3cret"), ("key}", "other")]).unwrap_err();
        assert!(error.contains("overlap"), "{error}");
    }

    #[test]
    fn secrets_cannot_make_a_request_large() {
        let text = |letters: usize| format!("\"{}\"", "x".repeat(letters));
        let error = json(&text(1_000_000), &[("x", "0123456789")]).unwrap_err();
        assert!(error.contains("more than 1000 places"), "{error}");
        let error = json(&text(MOST_PLACES), &[("x", &"0123456789".repeat(200))]).unwrap_err();
        assert!(error.contains("too large"), "{error}");
        let long = words(fill_url("https://a.example/{m}{m}{m}", &[("{m}", "y".repeat(3000))], &["s"]));
        assert!(long.unwrap_err().contains("too large"));
    }
}
