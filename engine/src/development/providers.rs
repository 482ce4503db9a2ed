//! One server in place of three providers: Twilio's messages, Expo's pushes, and the service of the example `carrier_pigeon`. It takes what
//! is well-formed, keeps it, and delivers nothing.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// `SMS`, `push`, `pigeon`, or `e-mail` where an inbox took it.
    pub by: &'static str,
    pub to: String,
    pub title: String,
    pub text: String,
}

/// A running server. It stops when it is dropped.
pub struct Providers {
    pub address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    task: JoinHandle<()>,
}

impl Providers {
    /// Listens on a free port of this machine.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (keep, received) = mpsc::unbounded_channel();
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(message))
            .route("/--/api/v2/push/send", post(pushes))
            .route("/flights", post(flight))
            .with_state(Arc::new(Kept { keep, count: AtomicUsize::new(0) }));
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!("the stand-in for providers has stopped: {error}");
            }
        });
        Ok(Providers { address, received, task })
    }

    /// The next message that arrives.
    pub async fn next(&mut self) -> Option<Received> {
        self.received.recv().await
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Kept {
    keep: mpsc::UnboundedSender<Received>,
    count: AtomicUsize,
}

impl Kept {
    /// Keeps a message, and says how many there have been.
    fn take(&self, received: Received) -> usize {
        // Nobody listens any more: then nobody asks either.
        let _ = self.keep.send(received);
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }
}

type Answer = (StatusCode, Json<Value>);

async fn message(State(kept): State<Arc<Kept>>, Path(account): Path<String>, body: Bytes) -> Answer {
    let field = |wanted: &str| {
        let mut fields = url::form_urlencoded::parse(&body);
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let (Some(to), Some(text)) = (field("To"), field("Body")) else {
        let missing =
            json!({ "code": 21604, "message": "A 'To' phone number and a 'Body' are required.", "status": 400 });
        return (StatusCode::BAD_REQUEST, Json(missing));
    };
    let number = kept.take(Received { by: "SMS", to: to.clone(), title: String::new(), text: text.clone() });
    let taken = json!({ "sid": format!("SM{number:032x}"), "account_sid": account, "to": to, "body": text, "status": "queued" });
    (StatusCode::CREATED, Json(taken))
}

async fn pushes(State(kept): State<Arc<Kept>>, Json(messages): Json<Vec<Value>>) -> Answer {
    let text = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let tickets: Vec<_> = messages
        .iter()
        .map(|message| {
            let received = Received {
                by: "push",
                to: text(message, "to"),
                title: text(message, "title"),
                text: text(message, "body"),
            };
            json!({ "status": "ok", "id": format!("ticket-{}", kept.take(received)) })
        })
        .collect();
    (StatusCode::OK, Json(json!({ "data": tickets })))
}

async fn flight(State(kept): State<Arc<Kept>>, Json(flight): Json<Value>) -> Answer {
    let text = |name: &str| flight[name].as_str().unwrap_or_default().to_owned();
    let number = kept.take(Received { by: "pigeon", to: text("loft"), title: text("title"), text: text("note") });
    (StatusCode::CREATED, Json(json!({ "id": format!("flight-{number}") })))
}
