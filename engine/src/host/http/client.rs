//! The connections of one target of one tenant: each address is judged where it is dialled, no redirect is followed, no proxy is taken from
//! the environment.

use super::connector::Connector;
use super::network::Network;
use super::places::{Place, Places};
use super::reading::{Expected, Reading};
use crate::host::HostError;
use crate::host::shares::{Shared, Sharer};
use crate::rules::grants::{self, Grants};
use crate::rules::origin::Origin;
use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, HeaderValue, USER_AGENT};
use http::{Extensions, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How many exchanges one target may have with one host at once.
const MOST_PER_HOST: usize = 8;

/// How many idle connections are kept for one target, at least one to each of its hosts, and how long. None where there may be any number of hosts.
const KEPT: usize = 8;
const IDLE: Duration = Duration::from_secs(60);

/// How often a request is sent again of which the server says that it did nothing with it.
const MOST_AGAIN: u32 = 2;

/// An HTTP client that goes only where its grants let it.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client<Connector, Full<Bytes>>,
    /// For the origin that the operator has opened, wherever it leads: another of that host is judged.
    operators: Client<Connector, Full<Bytes>>,
    grants: Arc<Grants>,
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
        let client = |is_operators| -> Result<_, HostError> {
            Ok(Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(kept)
                .build(Connector::new(network.judging(grants, is_operators), connect)?))
        };
        let (client, operators, known) = (client(false)?, client(true)?, Arc::new(grants.clone()));
        let [own, turn] = [MOST_PER_HOST, 1].map(Places::at_each);
        Ok(HttpClient {
            client,
            operators,
            grants: known,
            own,
            turn,
            shared: network.places.clone(),
            sharer: network.sharer(grants),
        })
    }

    /// Sends a request, and waits for the head of its answer, as much of which is read as is expected. What the server did nothing with is sent again.
    pub(super) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        origin: &Origin,
        expected: &mut Expected,
    ) -> Result<Response<Incoming>, Error> {
        let client = if grants::is_operators(&self.grants, origin) { &self.operators } else { &self.client };
        let agent = concat!("notification-engine/", env!("CARGO_PKG_VERSION"));
        for (name, ours) in [(ACCEPT, "*/*"), (ACCEPT_ENCODING, "gzip"), (USER_AGENT, agent)] {
            request.headers_mut().entry(name).or_insert(HeaderValue::from_static(ours));
        }
        let mut again = 0;
        loop {
            match send_once(client, request.clone(), expected).await {
                Err(error) if again < MOST_AGAIN && was_not_done(&error) => again += 1,
                ended => return ended,
            }
        }
    }

    /// Waits for a place of its own at a host, which it takes before one that it shares.
    pub(super) async fn own_place_at(&self, host: &str) -> Option<Place> {
        self.own.at(host).await
    }

    /// Waits for its place among all exchanges, and for one at the host that it shares with the other targets. Of each target one waits at once, so that these come
    /// in turn; the host's place comes last, so that who has one uses it.
    pub(super) async fn shared_places_at(&self, host: &str) -> (Shared, Option<Place>) {
        let _turn = self.turn.at(host).await;
        let mut exchange = self.sharer.place().await;
        let place = self.shared.at(host).await;
        exchange.begins();
        (exchange, place)
    }
}

async fn send_once(
    client: &Client<Connector, Full<Bytes>>,
    mut request: Request<Full<Bytes>>,
    expected: &mut Expected,
) -> Result<Response<Incoming>, Error> {
    let captured = capture_connection(&mut request);
    let mut sending = client.request(request);
    // Each connection over which it goes is known once this has been polled.
    poll_fn(|cx| {
        let polled = Pin::new(&mut sending).poll(cx);
        if let Some(reading) = reading_of(&captured) {
            expected.from(reading);
        }
        polled
    })
    .await
}

/// What the connection over which a request goes may read.
fn reading_of(captured: &CaptureConnection) -> Option<Arc<Reading>> {
    let mut extras = Extensions::new();
    captured.connection_metadata().as_ref()?.get_extras(&mut extras);
    extras.remove()
}

/// Whether the server says that it did nothing with a request: it ends the connection before it, or refuses it (RFC 9113, 6.8 and 8.7).
pub(super) fn was_not_done(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(e) = cause {
        if let Some(h2) = e.downcast_ref::<h2::Error>() {
            let is_end = h2.is_go_away() && h2.reason() == Some(h2::Reason::NO_ERROR);
            let is_refused = h2.is_reset() && h2.reason() == Some(h2::Reason::REFUSED_STREAM);
            return h2.is_remote() && (is_end || is_refused);
        }
        cause = e.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::task::unconstrained as at_once;

    /// Those who wait with their own other hosts keep nobody from one that has nothing to do.
    #[tokio::test]
    async fn who_waits_holds_no_place_at_a_host() {
        let network = Network::default();
        let client = || HttpClient::new(&Grants::default(), &network, Duration::from_secs(1)).unwrap();
        let honest = client();
        drop(honest.shared_places_at("quick.example").await);
        let (mut held, mut waiting) = (Vec::new(), Vec::new());
        for _ in 0..40 {
            let client = client();
            for host in 0..8 {
                let host = format!("slow-{host}.example");
                held.extend((0..MOST_PER_HOST).filter_map(|_| at_once(client.shared_places_at(&host)).now_or_never()));
            }
            let mut wait = Box::pin(at_once(async move { client.shared_places_at("quick.example").await }));
            assert!(futures::poll!(&mut wait).is_pending());
            waiting.push(wait);
        }
        assert!(at_once(honest.shared_places_at("quick.example")).now_or_never().is_some());
    }
}
