//! Gives the doors more of everything than they ask for, `extra.count` of each, and reports what they said:
//!
//! - `"about"`, `"headers"`, `"credentials"`: in one HTTP request; `"host"` and `"path"`: letters of its URL; `"method"`; `"id"`: of what it is about; `"name"` and
//!   `"before"`: of a credential's header;
//! - `"recipients"`, `"reply_to"`, `"attachments"`, `"further"` (headers): in one mail; `"subject"`, `"sender"` and `"carried"`: letters of it.

use guest_sdk::http::{Credential, HeaderCredential, Request};
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
        "method" => request.method = "\u{7}".repeat(count),
        "id" => request.about = vec!["\u{7}".repeat(count)],
        "name" => request.credentials = vec![of_header(&"\u{7}".repeat(count), "")],
        "before" => request.credentials = vec![of_header("x-a", &"\u{7}".repeat(count))],
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
        "sender" => mail.sender = Mailbox::new(format!("{}@example.org", "\u{7}".repeat(count))),
        "carried" => mail.about = "\u{7}".repeat(count),
        _ => return json!({ "mistake": "extra.of is none" }),
    }
    let of_mail = ["recipients", "reply_to", "attachments", "further", "subject", "sender", "carried"];
    if of_mail.iter().any(|of| wish["of"] == *of) {
        return match mail.send() {
            Ok(_) => json!({ "taken": true }),
            Err(Error::Refused(refused)) => json!({ "code": refused.code, "letters": refused.text.len() }),
            Err(Error::Broken(broken)) => json!({ "code": broken.code, "letters": broken.message.len() }),
        };
    }
    match request.send() {
        Ok(response) => json!({ "status": response.status }),
        Err(error) => json!({ "code": error.code, "letters": error.message.len() }),
    }
}

fn of_header(name: &str, before: &str) -> Credential {
    let (name, before) = (name.to_owned(), before.to_owned());
    Credential::Header(HeaderCredential { name, before, secret: "token".to_owned() })
}

test_guests::guest!(manifest(), send);
