//! How a secret may look after others have written it into a URL, a form, a header, a JSON text or a page.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeSet;
use std::fmt::Write;

/// An encoded form shorter than this could be anything, and is left.
const SHORTEST: usize = 4;

/// How many characters an escape may take that begins before a secret.
const MOST_EATEN: usize = 4;

/// How many letters a part of a secret has that is known by itself: to guess one, in an answer with many guesses, must not be worth it.
pub(super) const PART: usize = 10;
/// With fewer letters and digits a secret is not known by them alone.
const FEWEST_LETTERS: usize = 16;
/// What may stand anywhere in a URL as it is (RFC 3986).
pub(in crate::host) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What may stand in a path as it is: unreserved characters, the sub-delimiters, `/`, `:` and `@` (RFC 3986).
pub(in crate::host) const IN_PATH: &AsciiSet = &UNRESERVED
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// What a secret is looked for as.
#[derive(Debug, Default)]
pub(super) struct Forms {
    /// As they are written.
    pub written: BTreeSet<String>,
    /// Letters and digits of ASCII alone, whatever stands between them: hyphens and spaces that make groups, line breaks, characters in another character set.
    pub lettered: BTreeSet<String>,
}

/// In how many ways a secret is looked for: the more there is of it and of those before it, the fewer, so that the forms of all take neither long nor much
/// memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// As they are, and in lines.
    Whole,
    /// Documents, which nobody puts into a page or into JSON but as JavaScript would.
    Few,
    Usual,
    /// Also written down twice.
    All,
}

impl Extent {
    fn of(length: usize) -> Self {
        match length {
            0..=512 => Extent::All,
            513..=2048 => Extent::Usual,
            2049..=32768 => Extent::Few,
            _ => Extent::Whole,
        }
    }
}

/// All forms of these secrets that are known, by the secret. None is looked for in fewer ways because of one behind it.
pub(super) fn forms<'a>(secrets: &[&'a str]) -> impl Iterator<Item = (&'a str, Forms)> {
    let mut length = 0;
    // The same in two ways of taking it apart could be guessed letter by letter.
    let has_another = |secret: &str| secrets.iter().any(|other| other.len() < secret.len() && secret.contains(other));
    secrets.iter().map(move |secret| {
        length += secret.len();
        (*secret, forms_of(secret, Extent::of(length), !has_another(secret)))
    })
}

fn forms_of(secret: &str, extent: Extent, in_parts: bool) -> Forms {
    // Its lines, as a log may have cut a document into them.
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= 2 * SHORTEST).map(str::to_owned);
    let mut written: BTreeSet<String> = lines.chain([secret.to_owned()]).collect();
    if extent == Extent::Whole {
        return Forms { written, ..Forms::default() };
    }
    let is_short = extent >= Extent::Usual;
    let writers = if is_short { &PERCENT[..] } else { &PERCENT[..3] };
    let percent = writers.iter().map(|set| utf8_percent_encode(secret, set).to_string());
    let percent = percent.flat_map(|form| {
        let twice = is_short.then(|| form.replace('%', "%25"));
        [lower_escapes(&form), form.replace("%20", "+"), form].into_iter().chain(twice)
    });
    written.extend(percent);
    let base64: BTreeSet<String> = (0..3).flat_map(|before| base64_inside(secret.as_bytes(), before)).collect();
    let mut lettered: BTreeSet<String> = base64.iter().filter_map(|form| letters(form)).collect();
    written.extend(base64);
    written.extend(in_json(secret, if is_short { &JSON_WRITERS } else { &JSON_WRITERS[..1] }));
    if is_short {
        written.extend(in_html(secret));
    }
    if extent == Extent::All {
        written.extend(twice_written(secret));
        lettered.extend(letters(&hexadecimal(secret)));
    }
    written.retain(|form| form.len() >= SHORTEST);
    written.insert(secret.to_owned());
    // The first characters may have been read as a part of what stood before them; or somebody cuts what is long, and shows its beginning and its end.
    let tails = secret.char_indices().skip(1).take(MOST_EATEN).map(|(at, _)| &secret[at..]);
    written.extend(tails.filter(|tail| is_short && tail.len() >= 2 * SHORTEST).map(str::to_owned));
    lettered.extend(letters(secret));
    let telling = telling(secret);
    match letters(telling) {
        _ if !is_short || !in_parts => {}
        Some(letters) => lettered.extend(parts(&letters)),
        None => written.extend(parts(telling)),
    }
    Forms { written, lettered }
}

