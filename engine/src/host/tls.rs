//! How the doors trust: rustls with ring, certificates judged as this machine judges them.

use crate::host::HostError;
use rustls::{CertificateError, ClientConfig};
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

/// How rustls says that a server's certificate is one that signs others.
const OF_AN_AUTHORITY: &str = "CaUsedAsEndEntity";

/// What a failed handshake says to do, if an error is one or wraps one. An I/O error's own source is that of what it wraps, so what it wraps has
/// to be asked for; connectors wrap one in another.
pub fn failure(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut error = error;
    let failure: &rustls::Error = loop {
        if let Some(failure) = error.downcast_ref() {
            break failure;
        }
        error = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    };
    Some(match failure {
        rustls::Error::InvalidMessage(_) => {
            format!("what answers there does not speak TLS; is it another port? ({failure})")
        }
        rustls::Error::InvalidCertificate(e) if e.to_string().contains(OF_AN_AUTHORITY) => format!(
            "its certificate is an authority's own, which no server may show; it needs one with CA:FALSE, signed by whom this machine trusts or, if by itself, named in SSL_CERT_FILE ({failure})"
        ),
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            // As the library has them: DnsName("pigeons.example").
            let names = presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name));
            let names = names.collect::<Vec<_>>().join(", ");
            let of = if names.is_empty() { "for no name at all".to_owned() } else { format!("for {names}") };
            format!("its certificate is {of}, and not for {}", expected.to_str())
        }
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature | CertificateError::Other(_),
        ) => format!(
            "nobody whom this machine trusts has signed its certificate; the operator adds who has to the system's authorities, or names their file in SSL_CERT_FILE ({failure})"
        ),
        other => other.to_string(),
    })
}
