//! What an application may pass in `extra`. Members that are not known are kept and ignored: an application may have
//! its own.

use guest_sdk::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

/// The members of `extra` that mean something here.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Extra {
    pub html: Option<bool>,
    pub text: Option<String>,
    pub template_name: Option<Value>,
}

impl Extra {
    /// Reads a JSON object. `null` members count as absent, as does `null` itself.
    pub fn parse(json: &str) -> Result<Self, Failure> {
        serde_json::from_str::<Option<Self>>(json).map(Option::unwrap_or_default).map_err(|error| {
            Failure::new(
                "invalid_extra",
                format!("`extra` must be an object with `html` true or false and `text` a text, where they are given: {error}."),
            )
        })
    }

    /// Whether `body` is HTML: as `html` says, else if it begins as a document does.
    pub fn is_html(&self, body: &str) -> bool {
        self.html.unwrap_or_else(|| {
            let start = body.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            ["<!doctype html", "<html"].iter().any(|opening| {
                start.get(..opening.len()).is_some_and(|found| found.eq_ignore_ascii_case(opening))
                    // So that a text about `<htmlish>` things is not taken for a document.
                    && start[opening.len()..].starts_with(|c: char| c == '>' || c.is_whitespace())
            })
        })
    }
}

/// The JSON Schema of the above. `template_name` is not in it, since the creator has a better answer than a schema's.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "html": {
                "type": ["boolean", "null"],
                "description": "Whether the body is HTML. Absent: it is if it begins with `<!doctype html>` or `<html>`, after white space.",
            },
            "text": {
                "type": ["string", "null"],
                "description": "The plain text that goes beside an HTML body, for programs that do not show HTML. Absent: one is made from the HTML.",
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_knows_and_ignores_the_rest() {
        let extra = Extra::parse(r#"{"html": true, "text": "Hello", "campaign": 7}"#).unwrap();
        assert_eq!(extra, Extra { html: Some(true), text: Some("Hello".to_owned()), template_name: None });
        for empty in ["{}", "null", r#"{"html": null, "text": null, "template_name": null}"#] {
            assert_eq!(Extra::parse(empty).unwrap(), Extra::default(), "{empty}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for wrong in ["", "[1]", "7", r#"{"html": "yes"}"#, r#"{"text": 7}"#] {
            assert_eq!(Extra::parse(wrong).unwrap_err().code, "invalid_extra", "{wrong}");
        }
    }

    #[test]
    fn tells_html_by_its_beginning() {
        let nothing_said = Extra::default();
        for html in ["<!DOCTYPE html><p>", "\u{feff} \n<HTML lang=de>", "<html>", "<!doctype html\n>"] {
            assert!(nothing_said.is_html(html), "{html}");
        }
        for text in ["", "Hello", "<p>Hello</p>", "<htmlish> tags", "<html", "a <html>", "<!doctype htmö"] {
            assert!(!nothing_said.is_html(text), "{text}");
        }
    }

    #[test]
    fn believes_what_is_said_about_html() {
        assert!(Extra { html: Some(true), ..Extra::default() }.is_html("Hello"));
        assert!(!Extra { html: Some(false), ..Extra::default() }.is_html("<html>"));
    }
}
