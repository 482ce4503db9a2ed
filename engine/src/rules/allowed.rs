//! What the operator allows to the targets of tenants: the third key, from `[sandbox]` in the settings.

use crate::rules::addresses;
use crate::rules::origin::Origin;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What may be granted at all. The default allows HTTPS to public addresses by their names, and no mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Origins that may be granted though they are not encrypted.
    pub plain_http: Vec<Origin>,
    /// Networks that may be dialled though they are not public, and whose addresses may stand in an origin.
    pub networks: Vec<IpNet>,
    /// From which addresses mail may be sent.
    pub senders: Vec<Sender>,
}

/// One address, or all of a domain (`@example.org`), in small letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(String);

impl Sender {
    /// Reads `name@domain` or `@domain`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let sender = text.trim().to_lowercase();
        let is_domain =
            |domain: &str| !domain.is_empty() && !domain.contains('@') && !domain.contains(char::is_whitespace);
        if !is_address(&sender) && !sender.strip_prefix('@').is_some_and(is_domain) {
            return Err(format!(
                "\"{text}\" is neither an address such as news@example.org nor a domain such as @example.org"
            ));
        }
        Ok(Sender(sender))
    }

    /// Whether mail may come from `address`.
    fn covers(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        match self.0.strip_prefix('@') {
            Some(domain) => address.rsplit_once('@').is_some_and(|(_, of)| of == domain),
            None => address == self.0,
        }
    }

    /// The address, if it is one alone.
    pub fn address(&self) -> Option<&str> {
        (!self.0.starts_with('@')).then_some(self.0.as_str())
    }
}

/// Whether a text can be the address of a sender.
pub fn is_address(text: &str) -> bool {
    email_address::EmailAddress::is_valid(text)
}

impl Allowed {
    /// Why HTTP to this origin may not be granted, if so: what stands in the way, and the key that would let it.
    pub fn origin(&self, origin: &Origin) -> Result<(), String> {
        let is_plain = !origin.is_https() && !self.plain_http.iter().any(|allowed| allowed.covers(origin));
        // What leads to this machine is known without a look-up (RFC 6761, 6.3).
        let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let own = if origin.is_this_machine() { own.as_slice() } else { &[] };
        let addresses: Vec<IpAddr> = origin.address().into_iter().chain(own.iter().copied()).collect();
        let is_inside = addresses.iter().any(|address| self.network(*address));
        let inside = addresses.first().filter(|_| !is_inside);
        let reasons = [
            is_plain.then(|| format!("it is not encrypted, and `[sandbox] plain_http` does not hold \"{origin}\"")),
            inside.map(|address| {
                let what = if origin.address().is_some() { "an address instead of a name" } else { "this machine" };
                let network = IpNet::from(address.to_canonical());
                format!("it is {what}, and `[sandbox] networks` does not hold \"{network}\"")
            }),
        ];
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; and ")) }
    }

    /// Whether an address is in one of the networks.
    fn network(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Whether a connection may be opened to this address.
    pub fn address(&self, address: IpAddr) -> bool {
        addresses::is_public(address) || self.network(address)
    }

    /// Whether mail may be sent from this address.
    pub fn sender(&self, address: &str) -> bool {
        self.senders.iter().any(|sender| sender.covers(address))
    }

    /// The address from which a target sends mail that has none of its own.
    pub fn usual_sender(&self) -> Option<&str> {
        self.senders.iter().find_map(Sender::address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_special_is_allowed_by_default() {
        let allowed = Allowed::default();
        for (origin, yes) in [
            ("https://exp.host", true),
            ("https://*.push.example", true),
            ("http://exp.host", false),
            ("https://1.1.1.1", false),
            ("https://[::1]", false),
            ("https://localhost:8443", false),
            ("https://a.localhost", false),
            ("https://localhost.example", true),
        ] {
            assert_eq!(allowed.origin(&Origin::parse(origin).unwrap()).is_ok(), yes, "{origin}");
        }
        assert!(allowed.address([1, 1, 1, 1].into()) && !allowed.address([10, 0, 0, 1].into()));
        assert!(!allowed.sender("a@b.example") && allowed.usual_sender().is_none());
    }

    #[test]
    fn what_the_operator_names_is_allowed() {
        let allowed = Allowed {
            plain_http: vec![
                Origin::parse("http://10.0.0.5:8080").unwrap(),
                Origin::parse("http://inner.example").unwrap(),
            ],
            networks: vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
            senders: vec![Sender::parse("@News.example").unwrap(), Sender::parse("Ops@example.org").unwrap()],
        };
        for (origin, yes) in [
            ("http://10.0.0.5:8080", true),
            ("http://10.0.0.5:8081", false),
            ("https://10.9.9.9", true),
            ("https://11.0.0.1", false),
            ("http://inner.example", true),
            ("http://other.example", false),
            ("https://localhost", true),
        ] {
            assert_eq!(allowed.origin(&Origin::parse(origin).unwrap()).is_ok(), yes, "{origin}");
        }
        for (address, yes) in [("10.1.1.1", true), ("::ffff:10.1.1.1", true), ("192.168.0.1", false), ("::2", false)] {
            assert_eq!(allowed.address(address.parse().unwrap()), yes, "{address}");
        }
        for (address, yes) in [
            ("a@news.example", true),
            ("OPS@example.org", true),
            ("other@example.org", false),
            ("a@evilnews.example", false),
            ("a@x.news.example", false),
        ] {
            assert_eq!(allowed.sender(address), yes, "{address}");
        }
        assert_eq!(allowed.usual_sender(), Some("ops@example.org"));
        for text in ["", "a", "@", "a@", "a b@c", "@a b", "@a@b"] {
            assert!(Sender::parse(text).is_err(), "{text}");
        }
    }
}
