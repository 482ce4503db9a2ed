//! Words of others: what somebody may have meant who wrote one that there is not, and how any may be shown.

/// The longest that is compared with others, in bytes.
const LONGEST: usize = 100;

/// The word of these that is spelled most like `word`, if any is like it at all.
pub fn nearest<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // To compare two takes as much memory as their lengths multiplied.
    if word.len() > LONGEST {
        return None;
    }
    among
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= 1 + word.len() / 3)
        .map(|(_, candidate)| candidate)
}

/// The same of what is long and alike anyway, such as URLs: where it takes no more than two letters to make one of the other.
pub fn nearest_of_long<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, among).filter(|near| strsim::damerau_levenshtein(word, near) <= 2)
}

/// A text that quotes what others chose, as it may be shown: what would break the line or command a terminal is written as an escape.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_forging(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

/// Whether a character could make one line pass for two, turn its direction around (Unicode's embeddings, overrides and isolates), or command a
/// terminal.
pub fn is_forging(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || turns || breaks
}

/// Whether a character takes no room, so that two names may look like one. (Some join the parts of a picture in a text.)
pub fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
    ) || matches!(c, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
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
