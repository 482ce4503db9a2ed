//! The engine's HTTP side; axum is used here and nowhere else. One file per resource.

mod health;

use crate::store::Store;
use axum::Router;
use std::future::Future;
use tokio::net::TcpListener;

/// Answers requests until `stop`.
pub async fn serve(
    listener: TcpListener,
    store: Store,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().merge(health::routes()).with_state(store);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
