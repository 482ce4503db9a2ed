//! How much a connection reads: as much as the answers that are waited for on it may have, and what comes with them. Without an end of that, a server could
//! keep an engine at work for as long as an exchange lasts: interim answers, empty frames, pings.

use hyper_util::client::legacy::connect::{Connected, Connection};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How many bytes may come beside twice an answer's own: its head, of which hyper takes 400 KiB at most, and certificates.
const BESIDE: usize = 512 * 1024;
/// How much of what an answer has not used stays for what comes while none is waited for: pings, and what ends a connection.
const IDLE: usize = 64 * 1024;
/// How many bytes are read at once, so that other connections have their turn soon.
const AT_ONCE: usize = 16 * 1024;

/// What one connection may still read.
#[derive(Debug)]
pub struct Reading(Mutex<Left>);

#[derive(Debug)]
struct Left {
    bytes: usize,
    /// What all exchanges that are under way expect together.
    expected: usize,
    /// Whether more came than was expected: nothing is read any more.
    is_over: bool,
}

impl Reading {
    fn new() -> Arc<Self> {
        Arc::new(Reading(Mutex::new(Left { bytes: BESIDE, expected: 0, is_over: false })))
    }

    /// A panic while it was held is impossible: nothing is called in between.
    fn left(&self) -> MutexGuard<'_, Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes may be read now.
    fn at_once(&self) -> io::Result<usize> {
        let mut left = self.left();
        if left.bytes > 0 {
            return Ok(left.bytes.min(AT_ONCE));
        }
        // Where nobody waits for an answer it ends too: whoever did not read could not see that the other side has closed it.
        left.is_over = left.expected > 0;
        Err(io::Error::other("more came than an answer may bring"))
    }
}

/// What one exchange expects to read, from the connection that it goes over.
#[derive(Debug)]
pub struct Expected {
    bytes: usize,
    from: Option<Arc<Reading>>,
}

impl Expected {
    /// An answer of so many bytes.
    pub fn of(answer: usize) -> Self {
        Expected { bytes: answer.saturating_mul(2).saturating_add(BESIDE), from: None }
    }

    /// The request goes over this connection.
    pub fn from(&mut self, reading: Arc<Reading>) {
        if self.from.as_ref().is_some_and(|from| Arc::ptr_eq(from, &reading)) {
            return;
        }
        self.end();
        let mut left = reading.left();
        left.bytes = left.bytes.saturating_add(self.bytes);
        left.expected = left.expected.saturating_add(self.bytes);
        drop(left);
        self.from = Some(reading);
    }

    /// Whether there has been a connection: without one nothing was sent.
    pub fn is_connected(&self) -> bool {
        self.from.is_some()
    }

    /// Whether more came.
    pub fn is_exceeded(&self) -> bool {
        self.from.as_ref().is_some_and(|from| from.left().is_over)
    }

    fn end(&mut self) {
        let Some(from) = self.from.take() else { return };
        let mut left = from.left();
        left.expected = left.expected.saturating_sub(self.bytes);
        left.bytes = left.bytes.min(left.expected.saturating_add(IDLE));
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.end();
    }
}

/// A connection that reads no more than it may.
#[derive(Debug)]
pub struct Metered<T> {
    stream: T,
    reading: Arc<Reading>,
}

impl<T> Metered<T> {
    pub fn new(stream: T) -> Self {
        Metered { stream, reading: Reading::new() }
    }
}

impl Connection for Metered<TcpStream> {
    fn connected(&self) -> Connected {
        self.stream.connected().extra(self.reading.clone())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = self.reading.at_once()?.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        buffer.advance(count);
        let mut left = self.reading.left();
        left.bytes = left.bytes.saturating_sub(count);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::io::{AsyncReadExt, Repeat, repeat};

    const ANSWER: usize = 1000;

    /// How many bytes come until no more do, and whether that is an error.
    async fn come(stream: &mut Metered<Repeat>) -> (usize, bool) {
        let (mut bytes, mut came) = (vec![0; 100_000], 0);
        loop {
            match tokio::task::unconstrained(stream.read(&mut bytes)).now_or_never() {
                Some(Ok(count)) => {
                    assert!((1..=AT_ONCE).contains(&count));
                    came += count;
                }
                Some(Err(_)) => return (came, true),
                None => return (came, false),
            }
        }
    }

    #[tokio::test]
    async fn as_much_is_read_as_is_expected() {
        let mut stream = Metered::new(repeat(0));
        let expects = |answer| {
            let mut expected = Expected::of(answer);
            expected.from(stream.reading.clone());
            expected.from(stream.reading.clone());
            expected
        };
        let (one, other) = (expects(ANSWER), expects(ANSWER));
        let reading = stream.reading.clone();
        assert_eq!(come(&mut stream).await, (BESIDE + 2 * (2 * ANSWER + BESIDE), true), "a handshake, and two answers");
        assert!(one.is_exceeded() && other.is_exceeded());
        drop((one, other));
        let left = reading.left();
        assert_eq!((left.bytes, left.expected), (0, 0));
    }

    #[tokio::test]
    async fn what_is_left_is_not_kept_for_later() {
        let mut stream = Metered::new(repeat(0));
        for _ in 0..10 {
            let mut expected = Expected::of(ANSWER);
            expected.from(stream.reading.clone());
        }
        assert_eq!(come(&mut stream).await, (IDLE, true));
        let mut expected = Expected::of(ANSWER);
        expected.from(stream.reading.clone());
        assert!(!expected.is_exceeded(), "what came before is not held against it");
        assert_eq!(come(&mut stream).await, (2 * ANSWER + BESIDE, true));
    }
}
