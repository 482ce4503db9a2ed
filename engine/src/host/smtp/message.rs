//! A component's mail becomes the bytes that are sent: checked against the rules of `wit/smtp.wit`, built by lettre.

use crate::host::bindings::smtp::{self, Mail, Mailbox};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body as Encoded, MultiPart, SinglePart};
use lettre::{Address, Message};

const MOST_RECIPIENTS: usize = 50;
const MOST_HEADERS: usize = 32;
const MOST_ATTACHMENTS: usize = 50;
/// All that becomes part of a header, together; the library would take long to fold and encode what is much longer.
const MOST_HEADER_BYTES: usize = 64 * 1024;
const LARGEST: usize = 5 * 1024 * 1024;
/// How many bytes fit into one encoded word of 75 characters.
const MOST_IN_A_WORD: usize = 45;
/// Without its end.
const LONGEST_LINE: usize = 998;

/// A mail that is ready to be sent.
#[derive(Debug)]
pub struct Ready {
    pub envelope: Envelope,
    pub bytes: Vec<u8>,
}

/// Builds the message; an error is a sentence for the component's author.
///
/// The Message-ID follows from the notification, so that all attempts of one are the same mail to its receivers (RFC 1047).
pub fn build(
    mail: &Mail,
    sender: &lettre::message::Mailbox,
    notification: &str,
    now: Timestamp,
) -> Result<Ready, String> {
    if mail.text.is_empty() && mail.html.is_empty() {
        return Err("The mail has neither text nor HTML.".to_owned());
    }
    if mail.subject.chars().any(char::is_control) {
        return Err("The subject holds a control character.".to_owned());
    }

    let date = std::time::SystemTime::from(now);
    let mut builder = Message::builder()
        .from(sender.clone())
        .raw_header(subject(&mail.subject))
        .date(date)
        .message_id(Some(format!("<{notification}@{}>", sender.email.domain())));
    // lettre would read them in the headers, and find none where one of them has a quoted name or an address literal.
    let mut receivers = Vec::new();
    for mailbox in &mail.recipients {
        let mailbox = mailbox_of(mailbox)?;
        receivers.push(mailbox.email.clone());
        builder = builder.to(mailbox);
    }
    for mailbox in &mail.cc {
        let mailbox = mailbox_of(mailbox)?;
        receivers.push(mailbox.email.clone());
        builder = builder.cc(mailbox);
    }
    for mailbox in &mail.bcc {
        receivers.push(mailbox_of(mailbox)?.email);
    }
    let cannot = |e: lettre::error::Error| format!("The mail cannot be built: {e}.");
    let envelope = Envelope::new(Some(sender.email.clone()), receivers).map_err(cannot)?;
    builder = builder.envelope(envelope.clone());
    for mailbox in &mail.reply_to {
        builder = builder.reply_to(mailbox_of(mailbox)?);
    }
    for (name, value) in &mail.headers {
        builder = builder.raw_header(header(name, value)?);
    }

    let built = match body(mail)? {
        Body::Single(part) => builder.singlepart(part),
        Body::Multi(parts) => builder.multipart(parts),
    };
    let bytes = built.map_err(cannot)?.formatted();
    check_lines(&bytes)?;
    Ok(Ready { envelope, bytes })
}

/// Each line ends as SMTP has it, so that no relay takes something within a mail for its end; and none is too long (RFC 5321, 4.5.3.1.6).
fn check_lines(bytes: &[u8]) -> Result<(), String> {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let inner = line.strip_suffix(b"\r\n").unwrap_or(line);
        if inner.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            return Err("The mail holds a line that does not end as lines of mails do.".to_owned());
        }
        if inner.len() > LONGEST_LINE {
            return Err(format!("A word of a header, or a line, has more than {LONGEST_LINE} bytes: break it."));
        }
    }
    Ok(())
}