/// The end of a secret, of which parts tell that it is this one: all documents of a kind begin alike, and all tokens and URLs of a provider.
fn telling(secret: &str) -> &str {
    if secret.contains('\n') {
        return "";
    }
    // Of a JSON web token, only the signature is nobody else's.
    if let Some((_, signature)) = secret.rsplit_once('.').filter(|_| secret.starts_with("eyJ")) {
        return signature;
    }
    match secret.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => secret,
    }
}

/// The letters and digits of a form, if they are many and little else is in it: otherwise they may be a word that stands in other texts.
fn letters(form: &str) -> Option<String> {
    let letters: String = form.chars().filter(char::is_ascii_alphanumeric).collect();
    (letters.len() >= FEWEST_LETTERS && letters.len() >= form.chars().count() / 4 * 3).then_some(letters)
}

/// One part behind another, which have no letter in common: whoever knows a part of one must guess the rest of it at once, and learns nothing of the next. Were all
/// parts looked for, each letter could be guessed by itself behind those before it, and told by what is cut out.
fn parts(secret: &str) -> Vec<String> {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks_exact(PART).map(String::from_iter).collect()
}

fn hexadecimal(secret: &str) -> String {
    secret.bytes().fold(String::with_capacity(2 * secret.len()), |mut digits, byte| {
        // A text takes whatever is written to it.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// As it may look after it was read in another character set, or written down twice: in the way of a programming language, as JSON within JSON, a form within a URL.
fn twice_written(secret: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    if secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return forms;
    }
    // UTF-8 taken for Latin-1, as headers often are.
    let read: String = secret.bytes().map(char::from).collect();
    forms.insert(read.clone());
    for text in [secret, &read] {
        for json in in_json(text, &JSON_WRITERS).collect::<BTreeSet<_>>() {
            forms.extend(in_json(&json, &JSON_WRITERS[..1]));
            forms.insert(json);
        }
        // JSON in a page: as most languages write it.
        for json in in_json(text, &JSON_WRITERS[..1]).collect::<BTreeSet<_>>() {
            forms.extend(in_html(&json));
        }
        forms.insert(text.replace('\\', "\\\\").replace('\'', "\\'"));
        forms.insert(text.replace('\'', "''"));
        forms.insert(
            text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("&#{};", u32::from(c)) }).collect(),
        );
    }
    let escaped = |byte: u8| {
        if byte.is_ascii_graphic() || byte == b' ' { char::from(byte).to_string() } else { format!("\\x{byte:02x}") }
    };
    forms.insert(secret.bytes().map(escaped).collect());
    // Quoted cookies: Latin-1 where there is a letter in it, and bytes.
    let octal = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\{:03o}", u32::from(c)) };
    forms.extend([secret, &read].map(|text| text.chars().map(octal).collect()));
    let form = utf8_percent_encode(secret, UNRESERVED).to_string().replace("%20", "+");
    forms.insert(utf8_percent_encode(&form, UNRESERVED).to_string());
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// What the URL standard of browsers, and with it `URL.href` and many libraries, encodes in a path and in a query.
const IN_HREF: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');
const IN_HREFS_PATH: &AsciiSet = &IN_HREF.add(b'?').add(b'`').add(b'{').add(b'}');

/// What writers of URLs and forms leave as it is: nothing; what RFC 3986 reserves for nothing; what may stand in a path; the same as Python's `quote` has
/// it; JavaScript's `encodeURIComponent`; forms in browsers and in Java.
const PERCENT: [&AsciiSet; 8] = [
    NON_ALPHANUMERIC,
    UNRESERVED,
    IN_PATH,
    &UNRESERVED.remove(b'/'),
    &UNRESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*'),
    &UNRESERVED.add(b'~').remove(b'*'),
    IN_HREF,
    IN_HREFS_PATH,
];

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

/// What the usual writers of JSON escape beside what they must, whether a slash is among it, which has an escape of its own: those of most languages;
/// PHP's; Go's and Ruby's; Gson's; .NET's; and PHP's for pages.
const JSON_WRITERS: [(&str, bool); 6] =
    [("", false), ("", true), ("<>&", false), ("<>&='", false), ("<>&'\"+`\u{7f}", false), ("<>&'\"", true)];

/// As it stands in JSON, each writer with or without escapes for what is not ASCII, and with large or small digits in them.
fn in_json(secret: &str, writers: &[(&str, bool)]) -> impl Iterator<Item = String> {
    writers.iter().flat_map(move |(escaped, slash)| {
        [(false, false), (false, true), (true, false), (true, true)].map(|(ascii, large)| {
            let unicode = |text: &mut String, c: char| {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // A text takes whatever is written to it.
                    let _ = if large { write!(text, "\\u{unit:04X}") } else { write!(text, "\\u{unit:04x}") };
                }
            };
            secret.chars().fold(String::with_capacity(secret.len()), |mut text, c| {
                match c {
                    _ if escaped.contains(c) => unicode(&mut text, c),
                    '"' => text.push_str("\\\""),
                    '\\' => text.push_str("\\\\"),
                    '/' if *slash => text.push_str("\\/"),
                    '\n' => text.push_str("\\n"),
                    '\r' => text.push_str("\\r"),
                    '\t' => text.push_str("\\t"),
                    '\u{8}' => text.push_str("\\b"),
                    '\u{c}' => text.push_str("\\f"),
                    _ if c < ' ' || (ascii && !c.is_ascii()) => unicode(&mut text, c),
                    _ => text.push(c),
                }
                text
            })
        })
    })
}

