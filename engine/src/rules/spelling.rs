//! Words of others: what somebody may have meant who wrote one that there is not, and how any may be shown.

use super::limits::turns_text;

/// The word of these that is spelled most like `word`, if any is like it at all.
pub fn nearest<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    among
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 1 + word.len() / 3)
        .map(|(_, candidate)| candidate)
}

/// A text that quotes what others chose, as it may be shown: what would break the line or command a terminal is written as an escape.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns_text(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_chose_cannot_command() {
        assert_eq!(shown("a\u{1b}[2J\nb \u{202e}c é"), "a\\u{1b}[2J\\nb \\u{202e}c é");
    }

    #[test]
    fn only_what_is_alike_is_near() {
        let words = ["username", "email", "time_zone"];
        for (word, near) in [("user_name", Some("username")), ("emial", Some("email")), ("x", None), ("", None)] {
            assert_eq!(nearest(word, words.into_iter()), near, "{word}");
        }
    }
}
