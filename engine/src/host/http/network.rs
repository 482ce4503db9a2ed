//! What all HTTP of an engine has in common: how names become addresses, and how much one host is asked at once.

use super::places::Places;
use crate::host::shares::{Sharer, Shares};
use crate::rules::grants::{self, Grants};
use hyper_util::client::legacy::connect::dns::Name;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;
use tower_service::Service;

/// How many exchanges there may be with one host at once, of all targets together.
const MOST_PER_HOST: usize = 32;
/// How many names may be looked up at once, how many of one target's, and how long that may take before it is slow.
const MOST_LOOKUPS: usize = 64;
const MOST_OWN_LOOKUPS: usize = 4;
const SLOW_LOOKUP: Duration = Duration::from_secs(1);
/// How many exchanges there may be at once, and how many of one target's: each holds a descriptor of the process. One that takes longer is slow.
const MOST_EXCHANGES: usize = 512;
const MOST_OWN_EXCHANGES: usize = 64;
const SLOW_EXCHANGE: Duration = Duration::from_secs(3);

/// The addresses of a name, or why there are none.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who is asked which addresses a name has.
pub type Resolver = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// The way out, shared by the clients of all targets.
#[derive(Clone)]
pub struct Network {
    resolver: Resolver,
    lookups: Arc<Shares>,
    exchanges: Arc<Shares>,
    pub(super) places: Arc<Places>,
}

impl Default for Network {
    /// Names are looked up as this machine does it.
    fn default() -> Self {
        Network::resolved_by(Arc::new(move |host| {
            Box::pin(async move {
                // It takes a thread, of which there are not many.
                let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        }))
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    /// A network whose names are looked up otherwise.
    pub fn resolved_by(resolver: Resolver) -> Self {
        let lookups = Shares::new(MOST_LOOKUPS, SLOW_LOOKUP);
        let exchanges = Shares::new(MOST_EXCHANGES, SLOW_EXCHANGE);
        Network { resolver, lookups, exchanges, places: Places::at_each(MOST_PER_HOST) }
    }

    /// The exchanges of one target, among those of all.
    pub(super) fn sharer(&self, grants: &Grants) -> Sharer {
        self.exchanges.sharer(MOST_OWN_EXCHANGES, grants.is_bundled())
    }

    /// What looks names up for a client, and judges what it finds; for the operator's own origin or for others.
    pub(super) fn judging(&self, grants: &Grants, is_operators: bool) -> Judging {
        let own = self.lookups.sharer(MOST_OWN_LOOKUPS, grants.is_bundled());
        Judging { resolver: self.resolver.clone(), grants: Arc::new(grants.clone()), is_operators, own }
    }
}

/// Resolves a name and refuses it whole if any of its addresses is refused: what is dialled is what was judged.
#[derive(Clone)]
pub struct Judging {
    resolver: Resolver,
    grants: Arc<Grants>,
    /// Whether the operator has opened the origin that it is for.
    is_operators: bool,
    /// The look-ups of this target, among those of all.
    own: Sharer,
}

/// Why a name gave no address to dial.
#[derive(Debug, thiserror::Error)]
pub enum NoAddress {
    #[error("{host} leads to {address}")]
    Denied { host: String, address: IpAddr },
    #[error("{0}")]
    NotFound(String),
}

impl std::fmt::Debug for Judging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Judging")
    }
}

impl Service<Name> for Judging {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = NoAddress;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NoAddress>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAddress>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (grants, is_operators) = (self.grants.clone(), self.is_operators);
        let host = name.as_str().to_owned();
        let (looking, own) = ((self.resolver)(host.clone()), self.own.clone());
        // Whoever gives up waiting does not end it, so its place is taken until it ends by itself.
        let looking = async move {
            let place = own.place().await;
            let looked = tokio::spawn(async move {
                let _place = place;
                looking.await
            });
            looked.await.map_err(io::Error::other)?
        };
        Box::pin(async move {
            let found = looking.await.map_err(|e| NoAddress::NotFound(format!("{host} was not found: {e}.")))?;
            if found.is_empty() {
                return Err(NoAddress::NotFound(format!("{host} has no address.")));
            }
            if let Some(address) = found.iter().find(|address| !grants::may_dial(&grants, is_operators, **address)) {
                return Err(NoAddress::Denied { host, address: *address });
            }
            let found: Vec<_> = found.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(found.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// A name server that never answers keeps as many threads as one target may have, however often it is given up.
    #[tokio::test]
    async fn what_is_given_up_keeps_its_place_until_it_ends() {
        let begun = Arc::new(AtomicUsize::new(0));
        let counted = begun.clone();
        let network = Network::resolved_by(Arc::new(move |_| {
            let counted = counted.clone();
            Box::pin(async move {
                counted.fetch_add(1, SeqCst);
                std::future::pending().await
            })
        }));
        let mut judging = network.judging(&Grants::default(), false);
        for _ in 0..3 * MOST_OWN_LOOKUPS {
            let looking = judging.call("provider.example".parse().unwrap());
            assert!(tokio::time::timeout(Duration::from_millis(5), looking).await.is_err());
        }
        assert_eq!(begun.load(SeqCst), MOST_OWN_LOOKUPS);
    }
}