/// A subject is what it is: one that looks like an encoded word would be decoded by its readers, and is encoded once more (RFC 2047).
fn subject(text: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Subject");
    if !(text.is_ascii() && text.contains("=?")) {
        return HeaderValue::new(name, text.to_owned());
    }
    let words = text.as_bytes().chunks(MOST_IN_A_WORD).map(|part| format!("=?utf-8?b?{}?=", STANDARD.encode(part)));
    HeaderValue::dangerous_new_pre_encoded(name, text.to_owned(), words.collect::<Vec<_>>().join("\r\n "))
}

/// Refuses what is too much before anything is made of it.
pub fn check_amount(mail: &Mail) -> Result<(), String> {
    let all = || mail.recipients.iter().chain(&mail.cc).chain(&mail.bcc);
    if mail.recipients.is_empty() {
        return Err("The mail has no recipient.".to_owned());
    }
    for (count, what, most) in [
        (all().count(), "recipients", MOST_RECIPIENTS),
        (mail.reply_to.len(), "addresses for replies", MOST_RECIPIENTS),
        (mail.headers.len(), "further headers", MOST_HEADERS),
        (mail.attachments.len(), "attachments", MOST_ATTACHMENTS),
    ] {
        if count > most {
            return Err(format!("The mail has {count} {what}, and {most} is the most."));
        }
    }
    let size = mail.text.len() + mail.html.len() + mail.attachments.iter().map(|a| a.content.len()).sum::<usize>();
    if size > LARGEST {
        return Err(format!("The mail has {size} bytes, and {LARGEST} is the most."));
    }
    let names =
        all().chain(&mail.reply_to).chain([&mail.sender]).map(|m| m.name.len() + m.address.len()).sum::<usize>();
    let headers = mail.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    let parts =
        mail.attachments.iter().map(|a| a.name.len() + a.content_type.len() + a.content_id.len()).sum::<usize>();
    let bytes = mail.subject.len() + names + headers + parts;
    if bytes > MOST_HEADER_BYTES {
        return Err(format!(
            "The mail's subject, addresses, headers and names of parts have {bytes} bytes, and {MOST_HEADER_BYTES} is the most."
        ));
    }
    Ok(())
}

/// A mailbox as lettre has it; the domain in other scripts is converted.
pub fn mailbox_of(mailbox: &Mailbox) -> Result<lettre::message::Mailbox, String> {
    let shown = mailbox.address.escape_debug();
    if mailbox.name.chars().any(char::is_control) {
        return Err(format!("The name of {shown} holds a control character."));
    }
    let (user, domain) = mailbox
        .address
        .rsplit_once('@')
        .ok_or_else(|| format!("\"{shown}\" is not an e-mail address: it has no @."))?;
    let domain = match url::Host::parse(domain) {
        Ok(url::Host::Domain(ascii)) => ascii,
        // Address literals such as [192.0.2.1], which lettre checks.
        Ok(_) => domain.to_owned(),
        Err(_) if domain.starts_with('[') => domain.to_owned(),
        Err(e) => return Err(format!("\"{shown}\" is not an e-mail address: {e}.")),
    };
    let address = Address::new(user, domain).map_err(|e| format!("\"{shown}\" is not an e-mail address: {e}."))?;
    let name = (!mailbox.name.is_empty()).then(|| mailbox.name.clone());
    Ok(lettre::message::Mailbox::new(name, address))
}

/// A text whose lines end alike. A lone carriage return would be left as it is, and some servers take one for the end of a line: a dot
/// between two of them could end the mail for one and not for the next, and what follows would be commands. They end as in a mail: lettre would put each
/// carriage return in by itself, and move all that is behind it.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

enum Body {
    Single(SinglePart),
    Multi(MultiPart),
}

