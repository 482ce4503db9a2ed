//! Secrets are cut out of whatever is kept or shown: as they are, in small or capital letters, and as a request or an answer may have encoded them.
//!
//! What cannot be found is a secret that somebody took apart: turned around, in UTF-16 or hexadecimal digits, one half here and one there. A
//! provider that was given the secret can do that, and nobody else has it.

use super::http::IN_PATH;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What stands in the place of a secret.
const BLOT: &str = "•••";
/// An encoded form shorter than this could be anything, and is left.
const SHORTEST: usize = 4;

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Cuts the secrets of one target out of texts.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// All forms of all secrets, searched for in one pass: a secret of many lines has thousands of them.
    in_text: Option<Arc<AhoCorasick>>,
    /// Those that are looked for in any bytes.
    in_bytes: Option<Arc<AhoCorasick>>,
}

impl Redactor {
    /// A redactor of these values.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let forms: BTreeSet<String> = secrets.filter(|secret| !secret.is_empty()).flat_map(forms).collect();
        let long = forms.iter().filter(|form| form.len() >= SHORTEST);
        Redactor { in_text: searcher(forms.iter(), true), in_bytes: searcher(long, false) }
    }

    /// The text without any secret.
    pub fn text(&self, text: &str) -> String {
        let Some(searcher) = &self.in_text else { return text.to_owned() };
        let mut kept = String::with_capacity(text.len());
        searcher.replace_all_with(text, &mut kept, |_, _, kept| {
            kept.push_str(BLOT);
            true
        });
        kept
    }

    /// The same of bytes, be they text or not. Secrets of less than four bytes stay: they stand in anything.
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match &self.in_bytes {
            Some(searcher) if searcher.is_match(&bytes) => {
                let mut kept = Vec::with_capacity(bytes.len());
                searcher.replace_all_with_bytes(&bytes, &mut kept, |_, _, kept| {
                    kept.extend_from_slice(BLOT.as_bytes());
                    true
                });
                kept
            }
            Some(_) | None => bytes,
        }
    }

    /// Whether a secret is in the text.
    pub fn finds(&self, text: &str) -> bool {
        self.in_text.as_ref().is_some_and(|searcher| searcher.is_match(text))
    }
}

/// Finds the longest form where several begin, so that none is left in half; nothing where there is nothing to find. `any_case`: also where
/// capital letters were made small, as in the name of a header, or small ones capital.
fn searcher<'a>(forms: impl Iterator<Item = &'a String>, any_case: bool) -> Option<Arc<AhoCorasick>> {
    let mut forms = forms.peekable();
    forms.peek()?;
    let mut builder = AhoCorasick::builder();
    // Not the kind that is quickest for few: it takes half a megabyte for each kilobyte of a secret.
    builder.kind(Some(AhoCorasickKind::ContiguousNFA));
    let built = builder.match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(any_case).build(forms);
    // There are fewer of them than it can take, by the largest value of a secret.
    built.inspect_err(|e| tracing::error!("secrets cannot be cut out of texts: {e}")).ok().map(Arc::new)
}

/// A secret, and how it may look after it was written into a URL, a form, a JSON text or a header.
fn forms(secret: &str) -> Vec<String> {
    let percent: Vec<String> = [NON_ALPHANUMERIC, UNRESERVED, IN_PATH]
        .map(|set| utf8_percent_encode(secret, set).to_string())
        .into_iter()
        .collect();
    let quoted = serde_json::Value::from(secret).to_string();
    let mut encoded = vec![quoted[1..quoted.len() - 1].to_owned()];
    encoded.extend(percent.iter().flat_map(|form| [form.clone(), lower_escapes(form), form.replace("%20", "+")]));
    encoded.extend((0..3).flat_map(|before| base64_inside(secret.as_bytes(), before)));
    // Its lines, as a log may have cut a document into them.
    encoded.extend(secret.lines().map(str::trim).filter(|line| line.len() >= 4 * SHORTEST).map(str::to_owned));
    encoded.retain(|form| form.len() >= SHORTEST);
    encoded.push(secret.to_owned());
    encoded
}

/// Percent-encoded text with small letters in its escapes.
fn lower_escapes(text: &str) -> String {
    let mut escaped: u8 = 0;
    let lower = |c: char| {
        let small = if escaped > 0 { c.to_ascii_lowercase() } else { c };
        escaped = if c == '%' { 2 } else { escaped.saturating_sub(1) };
        small
    };
    text.chars().map(lower).collect()
}

/// What base64 makes of a secret that stands after so many bytes of something else (a user's name and a colon, say): the characters that follow
/// from the secret alone.
fn base64_inside(secret: &[u8], before: usize) -> [String; 2] {
    let whole = [&[0; 3][..before], secret].concat();
    let first = (before * 8).div_ceil(6);
    let last = whole.len() * 8 / 6;
    [STANDARD_NO_PAD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)]
        .map(|text| text.get(first..last).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_is_left() {
        let secret = "hu/sh+ \"é?";
        let redactor = Redactor::new(["", secret].into_iter());
        for user in ["", "u", "us", "user"] {
            for encoder in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let text = encoder.encode(format!("{user}:{secret}"));
                let cut = redactor.text(&text);
                assert!(cut.contains(BLOT) && cut.len() < text.len(), "{user}: {text} {cut}");
            }
        }
        for text in [
            secret.to_owned(),
            format!("Bearer {secret}."),
            utf8_percent_encode(secret, UNRESERVED).to_string(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string().to_lowercase(),
            serde_json::json!({ "key": secret }).to_string(),
            "hu%2Fsh%2B+%22%C3%A9%3F".to_owned(),
        ] {
            assert!(redactor.finds(&text) && redactor.text(&text).contains(BLOT), "{text}");
            assert!(!redactor.text(&text).contains("sh"), "{text}");
        }
        assert_eq!(redactor.text("nothing to see"), "nothing to see");
        assert_eq!(Redactor::new(["Tok-EN_1"].into_iter()).text("x-tok-en_1: TOK-EN_1"), format!("x-{BLOT}: {BLOT}"));
        let bytes = [b"\xff", secret.as_bytes(), b"\xfe", secret.as_bytes()].concat();
        assert_eq!(redactor.bytes(bytes), [b"\xff", BLOT.as_bytes(), b"\xfe", BLOT.as_bytes()].concat());
        assert_eq!(redactor.bytes(b"\xffnothing".to_vec()), b"\xffnothing");
    }
}
