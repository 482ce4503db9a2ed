//! How a connection comes about: the name's addresses are judged, one of them is dialled, what comes from there is metered, and then there is TLS if the URL
//! says so; all that within one time.

use super::network::Judging;
use super::reading::Metered;
use crate::host::HostError;
use crate::host::tls;
use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

/// After how long a connection is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + Send>>;

/// Makes connections for one target.
#[derive(Debug, Clone)]
pub struct Connector {
    https: HttpsConnector<Dial>,
    within: Duration,
}

/// It took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("it did not come about in time")]
pub struct TooLate;

impl Connector {
    /// To what `judging` finds, each within this time.
    pub fn new(judging: Judging, within: Duration) -> Result<Self, HostError> {
        let mut tcp = HttpConnector::new_with_resolver(judging);
        // The scheme is the next one's to look at.
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // Of several addresses each has its part of the time.
        tcp.set_connect_timeout(Some(within));
        // A kept connection whose other side is gone without a word must not be used again and again.
        tcp.set_keepalive(Some(SILENCE));
        tcp.set_keepalive_interval(Some(SILENCE));
        tcp.set_keepalive_retries(Some(3));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(2 * SILENCE));
        Ok(Connector { https: (Dial(tcp), tls::client(&["h2", "http/1.1"])?).into(), within })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<Metered<TcpStream>>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.within, self.https.call(uri));
        Box::pin(async move { connecting.await.unwrap_or_else(|_| Err(TooLate.into())) })
    }
}

/// Dials, and meters what comes.
#[derive(Debug, Clone)]
struct Dial(HttpConnector<Judging>);

impl Service<Uri> for Dial {
    type Response = TokioIo<Metered<TcpStream>>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialled = self.0.call(uri);
        Box::pin(async move { Ok(TokioIo::new(Metered::new(dialled.await?.into_inner()))) })
    }
}
