//! What strangers and operators may give the engine, as any bytes at all.
//!
//! Each module has one function, `check`, which takes any bytes and panics if the engine does with them what it must not. `cargo xtask fuzz`
//! calls it with bytes that the fuzzer makes up (`targets/`); the tests below call it with those of `corpus/`, where each thing that was
//! found stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a check that panics has found something")]

pub mod answer;
pub mod component;
pub mod manifest;
pub mod origin;
pub mod settings;

/// A function that takes any bytes, and panics if the engine does with them what it must not.
pub type Check = fn(&[u8]);

/// All of them, by the names of their folders in `corpus/`.
pub const CHECKS: [(&str, Check); 5] = [
    ("answer", answer::check),
    ("component", component::check),
    ("manifest", manifest::check),
    ("origin", origin::check),
    ("settings", settings::check),
];

/// Asserts that this can be shown as it is: a sentence on one line, without what would command a terminal.
fn assert_sentence(text: &str) {
    assert!(!text.is_empty(), "nothing is said");
    assert!(!text.chars().any(char::is_control), "it cannot be shown as it is: {text:?}");
}

#[cfg(test)]
mod tests;
