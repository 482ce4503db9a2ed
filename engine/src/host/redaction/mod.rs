//! Secrets are cut out of whatever is kept or shown: as they are, in small or capital letters, as a request or an answer may have encoded them, and in
//! groups: whatever stands between their letters.
//!
//! Of a secret that was cut, the parts are found that are whole (`encodings::PART`). What cannot be found is one that somebody took apart otherwise: turned
//! around, encoded as nobody does, or in more than one answer. A provider that was given the secret can do that, and nobody else has it.

mod encodings;
mod search;

pub(super) use encodings::{IN_PATH, UNRESERVED};

use search::{Searcher, Which};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What stands in the place of a secret.
const BLOT: &str = "•••";

/// How often a text is looked through, at most.
const MOST_TIMES: usize = 3;

/// Cuts the secrets of one target out of texts, or some of them.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// There is one for all, however few are cut out.
    searcher: Option<Arc<Searcher>>,
    which: Which,
}

impl Redactor {
    /// A redactor of these values, each of at least `MIN_VALUE` characters.
    pub fn new<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        Self::of(values.map(|value| ("", value)))
    }

    /// A redactor of secrets, each by its name and with a value; it may have several. The more there is of those before it, the fewer ways there are in which
    /// one is known.
    pub fn of<'a>(secrets: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Redactor { searcher: Searcher::of(secrets).map(Arc::new), which: Which::MAX }
    }

    /// The same for those secrets of whose names this is true: for an answer, those that whoever gave it can have been given. To cut out others would tell the
    /// component whether it has guessed one: it could let anybody answer with a million guesses.
    #[must_use]
    pub fn of_those(&self, is_meant: impl Fn(&str) -> bool) -> Self {
        let which = self.searcher.as_ref().map_or(0, |searcher| searcher.which(is_meant));
        Redactor { searcher: self.searcher.clone().filter(|_| which != 0), which }
    }

    /// The text without any secret.
    pub fn text(&self, text: &str) -> String {
        match self.cut(text.as_bytes()) {
            // A form begins and ends where a character does.
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => text.to_owned(),
        }
    }

    /// The same of bytes, be they text or not.
    pub fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.cut(&bytes).unwrap_or(bytes)
    }

    /// How many bytes of memory it takes, together with all that were made of it.
    pub fn bytes_of_memory(&self) -> usize {
        self.searcher.as_ref().map_or(0, |searcher| searcher.bytes())
    }

    /// Whether there is no secret that it could find.
    pub fn is_idle(&self) -> bool {
        self.searcher.is_none()
    }

    /// Whether a secret is in the text.
    pub fn finds(&self, text: &str) -> bool {
        self.search(text.as_bytes(), |_| ControlFlow::Break(())).is_break()
    }

    /// The bytes with a blot wherever a form stands, or several that overlap; `None` if there is none. What was left around one may be another; where that goes on
    /// and on, nothing is left.
    fn cut(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut kept = self.cut_once(bytes)?;
        for _ in 1..MOST_TIMES {
            match self.cut_once(&kept) {
                Some(again) => kept = again,
                None => return Some(kept),
            }
        }
        Some(if self.spans(&kept).is_empty() { kept } else { BLOT.as_bytes().to_vec() })
    }

    fn cut_once(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let spans = self.spans(bytes);
        if spans.is_empty() {
            return None;
        }
        let (mut kept, mut end) = (Vec::with_capacity(bytes.len()), 0);
        for found in spans {
            kept.extend_from_slice(&bytes[end..found.start]);
            kept.extend_from_slice(BLOT.as_bytes());
            end = found.end;
        }
        kept.extend_from_slice(&bytes[end..]);
        Some(kept)
    }

    /// Where forms stand, those that overlap in one.
    fn spans(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        let _ = self.search(bytes, |mut found| {
            while let Some(before) = spans.pop_if(|before| before.end > found.start) {
                found = found.start.min(before.start)..found.end.max(before.end);
            }
            spans.push(found);
            ControlFlow::Continue(())
        });
        spans
    }

    fn search(&self, bytes: &[u8], found: impl FnMut(Range<usize>) -> ControlFlow<()>) -> ControlFlow<()> {
        match &self.searcher {
            Some(searcher) => searcher.search(bytes, self.which, found),
            None => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(cut(&["x-hush-1", "hush-1-hush-2-x", "hush"], "x-hush-1-hush-2-y"), format!("{BLOT}-{BLOT}-2-y"));
        let (short, long) = ("aaaa", format!("{}b", "a".repeat(32_000)));
        let began = std::time::Instant::now();
        assert_eq!(cut(&[short, &long], &"a".repeat(1 << 20)), BLOT);
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    }

    /// Whoever sets a secret makes the engine neither slow nor large.
    #[test]
    fn a_long_secret_takes_little() {
        for (many, length) in [(1, 512), (2, 256), (1, 2048), (1, 32_768), (32, 16), (32, 64), (32, 512), (32, 1536)] {
            let secret = |number: usize| format!("{number}{}", ["\"'<é/+", "a\\=&%>"][number % 2].repeat(length / 7));
            let secrets: Vec<String> = (0..many).map(secret).collect();
            let began = std::time::Instant::now();
            let redactor = Redactor::new(secrets.iter().map(String::as_str));
            let bytes = redactor.bytes_of_memory();
            assert!(bytes < 32 << 20, "{length}: {bytes}");
            assert!(began.elapsed() < std::time::Duration::from_secs(2), "{many} of {length}: {:?}", began.elapsed());
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
            let guesses: String = ('0'..='9').chain('a'..='f').map(|guess| format!("{known}{guess}/z/")).collect();
            assert_eq!(redactor.text(&guesses), guesses, "no guess is told from another");
        }
    }

    /// What is only named beside it, large as it may be, takes no form from a secret before it.
    #[test]
    fn a_large_secret_weakens_none_before_it() {
        let (token, large) = ("s3cr&tOfTheTarget", "m".repeat(32_768));
        let redactor = Redactor::of([("token", token), ("large", large.as_str())].into_iter());
        for text in ["733363722674", "s3cr&amp;tOfTheTarget"] {
            let hexadecimal: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
            let text = if hexadecimal.starts_with(text) { hexadecimal } else { text.to_owned() };
            assert_eq!(redactor.text(&text), BLOT, "{text}");
        }
        assert_eq!(redactor.text(&large), BLOT);
    }

    /// As a column of a database, a page or a mail may have put it into groups and lines, and as bytes of a character set that is not UTF-8.
    #[test]
    fn a_secret_in_groups_is_known() {
        let redactor = Redactor::new(["5f3c9a7be1d24f6081b2c3d4e5f60718", "pässwörd-of-the-relay"].into_iter());
        for text in [
            "5f3c9a7b-e1d2-4f60-81b2-c3d4e5f60718",
            "5F:3C:9A:7B:E1:D2:4F:60:81:B2:C3:D4:E5:F6:07:18",
            "5f3c 9a7b e1d2 4f60 81b2 c3d4 e5f6 0718",
            "NWYzYzlhN2Jl\r\nMWQyNGY2MDgx\r\nYjJjM2Q0ZTVm\r\nNjA3MTg=",
            "35 66 33 63 39 61 37 62 65 31 64 32 34 66 36 30 38 31 62 32 63 33 64 34 65 35 66 36 30 37 31 38",
            "p_ssw_rd of the relay",
        ] {
            let cut = redactor.text(&format!("<{text}>"));
            assert!(cut.starts_with("<•••") && cut.len() < "<•••>".len() + 4, "{text}: {cut}");
        }
        assert_eq!(redactor.bytes(b"p\xe4ssw\xf6rd-of-the-relay".to_vec()), BLOT.as_bytes());
        // One within another.
        let nested = Redactor::new(["0123456789abcdef"].into_iter());
        let within = |depth| (0..depth).fold(String::new(), |inner, _| format!("0123456{inner}789abcdef"));
        assert_eq!((nested.text(&within(3)).as_str(), nested.text(&within(9)).as_str()), (BLOT, BLOT));
        // What only looks like the beginning of one is left.
        assert_eq!(redactor.text("5f3c-9a7b-e"), "5f3c-9a7b-e");
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
