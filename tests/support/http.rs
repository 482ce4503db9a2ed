//! An HTTP server that answers as it is told, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// These bytes, from the status line on; then the connection is closed.
    Bytes(Vec<u8>),
    /// A closed connection.
    Closes,
    /// Nothing, ever.
    Hangs,
}

impl Answer {
    /// A small answer of this status.
    pub fn status(status: u16, headers: &str, body: &str) -> Self {
        let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
        Answer::Bytes(text.into_bytes())
    }
}

pub struct HttpServer {
    pub address: SocketAddr,
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
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (kept, told) = (kept.clone(), told.clone());
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    let mut chunk = [0; 65536];
                    while !whole(&request) {
                        match stream.read(&mut chunk).await {
                            Ok(0) | Err(_) => return,
                            Ok(count) => request.extend_from_slice(&chunk[..count]),
                        }
                    }
                    kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                    let answer = told.lock().unwrap().clone();
                    match answer {
                        Answer::Bytes(bytes) => {
                            let _ = stream.write_all(&bytes).await;
                            let _ = stream.shutdown().await;
                        }
                        Answer::Closes => {}
                        Answer::Hangs => std::future::pending().await,
                    }
                });
            }
        });
        HttpServer { address, requests, answer, task }
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
