//! The lines of a trap's backtrace, with the names of Rust's functions as people write them.
//!
//! Other languages' names stay as the component has them: to write out one of C++ of 300 bytes may take gigabytes. What Rust's take is bounded here.

use rustc_demangle::try_demangle;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// How many bytes a name may have, before and after.
const LONGEST: usize = 400;

/// A line in which the name that stands behind the module's, `pigeon.wasm!_ZN6pigeon4send17h…E`, can be read.
pub fn readable(line: &str) -> Cow<'_, str> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "_$.".contains(c);
    let Some((before, behind)) = line.split_once('!') else { return line.into() };
    let (name, rest) = behind.split_at(behind.find(|c| !is_of_name(c)).unwrap_or(behind.len()));
    let mut written = Bounded(String::new());
    if name.len() > LONGEST {
        return line.into();
    }
    match try_demangle(name) {
        // Without the hash, which says nothing to people.
        Ok(readable) if write!(written, "{readable:#}").is_ok() => format!("{before}!{}{rest}", written.0).into(),
        Ok(_) | Err(_) => line.into(),
    }
}

/// A text that takes so much and then fails, so that whoever writes goes no further.
struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > LONGEST {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rust_can_be_read() {
        for (line, read) in [
            ("0: 0x1a2b - pigeon.wasm!_ZN6pigeon4send17h0123456789abcdefE", "0: 0x1a2b - pigeon.wasm!pigeon::send"),
            ("1: 0x1 - <unknown>!_RNvCs4fqI2P2rA04_6pigeon4send", "1: 0x1 - <unknown>!pigeon::send"),
            ("2: 0x1 - pigeon.wasm!_Z1f1aIiiiiES_I", "2: 0x1 - pigeon.wasm!_Z1f1aIiiiiES_I"),
            ("3: 0x1 - pigeon.wasm!memcpy", "3: 0x1 - pigeon.wasm!memcpy"),
            ("Caused by:", "Caused by:"),
            ("!", "!"),
        ] {
            assert_eq!(readable(line), read);
        }
    }

    /// Each type is a pair of the one before: a million letters, if they were written out.
    #[test]
    fn a_name_that_doubles_stays_as_it_is() {
        let mut name = "_RINvC1f1g".to_owned();
        let mut last = name.len() - 2;
        name.push_str("TuuE");
        for _ in 0..20 {
            let before = last;
            last = name.len() - 2;
            name.push_str(&format!("TB{0}_B{0}_E", digits(before)));
        }
        name.push('E');
        assert!(name.len() < LONGEST && try_demangle(&name).is_ok(), "{name}");
        let line = format!("0: 0x1 - f.wasm!{name}");
        assert_eq!(readable(&line), line);
    }

    /// A number from 1 on as such names have it: less one, in base 62.
    fn digits(number: usize) -> String {
        let all: Vec<char> = ('0'..='9').chain('a'..='z').chain('A'..='Z').collect();
        let less = number - 1;
        if less < 62 { all[less].to_string() } else { format!("{}{}", all[less / 62], all[less % 62]) }
    }
}
