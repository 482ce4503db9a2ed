//! A mail server inside the process that keeps what it gets, for the demo and the benchmark. It delivers nothing.
//!
//! It speaks enough of RFC 5321 for any client: one mail after another on a connection, with dot-stuffing undone.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

/// The longest command line that is read (RFC 5321 asks for 512), and the largest mail.
const LONGEST_LINE: u64 = 4096;
const LARGEST_MAIL: usize = 32 * 1024 * 1024;

/// A mail as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub sender: String,
    pub recipients: Vec<String>,
    /// The message, header and body.
    pub message: Vec<u8>,
}

/// A running inbox. It stops when it is dropped.
pub struct Inbox {
    pub address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Inbox {
    /// Listens on a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (keep, received) = mpsc::unbounded_channel();
        let keep = Arc::new(keep);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let keep = keep.clone();
                let _ = stream.set_nodelay(true);
                connections.spawn(async move {
                    let (read, write) = stream.into_split();
                    // What a client does wrong ends its own connection and nothing else.
                    let _ = converse(BufReader::new(read), write, &keep).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Inbox { address, received, task })
    }

    /// The next mail that arrives.
    pub async fn next(&mut self) -> Option<Received> {
        self.received.recv().await
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(
    mut read: BufReader<impl AsyncRead + Unpin>,
    mut write: impl tokio::io::AsyncWrite + Unpin,
    keep: &mpsc::UnboundedSender<Received>,
) -> io::Result<()> {
    write.write_all(b"220 inbox ESMTP\r\n").await?;
    let mut sender = None;
    let mut recipients = Vec::new();
    loop {
        let Some(line) = line(&mut read).await? else { return Ok(()) };
        let line = String::from_utf8_lossy(&line).into_owned();
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer: &[u8] = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => b"250-inbox\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            "HELO" | "NOOP" => b"250 OK\r\n",
            "RSET" => {
                (sender, recipients) = (None, Vec::new());
                b"250 OK\r\n"
            }
            "MAIL" => {
                sender = path(rest);
                if sender.is_some() { b"250 2.1.0 OK\r\n" } else { b"501 5.5.4 MAIL FROM:<address>\r\n" }
            }
            "RCPT" => match path(rest) {
                Some(recipient) if sender.is_some() => {
                    recipients.push(recipient);
                    b"250 2.1.5 OK\r\n"
                }
                _ => b"503 5.5.1 MAIL first, then RCPT TO:<address>\r\n",
            },
            "DATA" => match (sender.take(), std::mem::take(&mut recipients)) {
                (Some(sender), recipients) if !recipients.is_empty() => {
                    write.write_all(b"354 End with a dot on a line of its own\r\n").await?;
                    let message = message(&mut read).await?;
                    let _ = keep.send(Received { sender, recipients, message });
                    b"250 2.0.0 Kept\r\n"
                }
                _ => b"503 5.5.1 RCPT first\r\n",
            },
            "QUIT" => {
                write.write_all(b"221 2.0.0 Bye\r\n").await?;
                return Ok(());
            }
            _ => b"502 5.5.1 Not here\r\n",
        };
        write.write_all(answer).await?;
    }
}

/// A line without its end; `None` at the end of the connection.
async fn line(read: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if read.take(LONGEST_LINE).read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::InvalidData.into());
    }
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(line))
}

async fn message(read: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let start = message.len();
        let room = (LARGEST_MAIL - start) as u64;
        if read.take(room).read_until(b'\n', &mut message).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if &message[start..] == b".\r\n" {
            message.truncate(start);
            return Ok(message);
        }
        if message[start] == b'.' {
            message.remove(start);
        }
    }
}

/// The address in `FROM:<a@b> SIZE=1` or `TO:<a@b>`.
fn path(rest: &str) -> Option<String> {
    let (_, rest) = rest.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn talk(client: &str) -> (String, Vec<Received>) {
        let (keep, mut received) = mpsc::unbounded_channel();
        let mut answers = Vec::new();
        let _ = converse(BufReader::new(client.as_bytes()), &mut answers, &keep).await;
        drop(keep);
        let mut all = Vec::new();
        while let Some(one) = received.recv().await {
            all.push(one);
        }
        (String::from_utf8(answers).unwrap(), all)
    }

    #[tokio::test]
    async fn two_mails_on_one_connection() {
        let mail = "MAIL FROM:<a@x.example> BODY=8BITMIME\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: s\r\n\r\n..dot\r\nend\r\n.\r\n";
        let (answers, received) = talk(&format!("EHLO me\r\n{mail}{mail}QUIT\r\n")).await;
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].recipients, ["b@x.example"]);
        assert_eq!(received[0].message, b"Subject: s\r\n\r\n.dot\r\nend\r\n");
        assert!(answers.ends_with("221 2.0.0 Bye\r\n"), "{answers}");
    }

    #[tokio::test]
    async fn commands_out_of_order_are_refused() {
        let (answers, received) = talk("RCPT TO:<b@x>\r\nDATA\r\nMAIL\r\nNONSENSE\r\n").await;
        let codes: Vec<_> = answers.lines().map(|line| &line[..3]).collect();
        assert_eq!(codes, ["220", "503", "503", "501", "502"]);
        assert!(received.is_empty());
    }

    #[tokio::test]
    async fn a_mail_that_breaks_off_is_not_kept() {
        let (_, received) = talk("MAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nSubject: s\r\n").await;
        assert!(received.is_empty());
        let (_, received) = talk(&"x".repeat(10_000)).await;
        assert!(received.is_empty());
    }
}
