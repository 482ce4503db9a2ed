//! A connection to a relay that remembers whether it was last written to or read from.
//!
//! This is what tells a mail that never left whole (`write`: it was not taken) from one whose answer did not come (`wait`: it
//! may have been). lettre writes a command to its end before it reads, so a read means that all was written.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// The longest answer of a relay, all of its lines together; RFC 5321 asks for 512 bytes a line.
const LONGEST_ANSWER: usize = 64 * 1024;
/// The most lines of it: with each lettre reads all of them anew.
const MOST_LINES: usize = 512;

/// What the connection was doing last.
#[derive(Clone, Debug, Default)]
pub struct Doing {
    reads: Arc<AtomicBool>,
    /// How much has been read since something was last written.
    answered: Arc<AtomicUsize>,
    /// In how many lines.
    lines: Arc<AtomicUsize>,
}

impl Doing {
    /// Whether all that was to be written has been, and an answer is awaited.
    pub fn waits(&self) -> bool {
        self.reads.load(Ordering::Relaxed)
    }

    fn writes(&self) {
        self.reads.store(false, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
        self.lines.store(0, Ordering::Relaxed);
    }

    fn reads(&self) {
        self.reads.store(true, Ordering::Relaxed);
    }

    /// So much more has been read. A relay that answers without end would fill the memory: lettre looks for the end of a line first.
    fn has_read(&self, read: &[u8]) -> io::Result<()> {
        let lines = read.iter().filter(|byte| **byte == b'\n').count();
        for (of, more, most, what) in
            [(&self.answered, read.len(), LONGEST_ANSWER, "bytes"), (&self.lines, lines, MOST_LINES, "lines")]
        {
            if of.fetch_add(more, Ordering::Relaxed) + more > most {
                let text = format!("its answer has more than {most} {what}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(())
    }
}

/// The connection, plain or encrypted from its first byte. (STARTTLS is lettre's, on top of a plain one.)
#[derive(Debug)]
pub enum Wire {
    Plain(TcpStream, Doing),
    Encrypted(Box<TlsStream<TcpStream>>, Doing),
}

impl Wire {
    fn doing(&self) -> &Doing {
        match self {
            Wire::Plain(_, doing) | Wire::Encrypted(_, doing) => doing,
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let doing = self.doing().clone();
        doing.reads();
        let before = buf.filled().len();
        let read = match self.get_mut() {
            Wire::Plain(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Wire::Encrypted(stream, _) => Pin::new(stream).poll_read(cx, buf),
        };
        match read {
            Poll::Ready(Ok(())) => Poll::Ready(doing.has_read(&buf.filled()[before..])),
            other => other,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.doing().writes();
        match self.get_mut() {
            Wire::Plain(stream, _) => Pin::new(stream).poll_write(cx, buf),
            Wire::Encrypted(stream, _) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream, _) => Pin::new(stream).poll_flush(cx),
            Wire::Encrypted(stream, _) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Wire::Plain(stream, _) => Pin::new(stream).poll_shutdown(cx),
            Wire::Encrypted(stream, _) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Wire::Plain(stream, _) => stream.peer_addr(),
            Wire::Encrypted(stream, _) => stream.get_ref().0.peer_addr(),
        }
    }
}
