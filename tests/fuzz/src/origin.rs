//! The origin of a URL: what is judged must be what is dialled, and what is stored must be read as what it was.

use crate::assert_sentence;
use engine::rules::origin::Origin;
use std::net::IpAddr;
use url::Url;

/// Takes a text as an origin that is granted, and as a URL that a component wants to send to.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    granted(text);
    sent(text);
}

/// An origin is written so that it is read as the same, which stands for itself.
fn granted(text: &str) {
    let origin = match Origin::parse(text) {
        Ok(origin) => origin,
        Err(why) => return assert_sentence(&why),
    };
    let written = origin.to_string();
    assert_sentence(&written);
    assert_eq!(Origin::parse(&written).as_ref(), Ok(&origin), "{text:?} is written as {written:?}");
    assert!(origin.covers(&origin), "{written:?} does not stand for itself");
    if let Some(parent) = written.strip_prefix("https://*.") {
        let [parent, child] = ["", "a."].map(|below| Origin::parse(&format!("https://{below}{parent}")).unwrap());
        assert!(origin.covers(&child) && !origin.covers(&parent) && !child.covers(&origin), "{written:?}");
    }
}

/// A URL goes where its origin says: for the URL's own parser, for the parser of hyper, which dials, and for TLS, which asks for the host.
fn sent(text: &str) {
    let Ok(url) = Url::parse(text) else { return };
    let origin = match Origin::of(&url) {
        Ok(origin) => origin,
        Err(why) => return assert_sentence(&why),
    };
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url), "{text:?}");
    let (scheme, host, port) = place(&origin);
    let spelled = |host: &str| host.trim_end_matches('.').to_lowercase();
    assert_eq!((url.scheme(), url.host_str().map(spelled)), (scheme, Some(host.clone())), "{text:?}");
    assert_eq!(url.port_or_known_default(), Some(port), "{text:?}");
    assert_eq!(origin.is_https(), scheme == "https", "{text:?}");
    // An address that the engine takes for a name would be dialled without a look at it.
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    assert_eq!(origin.address(), address, "{text:?}");

    // hyper reads the URL once more. What it cannot read is not sent.
    let Ok(dialled) = url.as_str().parse::<http::Uri>() else { return };
    assert_eq!((dialled.scheme_str(), dialled.host().map(spelled)), (Some(scheme), Some(host)), "{text:?}");
    assert_eq!(dialled.port_u16().unwrap_or(if origin.is_https() { 443 } else { 80 }), port, "{text:?}");
    assert!(!dialled.authority().is_some_and(|authority| authority.as_str().contains('@')), "{text:?}");
}

/// Scheme, host and port, out of the origin as it is written.
fn place(origin: &Origin) -> (&'static str, String, u16) {
    let (scheme, usual) = if origin.is_https() { ("https", 443) } else { ("http", 80) };
    let written = origin.to_string();
    let rest = written.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")).unwrap();
    let port = rest.strip_prefix(origin.host()).unwrap();
    let port = port.strip_prefix(':').map_or(usual, |port| port.parse().unwrap());
    (scheme, origin.host().to_owned(), port)
}
