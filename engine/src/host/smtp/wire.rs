//! A connection to a relay that remembers whether it was last written to or read from.
//!
//! This is what tells a mail that never left whole (`write`: it was not taken) from one whose answer did not come (`wait`: it
//! may have been). lettre writes a command to its end before it reads, so a read means that all was written.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// What the connection was doing last.
#[derive(Clone, Debug, Default)]
pub struct Doing(Arc<AtomicBool>);

impl Doing {
    /// Whether all that was to be written has been, and an answer is awaited.
    pub fn waits(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn now(&self, reading: bool) {
        self.0.store(reading, Ordering::Relaxed);
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
        self.doing().now(true);
        match self.get_mut() {
            Wire::Plain(stream, _) => Pin::new(stream).poll_read(cx, buf),
            Wire::Encrypted(stream, _) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.doing().now(false);
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
