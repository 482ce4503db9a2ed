//! STARTTLS (RFC 3207): a relay is asked for TLS over a connection in the clear. What is said there anybody on the way may have said, so none of it is kept; lettre
//! keeps what it has read.

use super::answer::Answer;
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::{Response, Severity};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Why there is no TLS.
#[derive(Debug)]
pub enum NoTls {
    /// The relay does not offer it.
    NotOffered,
    /// It refuses to talk, or that.
    Refused(Response),
    Broken(io::Error),
}

impl From<io::Error> for NoTls {
    fn from(error: io::Error) -> Self {
        NoTls::Broken(error)
    }
}

/// Asks for it, as `hello`: the handshake comes next.
pub async fn ask(stream: &mut TcpStream, hello: &ClientId) -> Result<(), NoTls> {
    positive(answer(stream).await?)?;
    let offers = positive(said(stream, &format!("EHLO {hello}\r\n")).await?)?;
    if !ServerInfo::from_response(&offers).is_ok_and(|offers| offers.supports_feature(Extension::StartTls)) {
        return Err(NoTls::NotOffered);
    }
    positive(said(stream, "STARTTLS\r\n").await?).map(|_| ())
}

fn positive(response: Response) -> Result<Response, NoTls> {
    match response.code().severity {
        Severity::PositiveCompletion => Ok(response),
        _ => Err(NoTls::Refused(response)),
    }
}

async fn said(stream: &mut TcpStream, command: &str) -> io::Result<Response> {
    stream.write_all(command.as_bytes()).await?;
    answer(stream).await
}

async fn answer(stream: &mut TcpStream) -> io::Result<Response> {
    let (mut answer, mut said, mut chunk) = (Answer::default(), Vec::new(), [0; 1024]);
    while !answer.is_whole() {
        let read = match stream.read(&mut chunk).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => &chunk[..count],
        };
        answer.add(read)?;
        said.extend_from_slice(read);
    }
    answer.check_alone()?;
    String::from_utf8_lossy(&said).parse().map_err(io::Error::other)
}
