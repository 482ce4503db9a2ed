//! Senders and recipients in `extra`: `ada@example.org` or `Ada <ada@example.org>`, one or a list.

use guest_sdk::Failure;
use guest_sdk::smtp::Mailbox;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::member;
use crate::{address, words::quoted};

/// The most addresses that replies go to. The contract has no limit there; more is a mistake rather than a wish.
pub const MOST_REPLY_TO: usize = 10;

/// The most characters of a name beside an address, as many as the address itself may have.
const LONGEST_NAME: usize = 200;

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// The mailbox that `key` names, if it does.
pub fn one(object: &Map<String, Value>, key: &str) -> Result<Option<Mailbox>, Failure> {
    member::<String>(object, key, "an e-mail address")?.map(|typed| mailbox(key, &typed)).transpose()
}

/// The mailboxes that `key` names, at most `most`; none if it is not there.
pub fn list(object: &Map<String, Value>, key: &str, most: usize) -> Result<Vec<Mailbox>, Failure> {
    let typed = match member(object, key, "an e-mail address or a list of them")? {
        None => Vec::new(),
        Some(OneOrMany::One(typed)) => vec![typed],
        Some(OneOrMany::Many(typed)) => typed,
    };
    if typed.len() > most {
        return Err(Failure::new(
            "too_many_recipients",
            format!("`extra.{key}` has at most {most} addresses, and this one has {}.", typed.len()),
        ));
    }
    typed.iter().map(|typed| mailbox(key, typed)).collect()
}

fn mailbox(key: &str, typed: &str) -> Result<Mailbox, Failure> {
    let (name, address) = match typed.trim().strip_suffix('>').and_then(|inner| inner.rsplit_once('<')) {
        Some((name, address)) => (unquoted(name.trim()), address),
        None => ("", typed),
    };
    // Its own reason is about what a person typed into a form. Here an application has to find the key.
    let address = address::normal_form(address).map_err(|_| {
        Failure::new(
            "not_an_address",
            format!(
                "`extra.{key}` holds {}, but an address looks like ada@example.org or Ada <ada@example.org>, and several are a list.",
                quoted(typed)
            ),
        )
    })?;
    if name.contains(char::is_control) || name.chars().count() > LONGEST_NAME {
        return Err(Failure::new(
            "invalid_name",
            format!(
                "The name in `extra.{key}` has to be one line of at most {LONGEST_NAME} characters, and {} is not.",
                quoted(name)
            ),
        ));
    }
    Ok(Mailbox { name: name.to_owned(), address })
}

/// A name as meant: people put quotes around one with a comma.
fn unquoted(name: &str) -> &str {
    name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cc(value: Value, most: usize) -> Result<Vec<Mailbox>, Failure> {
        list(&Map::from_iter([("cc".to_owned(), value)]), "cc", most)
    }

    #[test]
    fn one_or_many_with_or_without_a_name() {
        for (written, read) in [
            (json!("ada@Example.ORG"), vec![("", "ada@example.org")]),
            (
                json!(["Ada <ada@example.org>", " grace@example.org "]),
                vec![("Ada", "ada@example.org"), ("", "grace@example.org")],
            ),
            (json!("\"Lovelace, Ada\" <ada@example.org>"), vec![("Lovelace, Ada", "ada@example.org")]),
            (json!("Ada <3 <ada@example.org>"), vec![("Ada <3", "ada@example.org")]),
            (json!("<ada@example.org>"), vec![("", "ada@example.org")]),
            (json!("\" <ada@example.org>"), vec![("\"", "ada@example.org")]),
            (json!([]), vec![]),
        ] {
            let read: Vec<_> = read
                .into_iter()
                .map(|(name, address)| Mailbox { name: name.into(), address: address.into() })
                .collect();
            assert_eq!(cc(written.clone(), 9), Ok(read), "{written}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for (written, code) in [
            (json!(""), "not_an_address"),
            (json!("ada"), "not_an_address"),
            (json!("ada@example.org, grace@example.org"), "not_an_address"),
            (json!(["ada@example.org", "grace@"]), "not_an_address"),
            (json!("Ada <ada@example.org> "), ""),
            (json!("Ada <ada@example.org>\r\nBcc: eve@example.org"), "not_an_address"),
            (json!("A\r\nBcc: eve@example.org <ada@example.org>"), "invalid_name"),
            (json!(format!("{} <ada@example.org>", "a".repeat(201))), "invalid_name"),
            (json!(["a@b.c", "a@b.c", "a@b.c"]), "too_many_recipients"),
        ] {
            let found = cc(written.clone(), 2).err().map_or_else(String::new, |failure| failure.code);
            assert_eq!(found, code, "{written}");
        }
    }

    #[test]
    fn a_refusal_names_the_key_and_the_text() {
        let message = cc(json!("ada@\nexample"), 2).unwrap_err().message;
        assert!(message.starts_with(r#"`extra.cc` holds "ada@\nexample", but "#), "{message}");
    }
}
