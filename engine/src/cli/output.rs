//! How results are printed: for people as lines and columns, for programs as one JSON value.

use crate::rules::spelling::is_forging;
use crate::store::Upserted;
use anyhow::Context;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// Prints a value as JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = json_text(value).context(UNPRINTED)?;
    io::stdout().lock().write_all(text.as_bytes()).context(UNPRINTED)
}

/// The same as a text.
pub fn json_text(value: &impl Serialize) -> io::Result<String> {
    Ok(format!("{}\n", escaped(&serde_json::to_string_pretty(value)?)))
}

/// JSON that cannot command a terminal either: it is the same value with its characters written as escapes. Those stand in its texts only, but for line breaks.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_forging(c) && c != '\n' {
            let units = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            escaped.push_str(&units);
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// What a command does comes before what it prints.
const UNPRINTED: &str = "What was asked for is done, but the result could not be printed";

/// What making something, or bringing it up to date, has done.
pub const fn upserted(change: Upserted) -> &'static str {
    match change {
        Upserted::Added => "added",
        Upserted::Changed => "changed",
        Upserted::Unchanged => "as it was",
    }
}

/// Prints lines.
pub fn text(text: &str) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{}", harmless(text)).context(UNPRINTED)
}

/// Says something beside the results, on standard error. Whether anybody can read it does not matter.
pub fn aside(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// A text that cannot command a terminal, whoever wrote it: control characters but line breaks and tabs are shown as what they are, and so is
/// what turns the direction of a text around (<https://www.unicode.org/reports/tr9/>).
pub fn harmless(text: &str) -> Cow<'_, str> {
    let commands = |c: char| is_forging(c) && c != '\n' && c != '\t';
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if commands(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// A text of others on one line: its line breaks are shown as what they are.
pub fn line(text: &str) -> String {
    let breaks = |c: char| matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let shown = |c: char| if breaks(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Prints rows in columns under headings; with no rows, the sentence that says so.
pub fn table(none: &str, headings: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    if rows.is_empty() {
        return text(none);
    }
    let shown = |cell: &str| {
        let spaced: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        harmless(&spaced).into_owned()
    };
    let mut widths: Vec<usize> = headings.iter().map(|h| h.chars().count()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = io::stdout().lock();
    let headings: Vec<String> = headings.iter().map(|h| h.to_uppercase()).collect();
    for row in std::iter::once(&headings).chain(&rows) {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end()).context(UNPRINTED)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_json_commands_a_terminal() {
        let value = serde_json::json!({ "a\u{9b}": "x\u{202e}y\n\u{1b}", "b": ["é ✓"] });
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.contains("a\\u009b") && text.contains("x\\u202ey\\n\\u001b") && text.contains("é ✓"), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn no_text_commands_a_terminal() {
        assert_eq!(harmless("two\nlines\tand ä ✓"), "two\nlines\tand ä ✓");
        assert_eq!(harmless("\u{1b}[2Jgone\r\u{9b}31m\u{7}"), "\\u{1b}[2Jgone\\r\\u{9b}31m\\u{7}");
        assert_eq!(line("all is lost\r\nattempt 2: delivered"), "all is lost\\r\\nattempt 2: delivered");
        assert_eq!(harmless("exe.\u{202e}txt"), "exe.\\u{202e}txt");
    }
}
