//! What a component says during a call: `runtime.log`, standard output and standard error, one after another, bounded.
//!
//! A full log drops lines and counts them; it never fails a delivery.

use super::redaction::Redactor;
use crate::rules::budget::{Budget, Limit};
use crate::rules::spelling::is_forging;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

const LONGEST_LINE: usize = 4 * 1024;
/// How many lines of a call go to the engine's own log, and how many bytes of each.
const MOST_TOLD: usize = 20;
const LONGEST_TOLD: usize = 1000;
/// How many lines are taken for what it said before it crashed.
const MOST_LAST_WORDS: usize = 3;
/// What Rust's library advises after a panic. Nobody can follow it: a component has no environment.
const OF_NO_USE: &[u8] = b"note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";
/// How much a stream takes at once; more is written in several pieces.
const AT_ONCE: usize = 64 * 1024;

/// The lines of one call, shared by its streams.
#[derive(Clone)]
pub struct CallLog {
    lines: Arc<Mutex<Lines>>,
    redactor: Redactor,
    /// In bytes, and in lines.
    most: usize,
    most_lines: usize,
}

/// As they were said: secrets are cut out when the call is over, since the time which that takes tells a component that is still running how much a text is
/// like one.
#[derive(Default)]
struct Lines {
    /// The level of each, and its beginning.
    lines: Vec<(String, String)>,
    /// How many bytes are kept of them at least.
    bytes: usize,
    dropped: usize,
}

impl CallLog {
    /// An empty log, from which this cuts the secrets out.
    pub fn new(redactor: &Redactor, budget: &Budget) -> Self {
        let (most, most_lines) = (budget.bytes(Limit::Log), budget.bytes(Limit::LogLines));
        CallLog { lines: Arc::default(), redactor: redactor.clone(), most, most_lines }
    }

    /// Adds a line.
    pub fn add(&self, level: &str, line: &str) {
        let mut log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if log.lines.len() >= self.most_lines || log.bytes >= self.most {
            log.dropped += 1;
            return;
        }
        // Far more than is kept of it, so that a secret is known at the place where it is cut. There are few so long, as each counts as much as is kept.
        let line = cut(line, AT_ONCE);
        log.bytes += level.len() + 2 + line.len().min(LONGEST_LINE);
        log.lines.push((level.to_owned(), line.to_owned()));
    }

    /// A line as it is kept, without secrets, in so many bytes at most; control characters are written as escapes, so that no line can pass for two or colour a
    /// terminal.
    fn kept(&self, level: &str, line: &str, most: usize) -> String {
        // Before it is cut to what is kept: a part of a secret would not be known again.
        let line = self.redactor.text(line);
        let mut text = format!("{level}: ");
        let begin = text.len();
        for c in line.chars() {
            let before = text.len();
            if is_forging(c) && c != '\t' {
                text.extend(c.escape_default())
            } else {
                text.push(c)
            }
            if text.len() - begin > most {
                text.truncate(before);
                text.push('…');
                break;
            }
        }
        text
    }

    /// What it said last by standard error, before it crashed: a panic's own words, in most languages. Empty if it said nothing.
    pub fn last_words(&self) -> String {
        let log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let said_last = log.lines.iter().rev().take_while(|(level, _)| level == "warn").map(|(_, line)| line);
        let mut words: Vec<&String> = said_last.filter(|line| !line.is_empty()).take(MOST_LAST_WORDS).collect();
        words.reverse();
        let words = words.into_iter().map(|line| self.kept("warn", line, LONGEST_LINE));
        words.map(|line| line["warn: ".len()..].to_owned()).collect::<Vec<_>>().join(" ")
    }

