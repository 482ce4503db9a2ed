//! The connections of one target of one tenant: each address is judged where it is dialled, no redirect is followed, no proxy is taken from
//! the environment.

use super::network::Network;
use super::places::{Place, Places};
use crate::host::shares::{Shared, Sharer};
use crate::host::{HostError, tls};
use crate::rules::grants::{self, Grants};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::Duration;

/// How many exchanges one target may have with one host at once.
const MOST_PER_HOST: usize = 8;

/// How many idle connections are kept for one target, at least one to each of its hosts, and how long. None where there may be any number of hosts.
const KEPT: usize = 8;
const IDLE: Duration = Duration::from_secs(60);

/// An HTTP client that goes only where its grants let it.
#[derive(Debug, Clone)]
pub struct HttpClient {
    pub(super) client: reqwest::Client,
    /// Its own at a host, its turn to wait there for one that it shares with the other targets, and these.
    own: Arc<Places>,
    turn: Arc<Places>,
    shared: Arc<Places>,
    /// Its exchanges among those of all targets with all hosts.
    sharer: Sharer,
}

impl HttpClient {
    /// A client for what is granted, which takes at most so long to connect; nothing is connected yet.
    pub fn new(grants: &Grants, network: &Network, connect: Duration) -> Result<Self, HostError> {
        // Each holds a descriptor of the process, and nobody counts hosts.
        let kept = if grants::goes_to_many(grants) { 0 } else { (KEPT / grants::origins(grants).max(1)).max(1) };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client(&["h2", "http/1.1"])?)
            .dns_resolver(network.judging(grants))
            .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(connect)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(kept)
            .user_agent(concat!("notification-engine/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| HostError::new(format!("HTTP cannot be set up: {e}")))?;
        let [own, turn] = [MOST_PER_HOST, 1].map(Places::at_each);
        Ok(HttpClient { client, own, turn, shared: network.places.clone(), sharer: network.sharer(grants) })
    }

    /// Waits for a place of its own at a host, which it takes before one that it shares.
    pub(super) async fn own_place_at(&self, host: &str) -> Option<Place> {
        self.own.at(host).await
    }

    /// Waits for one that it shares with the other targets: of each target one waits at once, so that these come in turn.
    pub(super) async fn shared_place_at(&self, host: &str) -> Option<Place> {
        if let Some(free) = self.shared.free_at(host) {
            return Some(free);
        }
        let _turn = self.turn.at(host).await;
        self.shared.at(host).await
    }

    /// Waits for its place among all exchanges.
    pub(super) async fn place(&self) -> Shared {
        self.sharer.place().await
    }
}
