//! How far an answer of a relay has come (RFC 5321, 4.2.1): its last line has no hyphen behind the code.

use std::io;

/// The longest answer of a relay, all of its lines together; RFC 5321 asks for 512 bytes a line.
const LONGEST: usize = 64 * 1024;
/// The most lines of it: with each lettre reads all of them anew.
const MOST_LINES: usize = 512;
/// Where in a line it says whether another follows.
const HYPHEN_AT: usize = 3;

/// What has come since something was last asked.
#[derive(Debug, Default)]
pub struct Answer {
    bytes: usize,
    lines: usize,
    /// How far its present line has come, and whether that says that another follows.
    column: usize,
    goes_on: bool,
    is_whole: bool,
    is_followed: bool,
}

impl Answer {
    /// More has come. Fails if there is no end of it, which would fill the memory: lettre looks for the end of a line first.
    pub fn add(&mut self, read: &[u8]) -> io::Result<()> {
        for byte in read {
            self.is_followed |= self.is_whole;
            self.is_whole |= *byte == b'\n' && !self.goes_on;
            if *byte == b'\n' {
                (self.column, self.goes_on) = (0, false);
                self.lines += 1;
                continue;
            }
            self.goes_on |= self.column == HYPHEN_AT && *byte == b'-';
            self.column += 1;
        }
        self.bytes += read.len();
        for (count, most, what) in [(self.bytes, LONGEST, "bytes"), (self.lines, MOST_LINES, "lines")] {
            if count > most {
                return Err(invalid(&format!("its answer has more than {most} {what}")));
            }
        }
        Ok(())
    }

    /// Whether all of it has come.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Fails if there is more than one answer, as lettre asks one thing at a time: what nobody has asked for would be taken for the answer to what is asked
    /// next.
    pub fn check_alone(&self) -> io::Result<()> {
        if self.is_followed { Err(more_than_asked()) } else { Ok(()) }
    }
}

/// It said more than it was asked.
pub fn more_than_asked() -> io::Error {
    invalid("it says more than it was asked")
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is whole, and alone, however it is cut.
    fn told(text: &str) -> (bool, bool) {
        let mut whole = Answer::default();
        whole.add(text.as_bytes()).unwrap();
        let mut cut = Answer::default();
        for byte in text.as_bytes() {
            cut.add(&[*byte]).unwrap();
        }
        let told = |answer: &Answer| (answer.is_whole(), answer.check_alone().is_ok());
        assert_eq!(told(&whole), told(&cut), "{text:?}");
        told(&whole)
    }

    #[test]
    fn an_answer_ends_with_the_line_that_says_so() {
        for text in ["", "250", "250 OK", "250-one\r\n", "250-one\r\n250-two\r\n250 "] {
            assert_eq!(told(text), (false, true), "{text:?}");
        }
        for text in ["250 OK\r\n", "250\r\n", "250-one\r\n250 two\r\n", "250-\r\n250\r\n", "\n", "what-ever\n"] {
            assert_eq!(told(text), (true, true), "{text:?}");
        }
        for text in ["250 OK\r\n2", "220 go\r\n250 one\r\n", "250-one\r\n250 two\r\n250-", "250 OK\r\n\n"] {
            assert_eq!(told(text), (true, false), "{text:?}");
        }
    }

    #[test]
    fn there_is_an_end_of_it() {
        assert!(Answer::default().add(&[b'2'; LONGEST + 1]).is_err());
        assert!(Answer::default().add("250-\r\n".repeat(MOST_LINES + 1).as_bytes()).is_err());
    }
}
