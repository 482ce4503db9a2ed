//! How the doors trust: rustls with ring, certificates judged as this machine judges them.

use crate::host::HostError;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// A client's configuration that offers these protocols by ALPN, the preferred one first.
pub fn client(protocols: &[&str]) -> Result<ClientConfig, HostError> {
    let failed = |e: rustls::Error| HostError::new(format!("TLS cannot be set up: {e}"));
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(failed)?
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Ok(config)
}
