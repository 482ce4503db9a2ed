//! An HTTP server that answers as it is told, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// These bytes, from the status line on; then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, and the connection is kept for further requests.
    Keeps(Vec<u8>),
    /// The first bytes at once, then one of the others each time that so much has passed.
    Drips(Vec<u8>, Vec<u8>, Duration),
    /// The first bytes, and then the others again and again.
    Endless(Vec<u8>, Vec<u8>),
    /// A closed connection.
    Closes,
    /// Nothing, ever.
    Hangs,
}

impl Answer {
    /// A small answer of this status, which says that the connection closes, so that no next request is sent on it and lost.
    pub fn status(status: u16, headers: &str, body: &str) -> Self {
        let text = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
            body.len()
        );
        Answer::Bytes(text.into_bytes())
    }
}

pub struct HttpServer {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    /// How many connections have ended, by whichever side.
    pub ended: Arc<AtomicUsize>,
    pub requests: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Answer>>,
    task: tokio::task::JoinHandle<()>,
}

impl HttpServer {
    pub async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::<Vec<String>>::default());
        let kept = requests.clone();
        let answer = Arc::new(Mutex::new(answer));
        let told = answer.clone();
        let (connections, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (begun, closed) = (connections.clone(), ended.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                begun.fetch_add(1, Ordering::SeqCst);
                let (kept, told, closed) = (kept.clone(), told.clone(), closed.clone());
                tokio::spawn(async move {
                    let _ = converse(stream, &kept, &told).await;
                    closed.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        HttpServer { address, connections, ended, requests, answer, task }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn last(&self) -> String {
        self.requests.lock().unwrap().last().cloned().unwrap()
    }

    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

impl HttpServer {
    /// From now on it answers so, and has been asked nothing.
    pub fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
        self.requests.lock().unwrap().clear();
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, kept: &Mutex<Vec<String>>, told: &Mutex<Answer>) -> std::io::Result<()> {
    let mut chunk = [0; 65536];
    loop {
        let mut request = Vec::new();
        while !whole(&request) {
            match stream.read(&mut chunk).await? {
                0 => return Ok(()),
                count => request.extend_from_slice(&chunk[..count]),
            }
        }
        kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
        let answer = told.lock().unwrap().clone();
        match answer {
            Answer::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Answer::Keeps(bytes) => stream.write_all(&bytes).await?,
            Answer::Drips(first, rest, every) => {
                stream.write_all(&first).await?;
                for byte in rest {
                    tokio::time::sleep(every).await;
                    stream.write_all(&[byte]).await?;
                }
                return stream.shutdown().await;
            }
            Answer::Endless(first, more) => {
                stream.write_all(&first).await?;
                loop {
                    stream.write_all(&more).await?;
                }
            }
            Answer::Closes => return Ok(()),
            // Until the other side has had enough.
            Answer::Hangs => return stream.read(&mut chunk).await.map(|_| ()),
        }
    }
}

fn whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .unwrap_or_default();
    request.len() >= head.len() + 4 + length
}
