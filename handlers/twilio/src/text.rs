//! What the person will read: the body, with the title before it if the application wants that.

use crate::extra::Extra;

/// Twilio's limit for a message's text, in characters.
pub const LONGEST: usize = 1600;

/// The message's text. Empty if a template at Twilio makes it, or if only media are sent.
pub fn composed(title: &str, body: &str, extra: &Extra) -> String {
    if extra.content_sid.is_some() {
        return String::new();
    }
    let title = if extra.include_title == Some(true) { title } else { "" };
    // A line break only between two things.
    let parts: Vec<_> = [title, body].into_iter().filter(|part| !part.trim().is_empty()).collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_stands_before_the_body_if_asked() {
        for (title, body, extra, text) in [
            ("Tea", "It is ready.", "{}", "It is ready."),
            ("Tea", "It is ready.", r#"{"include_title": false}"#, "It is ready."),
            ("Tea", "It is ready.", r#"{"include_title": true}"#, "Tea\nIt is ready."),
            ("", "It is ready.", r#"{"include_title": true}"#, "It is ready."),
            ("Tea", "", r#"{"include_title": true}"#, "Tea"),
            ("Tea", " \n", "{}", ""),
            ("Tea", " two\nlines ", "{}", " two\nlines "),
            (
                "Tea",
                "It is ready.",
                r#"{"include_title": true, "content_sid": "HX0123456789abcdef0123456789abcdef"}"#,
                "",
            ),
        ] {
            assert_eq!(composed(title, body, &Extra::parse(extra).unwrap()), text, "{title} {body} {extra}");
        }
    }
}
