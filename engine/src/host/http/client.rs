//! The connections of one target of one tenant: each address is judged where it is dialled, no redirect is followed, no proxy is taken from
//! the environment.

use super::network::Network;
use super::places::{Place, Places};
use crate::host::{HostError, tls};
use crate::rules::grants::{self, Grants};
use std::sync::Arc;
use std::time::Duration;

/// How many exchanges one target may have with one host at once.
const MOST_PER_HOST: usize = 8;

/// How many idle connections are kept to one host, and how long.
const KEPT: usize = 8;
const IDLE: Duration = Duration::from_secs(60);
/// The same, where there may be any number of hosts: each holds a descriptor of the process.
const IDLE_OF_MANY: Duration = Duration::from_secs(3);

/// An HTTP client that goes only where its grants let it.
#[derive(Debug, Clone)]
pub struct HttpClient {
    pub(super) client: reqwest::Client,
    /// Its own at a host, and those that it shares with the other targets.
    own: Arc<Places>,
    shared: Arc<Places>,
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
            .pool_idle_timeout(if grants::goes_to_many(grants) { IDLE_OF_MANY } else { IDLE })
            .pool_max_idle_per_host(KEPT)
            .user_agent(concat!("notification-engine/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| HostError::new(format!("HTTP cannot be set up: {e}")))?;
        Ok(HttpClient { client, own: Places::at_each(MOST_PER_HOST), shared: network.places.clone() })
    }

    /// Waits for a place at a host: first for one of its own, so that however many of a target's exchanges wait, few of them stand before another's.
    pub(super) async fn place_at(&self, host: &str) -> [Option<Place>; 2] {
        let own = self.own.at(host).await;
        [own, self.shared.at(host).await]
    }
}
