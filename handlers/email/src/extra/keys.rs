//! Which keys `extra` may have. A template takes its variables from there, so with one any key may stand; without one a
//! key that is not known does nothing, and is a slip that somebody should hear of.

use guest_sdk::Failure;
use serde_json::{Map, Value};

use crate::words::quoted;

/// The keys that mean something here, in the order of the alphabet.
pub const KNOWN: [&str; 9] =
    ["attachments", "bcc", "cc", "from_email", "headers", "html", "reply_to", "template_name", "text"];

/// Refuses unknown keys, unless a template is named.
pub fn check(object: &Map<String, Value>, has_template: bool) -> Result<(), Failure> {
    if has_template {
        return Ok(());
    }
    let unknown: Vec<&str> = object.keys().map(String::as_str).filter(|key| !KNOWN.contains(key)).collect();
    // The likeliest slip first: with a misspelt `template_name` the variables beside it are unknown too.
    let nearest = unknown.iter().filter_map(|key| nearest(key).map(|(distance, known)| (distance, *key, known))).min();
    let message = match (nearest, unknown.first()) {
        (Some((_, key, known)), _) => format!("`extra` has no key {}; did you mean `{known}`?", quoted(key)),
        (None, Some(key)) => format!(
            "`extra` has no key {} unless `template_name` names a template that uses it; it may have {}.",
            quoted(key),
            KNOWN.map(|known| format!("`{known}`")).join(", ")
        ),
        (None, None) => return Ok(()),
    };
    Err(Failure::new("unknown_key", message))
}

/// The known key that `key` was perhaps meant to be, and how many letters lie between them: as many as in a setting's
/// name.
fn nearest(key: &str) -> Option<(usize, &'static str)> {
    // The distance takes time and room for the product of both lengths.
    let comparable = key.len() <= 3 * KNOWN.iter().map(|known| known.len()).max().unwrap_or_default();
    KNOWN
        .into_iter()
        .filter(|_| comparable)
        .map(|known| (strsim::damerau_levenshtein(key, known), known))
        .min()
        .filter(|(distance, _)| *distance <= 1 + key.len() / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(keys: &[&str]) -> Option<String> {
        let object = keys.iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
        assert_eq!(check(&object, true), Ok(()), "with a template any key may stand");
        check(&object, false).err().map(|failure| {
            assert_eq!(failure.code, "unknown_key");
            failure.message
        })
    }

    #[test]
    fn known_keys_may_stand() {
        assert_eq!(refused(&KNOWN), None);
        assert_eq!(refused(&[]), None);
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        for (keys, key, meant) in [
            (&["htlm"][..], "htlm", "html"),
            (&["Html"], "Html", "html"),
            (&["replyto"], "replyto", "reply_to"),
            (&["from_mail"], "from_mail", "from_email"),
            (&["attachment"], "attachment", "attachments"),
            (&["amount", "name", "templatename"], "templatename", "template_name"),
        ] {
            let sentence = format!("`extra` has no key \"{key}\"; did you mean `{meant}`?");
            assert_eq!(refused(keys), Some(sentence), "{keys:?}");
        }
    }

    #[test]
    fn a_key_like_no_other_is_told_with_all() {
        for key in ["campaign", "", &"x".repeat(100_000)] {
            let message = refused(&[key]).unwrap();
            assert!(message.ends_with("`template_name`, `text`."), "{message}");
            assert!(message.len() < 400, "{message}");
        }
    }
}
