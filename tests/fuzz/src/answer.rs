//! What a creator and a handler return: drafts and outcomes, bounded and without secrets, or a fault in a sentence.

use crate::assert_sentence;
use engine::host::Redactor;
use engine::host::answers::{draft, outcome, target, types};
use engine::rules::outcome::Outcome;

/// What the component must not repeat: of signs that are written in more than one way, and short.
const SECRETS: [&str; 3] = ["hu/sh+ \"é?", "0123456789abcdef", "pw1"];

/// Takes bytes as the fields of an answer, cut where a byte is 255: the first byte of all says which answer.
pub fn check(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let mut fields = rest.split(|byte| *byte == 0xff).map(|field| String::from_utf8_lossy(field).into_owned());
    let mut field = || fields.next().unwrap_or_default();
    let texts = [field(), field(), field(), field()];
    let last = number(&field());
    match kind % 9 {
        0 => drafted(texts, None),
        1 => drafted(texts, Some(last)),
        kind => answered(kind, texts, last),
    }
}

/// A number of up to eight bytes.
fn number(text: &str) -> u64 {
    text.bytes().take(8).fold(0, |number, byte| (number << 8) | u64::from(byte))
}

fn drafted([record, title, body, extra]: [String; 4], not_before: Option<u64>) {
    let given = target::Draft { target_user_record_id: record, title, body, extra, not_before };
    match draft(given.clone()) {
        Ok(read) => {
            assert_eq!((&read.title, &read.body), (&given.title, &given.body));
            assert_eq!(read.not_before.map(|time| time.as_millisecond()), not_before.map(|ms| ms as i64));
        }
        Err(fault) => {
            assert_sentence(&fault.message);
            assert!(fault.is_its_own());
        }
    }
}

fn answered(kind: u8, [code, message, provider_id, _]: [String; 4], after: u64) {
    let failure = types::Failure { code: code.clone(), message: message.clone() };
    let receipt = target::Receipt { provider_id: provider_id.clone(), message };
    let scopes = [types::Scope::Message, types::Scope::Address, types::Scope::Account, types::Scope::Configuration];
    let given = match kind {
        2 => target::Outcome::Delivered(receipt),
        3 => target::Outcome::Accepted(receipt),
        4 => target::Outcome::Failed(failure),
        5 => target::Outcome::InactiveDevice(failure),
        6 => target::Outcome::OptedOut(failure),
        7 => target::Outcome::Unknown(failure),
        _ => {
            let scope = scopes[(after % 4) as usize];
            target::Outcome::Retry(target::Retry { after: u32::try_from(after).ok(), scope, reason: failure })
        }
    };
    let redactor = Redactor::new(SECRETS.into_iter());
    let read = outcome(given, &redactor);
    let (code, id) = (read.failure().map_or("", |failure| &failure.code), read.provider_id());
    for (text, most) in [(code, 64), (read.message(), 1000), (id, 255)] {
        assert!(text.chars().count() <= most, "{} characters, and {most} are the most", text.chars().count());
        assert!(!redactor.finds(text), "a secret is left in {text:?}");
    }
    // An id is another's if anything of it is missing.
    assert!(id.is_empty() || id == provider_id);
    assert_eq!(read.failure().is_none(), matches!(read, Outcome::Delivered(_) | Outcome::Accepted(_)));
}
