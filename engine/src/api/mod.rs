//! The engine's HTTP side; axum is used here and nowhere else. One file per resource.
//!
//! Whoever can reach it may be anybody: connections are few and short, so that none of them takes what delivery needs.

mod health;

use crate::store::Store;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How many connections there may be at once; others wait to be accepted.
const MOST: usize = 64;
/// How long a request's head may take, and a whole connection.
const HEAD: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(30);
/// How long to wait when the system lets no connection be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// How long answers may still take after the stop.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Answers requests until `stop`, one for each connection.
pub async fn serve(listener: TcpListener, store: Store, stop: impl Future<Output = ()>) {
    let router = Router::new().merge(health::routes()).with_state(store);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < MOST => accepted,
        };
        match accepted {
            Ok((stream, _)) => drop(connections.spawn(answer(stream, router.clone()))),
            Err(error) => {
                tracing::warn!("a request cannot be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    let _ = tokio::time::timeout(LAST_WORDS, async { while connections.join_next().await.is_some() {} }).await;
}

async fn answer(stream: TcpStream, router: Router) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    let answered = server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // What goes wrong with one connection is its client's matter.
    let _ = tokio::time::timeout(WHOLE, answered).await;
}