fn body(mail: &Mail) -> Result<Body, String> {
    let (inline, attached): (Vec<_>, Vec<_>) = mail.attachments.iter().partition(|a| !a.content_id.is_empty());
    let html = || -> Result<Body, String> {
        let html = SinglePart::html(lines(&mail.html));
        if inline.is_empty() {
            return Ok(Body::Single(html));
        }
        let mut related = MultiPart::related().singlepart(html);
        for part in &inline {
            if part.content_id.chars().any(|c| c.is_control() || c.is_whitespace() || "<>".contains(c)) {
                return Err(format!(
                    "The content id \"{}\" holds a character that it may not.",
                    part.content_id.escape_debug()
                ));
            }
            related = related.singlepart(
                Attachment::new_inline_with_name(part.content_id.clone(), file_name(&part.name)?)
                    .body(attached_body(part)?, content_type(&part.content_type)?),
            );
        }
        Ok(Body::Multi(related))
    };
    let text = if mail.html.is_empty() {
        if !inline.is_empty() {
            return Err("An attachment has a content id, but the mail has no HTML that could show it.".to_owned());
        }
        Body::Single(SinglePart::plain(lines(&mail.text)))
    } else if mail.text.is_empty() {
        html()?
    } else {
        let both = MultiPart::alternative().singlepart(SinglePart::plain(lines(&mail.text)));
        Body::Multi(match html()? {
            Body::Single(part) => both.singlepart(part),
            Body::Multi(parts) => both.multipart(parts),
        })
    };
    if attached.is_empty() {
        return Ok(text);
    }
    let mixed = MultiPart::mixed();
    let mut mixed = match text {
        Body::Single(part) => mixed.singlepart(part),
        Body::Multi(parts) => mixed.multipart(parts),
    };
    for part in attached {
        mixed = mixed.singlepart(
            Attachment::new(file_name(&part.name)?).body(attached_body(part)?, content_type(&part.content_type)?),
        );
    }
    Ok(Body::Multi(mixed))
}

/// As Base64, whatever it is: lettre would leave text as it is, with all its line ends.
fn attached_body(part: &smtp::Attachment) -> Result<Encoded, String> {
    Encoded::new_with_encoding(part.content.clone(), ContentTransferEncoding::Base64)
        .map_err(|_| format!("The attachment {} cannot be encoded.", part.name.escape_debug()))
}

fn file_name(name: &str) -> Result<String, String> {
    if name.is_empty() || name.contains("=?") || name.chars().any(|c| c.is_control() || c == '/' || c == '\\') {
        return Err(format!("\"{}\" is not a file name for an attachment.", name.escape_debug()));
    }
    Ok(name.to_owned())
}

fn content_type(text: &str) -> Result<ContentType, String> {
    let text = if text.is_empty() { "application/octet-stream" } else { text };
    if text.chars().any(char::is_control) {
        return Err(format!("\"{}\" is not a content type.", text.escape_debug()));
    }
    ContentType::parse(text).map_err(|_| format!("\"{text}\" is not a content type."))
}

/// Headers that the engine writes itself, or that belong to relays.
const OURS: [&str; 13] = [
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "received",
    "return-path",
    "dkim-signature",
];
const OUR_BEGINNINGS: [&str; 5] = ["content-", "arc-", "authentication-", "resent-", "received-"];

