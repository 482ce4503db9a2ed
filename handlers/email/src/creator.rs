//! Which requests become mails, and what is stored for them: a body that is ready to be sent, given or rendered from a
//! template, and `extra` as it was given. What could not be sent is refused here.

use std::path::Path;

use guest_sdk::{CreationRequest, Draft, Failure};

use crate::extra::{self, Extra};
use crate::template::{self, Rendered};

/// As many characters as a notification's title has room for.
const LONGEST_TITLE: usize = 100;

/// The most bytes that title, body and `extra` (written as JSON) have together: what a creator may answer for each
/// record (`wit/notification.wit`). Beyond it the engine would blame this component instead of the request. It is less
/// than the 5 MiB that a mail may have, and attachments are in `extra`, in Base64.
pub const LARGEST: usize = 256 * 1024;

/// The drafts for a request, one for each of its records. Templates are read from `templates`; a body that is not empty
/// wins over one, and then nothing of what was meant for it is looked at. The title is never a template.
pub fn drafts(mut request: CreationRequest, templates: &Path) -> Result<Vec<Draft>, Failure> {
    let mut object = extra::object(&request.extra)?;
    let mut extra = Extra::read(&object)?;
    extra::check_keys(&object, extra.template_name.is_some())?;
    check_title(&request.title)?;
    if request.body.trim().is_empty() {
        let Some(name) = extra.template_name.as_deref() else {
            return Err(Failure::new(
                "no_body",
                "You must specify a `body` value or include `template_name` in `extra` to create an email notification.",
            ));
        };
        let variables = template::variables(&request.title, &request.user, &object)?;
        let Rendered { body, html, text } = template::render(templates, name, &variables, extra.text.is_none())?;
        if extra.html.is_some_and(|said| said != html) {
            return Err(Failure::new(
                "html_differs",
                format!("`extra.html` is {}, and the template {name} says otherwise: leave `html` out.", !html),
            ));
        }
        request.body = body;
        extra.html = Some(html);
        // The handler sees neither the template nor its name's ending.
        object.insert("html".to_owned(), html.into());
        if let Some(text) = text {
            object.insert("text".to_owned(), text.into());
        }
        request.extra = serde_json::Value::Object(object).to_string();
    }
    check_parts(&request.body, &extra)?;
    check_size(&request)?;
    Ok(Draft::for_each_record(request))
}

fn check_title(title: &str) -> Result<(), Failure> {
    if title.trim().is_empty() {
        return Err(Failure::new("no_title", "An e-mail needs a title, which becomes its subject."));
    }
    let length = title.chars().count();
    if length > LONGEST_TITLE {
        return Err(Failure::new(
            "title_too_long",
            format!("A title has at most {LONGEST_TITLE} characters, and this one has {length}."),
        ));
    }
    if title.contains(char::is_control) {
        return Err(Failure::new(
            "title_not_one_line",
            "A title is one line of text: take out line breaks and other control characters.",
        ));
    }
    Ok(())
}

/// What only an HTML body can have beside it.
fn check_parts(body: &str, extra: &Extra) -> Result<(), Failure> {
    if extra.is_html(body) {
        return Ok(());
    }
    if extra.text.is_some() {
        return Err(Failure::new(
            "text_beside_text",
            "`extra.text` is the plain text beside an HTML body, but this body is plain text itself: leave out one of them, or set `extra.html` to true.",
        ));
    }
    if extra.attachments.iter().any(|attachment| !attachment.content_id.is_empty()) {
        return Err(Failure::new(
            "content_id_beside_text",
            "An attachment with a `content_id` is shown inside an HTML body, but this body is plain text: leave out the `content_id`, or set `extra.html` to true.",
        ));
    }
    Ok(())
}

