//! The JSON Schema of `extra`: what the engine checks before the creator is asked, and what it shows to whoever writes
//! an application.

use serde_json::{Value, json};

use super::{MOST_RECIPIENTS, attachments, mailboxes};
use crate::creator::LARGEST;

/// The schema. Additional members are allowed, as a template's variables are some; the creator refuses those that have
/// no template.
pub fn schema() -> Value {
    let kib = LARGEST / 1024;
    let addresses = |most: usize, description: &str| {
        json!({
            "type": ["string", "array", "null"],
            "items": { "type": "string" },
            "maxItems": most,
            "description": format!("{description} One address or a list of at most {most}, each as in `ada@example.org` or `Ada <ada@example.org>`."),
        })
    };
    json!({
        "type": "object",
        "description": format!("All other keys are variables for the template that `template_name` names; without one they are refused. Title, body and `extra` together have at most {kib} KiB."),
        "properties": {
            "html": {
                "type": ["boolean", "null"],
                "description": "Whether the body is HTML. Absent: it is if it begins with `<!doctype html>` or `<html>`, after white space. A template's ending says it by itself.",
            },
            "text": {
                "type": ["string", "null"],
                "description": "The plain text that goes beside an HTML body, for programs that do not show HTML. Absent: with a template `NAME.html` it is rendered from `NAME.txt`, if that exists; otherwise it is made from the HTML.",
            },
            "template_name": {
                "type": ["string", "null"],
                "maxLength": crate::template::LONGEST_NAME,
                "description": "The template that the body is rendered from when the notification is created, such as `welcome.html` or `news/weekly.txt`, in Jinja's language: `.html` and `.htm` give HTML with all values escaped, `.txt` gives plain text. Its variables are the other keys of `extra`, `title`, and `user` with `id`, `username`, `email`, `first_name`, `last_name`, `time_zone`, `locale` and `attributes`; so no key of `extra` may be called `title` or `user`. One that is missing is an error. Ignored if a body is given.",
            },
            "from_email": {
                "type": ["string", "null"],
                "description": "The sender of this mail, as in `notifications@example.org` or `Example <notifications@example.org>`. Absent: the target's own. The mail fails if the target may not send as that address.",
            },
            "cc": addresses(MOST_RECIPIENTS - 1, &format!("Who gets a copy that all can see. Together with `bcc` and the recipient at most {MOST_RECIPIENTS}.")),
            "bcc": addresses(MOST_RECIPIENTS - 1, "Who gets a copy that nobody can see."),
            "reply_to": addresses(mailboxes::MOST_REPLY_TO, "Where replies go. Absent: to the sender."),
            "headers": {
                "type": ["object", "null"],
                "additionalProperties": { "type": "string" },
                "maxProperties": 32,
                "description": "Further headers with their values, such as `List-Unsubscribe` or `X-Campaign`; at most 31, and `Auto-Submitted`, which is `auto-generated` unless it is given here. Not those that the engine writes (`From`, `To`, `Subject`, `Date`, `Message-ID`, all that begin with `Content-`, …) or relays do (`Received`, `Resent-…`, `DKIM-Signature`, …).",
            },
            "attachments": {
                "type": ["array", "null"],
                "maxItems": attachments::MOST,
                "description": format!("Files, at most {}. They are stored with the notification and count towards the {kib} KiB, in Base64: about {} KiB of files beside a short text.", attachments::MOST, kib * 3 / 4 - 2),
                "items": {
                    "type": "object",
                    "required": ["name", "content_type", "content"],
                    "additionalProperties": false,
                    "properties": {
                        "name": { "type": "string", "description": "The file's name, without a folder, up to 200 characters." },
                        "content_type": { "type": "string", "description": "As in `application/pdf` or `text/csv; charset=utf-8`." },
                        "content": { "type": "string", "contentEncoding": "base64", "description": "The file in Base64, in one line or several." },
                        "content_id": { "type": ["string", "null"], "description": "Absent: attached. Otherwise shown inside the HTML, which refers to it as `cid:` and this." },
                    },
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extra::keys::KNOWN;

    #[test]
    fn describes_each_known_key_and_no_other() {
        let schema = schema();
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), KNOWN.iter().collect::<Vec<_>>());
        for (key, property) in properties {
            assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{key}");
            // `null` counts as absent, so the schema must let it through.
            assert!(property["type"].as_array().is_some_and(|types| types.contains(&json!("null"))), "{key}");
        }
    }
}
