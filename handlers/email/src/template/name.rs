//! Which names templates may have. They come from applications and from other templates, and become paths: so only what
//! is plainly a file below the folder is one. Links that lead out of it the host refuses when the file is opened.

use guest_sdk::Failure;

use crate::words::quoted;

/// The most characters of a name.
pub const LONGEST: usize = 200;

/// What a template makes, by the ending of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Html,
    /// Parts of an HTML mail, such as a drawing, and no mail themselves.
    Xml,
    Text,
}

/// The kind of a template, if its name can be one's: parts joined by `/`, none of which is empty or begins with a dot,
/// and a known ending.
pub fn check(name: &str) -> Result<Kind, Failure> {
    let refused = |why: &str| {
        Err(Failure::new("invalid_template_name", format!("{} cannot be the name of a template: {why}.", quoted(name))))
    };
    if name.chars().count() > LONGEST {
        return refused(&format!("it has more than {LONGEST} characters"));
    }
    if name.contains(|c: char| c.is_control() || c == '\\') {
        return refused("it holds a backslash or a control character");
    }
    if name.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return refused("it has to lead from the folder of templates to a file below it, as in news/weekly.txt");
    }
    match ending(name) {
        Some("html" | "htm") => Ok(Kind::Html),
        Some("xml") => Ok(Kind::Xml),
        Some("txt") => Ok(Kind::Text),
        Some(_) | None => refused("it has to end in .html, .htm, .xml or .txt"),
    }
}

/// The name of the plain text beside an HTML template: `welcome.txt` beside `welcome.html`.
pub fn text_beside(name: &str) -> Option<String> {
    name.rsplit_once('.').map(|(stem, _)| format!("{stem}.txt"))
}

/// What stands behind the last dot of the last part. In lower case only, since the same name must mean the same file on
/// every machine.
fn ending(name: &str) -> Option<&str> {
    name.rsplit('/').next()?.rsplit_once('.').map(|(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_the_kind() {
        for (name, kind) in [
            ("welcome.html", Kind::Html),
            ("welcome.htm", Kind::Html),
            ("news/2030/weekly.txt", Kind::Text),
            ("parts/logo.xml", Kind::Xml),
            ("a b.v2.grüße.txt", Kind::Text),
            ("dots..txt", Kind::Text),
        ] {
            assert_eq!(check(name), Ok(kind), "{name}");
        }
    }

    #[test]
    fn other_names_are_refused() {
        let too_long = format!("{}.txt", "x".repeat(197));
        for name in [
            "",
            "welcome",
            "welcome.md",
            "welcome.HTML",
            "html",
            ".html",
            "welcome.html.",
            "../secret.txt",
            "a/../../b.txt",
            "./a.txt",
            "a/./b.txt",
            "/etc/motd.txt",
            "//a.txt",
            "a//b.txt",
            "a.txt/",
            "a.txt/b",
            ".git/a.txt",
            "..\\a.txt",
            "C:\\a.txt",
            "a\0.txt",
            "a\n.txt",
            &too_long,
        ] {
            assert_eq!(check(name).unwrap_err().code, "invalid_template_name", "{name:?}");
        }
    }

    #[test]
    fn the_text_beside_has_the_same_stem() {
        assert_eq!(text_beside("news.v2/weekly.html").as_deref(), Some("news.v2/weekly.txt"));
    }
}
