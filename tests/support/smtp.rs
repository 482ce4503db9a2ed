//! A mail server that answers as it is told: how each stage ends, and what happens after the final dot.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How a stage ends, if not well.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With these words, such as `550 5.1.1 No such user`.
    Says(&'static str),
    /// With a closed connection.
    Closes,
    /// With a closed connection, once in so many times; it counts how often it was asked.
    ClosesAtEach(usize, Arc<AtomicUsize>),
    /// With these words at this asking, counted from 1 on.
    SaysAt(usize, Arc<AtomicUsize>, &'static str),
    /// Not at all.
    Hangs,
    /// Without end, on one line.
    Endless,
    /// Not at all to a line that holds this.
    HangsFor(&'static str),
    /// In so many lines before the usual one.
    Lines(usize),
}

/// What the server does at `GREETING`, `EHLO`, `AUTH`, `STARTTLS`, `MAIL`, `RCPT`, `DATA`, and `DOT` (after the message).
pub type Script = HashMap<&'static str, Answer>;

pub struct SmtpServer {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    pub mails: Arc<Mutex<Vec<String>>>,
    pub script: Arc<Mutex<Script>>,
    task: tokio::task::JoinHandle<()>,
}

impl SmtpServer {
    pub async fn start(script: &[(&'static str, Answer)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, mails) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::default()));
        let script = Arc::new(Mutex::new(script.iter().cloned().collect::<Script>()));
        let (count, kept, told) = (connections.clone(), mails.clone(), script.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (kept, told) = (kept.clone(), told.clone());
                tokio::spawn(async move {
                    let _ = converse(stream, &kept, &told).await;
                });
            }
        });
        SmtpServer { address, connections, mails, script, task }
    }

    pub fn count(&self) -> usize {
        self.mails.lock().unwrap().len()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(stream: TcpStream, kept: &Mutex<Vec<String>>, told: &Mutex<Script>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut asked = String::new();
    macro_rules! answer {
        ($stage:expr, $usual:expr) => {{
            let told = told.lock().unwrap().get($stage).cloned();
            match told {
                None => $usual.to_owned(),
                Some(Answer::Says(words)) => words.to_owned(),
                Some(Answer::Closes) => return Ok(()),
                Some(Answer::ClosesAtEach(turn, asked)) => {
                    if (asked.fetch_add(1, Ordering::SeqCst) + 1) % turn == 0 {
                        return Ok(());
                    }
                    $usual.to_owned()
                }
                Some(Answer::SaysAt(turn, asked, words)) => {
                    if asked.fetch_add(1, Ordering::SeqCst) + 1 == turn {
                        words.to_owned()
                    } else {
                        $usual.to_owned()
                    }
                }
                Some(Answer::Endless) => loop {
                    write.write_all(&[b'2'; 8192]).await?;
                },
                Some(Answer::Lines(count)) => {
                    let (code, _) = $usual.split_once(' ').unwrap_or_default();
                    write.write_all(format!("{code}-\r\n").repeat(count).as_bytes()).await?;
                    $usual.to_owned()
                }
                Some(Answer::HangsFor(part)) if !asked.contains(part) => $usual.to_owned(),
                Some(Answer::Hangs | Answer::HangsFor(_)) => {
                    std::future::pending::<()>().await;
                    return Ok(());
                }
            }
        }};
    }
    let greeting = answer!("GREETING", "220 test ESMTP");
    write.write_all(format!("{greeting}\r\n").as_bytes()).await?;
    while let Some(line) = lines.next_line().await? {
        asked.clone_from(&line);
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let mut said = match verb.as_str() {
            "EHLO" => answer!("EHLO", "250-test\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME"),
            "AUTH" => answer!("AUTH", "235 2.7.0 Welcome"),
            "STARTTLS" => answer!("STARTTLS", "220 2.0.0 Go"),
            "MAIL" => answer!("MAIL", "250 2.1.0 OK"),
            "RCPT" => answer!("RCPT", "250 2.1.5 OK"),
            "DATA" => answer!("DATA", "354 Go on"),
            "QUIT" => "221 2.0.0 Bye".to_owned(),
            _ => "250 OK".to_owned(),
        };
        if said.starts_with("354") {
            write.write_all(format!("{said}\r\n").as_bytes()).await?;
            let mut mail = String::new();
            loop {
                match lines.next_line().await? {
                    None => return Ok(()),
                    Some(line) if line == "." => break,
                    Some(line) => {
                        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                        mail.push_str("\r\n");
                    }
                }
            }
            kept.lock().unwrap().push(mail);
            said = answer!("DOT", "250 2.0.0 Taken");
        }
        write.write_all(format!("{said}\r\n").as_bytes()).await?;
        if verb == "QUIT" {
            return Ok(());
        }
    }
    Ok(())
}
