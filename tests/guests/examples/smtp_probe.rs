//! Sends the mail that `extra` describes, for each notification, and reports what came:
//!
//! ```json
//! { "about": "…", "sender": { "name": "N", "address": "a@b" }, "recipients": [{ "address": "c@d" }], "cc": [], "bcc": [],
//!   "reply_to": [], "subject": "…", "text": "…", "html": "…", "headers": [["X-A", "b"]],
//!   "attachments": [{ "name": "n", "content_type": "text/plain", "content_id": "", "content": "…" }], "times": 5, "then": "trap" }
//! ```
//!
//! Without them the recipient is the notification's address, the subject its title and the text its body. `times` sends
//! it more than once, and the last answer is reported; `breaks` makes an HTML part of so many carriage returns; `then` panics after the answer. The report is `{"stage", "code",
//! "enhanced", "text"}`, the same inside `{"refused": …}`, or `{"broken": {"phase", "code", "message"}}`.

use guest_sdk::smtp::{Attachment, Error, Mail, Mailbox, Phase, Reply, Stage};
use guest_sdk::{Notification, Outcome};
use serde_json::{Value, json};
use test_guests::{extra, report, text};

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(probe).collect()
}

#[expect(clippy::panic, reason = "the test asked for it")]
fn probe(notification: &Notification) -> Outcome {
    let wish = extra(notification);
    let mail = mail(notification, &wish);
    let mut found = exchange(&mail);
    for _ in 1..wish["times"].as_u64().unwrap_or(1) {
        found = exchange(&mail);
    }
    if wish["then"] == "trap" {
        panic!("The test wants a panic after the answer.");
    }
    report(&found)
}

fn mail(notification: &Notification, wish: &Value) -> Mail {
    let given = |member: &str, otherwise: &str| wish[member].as_str().unwrap_or(otherwise).to_owned();
    let recipient = Mailbox::new(&notification.target_user_record.target_user_id);
    let mut mail = Mail::new(given("about", &notification.id), recipient, given("subject", &notification.title));
    mail.sender = mailbox(&wish["sender"]);
    if wish["recipients"].is_array() {
        mail.recipients = mailboxes(&wish["recipients"]);
    }
    mail.cc = mailboxes(&wish["cc"]);
    mail.bcc = mailboxes(&wish["bcc"]);
    mail.reply_to = mailboxes(&wish["reply_to"]);
    mail.text = given("text", &notification.body);
    mail.html = given("html", "");
    if let Some(breaks) = wish["breaks"].as_u64().and_then(|breaks| usize::try_from(breaks).ok()) {
        mail.html = "\r".repeat(breaks);
    }
    mail.headers = wish["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|h| (h[0].as_str().unwrap_or_default().to_owned(), h[1].as_str().unwrap_or_default().to_owned()))
        .collect();
    mail.attachments = wish["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|attachment| Attachment {
            name: text(attachment, "name"),
            content_type: text(attachment, "content_type"),
            content_id: text(attachment, "content_id"),
            content: text(attachment, "content").into_bytes(),
        })
        .collect();
    mail
}

fn mailbox(of: &Value) -> Mailbox {
    Mailbox { name: text(of, "name"), address: text(of, "address") }
}

fn mailboxes(of: &Value) -> Vec<Mailbox> {
    of.as_array().into_iter().flatten().map(mailbox).collect()
}

fn exchange(mail: &Mail) -> Value {
    match mail.send() {
        Ok(taken) => reply(&taken),
        Err(Error::Refused(refused)) => json!({ "refused": reply(&refused) }),
        Err(Error::Broken(broken)) => json!({
            "broken": { "phase": phase(broken.phase), "code": broken.code, "message": broken.message },
        }),
    }
}

fn reply(reply: &Reply) -> Value {
    let stage = match reply.stage {
        Stage::Greeting => "greeting",
        Stage::Hello => "hello",
        Stage::Authentication => "authentication",
        Stage::Sender => "sender",
        Stage::Recipient => "recipient",
        Stage::Data => "data",
        Stage::Content => "content",
    };
    json!({ "stage": stage, "code": reply.code, "enhanced": reply.enhanced, "text": reply.text })
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Invalid => "invalid",
        Phase::Denied => "denied",
        Phase::Resolve => "resolve",
        Phase::Connect => "connect",
        Phase::Tls => "tls",
        Phase::Write => "write",
        Phase::Wait => "wait",
        Phase::Read => "read",
    }
}

test_guests::guest!(test_guests::manifest("SMTP probe").smtp().largest_batch(100), send);
