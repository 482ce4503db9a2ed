//! The body of an answer as it comes in: unpacked, and bounded before and after that.

use flate2::write::GzDecoder;
use std::io::{self, Write};

/// A body, of which not all may be there yet.
pub struct Body {
    /// How many bytes may come, and how many have: what unpacks to nothing could come without end.
    most: usize,
    came: usize,
    kind: Kind,
}

enum Kind {
    Plain(Vec<u8>),
    Gzip(Box<GzDecoder<Bounded>>),
}

/// Why a body cannot be used.
#[derive(Debug)]
pub enum Wrong {
    TooLarge,
    Broken(io::Error),
}

/// Bytes, as many as fit.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.most {
            self.is_full = true;
            return Err(io::Error::other("it is too large"));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// One that comes as it is.
    pub fn plain(most: usize) -> Self {
        Body { most, came: 0, kind: Kind::Plain(Vec::new()) }
    }

    /// One that comes packed.
    pub fn gzip(most: usize) -> Self {
        let bounded = Bounded { bytes: Vec::new(), most, is_full: false };
        Body { most, came: 0, kind: Kind::Gzip(Box::new(GzDecoder::new(bounded))) }
    }

    /// Whether it comes packed.
    pub fn is_packed(&self) -> bool {
        matches!(self.kind, Kind::Gzip(_))
    }

    /// More of it has come. By how many bytes it has grown.
    pub fn add(&mut self, chunk: &[u8]) -> Result<usize, Wrong> {
        self.came += chunk.len();
        if self.came > self.most {
            return Err(Wrong::TooLarge);
        }
        match &mut self.kind {
            Kind::Plain(bytes) => {
                bytes.extend_from_slice(chunk);
                Ok(chunk.len())
            }
            Kind::Gzip(decoder) => {
                let before = decoder.get_ref().bytes.len();
                // What it has not given on yet is 32 KiB at most; to ask for that after each chunk would take as long as a large one.
                match decoder.write_all(chunk) {
                    Ok(()) => Ok(decoder.get_ref().bytes.len() - before),
                    Err(_) if decoder.get_ref().is_full => Err(Wrong::TooLarge),
                    Err(e) => Err(Wrong::Broken(e)),
                }
            }
        }
    }

    /// All of it. One of which nothing has come is empty, packed or not: so are the answers to HEAD.
    pub fn end(self) -> Result<Vec<u8>, Wrong> {
        match self.kind {
            Kind::Plain(bytes) => Ok(bytes),
            Kind::Gzip(_) if self.came == 0 => Ok(Vec::new()),
            Kind::Gzip(mut decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes)),
                Err(_) if decoder.get_ref().is_full => Err(Wrong::TooLarge),
                Err(e) => Err(Wrong::Broken(e)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(chunks: &[&[u8]], most: usize) -> Result<Vec<u8>, Wrong> {
        let mut body = Body::gzip(most);
        for chunk in chunks {
            body.add(chunk)?;
        }
        body.end()
    }

    #[test]
    fn a_packed_body_is_unpacked_piece_by_piece() {
        let text = "Coo. ".repeat(1000);
        let whole = packed(text.as_bytes());
        let (one, other) = whole.split_at(10);
        assert_eq!(unpacked(&[one, other], 5000).unwrap(), text.as_bytes());
        assert!(matches!(unpacked(&[one, other], 4999), Err(Wrong::TooLarge)));
        assert!(unpacked(&[], 10).unwrap().is_empty(), "the answer to HEAD");
    }

    #[test]
    fn what_is_no_gzip_is_broken() {
        let whole = packed(b"Coo.");
        let mut changed = whole.clone();
        changed[12] ^= 0xff;
        let more = [whole.as_slice(), b"more"].concat();
        for broken in [&whole[..whole.len() - 1], b"none", &changed, &more] {
            assert!(matches!(unpacked(&[broken], 1000), Err(Wrong::Broken(_))), "{broken:?}");
        }
    }

    /// Blocks of nothing, which a decoder would take without end.
    #[test]
    fn what_unpacks_to_nothing_ends_too() {
        let mut head = packed(b"")[..10].to_vec();
        let nothing = [0, 0, 0, 0xff, 0xff].repeat(100);
        let mut body = Body::gzip(10_000);
        body.add(&std::mem::take(&mut head)).unwrap();
        let taken = (0..100).take_while(|_| body.add(&nothing).is_ok()).count();
        assert_eq!(taken, 19);
    }
}
