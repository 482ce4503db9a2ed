//! Which requests become messages. Title, body and extra are stored as they were given; what could not be sent is refused
//! here.

use guest_sdk::{CreationRequest, Failure};

use crate::extra::{Extra, LONGEST_VALIDITY, MOST_MEDIA};
use crate::text;

/// Whether a message can be made of the request, for all of its records alike.
pub fn check(request: &CreationRequest) -> Result<(), Failure> {
    let extra = Extra::parse(&request.extra)?;
    check_extra(&extra)?;
    let text = text::composed(&request.title, &request.body, &extra);
    if text.is_empty() && extra.content_sid.is_none() && extra.media().is_empty() {
        return Err(Failure::new(
            "no_body",
            "A text message needs a `body`, or `media_url` or `content_sid` in `extra` instead.",
        ));
    }
    let length = text.chars().count();
    if length > text::LONGEST {
        return Err(Failure::new(
            "text_too_long",
            format!(
                "A text message has at most {} characters, and this one, with its title if that is included, has {length}: shorten it.",
                text::LONGEST
            ),
        ));
    }
    if text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Failure::new(
            "control_characters",
            "A text message holds no control characters except line breaks and tabs: take them out.",
        ));
    }
    Ok(())
}

/// What the schema says too, for engines that check nothing, and what it cannot say.
fn check_extra(extra: &Extra) -> Result<(), Failure> {
    if extra.media().len() > MOST_MEDIA {
        return Err(Failure::new(
            "too_many_media",
            format!("A message carries at most {MOST_MEDIA} media, and `extra.media_url` has {}.", extra.media().len()),
        ));
    }
    if let Some(at) = extra.media().iter().position(|url| !is_https_url(url)) {
        return Err(Failure::new(
            "not_a_url",
            format!(
                "`extra.media_url` must hold URLs as in https://example.org/tea.png, and number {} is none.",
                at + 1
            ),
        ));
    }
    if extra.validity_period.is_some_and(|seconds| !(1..=LONGEST_VALIDITY).contains(&seconds)) {
        return Err(Failure::new(
            "wrong_validity_period",
            format!("`extra.validity_period` must be between 1 and {LONGEST_VALIDITY} seconds."),
        ));
    }
    if extra.max_price.is_some_and(|price| price <= 0.0) {
        return Err(Failure::new("wrong_max_price", "`extra.max_price` must be more than nothing."));
    }
    if extra.content_variables.is_some() && extra.content_sid.is_none() {
        return Err(Failure::new(
            "variables_without_content",
            "`extra.content_variables` are for a template: name it in `extra.content_sid`, or leave them out.",
        ));
    }
    Ok(())
}

/// Whether Twilio could fetch this: `https`, a host's name, and no characters that a URL must write otherwise. User
/// information is refused, since it would be handed on to Twilio.
fn is_https_url(text: &str) -> bool {
    let Some(rest) = text.get(..8).filter(|start| start.eq_ignore_ascii_case("https://")).map(|_| &text[8..]) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !label.starts_with('-')
    };
    host.split('.').all(is_label)
        && port.parse::<u16>().is_ok_and(|port| port != 0)
        && rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::request;

    const CONTENT: &str = r#"{"content_sid": "HX0123456789abcdef0123456789abcdef", "content_variables": {"1": "Ada"}}"#;

    #[test]
    fn takes_what_can_be_sent() {
        let longest = "ü".repeat(text::LONGEST);
        let with_title = "ü".repeat(text::LONGEST - 4);
        let most = format!(r#"{{"media_url": [{}]}}"#, [r#""https://a.example/b""#; MOST_MEDIA].join(","));
        for (title, body, extra) in [
            ("Tea", "The tea is ready.", "{}"),
            ("", "The tea is ready.", "null"),
            ("Tea", "Two\r\nlines\tand a tab", "{}"),
            ("Tea", &longest, "{}"),
            ("Tea", &with_title, r#"{"include_title": true}"#),
            ("Tea", "", r#"{"include_title": true}"#),
            ("Tea", "", r#"{"media_url": ["https://example.org/tea.png"]}"#),
            ("Tea", "", &most),
            ("Tea", "", CONTENT),
            ("Tea", "x", r#"{"validity_period": 36000, "max_price": 0.01}"#),
            // Not sent, so that it does not matter.
            ("Tea\u{0}", "x", "{}"),
        ] {
            assert_eq!(check(&request(title, body, extra)), Ok(()), "{title} {body} {extra}");
        }
    }

    #[test]
    fn refuses_what_cannot() {
        let too_long = "x".repeat(text::LONGEST + 1);
        let too_long_with_title = "x".repeat(text::LONGEST - 3);
        let too_many = format!(r#"{{"media_url": [{}]}}"#, [r#""https://a.example/b""#; MOST_MEDIA + 1].join(","));
        for (title, body, extra, code) in [
            ("Tea", "", "{}", "no_body"),
            ("Tea", " \n", "{}", "no_body"),
            ("", "", r#"{"include_title": true}"#, "no_body"),
            ("Tea", "", r#"{"media_url": []}"#, "no_body"),
            ("Tea", &too_long, "{}", "text_too_long"),
            ("Tea", &too_long_with_title, r#"{"include_title": true}"#, "text_too_long"),
            ("Tea", "bell\u{7}", "{}", "control_characters"),
            ("Tea", "next\u{85}line", "{}", "control_characters"),
            ("Tea\u{0}", "x", r#"{"include_title": true}"#, "control_characters"),
            ("Tea", "x", &too_many, "too_many_media"),
            ("Tea", "x", r#"{"media_url": ["https://a.example", "http://a.example"]}"#, "not_a_url"),
            ("Tea", "x", r#"{"validity_period": 0}"#, "wrong_validity_period"),
            ("Tea", "x", r#"{"validity_period": 36001}"#, "wrong_validity_period"),
            ("Tea", "x", r#"{"max_price": 0}"#, "wrong_max_price"),
            ("Tea", "x", r#"{"content_variables": {"1": "Ada"}}"#, "variables_without_content"),
            ("Tea", "x", r#"{"media_url": "https://a.example"}"#, "invalid_extra"),
        ] {
            assert_eq!(check(&request(title, body, extra)).unwrap_err().code, code, "{title:?} {body:?} {extra}");
        }
    }

    #[test]
    fn urls_of_media() {
        for url in ["https://a.example", "HTTPS://a.example/b?c=d#e", "https://a-1.b.example:8443/%20", "https://a?b"] {
            assert!(is_https_url(url), "{url}");
        }
        for text in [
            "",
            "https://",
            "https:///a",
            "https://.example",
            "https://a..example",
            "https://-a.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:99999",
            "https://user:hush@a.example/",
            "https://a.example/b c",
            "https://a.example/ü",
            "https://a.example/\n",
            "https://a.example/<b>",
            "ftp://a.example/b",
            "https:ä//a.example",
            "httpsä://a.example",
        ] {
            assert!(!is_https_url(text), "{text:?}");
        }
    }
}
