//! How a notification becomes a mail.

use guest_sdk::smtp::{Mail, Mailbox};
use guest_sdk::{Failure, Notification, User};

use crate::alternative;
use crate::extra::{self, AUTO_SUBMITTED, Extra};

/// The mail for a notification: to the record's address under the user's name, from the target's own sender, unless
/// `extra` says another. A plain body is sent as it is, an HTML body with a plain text beside it.
pub fn mail(notification: Notification) -> Result<Mail, Failure> {
    let extra = Extra::read(&extra::object(&notification.extra)?)?;
    let recipient = Mailbox { name: name(&notification.user), address: notification.target_user_record.target_user_id };
    let mut mail = Mail::new(notification.id, recipient, notification.title);
    if extra.is_html(&notification.body) {
        mail.text = extra.text.unwrap_or_else(|| alternative::text(&notification.body));
        mail.html = notification.body;
    } else {
        mail.text = notification.body;
    }
    if let Some(sender) = extra.from_email {
        mail.sender = sender;
    }
    mail.cc = extra.cc;
    mail.bcc = extra.bcc;
    mail.reply_to = extra.reply_to;
    mail.attachments = extra.attachments;
    mail.headers = extra.headers;
    if !mail.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(AUTO_SUBMITTED)) {
        // Keeps out-of-office programs from answering (RFC 3834).
        mail.headers.push((AUTO_SUBMITTED.to_owned(), "auto-generated".to_owned()));
    }
    Ok(mail)
}

/// First and last name, without what cannot stand in a header; empty if neither is known.
fn name(user: &User) -> String {
    let name = format!("{} {}", user.first_name, user.last_name);
    name.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use guest_sdk::samples;

    use super::*;

    fn notification(body: &str, extra: &str) -> Notification {
        let user = User {
            email: "elsewhere@example.org".into(),
            first_name: " Ada\n".into(),
            last_name: "Löwe\u{7f}läss ".into(),
            ..samples::user()
        };
        Notification { user, ..samples::notification("ada@example.org", "Grüße", body, extra) }
    }

    #[test]
    fn a_plain_body_is_sent_as_it_is() {
        let body = "1. Tea\n\n<not a tag> & *not* Markdown";
        let mail = mail(notification(body, "{}")).unwrap();
        assert_eq!((mail.text.as_str(), mail.html.as_str()), (body, ""));
        assert_eq!(mail.about, "n1");
        assert_eq!(mail.subject, "Grüße");
        assert_eq!(mail.recipients, [Mailbox { name: "Ada Löwe läss".into(), address: "ada@example.org".into() }]);
        assert_eq!(mail.sender, Mailbox::new(""));
        assert_eq!(mail.headers, [("Auto-Submitted".to_owned(), "auto-generated".to_owned())]);
    }

    #[test]
    fn an_html_body_gets_a_text_beside_it() {
        let html = "<html><p>Tea &amp; cake</p></html>";
        let made = mail(notification(html, "{}")).unwrap();
        assert_eq!((made.text.as_str(), made.html.as_str()), ("Tea & cake\n", html));
        let given = mail(notification(html, r#"{"text": "Tea and cake"}"#)).unwrap();
        assert_eq!((given.text.as_str(), given.html.as_str()), ("Tea and cake", html));
        let forced = mail(notification("<p>Tea</p>", r#"{"html": true}"#)).unwrap();
        assert_eq!((forced.text.as_str(), forced.html.as_str()), ("Tea\n", "<p>Tea</p>"));
    }

    #[test]
    fn extra_says_who_else_and_what_else() {
        let extra = r#"{
            "from_email": "Tea House <tea@example.org>", "cc": "grace@example.org", "bcc": ["eve@example.org", "bob@example.org"],
            "reply_to": "Desk <desk@example.org>", "headers": {"X-Campaign": "spring", "auto-submitted": "no"},
            "attachments": [{"name": "menu.txt", "content_type": "text/plain", "content": "VGVh"}]
        }"#;
        let mail = mail(notification("x", extra)).unwrap();
        let named = |name: &str, address: &str| Mailbox { name: name.into(), address: address.into() };
        assert_eq!(mail.sender, named("Tea House", "tea@example.org"));
        assert_eq!(mail.recipients.len(), 1);
        assert_eq!(mail.cc, [Mailbox::new("grace@example.org")]);
        assert_eq!(mail.bcc, [Mailbox::new("eve@example.org"), Mailbox::new("bob@example.org")]);
        assert_eq!(mail.reply_to, [named("Desk", "desk@example.org")]);
        let headers = [("X-Campaign", "spring"), ("auto-submitted", "no")];
        assert_eq!(mail.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((mail.attachments.len(), mail.attachments[0].content.as_slice()), (1, &b"Tea"[..]));
    }

    #[test]
    fn needs_no_template_and_ignores_its_variables() {
        let made =
            mail(notification("<html>", r#"{"template_name": "gone.txt", "html": false, "name": "Ada"}"#)).unwrap();
        assert_eq!((made.text.as_str(), made.html.as_str()), ("<html>", ""));
    }

    #[test]
    fn an_unreadable_extra_fails() {
        assert_eq!(mail(notification("x", "7")).unwrap_err().code, "invalid_extra");
    }
}
