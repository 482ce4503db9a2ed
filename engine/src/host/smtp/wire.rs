//! A connection to a relay that remembers whether it was last written to or read from, and how far the answer has come.
//!
//! This is what tells a mail that never left whole (`write`: it was not taken) from one whose answer did not come (`wait`: it
//! may have been). lettre writes a command to its end before it reads, so a read means that all was written.

use super::answer::{Answer, more_than_asked};
use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What the connection was doing last.
#[derive(Clone, Debug, Default)]
pub struct Doing(Arc<Mutex<Last>>);

#[derive(Debug, Default)]
struct Last {
    reads: bool,
    answer: Answer,
}

impl Doing {
    fn last(&self) -> MutexGuard<'_, Last> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all that was to be written has been, and an answer is awaited.
    pub fn waits(&self) -> bool {
        self.last().reads
    }
}

/// The connection, plain or encrypted.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    doing: Doing,
    /// What is read first, which no relay says.
    greeting: &'static [u8],
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub fn plain(stream: TcpStream, doing: &Doing) -> Self {
        Wire { stream: Stream::Plain(stream), doing: doing.clone(), greeting: b"" }
    }

    /// One on which the relay greets.
    pub fn encrypted(stream: TlsStream<TcpStream>, doing: &Doing) -> Self {
        Wire { stream: Stream::Encrypted(Box::new(stream)), doing: doing.clone(), greeting: b"" }
    }

    /// One on which it does not, as it has done so before STARTTLS (RFC 3207, 4.2). lettre waits for that.
    pub fn encrypted_later(stream: TlsStream<TcpStream>, doing: &Doing) -> Self {
        Wire { greeting: b"220 TLS\r\n", ..Wire::encrypted(stream, doing) }
    }

    /// Nothing may have come since the answer to what was asked before: it would be taken for the answer to what is asked now.
    fn check_silent(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let last = std::mem::take(&mut *self.doing.last());
        if !last.reads {
            return Ok(());
        }
        last.answer.check_alone()?;
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        match self.stream.poll_read(cx, &mut one) {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok(())) if one.filled().is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Poll::Ready(Ok(())) => Err(more_than_asked()),
            Poll::Ready(Err(e)) => Err(e),
        }
    }
}

impl Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Encrypted(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.doing.last().reads = true;
        if !self.greeting.is_empty() {
            let (now, later) = self.greeting.split_at(self.greeting.len().min(buf.remaining()));
            buf.put_slice(now);
            self.greeting = later;
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match self.stream.poll_read(cx, buf) {
            Poll::Ready(Ok(())) => Poll::Ready(self.doing.last().answer.add(&buf.filled()[before..])),
            other => other,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check_silent(cx)?;
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Stream::Encrypted(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Encrypted(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}
