//! The connections of one target of one tenant: names are resolved here, each address is judged where it is dialled, no
//! redirect is followed, no proxy is taken from the environment.

use crate::host::{HostError, tls};
use crate::rules::grants::{self, Grants};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;
use std::time::Duration;

/// How long connecting may take, and a whole exchange.
const CONNECT: Duration = Duration::from_secs(3);
pub const TOTAL: Duration = Duration::from_secs(10);
/// How many idle connections are kept to one host, and how long.
const KEPT: usize = 8;
const IDLE: Duration = Duration::from_secs(60);

/// An HTTP client that goes only where its grants let it.
#[derive(Debug, Clone)]
pub struct HttpClient(pub(super) reqwest::Client);

impl HttpClient {
    /// A client for what is granted; nothing is connected yet.
    pub fn new(grants: &Grants) -> Result<Self, HostError> {
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client(&["h2", "http/1.1"])?)
            .dns_resolver(Judging { grants: grants.clone() })
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(KEPT)
            .user_agent(concat!("notification-engine/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(HttpClient)
            .map_err(|e| HostError::new(format!("HTTP cannot be set up: {e}")))
    }
}

/// Resolves a name and refuses it whole if any of its addresses is refused: what is dialled is what was judged.
struct Judging {
    grants: Grants,
}

/// Why a name gave no address to dial.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    NotFound(String),
}

impl Resolve for Judging {
    fn resolve(&self, name: Name) -> Resolving {
        let grants = self.grants.clone();
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found: Vec<SocketAddr> = match found {
                Ok(found) => found.collect(),
                Err(e) => return Err(NoAddress::NotFound(format!("{host} was not found: {e}.")).into()),
            };
            for address in &found {
                grants::address(&grants, &host, address.ip()).map_err(|denial| NoAddress::Denied(denial.message))?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
