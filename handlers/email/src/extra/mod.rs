//! What an application may pass in `extra`: read once and checked as it is read, so that the creator refuses what the
//! handler could not send, and both agree on what the rest means.

mod attachments;
mod headers;
mod keys;
mod mailboxes;
mod schema;

use guest_sdk::Failure;
use guest_sdk::smtp::{Attachment, Mailbox};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use headers::AUTO_SUBMITTED;
pub use keys::check as check_keys;
pub use schema::schema;

/// The most recipients of a mail in all, the record's own address included (`wit/smtp.wit`).
pub const MOST_RECIPIENTS: usize = 50;

/// The members of `extra` that mean something here. Others are variables for a template.
#[derive(Debug, Default, PartialEq)]
pub struct Extra {
    /// Whether the body is HTML; absent, its beginning says so.
    pub html: Option<bool>,
    /// The plain text beside an HTML body.
    pub text: Option<String>,
    /// What the body is rendered from, if it is empty.
    pub template_name: Option<String>,
    /// Another sender than the target's own, which the host allows or denies.
    pub from_email: Option<Mailbox>,
    pub cc: Vec<Mailbox>,
    pub bcc: Vec<Mailbox>,
    pub reply_to: Vec<Mailbox>,
    pub headers: Vec<(String, String)>,
    pub attachments: Vec<Attachment>,
}

impl Extra {
    /// Reads and checks an object. `null` members count as absent; unknown ones are ignored, see [`check_keys`].
    pub fn read(object: &Map<String, Value>) -> Result<Self, Failure> {
        let extra = Self {
            html: member(object, "html", "true or false")?,
            text: member(object, "text", "a text")?,
            template_name: member(object, "template_name", "the name of a template, such as welcome.html")?,
            from_email: mailboxes::one(object, "from_email")?,
            cc: mailboxes::list(object, "cc", MOST_RECIPIENTS - 1)?,
            bcc: mailboxes::list(object, "bcc", MOST_RECIPIENTS - 1)?,
            reply_to: mailboxes::list(object, "reply_to", mailboxes::MOST_REPLY_TO)?,
            headers: headers::read(object)?,
            attachments: attachments::read(object)?,
        };
        let recipients = 1 + extra.cc.len() + extra.bcc.len();
        if recipients > MOST_RECIPIENTS {
            return Err(Failure::new(
                "too_many_recipients",
                format!(
                    "A mail has at most {MOST_RECIPIENTS} recipients, and with `extra.cc` and `extra.bcc` this one has {recipients}."
                ),
            ));
        }
        Ok(extra)
    }

    /// Whether `body` is HTML: as `html` says, else if it begins as a document or a piece of one does. A text that begins with something else in
    /// angle brackets, such as an address, is none.
    pub fn is_html(&self, body: &str) -> bool {
        self.html.unwrap_or_else(|| {
            let Some(start) = without_comments(body).strip_prefix('<') else { return false };
            let name = start.split(|c: char| !c.is_ascii_alphanumeric() && c != '!').next().unwrap_or_default();
            BEGINNINGS.iter().any(|known| name.eq_ignore_ascii_case(known))
                && start[name.len()..].starts_with(|c: char| c == '>' || c == '/' || c.is_whitespace())
        })
    }
}

/// The elements that a body begins with, of those that mails are written in.
const BEGINNINGS: [&str; 38] = [
    "!doctype",
    "a",
    "article",
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "img",
    "main",
    "meta",
    "ol",
    "p",
    "pre",
    "section",
    "small",
    "span",
    "strong",
    "style",
    "table",
    "title",
    "u",
    "ul",
];

/// What follows white space and comments.
fn without_comments(body: &str) -> &str {
    let mut rest = body;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        match rest.strip_prefix("<!--").and_then(|comment| comment.split_once("-->")) {
            Some((_, after)) => rest = after,
            None => return rest,
        }
    }
}

/// The object that `extra` is; `null` counts as an empty one.
pub fn object(json: &str) -> Result<Map<String, Value>, Failure> {
    serde_json::from_str::<Option<Map<String, Value>>>(json)
        .map(Option::unwrap_or_default)
        .map_err(|_| Failure::new("invalid_extra", "`extra` must be a JSON object."))
}