    /// All of it, a line each, with the secrets cut out; the last line counts what was dropped. From `info` on the first lines also go
    /// to the engine's own log, under the module's name.
    pub fn text(&self, module: &str) -> String {
        let log = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut kept, mut bytes, mut dropped): (Vec<String>, usize, usize) = (Vec::new(), 0, log.dropped);
        for (level, line) in &log.lines {
            // What counts is what is kept: an escape takes more room than its character.
            let Some(most) = self.most.checked_sub(bytes).filter(|most| *most > 0) else {
                dropped += 1;
                continue;
            };
            let text = self.kept(level, line, most.min(LONGEST_LINE));
            bytes += text.len();
            kept.push(text);
        }
        let text = self.redactor.text(&kept.join("\n"));
        // As many of them as do not bury what others say.
        for line in text.lines().take(MOST_TOLD) {
            let (shown, more) = (cut(line, LONGEST_TOLD), if line.len() > LONGEST_TOLD { "…" } else { "" });
            match shown.split_once(": ").filter(|(_, said)| !said.is_empty()) {
                Some(("error", said)) => tracing::error!(module, "{said}{more}"),
                Some(("warn", said)) => tracing::warn!(module, "{said}{more}"),
                Some(("info", said)) => tracing::info!(module, "{said}{more}"),
                _ => {}
            }
        }
        // What is blotted out may have been shorter than its blot, and the last line is worth more than the end of the one before.
        let last = if dropped > 0 { format!("\n({dropped} more lines were dropped)") } else { String::new() };
        format!("{}{last}", cut(&text, self.most.saturating_sub(last.len())))
    }
}

/// The beginning of `text`, at most `most` bytes, cut between characters.
pub fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Standard output or standard error of a component, cut into lines.
#[derive(Clone)]
pub struct Output {
    log: CallLog,
    name: &'static str,
    /// The line that has not ended yet. It ends at a line break, at its greatest length, and with the call.
    line: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    /// A stream that writes to `log`, each line under `name`.
    pub fn new(log: &CallLog, name: &'static str) -> Self {
        Output { log: log.clone(), name, line: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match chunk.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (chunk, false),
            };
            // Far more than is kept of it, so that a secret is known at the place where it is cut.
            let room = AT_ONCE.saturating_sub(line.len());
            line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.keep(&mut line);
            }
        }
    }

    fn keep(&self, line: &mut Vec<u8>) {
        if line != OF_NO_USE {
            self.log.add(self.name, &String::from_utf8_lossy(line));
        }
        line.clear();
    }

    /// Ends the last line, if it had no line break.
    pub fn finish(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if !line.is_empty() {
            self.keep(&mut line);
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(AT_ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_escaped_and_counted() {
        let log = CallLog::new(&Redactor::new(["another"].into_iter()), &Budget::of(|_| 1000));
        log.add("info", "one\ntwo\u{1b}[31m");
        let out = Output::new(&log, "warn");
        out.take(b"half");
        out.take(
            b" a line\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\nand \xff another",
        );
        out.finish();
        let text = log.text("module");
        assert_eq!(text, "info: one\\ntwo\\u{1b}[31m\nwarn: half a line\nwarn: and \u{fffd} •••");
    }

    #[test]
    fn a_secret_is_known_where_its_line_is_cut() {
        let log = CallLog::new(&Redactor::new(["5f3c9a7be1d24f60"].into_iter()), &Budget::of(|_| 10_000));
        let out = Output::new(&log, "info");
        out.take(format!("{}5f3c9a7be1d24f60\n", "x".repeat(LONGEST_LINE - 10)).as_bytes());
        let said = log.lines.lock().unwrap().lines[0].1.clone();
        assert!(said.contains("5f3c"), "while it runs, nothing takes longer for what it says");
        assert!(!log.text("module").contains("5f3c"));
    }

    #[test]
    fn a_full_log_drops_and_counts() {
        let most = 64 * 1024;
        let log = CallLog::new(&Redactor::default(), &Budget::of(|_| most as u64));
        let out = Output::new(&log, "info");
        out.take(&vec![b'x'; 10_000_000]);
        out.finish();
        for _ in 0..1000 {
            log.add("info", &"é".repeat(LONGEST_LINE));
        }
        let text = log.text("module");
        assert!(text.len() <= most, "{}", text.len());
        assert!(text.lines().next().unwrap().len() < LONGEST_LINE + 20);
        assert!(text.ends_with("more lines were dropped)"));
    }
}