/// As it stands in HTML or XML, with each way to write a quotation mark and an apostrophe; as Mustache and Handlebars write it, and as .NET.
fn in_html(secret: &str) -> impl Iterator<Item = String> {
    let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = ["\"", "&quot;", "&#34;", "&#x22;"].map(|mark| text.replace('"', mark));
    let marks = ["'", "&#39;", "&#039;", "&#x27;", "&apos;"];
    let usual: Vec<String> = quoted.into_iter().flat_map(|text| marks.map(|mark| text.replace('\'', mark))).collect();
    let escaped = |text: &str, mark: &str, as_number: fn(char) -> bool| {
        text.replace('"', "&quot;").replace('\'', mark).chars().fold(String::new(), |mut text, c| {
            if as_number(c) {
                // A text takes whatever is written to it.
                let _ = write!(text, "&#x{:X};", u32::from(c));
            } else {
                text.push(c);
            }
            text
        })
    };
    let mustache = ["&#39;", "&#x27;"].map(|mark| escaped(&text, mark, |c| "/`=".contains(c)));
    let handlebars = escaped(&text, "&#x27;", |c| "`=".contains(c));
    let dotnet = escaped(&text, "&#x27;", |c| c == '+' || c == '`' || !c.is_ascii());
    usual.into_iter().chain(mustache).chain([handlebars, dotnet])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(secrets: &[&str]) -> Forms {
        super::forms(secrets).fold(Forms::default(), |mut all, (_, mut forms)| {
            all.written.append(&mut forms.written);
            all.lettered.append(&mut forms.lettered);
            all
        })
    }

    /// Each as the standard library of a language writes it.
    #[test]
    fn what_others_write_is_known() {
        let forms = forms(&["a/b\"c<d>&+'é😀\u{1}"]).written;
        for written in [
            // JavaScript, Python, PHP, Go, Gson, .NET, PHP for pages.
            "a/b\\\"c<d>&+'é😀\\u0001",
            "a/b\\\"c<d>&+'\\u00e9\\ud83d\\ude00\\u0001",
            "a\\/b\\\"c<d>&+'\\u00e9\\ud83d\\ude00\\u0001",
            "a/b\\\"c\\u003cd\\u003e\\u0026+'é😀\\u0001",
            "a/b\\\"c\\u003cd\\u003e\\u0026+\\u0027é😀\\u0001",
            "a/b\\u0022c\\u003Cd\\u003E\\u0026\\u002B\\u0027\\u00E9\\uD83D\\uDE00\\u0001",
            "a\\/b\\u0022c\\u003Cd\\u003E\\u0026+\\u0027é😀\\u0001",
            // Mustache and .NET.
            "a&#x2F;b&quot;c&lt;d&gt;&amp;+&#39;é😀\u{1}",
            "a/b&quot;c&lt;d&gt;&amp;&#x2B;&#x27;&#xE9;&#x1F600;\u{1}",
            // Python's `quote`, JavaScript, Java, and twice.
            "a/b%22c%3Cd%3E%26%2B%27%C3%A9%F0%9F%98%80%01",
            "a%2Fb%22c%3Cd%3E%26%2B'%C3%A9%F0%9F%98%80%01",
            "a%2Fb%22c%3Cd%3E%26%2B%27%C3%A9%F0%9F%98%80%01",
            "a%252Fb%2522c%253Cd%253E%2526%252B%2527%25C3%25A9%25F0%259F%2598%2580%2501",
            // Python, Go, and XML.
            "a/b&quot;c&lt;d&gt;&amp;+&#x27;é😀\u{1}",
            "a/b&#34;c&lt;d&gt;&amp;+&#39;é😀\u{1}",
            "a/b\"c&lt;d&gt;&amp;+&apos;é😀\u{1}",
        ] {
            assert!(forms.contains(written), "{written}");
        }
    }

    #[test]
    fn a_plain_secret_has_few_forms() {
        let forms = forms(&["s3cr3t0123456789"]);
        // Itself, base64 after none, one and two bytes, without its first characters.
        assert_eq!(forms.written.len(), 8, "{forms:?}");
        // Itself, its first part, base64, and in hexadecimal digits.
        assert_eq!(forms.lettered.len(), 6, "{forms:?}");
        assert!(forms.lettered.contains("s3cr3t0123") && forms.lettered.contains("73336372337430313233343536373839"));
    }

    /// What others have too is no part of it; and what stands in another of them is taken apart once.
    #[test]
    fn parts_are_of_what_nobody_else_has() {
        let lettered = |secrets: &[&str]| forms(secrets).lettered;
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJteS1pc3N1ZXIifQ.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4";
        let hook = "https://hooks.example.com/services/T0123456/B0123456/abcdefghijklmn";
        for (secret, part, common) in [(token, "c2lnbmF0dX", "eyJhbGciOi"), (hook, "servicesT0", "httpshooks")] {
            let lettered = lettered(&[secret]);
            assert!(lettered.contains(part) && !lettered.contains(common), "{lettered:?}");
        }
        let key = "0123456789abcdefghij";
        let with_prefix = format!("key-{key}");
        let lettered = lettered(&[key, &with_prefix]);
        assert!(lettered.contains("0123456789") && !lettered.contains("key0123456"), "{lettered:?}");
    }

    /// A secret in groups is known by its letters, and one that is a word with marks around it is no reason to cut that word out.
    #[test]
    fn what_has_letters_enough_is_known_by_them() {
        assert_eq!(letters("123e4567-e89b-12d3").as_deref(), Some("123e4567e89b12d3"));
        for form in [
            "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q",
            "notifications!",
            "5f3c9a7b-e1d24f6",
            "Приветприветпривет-0123456789abcdef",
        ] {
            assert_eq!(letters(form), None, "{form}");
        }
    }
}
