//! Secrets are cut out of whatever is kept or shown: as they are, in small or capital letters, and as a request or an answer may have encoded them.
//!
//! Of a secret that was cut, the parts are found that are whole (`encodings::PART`). What cannot be found is one that somebody took apart otherwise: turned
//! around, in hexadecimal digits, with hyphens or line breaks in it. A provider that was given the secret can do that, and nobody else has it.

use super::encodings::forms;
use crate::settings::Secret;
use aho_corasick::automaton::Automaton;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, Input};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands in the place of a secret.
const BLOT: &str = "•••";

/// Cuts the secrets of one target out of texts.
#[derive(Debug, Clone, Default)]
pub struct Redactor(Option<Arc<Searcher>>);

impl Redactor {
    /// A redactor of these values, each of at least `MIN_VALUE` characters.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let forms: BTreeSet<String> = secrets.filter(|secret| !secret.is_empty()).flat_map(forms).collect();
        Redactor(Searcher::of(&forms))
    }

    /// The text without any secret.
    pub fn text(&self, text: &str) -> String {
        match self.0.as_ref().and_then(|searcher| searcher.cut(text.as_bytes())) {
            // A form begins and ends where a character does.
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => text.to_owned(),
        }
    }

    /// The same of bytes, be they text or not.
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.0.as_ref().and_then(|searcher| searcher.cut(&bytes)).unwrap_or(bytes)
    }

    /// Whether there is no secret that it could find.
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a secret is in the text.
    pub fn finds(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|searcher| searcher.finds(text.as_bytes()))
    }
}

/// Cuts those secrets out of an answer that whoever gave it can have been given. To cut out others would tell the component whether it has guessed one: it
/// could let anybody answer with a million guesses.
#[derive(Debug, Default)]
pub struct Repeated {
    /// The values of each.
    values: BTreeMap<String, Vec<Secret>>,
    made: Mutex<HashMap<Vec<String>, Redactor>>,
}

/// How many of these are kept; there is one for each set of secrets that goes to some origin.
const MOST_MADE: usize = 64;

impl Repeated {
    /// Of secrets by their names, each with the values by which it may be known.
    pub fn new(values: BTreeMap<String, Vec<Secret>>) -> Self {
        Repeated { values, made: Mutex::default() }
    }

    /// The redactor of those of which this is true.
    pub fn where_meant(&self, is_meant: impl Fn(&str) -> bool) -> Redactor {
        let names: Vec<String> = self.values.keys().filter(|name| is_meant(name)).cloned().collect();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST_MADE {
            made.clear();
        }
        let values = |names: &[String]| {
            let all = names.iter().filter_map(|name| self.values.get(name));
            Redactor::new(all.flatten().map(Secret::reveal))
        };
        made.entry(names).or_insert_with_key(|names| values(names)).clone()
    }
}

/// Finds all forms in one pass, in time that grows with the text alone: a secret of many lines has thousands of forms, and one may begin like another
/// that is a thousand times as long.
#[derive(Debug)]
struct Searcher(NFA);

impl Searcher {
    /// Nothing where there is nothing to find. Capital letters or small ones make no difference, as in the name of a header.
    fn of(forms: &BTreeSet<String>) -> Option<Arc<Searcher>> {
        if forms.is_empty() {
            return None;
        }
        // Not the kind that is quickest for few: it takes half a megabyte for each kilobyte of a secret.
        let built = NFA::builder().ascii_case_insensitive(true).build(forms);
        // There are fewer of them than it can take, by the largest value of a secret.
        let built = built.inspect_err(|e| tracing::error!("secrets cannot be cut out of texts: {e}"));
        built.ok().map(|automaton| Arc::new(Searcher(automaton)))
    }

    fn finds(&self, bytes: &[u8]) -> bool {
        // It can always search like this.
        self.0.try_find(&Input::new(bytes).earliest(true)).is_ok_and(|found| found.is_some())
    }

    /// The bytes with a blot wherever a form stands, or several that overlap; `None` if there is none.
    fn cut(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        if !self.finds(bytes) {
            return None;
        }
        let (mut kept, mut end) = (Vec::with_capacity(bytes.len()), 0);
        for found in self.spans(bytes) {
            kept.extend_from_slice(&bytes[end..found.start]);
            kept.extend_from_slice(BLOT.as_bytes());
            end = found.end;
        }
        kept.extend_from_slice(&bytes[end..]);
        Some(kept)
    }