fn header(name: &str, value: &str) -> Result<HeaderValue, String> {
    let lower = name.to_ascii_lowercase();
    let shown = name.escape_debug();
    if OURS.contains(&lower.as_str()) || OUR_BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning)) {
        return Err(format!("The header {shown} is not the component's to write: leave it out."));
    }
    let token = |c: char| c.is_ascii_graphic() && c != ':';
    if name.is_empty() || name.len() > 76 || !name.chars().all(token) {
        return Err(format!("\"{shown}\" is not the name of a header."));
    }
    if value.chars().any(char::is_control) {
        return Err(format!("The header {shown} holds a control character."));
    }
    let name =
        HeaderName::new_from_ascii(name.to_owned()).map_err(|_| format!("\"{shown}\" is not the name of a header."))?;
    Ok(HeaderValue::new(name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(name: &str, address: &str) -> Mailbox {
        Mailbox { name: name.into(), address: address.into() }
    }

    fn mail() -> Mail {
        Mail {
            about: String::new(),
            sender: mailbox("", ""),
            recipients: vec![mailbox("Zoë Ünïcode", "zoe@bücher.example")],
            cc: vec![],
            bcc: vec![],
            reply_to: vec![],
            subject: "Grüße aus der Küche, und zwar sehr lange, damit die Zeile gefaltet werden muss: 🕊".into(),
            text: "Hällo".into(),
            html: "<p>Hällo</p>".into(),
            attachments: vec![],
            headers: vec![("X-Pigeon".into(), "grau, täglich".into())],
        }
    }

    fn built(mail: &Mail) -> Result<(Ready, String), String> {
        let sender: lettre::message::Mailbox = "\"The Engine\" <engine@example.org>".parse().unwrap();
        check_amount(mail)?;
        let ready = build(mail, &sender, "0190-id", Timestamp::UNIX_EPOCH)?;
        let text = String::from_utf8(ready.bytes.clone()).unwrap();
        Ok((ready, text))
    }

    /// lettre puts a carriage return before each lone line feed and moves what is behind it: five minutes for these.
    #[test]
    fn five_mib_of_line_breaks_are_a_mail_at_once() {
        let began = std::time::Instant::now();
        for breaks in ["\r", "\n"] {
            built(&Mail { text: breaks.repeat(LARGEST - 100), ..mail() }).unwrap();
            let attachment = smtp::Attachment {
                name: "breaks.txt".into(),
                content_type: "text/plain".into(),
                content_id: String::new(),
                content: breaks.repeat(LARGEST - 100).into_bytes(),
            };
            built(&Mail { attachments: vec![attachment], ..mail() }).unwrap();
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    }

    #[test]
    fn a_mail_is_valid_mime_in_ascii() {
        let (ready, text) = built(&mail()).unwrap();
        assert!(text.is_ascii());
        assert_eq!(ready.envelope.to()[0].to_string(), "zoe@xn--bcher-kva.example");
        let parsed = mail_parser::MessageParser::default().parse(&ready.bytes).unwrap();
        assert_eq!(parsed.subject().unwrap(), mail().subject);
        assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some("Zoë Ünïcode"));
        assert_eq!(parsed.body_text(0).unwrap().trim(), "Hällo");
        assert_eq!(parsed.body_html(0).unwrap().trim(), "<p>Hällo</p>");
        assert_eq!(parsed.message_id(), Some("0190-id@example.org"));
        assert_eq!(parsed.date().unwrap().to_timestamp(), 0);
        assert!(text.contains("multipart/alternative"));
        assert!(text.lines().all(|line| line.len() <= 998));
    }

    #[test]
    fn attachments_inline_and_not() {
        let attachment = |id: &str| smtp::Attachment {
            name: "täube.png".into(),
            content_type: "image/png".into(),
            content_id: id.into(),
            content: vec![0, 255, 10],
        };
        let (ready, text) = built(&Mail { attachments: vec![attachment("dove"), attachment("")], ..mail() }).unwrap();
        assert!(text.contains("Content-ID: <dove>"), "{text}");
        let parsed = mail_parser::MessageParser::default().parse(&ready.bytes).unwrap();
        assert_eq!(parsed.attachments().filter(|a| a.contents() == [0, 255, 10]).count(), 2, "{text}");
    }

    #[test]
    fn bcc_is_in_the_envelope_and_not_in_the_mail() {
        let (ready, text) = built(&Mail { bcc: vec![mailbox("", "secret@example.org")], ..mail() }).unwrap();
        assert_eq!(ready.envelope.to().len(), 2);
        assert!(!text.contains("secret@example.org"), "{text}");
    }

    #[test]
    fn a_subject_is_no_encoded_word() {
        let looks_like_one =
            "Look: =?utf-8?q?=0D=0AX-Evil:_1?= and then very much more, so that it takes more than one of these words";
        let (ready, text) = built(&Mail { subject: looks_like_one.into(), ..mail() }).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&ready.bytes).unwrap();
        assert_eq!(parsed.subject().unwrap(), looks_like_one, "{text}");
    }

    /// Also those of which the header says that they are none: lettre would leave out all of them.
    #[test]
    fn all_receivers_are_in_the_envelope() {
        let odd = ["\"ada b\"@example.org", "a@[127.0.0.1]", "\"x\\\"y\"@example.org"];
        let odd = || odd.iter().map(|address| mailbox("", address)).collect::<Vec<_>>();
        for (recipients, cc, bcc) in [(odd(), vec![], vec![]), (mail().recipients, odd(), odd())] {
            let asked = recipients.len() + cc.len() + bcc.len();
            let (ready, text) = built(&Mail { recipients, cc, bcc, ..mail() }).unwrap();
            assert_eq!(ready.envelope.to().len(), asked, "{text}");
        }
    }

    /// A line feed alone in it ends a line for some relays: a dot between two the mail.
    #[test]
    fn text_is_attached_as_base64() {
        let attachment = smtp::Attachment {
            name: "text.txt".into(),
            content_type: "text/plain".into(),
            content_id: String::new(),
            content: b"one\n.\ntwo\r.\r".to_vec(),
        };
        let (ready, text) = built(&Mail { attachments: vec![attachment], ..mail() }).unwrap();
        assert!(!text.contains("\n.\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
        let parsed = mail_parser::MessageParser::default().parse(&ready.bytes).unwrap();
        assert_eq!(parsed.attachment(0).unwrap().contents(), b"one\n.\ntwo\r.\r", "{text}");
    }

    #[test]
    fn nothing_is_smuggled() {
        let refused = [
            (Mail { subject: "a\r\nBcc: x@y.example".into(), ..mail() }, "The subject holds"),
            (Mail { recipients: vec![mailbox("a\nb", "a@example.org")], ..mail() }, "The name of"),
            (
                Mail { recipients: vec![mailbox("", "a@example.org>\r\nRCPT TO:<b@example.org")], ..mail() },
                "not an e-mail address",
            ),
            (Mail { recipients: vec![mailbox("", "nobody")], ..mail() }, "not an e-mail address"),
            (Mail { recipients: vec![mailbox("", "a@ex%0d%0aample.org")], ..mail() }, "not an e-mail address"),
            (Mail { subject: "x".repeat(1200), ..mail() }, "more than 998 bytes"),
            (Mail { recipients: vec![], ..mail() }, "no recipient"),
            (Mail { recipients: vec![mailbox("", "a@example.org"); 51], ..mail() }, "50 is the most"),
            (Mail { text: String::new(), html: String::new(), ..mail() }, "neither text nor HTML"),
            (Mail { headers: vec![("X-A".into(), "b\r\nBcc: c".into())], ..mail() }, "control character"),
            (Mail { headers: vec![("X-A: b\r\nBcc".into(), "c".into())], ..mail() }, "not the name of a header"),
            (Mail { headers: vec![("bCC".into(), "c@example.org".into())], ..mail() }, "not the component's"),
            (Mail { headers: vec![("Content-Type".into(), "text/evil".into())], ..mail() }, "not the component's"),
            (Mail { headers: vec![("X-A".into(), "b".into()); 33], ..mail() }, "32 is the most"),
            (Mail { text: "x".repeat(LARGEST + 1), ..mail() }, "is the most"),
            (Mail { sender: mailbox(&"x".repeat(MOST_HEADER_BYTES), "a@example.org"), ..mail() }, "is the most"),
        ];
        for (mail, part) in refused {
            let error = built(&mail).map(|(_, text)| text).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
