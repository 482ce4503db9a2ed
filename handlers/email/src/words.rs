//! How texts of applications are quoted in error messages.

/// The most characters that are quoted: enough to recognise it, and a message has room for 1,000 in all.
const LONGEST: usize = 60;

/// The text in quotes, on one line, and cut if it is long.
pub fn quoted(text: &str) -> String {
    let start: String = text.chars().take(LONGEST).collect();
    let rest = if start.len() < text.len() { "…" } else { "" };
    format!("\"{}{rest}\"", start.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stay_short_and_on_one_line() {
        assert_eq!(quoted("a\nb\u{0}"), r#""a\nb\0""#);
        assert_eq!(quoted(&"ü".repeat(61)), format!("\"{}…\"", "ü".repeat(60)));
    }
}
