//! Gives the doors more of everything than they ask for, `extra.count` of each, and reports what they said:
//!
//! - `"about"`, `"headers"`, `"credentials"`: in one HTTP request; `"host"` and `"path"`: letters of its URL;
//! - `"recipients"`, `"reply_to"`, `"attachments"`, `"further"` (headers): in one mail; `"subject"`: letters of it.

use guest_sdk::http::{Credential, Request};
use guest_sdk::smtp::{Attachment, Error, Mail, Mailbox};
use guest_sdk::{Manifest, Notification, Outcome, Secret};
use serde_json::{Value, json};
use test_guests::{extra, report, text};

fn manifest() -> Manifest {
    let token = Secret::new("token", "Is asked for, again and again.").optional();
    test_guests::manifest("Crowd").smtp().origin("https://provider.example").declare(token)
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(|notification| report(&crowd(notification))).collect()
}

fn crowd(notification: &Notification) -> Value {
    let wish = extra(notification);
    let count = wish["count"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
    let url = text(&wish, "url");
    let mut request = Request::new("POST", &url);
    let mut mail = Mail::new("", Mailbox::new("ada@example.org"), "Subject");
    mail.text = "Text.".to_owned();
    match wish["of"].as_str().unwrap_or_default() {
        "about" => request.about = vec![notification.id.clone(); count],
        "headers" => request.headers = vec![("x-a".to_owned(), String::new()); count],
        "credentials" => request.credentials = vec![Credential::Bearer("token".to_owned()); count],
        "host" => request.url = format!("https://{}.example/", "ä".repeat(count)),
        "path" => request.url = format!("{url}/{}", "a".repeat(count)),
        "recipients" => mail.recipients = vec![Mailbox::new("ada@example.org"); count],
        "reply_to" => mail.reply_to = vec![Mailbox::new("ada@example.org"); count],
        "attachments" => {
            let (name, nothing) = ("a".to_owned(), String::new());
            let part = Attachment { name, content_type: nothing.clone(), content_id: nothing, content: Vec::new() };
            mail.attachments = vec![part; count];
        }
        "further" => mail.headers = vec![("X-A".to_owned(), String::new()); count],
        "subject" => mail.subject = "ä".repeat(count),
        _ => return json!({ "mistake": "extra.of is none" }),
    }
    let of_mail = ["recipients", "reply_to", "attachments", "further", "subject"];
    if of_mail.iter().any(|of| wish["of"] == *of) {
        return match mail.send() {
            Ok(_) => json!({ "taken": true }),
            Err(Error::Refused(refused)) => json!({ "code": refused.code }),
            Err(Error::Broken(broken)) => json!({ "code": broken.code }),
        };
    }
    match request.send() {
        Ok(response) => json!({ "status": response.status }),
        Err(error) => json!({ "code": error.code }),
    }
}

test_guests::guest!(manifest(), send);