fn check_size(request: &CreationRequest) -> Result<(), Failure> {
    let size = request.title.len() + request.body.len() + request.extra.len();
    if size > LARGEST {
        return Err(Failure::new(
            "mail_too_large",
            format!(
                "Title, body and `extra` have {size} bytes together, and {LARGEST} is the most: send a link instead of a file."
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use guest_sdk::samples;
    use serde_json::{Value, json};

    use super::*;

    /// What came of a request, with a folder of templates for it.
    fn created(title: &str, body: &str, extra: &str) -> Result<Vec<Draft>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        for (name, source) in [
            ("tea.html", "<p>{{ name }}</p>"),
            ("tea.txt", "{{ name }}"),
            ("cake.html", "<p>{{ name }}</p>"),
            ("page.txt", "<html>{{ name }}"),
            ("long.txt", "{{ 'x' * 262100 }}"),
        ] {
            std::fs::write(folder.path().join(name), source).unwrap();
        }
        drafts(samples::request(&["ada@example.org"], title, body, extra), folder.path())
    }

    #[test]
    fn takes_what_can_be_sent_and_stores_it_as_it_is() {
        let longest = "ü".repeat(LONGEST_TITLE);
        for (title, body, extra) in [
            ("Tea", "The tea is ready.", "{}"),
            (&longest, "x", "{}"),
            ("Tea", "<html>Tea</html>", r#"{"text": "Tea"}"#),
            ("Tea", "<b>Tea</b>", r#"{"html": true, "text": "Tea"}"#),
            ("{{ name }}", "{{ name }}", r#"{"template_name": null, "cc": ["ada@example.org"]}"#),
            // The body wins, and what was meant for the template is not looked at.
            ("Tea", "x", r#"{"template_name": "../gone.md", "user": "Ada", "name": "Ada"}"#),
        ] {
            let draft = Draft {
                target_user_record_id: "r1".into(),
                title: title.into(),
                body: body.into(),
                extra: extra.into(),
                not_before: None,
            };
            assert_eq!(created(title, body, extra), Ok(vec![draft]), "{title} {body} {extra}");
        }
    }

    #[test]
    fn a_template_makes_body_kind_and_text() {
        for (body, extra, made, kept) in [
            (
                "",
                json!({ "template_name": "tea.html", "name": "<3" }),
                "<p>&lt;3</p>",
                json!({ "html": true, "text": "<3" }),
            ),
            (" \n", json!({ "template_name": "cake.html", "name": "a" }), "<p>a</p>", json!({ "html": true })),
            (
                "",
                json!({ "template_name": "tea.html", "name": "a", "text": "b" }),
                "<p>a</p>",
                json!({ "html": true, "text": "b" }),
            ),
            ("", json!({ "template_name": "page.txt", "name": "a" }), "<html>a", json!({ "html": false })),
            (
                "",
                json!({ "template_name": "tea.txt", "name": "a", "html": false, "cc": [] }),
                "a",
                json!({ "html": false }),
            ),
        ] {
            let [draft] = created("{{ name }}", body, &extra.to_string()).unwrap().try_into().unwrap();
            assert_eq!((draft.title.as_str(), draft.body.as_str()), ("{{ name }}", made), "{extra}");
            let stored: Value = serde_json::from_str(&draft.extra).unwrap();
            let mut expected = extra.clone();
            expected.as_object_mut().unwrap().extend(kept.as_object().unwrap().clone());
            assert_eq!(stored, expected, "{extra}");
        }
    }

    #[test]
    fn refuses_what_cannot() {
        let too_long = "x".repeat(LONGEST_TITLE + 1);
        let logo = r#"{"attachments": [{"name": "a", "content_type": "image/png", "content": "", "content_id": "a"}]}"#;
        for (title, body, extra, code) in [
            ("", "x", "{}", "no_title"),
            (" ", "x", "{}", "no_title"),
            (&too_long, "x", "{}", "title_too_long"),
            ("Tea\r\nBcc: eve@example.org", "x", "{}", "title_not_one_line"),
            ("Tea", "", "{}", "no_body"),
            ("Tea", " \n", r#"{"template_name": null}"#, "no_body"),
            ("Tea", "x", r#"{"text": "y"}"#, "text_beside_text"),
            ("Tea", "x", logo, "content_id_beside_text"),
            ("Tea", "x", r#"{"html": "yes"}"#, "invalid_extra"),
            ("Tea", "x", r#"{"campaign": 7}"#, "unknown_key"),
            ("Tea", "", r#"{"templat_name": "tea.html", "name": "a"}"#, "unknown_key"),
            ("Tea", "x", r#"{"cc": "ada"}"#, "not_an_address"),
            ("Tea", "x", r#"{"from_email": "A\u0007 <ada@example.org>"}"#, "invalid_name"),
            ("Tea", "x", r#"{"headers": {"From": "eve@example.org"}}"#, "invalid_header"),
            ("Tea", "", r#"{"template_name": "gone.html"}"#, "template_not_found"),
            ("Tea", "", r#"{"template_name": "../tea.html"}"#, "invalid_template_name"),
            ("Tea", "", r#"{"template_name": ""}"#, "invalid_template_name"),
            ("Tea", "", r#"{"template_name": "tea.html"}"#, "template_error"),
            ("Tea", "", r#"{"template_name": "tea.html", "user": "a"}"#, "reserved_variable"),
            ("Tea", "", r#"{"template_name": "tea.html", "name": "a", "html": false}"#, "html_differs"),
            ("Tea", "", r#"{"template_name": "tea.txt", "name": "a", "html": true}"#, "html_differs"),
            ("Tea", "", r#"{"template_name": "tea.txt", "name": "a", "text": "b"}"#, "text_beside_text"),
            ("Tea", "", r#"{"template_name": "long.txt", "name": "a"}"#, "mail_too_large"),
        ] {
            assert_eq!(created(title, body, extra).unwrap_err().code, code, "{title:?} {body:?} {extra}");
        }
    }

    #[test]
    fn everything_counts_towards_the_size() {
        let (title, extra) = ("Tea", r#"{"html":true}"#);
        let room = LARGEST - title.len() - extra.len();
        assert!(created(title, &"x".repeat(room), extra).is_ok());
        assert_eq!(created(title, &"x".repeat(room + 1), extra).unwrap_err().code, "mail_too_large");
    }
}