/// A member of `extra`, if it is there and not `null`. `wanted` ends the sentence about one of another type.
fn member<'a, T: Deserialize<'a>>(
    object: &'a Map<String, Value>,
    key: &str,
    wanted: &str,
) -> Result<Option<T>, Failure> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value)
            .map(Some)
            .map_err(|_| Failure::new("invalid_extra", format!("`extra.{key}` must be {wanted}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Extra, Failure> {
        Extra::read(&object(json)?)
    }

    #[test]
    fn reads_what_it_knows_and_ignores_the_rest() {
        let extra = read(r#"{"html": true, "text": "Hello", "template_name": "a.html", "campaign": 7}"#).unwrap();
        let known = Extra {
            html: Some(true),
            text: Some("Hello".to_owned()),
            template_name: Some("a.html".to_owned()),
            ..Extra::default()
        };
        assert_eq!(extra, known);
        for empty in [
            "{}",
            "null",
            r#"{"html": null, "text": null, "template_name": null, "from_email": null, "cc": null, "bcc": null,
                "reply_to": null, "headers": null, "attachments": null}"#,
        ] {
            assert_eq!(read(empty).unwrap(), Extra::default(), "{empty}");
        }
    }

    #[test]
    fn names_what_it_cannot_read() {
        for (wrong, named) in [
            ("", "`extra`"),
            ("[1]", "`extra`"),
            ("7", "`extra`"),
            (r#"{"html": "yes"}"#, "`extra.html`"),
            (r#"{"text": 7}"#, "`extra.text`"),
            (r#"{"template_name": ["a.html"]}"#, "`extra.template_name`"),
            (r#"{"from_email": ["ada@example.org"]}"#, "`extra.from_email`"),
            (r#"{"cc": 7}"#, "`extra.cc`"),
            (r#"{"bcc": [7]}"#, "`extra.bcc`"),
            (r#"{"reply_to": {}}"#, "`extra.reply_to`"),
            (r#"{"headers": ["X-A: b"]}"#, "`extra.headers`"),
            (r#"{"headers": {"X-A": 7}}"#, "`extra.headers`"),
            (r#"{"attachments": {}}"#, "`extra.attachments`"),
        ] {
            let failure = read(wrong).unwrap_err();
            assert_eq!(failure.code, "invalid_extra", "{wrong}");
            assert!(failure.message.starts_with(&format!("{named} must be ")), "{wrong}: {}", failure.message);
        }
    }

    #[test]
    fn counts_all_recipients_together() {
        let addresses = |count| vec!["ada@example.org"; count];
        let with = |cc, bcc| {
            Extra::read(&Map::from_iter([
                ("cc".to_owned(), addresses(cc).into()),
                ("bcc".to_owned(), addresses(bcc).into()),
            ]))
        };
        for (cc, bcc) in [(49, 0), (0, 49), (24, 25)] {
            assert!(with(cc, bcc).is_ok(), "{cc} {bcc}");
        }
        for (cc, bcc) in [(50, 0), (0, 50), (25, 25)] {
            assert_eq!(with(cc, bcc).unwrap_err().code, "too_many_recipients", "{cc} {bcc}");
        }
    }

    #[test]
    fn tells_html_by_its_beginning() {
        let nothing_said = Extra::default();
        for html in [
            "<!DOCTYPE html><p>",
            "\u{feff} \n<HTML lang=de>",
            "<html>",
            "<!doctype html\n>",
            "<p>Hello</p>",
            "<!-- a --> <!-- b -->\n<P class=x>",
            "<br/>",
        ] {
            assert!(nothing_said.is_html(html), "{html}");
        }
        for text in [
            "",
            "Hello",
            "<ada@example.org> wrote",
            "<3 tea",
            "<p",
            "<!-- a",
            "<htmlish> tags",
            "<html",
            "a <html>",
            "<!doctypes",
        ] {
            assert!(!nothing_said.is_html(text), "{text}");
        }
    }

    #[test]
    fn believes_what_is_said_about_html() {
        assert!(Extra { html: Some(true), ..Extra::default() }.is_html("Hello"));
        assert!(!Extra { html: Some(false), ..Extra::default() }.is_html("<html>"));
    }
}
