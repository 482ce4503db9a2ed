//! Which requests become mails. Title, body and extra are stored as they were given; what could not be sent is refused
//! here.

use guest_sdk::{CreationRequest, Failure};

use crate::extra::Extra;

/// As many characters as a notification's title has room for.
const LONGEST_TITLE: usize = 100;

/// Whether a mail can be made of the request, for all of its records alike.
pub fn check(request: &CreationRequest) -> Result<(), Failure> {
    let extra = Extra::parse(&request.extra)?;
    if extra.template_name.is_some() {
        return Err(Failure::new(
            "templates_not_supported",
            "`extra.template_name` is given, but this version of the Email target has no templates: render the text yourself and pass it as `body`.",
        ));
    }
    if request.title.trim().is_empty() {
        return Err(Failure::new("no_title", "An e-mail needs a title, which becomes its subject."));
    }
    let length = request.title.chars().count();
    if length > LONGEST_TITLE {
        return Err(Failure::new(
            "title_too_long",
            format!("A title has at most {LONGEST_TITLE} characters, and this one has {length}."),
        ));
    }
    if request.title.contains(char::is_control) {
        return Err(Failure::new(
            "title_not_one_line",
            "A title is one line of text: take out line breaks and other control characters.",
        ));
    }
    if request.body.trim().is_empty() {
        return Err(Failure::new("no_body", "You must specify a `body` value to create an email notification."));
    }
    if extra.text.is_some() && !extra.is_html(&request.body) {
        return Err(Failure::new(
            "text_beside_text",
            "`extra.text` is the plain text beside an HTML body, but this body is plain text itself: leave out one of them, or set `extra.html` to true.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use guest_sdk::{TargetUserRecord, User};

    use super::*;

    fn request(title: &str, body: &str, extra: &str) -> CreationRequest {
        CreationRequest {
            user: User {
                id: "u1".into(),
                username: "ada".into(),
                email: String::new(),
                first_name: String::new(),
                last_name: String::new(),
                time_zone: String::new(),
                locale: String::new(),
                attributes: "{}".into(),
            },
            target_user_records: vec![TargetUserRecord {
                id: "r1".into(),
                target_user_id: "ada@example.org".into(),
                description: String::new(),
            }],
            title: title.into(),
            body: body.into(),
            extra: extra.into(),
            scheduled_delivery: 0,
            expires_at: None,
            retry_time_interval: 1440,
            max_retries: 3,
        }
    }

    #[test]
    fn takes_what_can_be_sent() {
        let longest = "ü".repeat(LONGEST_TITLE);
        for (title, body, extra) in [
            ("Tea", "The tea is ready.", "{}"),
            (&longest, "x", "{}"),
            ("Tea", "<html>Tea</html>", r#"{"text": "Tea"}"#),
            ("Tea", "<b>Tea</b>", r#"{"html": true, "text": "Tea"}"#),
            ("Tea", "x", r#"{"template_name": null, "campaign": 7}"#),
        ] {
            assert_eq!(check(&request(title, body, extra)), Ok(()), "{title} {body} {extra}");
        }
    }

    #[test]
    fn refuses_what_cannot() {
        let too_long = "x".repeat(LONGEST_TITLE + 1);
        for (title, body, extra, code) in [
            ("", "x", "{}", "no_title"),
            (" ", "x", "{}", "no_title"),
            (&too_long, "x", "{}", "title_too_long"),
            ("Tea\r\nBcc: eve@example.org", "x", "{}", "title_not_one_line"),
            ("Tea", "", "{}", "no_body"),
            ("Tea", " \n", "{}", "no_body"),
            ("Tea", "", r#"{"template_name": "tea.html"}"#, "templates_not_supported"),
            ("Tea", "x", r#"{"template_name": "tea.html"}"#, "templates_not_supported"),
            ("Tea", "x", r#"{"text": "y"}"#, "text_beside_text"),
            ("Tea", "x", r#"{"html": "yes"}"#, "invalid_extra"),
        ] {
            assert_eq!(check(&request(title, body, extra)).unwrap_err().code, code, "{title:?} {body:?} {extra}");
        }
    }
}
