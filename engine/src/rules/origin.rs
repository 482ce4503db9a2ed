//! An HTTP origin as it is compared: the parser that judges a URL is the parser that sends it.

use super::spelling::shown;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// `scheme://host[:port]` in one spelling: lower case, IDNA applied, without a trailing dot, the port always there.
/// The leftmost label may be `*`, which stands for one or more labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    host: String,
    https: bool,
    any_subdomain: bool,
    port: u16,
}

impl Origin {
    /// Reads an origin; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(|why| shown(&why))
    }

    fn read(text: &str) -> Result<Self, String> {
        let (plain, any_subdomain) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url = Url::parse(&plain).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => format!("\"{text}\" does not say `https://` or `http://`"),
            other => format!("\"{text}\" cannot be read ({other})"),
        })?;
        let mut origin = Self::of(&url).map_err(|why| format!("\"{text}\" {why}"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || plain.ends_with("//") {
            return Err(format!("\"{text}\" has more than a scheme, a host and a port"));
        }
        if any_subdomain {
            let is_name = matches!(url.host(), Some(Host::Domain(_)));
            if !is_name || !origin.host.contains('.') {
                return Err(format!("\"{text}\" would stand for too much; write at least two labels after `*.`"));
            }
            // What is below a public suffix belongs to whoever came first: to many, who do not know each other.
            if psl::domain_str(&origin.host).is_none() {
                return Err(format!("\"{text}\" would stand for too much; {} is a public suffix", origin.host));
            }
            origin.any_subdomain = true;
        }
        if origin.host.contains('*') {
            return Err(format!("\"{text}\" has `*` where it may not stand; it may be the leftmost label"));
        }
        Ok(origin)
    }

    /// The origin of a URL that is about to be used.
    pub fn of(url: &Url) -> Result<Self, String> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("has the scheme `{other}`; only http and https can be spoken")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password; name a credential instead".to_owned());
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.strip_suffix('.').unwrap_or(name).to_lowercase(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            // As the URL itself writes it, and so whoever dials.
            Some(Host::Ipv6(_)) => url.host_str().unwrap_or_default().to_owned(),
            None => return Err("has no host".to_owned()),
        };
        if host.is_empty() {
            return Err("has no host".to_owned());
        }
        // Without its second dot at the end, `063..` would be read as an address, and no name has two dots in a row.
        if host.split('.').any(str::is_empty) {
            return Err("has a host with nothing between two dots".to_owned());
        }
        let port = url.port_or_known_default().ok_or("has no port")?;
        if port == 0 {
            return Err("has the port 0, where nothing listens".to_owned());
        }
        Ok(Origin { host, https, any_subdomain: false, port })
    }

    /// Whether all that `other` stands for is among what this stands for.
    pub fn covers(&self, other: &Origin) -> bool {
        let is_below = || other.host.strip_suffix(&self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'));
        self.https == other.https
            && self.port == other.port
            && match (self.any_subdomain, other.any_subdomain) {
                (true, true) => self.host == other.host || is_below(),
                (true, false) => is_below(),
                (false, true) => false,
                (false, false) => self.host == other.host,
            }
    }

    /// Whether it stands for any number of hosts.
    pub fn is_many(&self) -> bool {
        self.any_subdomain
    }

    /// The host, as it is resolved.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the host is this machine by its name alone.
    pub fn is_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.ends_with(".localhost")
    }

    /// Whether it is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The address, if one stands there instead of a name.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.https { ("https", 443) } else { ("http", 80) };
        let wildcard = if self.any_subdomain { "*." } else { "" };
        write!(f, "{scheme}://{wildcard}{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    #[test]
    fn origins_are_read_and_written() {
        for (text, written) in [
            ("https://exp.host", "https://exp.host"),
            ("https://EXP.HOST.:443/", "https://exp.host"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://0x7f.1:8080", "http://127.0.0.1:8080"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("https://*.push.example", "https://*.push.example"),
            ("https://*.example.co.uk", "https://*.example.co.uk"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(origin(text).to_string(), written);
        }
        for text in [
            "",
            "exp.host",
            "ftp://exp.host",
            "https://",
            "https://a@exp.host",
            "https://063../",
            "https://exp..host",
            "https://.exp.host",
            "https://a:b@exp.host",
            "https://exp.host/path",
            "https://exp.host?x",
            "https://exp.host#x",
            "https://*.host",
            "https://*",
            "https://a.*.example",
            "https://*.*.example",
            "https://*.127.0.0.1",
            "file:///etc/passwd",
            "https://a b.example",
            "https://exp.host:0",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wildcard_does_not_stand_on_a_public_suffix() {
        for text in ["https://*.co.uk", "https://*.CO.UK.", "https://*.github.io", "https://*.公司.cn"] {
            let why = Origin::parse(text).unwrap_err();
            assert!(why.contains("public suffix"), "{text}: {why}");
        }
    }

    #[test]
    fn what_an_origin_covers() {
        for (wide, narrow, yes) in [
            ("https://exp.host", "https://exp.host", true),
            ("https://exp.host", "http://exp.host", false),
            ("https://exp.host", "https://exp.host:8443", false),
            ("https://exp.host", "https://a.exp.host", false),
            ("https://exp.host", "https://exp.host.evil.example", false),
            ("https://*.push.example", "https://eu.push.example", true),
            ("https://*.push.example", "https://a.b.push.example", true),
            ("https://*.push.example", "https://push.example", false),
            ("https://*.push.example", "https://evilpush.example", false),
            ("https://*.push.example", "https://*.push.example", true),
            ("https://*.push.example", "https://*.eu.push.example", true),
            ("https://*.eu.push.example", "https://*.push.example", false),
            ("https://eu.push.example", "https://*.eu.push.example", false),
        ] {
            assert_eq!(origin(wide).covers(&origin(narrow)), yes, "{wide} {narrow}");
        }
    }
}