    /// Where forms stand, those that overlap in one.
    fn spans(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let Searcher(automaton) = self;
        let mut spans: Vec<Range<usize>> = Vec::new();
        let Ok(mut state) = automaton.start_state(Anchored::No) else { return spans };
        for (place, byte) in bytes.iter().enumerate() {
            state = automaton.next_state(Anchored::No, state, *byte);
            if !automaton.is_match(state) {
                continue;
            }
            // Of those that end here, the first is the longest.
            let end = place + 1;
            let mut start = end - automaton.pattern_len(automaton.match_pattern(state, 0));
            while let Some(before) = spans.pop_if(|before| before.end > start) {
                start = start.min(before.start);
            }
            spans.push(start..end);
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::super::encodings::UNRESERVED;
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    /// Of two that begin alike the longer is cut out whole, and so are those that overlap; a long run of letters takes no longer for it.
    #[test]
    fn forms_within_forms_are_cut_out_at_once() {
        let cut = |secrets: &[&str], text: &str| Redactor::new(secrets.iter().copied()).text(text);
        assert_eq!(cut(&["hush-1", "hush-1-hush"], "a hush-1-hush, a hush-1-hu"), format!("a {BLOT}, a {BLOT}-hu"));
        assert_eq!(cut(&["hush-1-hush", "hush-2"], "hush-1-hush-2!"), format!("{BLOT}!"));
        assert_eq!(cut(&["hush-1"], "hush-1hush-1"), format!("{BLOT}{BLOT}"));
        assert_eq!(cut(&["x-hush-1", "hush-1-hush-2-x", "hush"], "x-hush-1-hush-2-y"), format!("{BLOT}-2-y"));
        let (short, long) = ("aaaa", format!("{}b", "a".repeat(32_000)));
        let began = std::time::Instant::now();
        assert_eq!(cut(&[short, &long], &"a".repeat(1 << 20)), BLOT);
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    }

    /// Whoever sets a secret makes the engine neither slow nor large.
    #[test]
    fn a_long_secret_takes_little() {
        for length in [4 * 1024, 32 * 1024] {
            let secret = "\"'<é/+".repeat(length / 7);
            let began = std::time::Instant::now();
            let Redactor(searcher) = Redactor::new([secret.as_str()].into_iter());
            let bytes = searcher.unwrap().0.memory_usage();
            assert!(bytes < 32 << 20, "{length}: {bytes}");
            assert!(began.elapsed() < std::time::Duration::from_secs(5), "{length}: {:?}", began.elapsed());
        }
    }

    /// What is too long to be shown, others show the beginning and the end of. And nobody can guess letter by letter.
    #[test]
    fn a_secret_that_is_cut_is_known() {
        let redactor = Redactor::new(["5f3c9a7be1d24f6081b2c3d4e5f60718"].into_iter());
        for (text, cut) in [
            ("xx5f3c9a7be1d24f60...", "xx•••d24f60..."),
            ("...4f6081b2c3d4e5f60718", "...4f6081b2•••18"),
            ("5f3c9a7be...", "5f3c9a7be..."),
        ] {
            assert_eq!(redactor.text(text), cut);
        }
        for known in ["f3c9a7be1", "3c9a7be1d", "c9a7be1d2"] {
            let guesses: String = ('0'..='9').chain('a'..='f').map(|guess| format!("{known}{guess} ")).collect();
            assert_eq!(redactor.text(&guesses), guesses, "no guess is told from another");
        }
    }

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
            r#"hu\/sh+ \"\u00e9?"#.to_owned(),
            r#"hu/sh\u002B \u0022\u00E9?"#.to_owned(),
            "hu/sh+ &#34;é?".to_owned(),
            // UTF-8 read as Latin-1, JSON in JSON, Python's bytes, a form in a URL.
            "hu/sh+ \"\u{c3}\u{a9}?".to_owned(),
            r#"hu/sh+ \\\"é?"#.to_owned(),
            r#"hu/sh+ "\xc3\xa9?"#.to_owned(),
            "hu%252Fsh%252B%2B%2522%25C3%25A9%253F".to_owned(),
            "hu/sh+ \"&#233;?".to_owned(),
            "hu/sh+ \"\\351?".to_owned(),
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
