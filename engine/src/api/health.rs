//! `GET /health`: whether this engine can work, for whoever restarts it. 200 if the database answers, else 503.

use crate::store::Store;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

pub fn routes() -> Router<Store> {
    Router::new().route("/health", get(health))
}

async fn health(State(store): State<Store>) -> (StatusCode, Json<Value>) {
    match store.next_due().await {
        Ok(_) => (StatusCode::OK, Json(json!({ "status": "ok" }))),
        Err(error) => {
            tracing::error!("the database does not answer a health check: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "the database does not answer" })))
        }
    }
}
