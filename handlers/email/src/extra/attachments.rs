//! Files in `extra`. They are stored with the notification, so they have to be small: see [`crate::creator`] for how
//! much everything may weigh together.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use guest_sdk::Failure;
use guest_sdk::smtp::Attachment;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::member;
use crate::words::quoted;

/// The most files of a mail. The contract bounds their bytes only; what is left of those is little for so many.
pub const MOST: usize = 20;

/// The most characters in a file's name, in its content type and in its content id.
const LONGEST: usize = 200;

/// The usual alphabet, with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    name: String,
    content_type: String,
    #[serde(borrow)]
    content: std::borrow::Cow<'a, str>,
    content_id: Option<String>,
}

/// The files, decoded.
pub fn read(object: &Map<String, Value>) -> Result<Vec<Attachment>, Failure> {
    let wanted = "a list of objects with the texts `name`, `content_type`, `content` and perhaps `content_id`";
    let written: Vec<Written> = member(object, "attachments", wanted)?.unwrap_or_default();
    if written.len() > MOST {
        return Err(Failure::new(
            "too_many_attachments",
            format!("A mail has at most {MOST} attachments, and `extra.attachments` has {}.", written.len()),
        ));
    }
    written.into_iter().map(attachment).collect()
}

fn attachment(written: Written) -> Result<Attachment, Failure> {
    let Written { name, content_type, content, content_id } = written;
    let shown = quoted(&name);
    let refused = |why: &str| Err(Failure::new("invalid_attachment", format!("The attachment {shown} {why}.")));
    let too_long = |text: &str| text.chars().count() > LONGEST;
    if name.trim().is_empty() || too_long(&name) || name.contains(|c: char| c.is_control() || "/\\".contains(c)) {
        return refused("needs the name of a file without a folder, such as menu.pdf");
    }
    if too_long(&content_type) || !is_content_type(&content_type) {
        return refused("needs a `content_type` such as application/pdf");
    }
    let content_id = content_id.unwrap_or_default();
    if too_long(&content_id) || !content_id.chars().all(|c| c.is_ascii_graphic() && !"<>".contains(c)) {
        return refused(
            "has a `content_id` that is not a short word of letters, digits and signs, such as logo@example.org",
        );
    }
    // Tools that write Base64 like to break its lines.
    let packed: Vec<u8> = content.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match BASE64.decode(packed) {
        Ok(content) => Ok(Attachment { name, content_type, content_id, content }),
        Err(_) => refused("has a `content` that is not Base64"),
    }
}

/// Whether this is `type/subtype`, with parameters perhaps, written without anything unusual (RFC 2045, 5.1). No
/// `multipart`: those have parts, and are no file.
fn is_content_type(text: &str) -> bool {
    let mut parts = text.split(';');
    let Some((kind, subtype)) = parts.next().and_then(|essence| essence.split_once('/')) else { return false };
    let parameter = |text: &str| {
        text.trim_start_matches(' ').split_once('=').is_some_and(|(name, value)| {
            let inner = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
            is_token(name)
                && (is_token(value) || inner.is_some_and(|text| text.chars().all(|c| is_letter(c) || c == ' ')))
        })
    };
    is_token(kind) && is_token(subtype) && !kind.eq_ignore_ascii_case("multipart") && parts.all(parameter)
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_letter)
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn attached(value: Value) -> Result<Vec<Attachment>, Failure> {
        read(&Map::from_iter([("attachments".to_owned(), value)]))
    }

    fn file(key: &str, value: Value) -> Value {
        let mut file = json!({ "name": "menu.pdf", "content_type": "application/pdf", "content": "VGVh" });
        file[key] = value;
        json!([file])
    }

    #[test]
    fn files_are_decoded() {
        let [menu] = attached(file("content_id", json!("logo@1"))).unwrap().try_into().unwrap();
        let expected = Attachment {
            name: "menu.pdf".into(),
            content_type: "application/pdf".into(),
            content_id: "logo@1".into(),
            content: b"Tea".to_vec(),
        };
        assert_eq!(menu, expected);
        for (written, bytes) in
            [("", &b""[..]), ("VGU=", b"Te"), ("VGU", b"Te"), ("VG\r\nVh\n", b"Tea"), ("+/+/", &[251, 255, 191])]
        {
            assert_eq!(attached(file("content", json!(written))).unwrap()[0].content, bytes, "{written}");
        }
    }

    #[test]
    fn refuses_what_no_mail_can_carry() {
        for (key, value) in [
            ("name", json!("")),
            ("name", json!(" ")),
            ("name", json!("../menu.pdf")),
            ("name", json!("C:\\menu.pdf")),
            ("name", json!("menu\r\n.pdf")),
            ("name", json!("x".repeat(201))),
            ("content_type", json!("")),
            ("content_type", json!("pdf")),
            ("content_type", json!("application/")),
            ("content_type", json!("application/pdf; name")),
            ("content_type", json!("application/pdf\r\nBcc: eve@example.org")),
            ("content_type", json!("multipart/mixed; boundary=x")),
            ("content_type", json!("text/plain; a=\"b\"c\"")),
            ("content_type", json!(format!("text/{}", "x".repeat(200)))),
            ("content_id", json!("<logo>")),
            ("content_id", json!("lo go")),
            ("content_id", json!("lögo")),
            ("content", json!("VGV")),
            ("content", json!("VGVh=")),
            ("content", json!("VGV-")),
            ("content", json!("data:;base64,VGVh")),
        ] {
            assert_eq!(attached(file(key, value.clone())).unwrap_err().code, "invalid_attachment", "{key} {value}");
        }
        for wrong in [json!([{}]), json!(["menu.pdf"]), file("inline", json!(true)), file("content", json!([1]))] {
            assert_eq!(attached(wrong.clone()).unwrap_err().code, "invalid_extra", "{wrong}");
        }
    }

    #[test]
    fn content_types_may_have_parameters() {
        for good in [
            "text/csv; charset=utf-8",
            "text/calendar;method=REQUEST;charset=\"utf-8\"",
            "image/svg+xml",
            "text/x; a=\"b c\"",
        ] {
            assert!(is_content_type(good), "{good}");
        }
    }

    #[test]
    fn counts_them() {
        let many = |count| Value::from(vec![file("content", json!(""))[0].clone(); count]);
        assert_eq!(attached(many(MOST)).unwrap().len(), MOST);
        assert_eq!(attached(many(MOST + 1)).unwrap_err().code, "too_many_attachments");
    }
}
