//! The connections of one target of one tenant: each address is judged where it is dialled, no redirect is followed, no proxy is taken from
//! the environment.

use super::network::Network;
use crate::host::{HostError, tls};
use crate::rules::grants::Grants;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How many idle connections are kept to one host, and how long.
const KEPT: usize = 8;
const IDLE: Duration = Duration::from_secs(60);

/// An HTTP client that goes only where its grants let it.
#[derive(Debug, Clone)]
pub struct HttpClient {
    pub(super) client: reqwest::Client,
    network: Network,
}

impl HttpClient {
    /// A client for what is granted, which takes at most so long to connect; nothing is connected yet.
    pub fn new(grants: &Grants, network: &Network, connect: Duration) -> Result<Self, HostError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client(&["h2", "http/1.1"])?)
            .dns_resolver(network.judging(grants))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(connect)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .user_agent(concat!("notification-engine/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| HostError::new(format!("HTTP cannot be set up: {e}")))?;
        Ok(HttpClient { client, network: network.clone() })
    }

    /// Waits for a place among the exchanges that the engine has with a host.
    pub(super) async fn place_at(&self, host: &str) -> Option<OwnedSemaphorePermit> {
        self.network.place_at(host).await
    }
}
