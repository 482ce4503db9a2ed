//! What a component may do, decided by pure functions: the doors (`host/http.rs`, `host/smtp.rs`) ask here and nowhere else.
//!
//! In force is what the component asks for, and what it was granted, and what the operator allows; nothing else. A target
//! whose component is bundled is granted what it asks for. What the operator writes into the settings, `base_url` and
//! `smtp = true`, is ask, grant and permission in one.

use crate::rules::manifest::Manifest;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// `scheme://host[:port]` as it is compared: lower case, IDNA applied, without a trailing dot, the port always there.
/// The leftmost label may be `*`, which stands for one or more labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    https: bool,
    any_subdomain: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads an origin; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (plain, any_subdomain) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url = Url::parse(&plain).map_err(|e| format!("\"{text}\" cannot be read ({e})"))?;
        let mut origin = Self::of(&url).map_err(|why| format!("\"{text}\" {why}"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || plain.ends_with("//") {
            return Err(format!("\"{text}\" has more than a scheme, a host and a port"));
        }
        if any_subdomain {
            let is_name = matches!(url.host(), Some(Host::Domain(_)));
            if !is_name || !origin.host.contains('.') {
                return Err(format!("\"{text}\" would stand for too much; write at least two labels after `*.`"));
            }
            origin.any_subdomain = true;
        }
        if origin.host.contains('*') {
            return Err(format!("\"{text}\" has `*` where it may not stand; it may be the leftmost label"));
        }
        Ok(origin)
    }

    /// The origin of a URL that is about to be used.
    fn of(url: &Url) -> Result<Self, String> {
        let https = match url.scheme() {
            "https" => true,
            "http" => false,
            other => return Err(format!("has the scheme `{other}`; only http and https can be spoken")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds a user name or password; name a credential instead".to_owned());
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_lowercase(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Ipv6(ip)) => format!("[{ip}]"),
            None => return Err("has no host".to_owned()),
        };
        if host.is_empty() {
            return Err("has no host".to_owned());
        }
        let port = url.port_or_known_default().ok_or("has no port")?;
        Ok(Origin { https, any_subdomain: false, host, port })
    }

    /// Whether `other`, which has no wildcard, is one of those that this stands for.
    fn covers(&self, other: &Origin) -> bool {
        self.https == other.https
            && self.port == other.port
            && if self.any_subdomain {
                other.host.strip_suffix(&self.host).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            } else {
                self.host == other.host
            }
    }

    /// The host, as it is resolved.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn address(&self) -> Option<IpAddr> {
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

/// What the operator says about one target, from the settings.
#[derive(Debug, Clone, Default)]
pub struct OperatorWord {
    /// The component came with the engine.
    pub bundled: bool,
    /// An origin that the operator opens to it, of whatever scheme and address.
    pub base_url: Option<Origin>,
    /// Mail through the relay of the settings.
    pub smtp: bool,
    /// There is a folder of templates for it.
    pub templates: bool,
    /// The operator's secrets that it may use though it is not bundled.
    pub secrets: Vec<String>,
}

/// What is in force for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    module: String,
    origins: Vec<Origin>,
    /// The operator's origin, which may be plain HTTP and of any address.
    operator_origin: Option<Origin>,
    smtp: bool,
    templates: bool,
    /// The secrets that the component may use; each may go to the origins above.
    secrets: Vec<String>,
    /// Those that it asked for.
    asked_secrets: Vec<String>,
}

impl Grants {
    /// What is in force: asked for ∧ granted ∧ allowed.
    pub fn effective(module: &str, asked: &Manifest, operator: &OperatorWord) -> Self {
        let granted = |asked: bool| asked && operator.bundled;
        Grants {
            module: module.to_owned(),
            origins: if operator.bundled {
                // A plain origin and a literal address are the operator's to give, which no bundled component asks for.
                asked.http.origins.iter().filter(|o| o.https && o.address().is_none()).cloned().collect()
            } else {
                Vec::new()
            },
            operator_origin: operator.base_url.clone(),
            smtp: granted(asked.smtp) || operator.smtp,
            templates: asked.templates && operator.templates,
            // What a bundled component asks for is its own; a stranger's could ask for anybody's.
            secrets: asked
                .secrets
                .iter()
                .map(|secret| &secret.name)
                .filter(|name| operator.bundled || operator.secrets.contains(name))
                .cloned()
                .collect(),
            asked_secrets: asked.secrets.iter().map(|secret| secret.name.clone()).collect(),
        }
    }

    /// The hosts whose addresses need not be public, because the operator named them.
    pub fn trusted_host(&self) -> Option<&str> {
        self.operator_origin.as_ref().map(Origin::host)
    }
}

/// Which half of a target is being called; a creator gets neither HTTP nor SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Describe,
    CheckAddress,
    Create,
    Send,
}

/// A refusal, before any effect. The text says which grant is missing and how it is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denial {
    pub code: &'static str,
    pub message: String,
}

impl Denial {
    fn new(code: &'static str, message: String) -> Self {
        Denial { code, message }
    }
}

/// May this call send an HTTP request to `url`, carrying these secrets? The URL that is returned is the one to send to.
pub fn http(grants: &Grants, call: Call, url: &str, secrets: &[&str]) -> Result<Url, Denial> {
    only_while_sending(call, "HTTP")?;
    let invalid = |why: String| Denial::new("invalid_url", format!("The URL {why}."));
    let parsed = Url::parse(url).map_err(|e| invalid(format!("cannot be read ({e})")))?;
    let origin = Origin::of(&parsed).map_err(invalid)?;
    let module = &grants.module;
    let by_operator = grants.operator_origin.as_ref().is_some_and(|o| o.covers(&origin));
    if !by_operator && !grants.origins.iter().any(|o| o.covers(&origin)) {
        return Err(Denial::new(
            "origin_not_granted",
            format!(
                "The component {module} may not talk to {origin}; the operator can allow it with `base_url = \"{origin}\"` under [target.{module}]."
            ),
        ));
    }
    for name in secrets {
        secret(grants, name)?;
    }
    Ok(parsed)
}

/// May the component use this secret at all?
pub fn secret(grants: &Grants, secret: &str) -> Result<(), Denial> {
    let has = |names: &[String]| names.iter().any(|name| name == secret);
    let module = &grants.module;
    let message = match (has(&grants.secrets), has(&grants.asked_secrets)) {
        (true, _) => return Ok(()),
        (false, true) => format!(
            "The component {module} may not use the secret `{secret}`; the operator can allow it with `secrets = [\"{secret}\"]` under [target.{module}]."
        ),
        (false, false) => {
            format!("The component {module} uses the secret `{secret}` without asking for it in its manifest.")
        }
    };
    Err(Denial::new("secret_not_granted", message))
}

/// May this call send mail?
pub fn smtp(grants: &Grants, call: Call) -> Result<(), Denial> {
    only_while_sending(call, "SMTP")?;
    if grants.smtp {
        return Ok(());
    }
    let module = &grants.module;
    Err(Denial::new(
        "smtp_not_granted",
        format!(
            "The component {module} may not send mail; the operator can allow it with `smtp = true` under [target.{module}]."
        ),
    ))
}

/// May this call read the folder of templates? Only a creator may: what it renders is stored, and the handler sends what is stored.
pub fn templates(grants: &Grants, call: Call) -> bool {
    grants.templates && call == Call::Create
}

/// May this call use the secret for a signature?
pub fn signing(grants: &Grants, call: Call, name: &str) -> Result<(), Denial> {
    only_while_sending(call, "secrets")?;
    secret(grants, name)
}

/// May a connection be opened to this address, which `host` resolved to?
pub fn address(grants: &Grants, host: &str, address: IpAddr) -> Result<(), Denial> {
    let trusted = grants.trusted_host().is_some_and(|trusted| trusted == host.trim_end_matches('.').to_lowercase());
    if trusted || crate::rules::addresses::is_public(address) {
        return Ok(());
    }
    Err(Denial::new(
        "address_not_public",
        format!("{host} leads to {address}, which is not a public address, and only the operator's `base_url` may."),
    ))
}

fn only_while_sending(call: Call, what: &str) -> Result<(), Denial> {
    match call {
        Call::Send => Ok(()),
        Call::Describe | Call::CheckAddress | Call::Create => Err(Denial::new(
            "not_while_creating",
            format!("There is no {what} in this call; it is there in `send-notifications`."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        Origin::parse(text).unwrap()
    }

    fn grants(origins: &[&str], base_url: Option<&str>) -> Grants {
        Grants {
            module: "pigeon".into(),
            origins: origins.iter().map(|o| origin(o)).collect(),
            operator_origin: base_url.map(origin),
            secrets: vec!["token".into()],
            asked_secrets: vec!["token".into(), "other".into()],
            ..Grants::default()
        }
    }

    #[test]
    fn origins_are_read_and_written() {
        for (text, written) in [
            ("https://exp.host", "https://exp.host"),
            ("https://EXP.host.:443/", "https://exp.host"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://0x7f.1:8080", "http://127.0.0.1:8080"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("https://*.push.example", "https://*.push.example"),
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
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_an_origin_covers() {
        let wide = ["https://*.push.example"];
        for (allowed, url, yes) in [
            (&["https://exp.host"][..], "https://exp.host/--/api", true),
            (&["https://exp.host"], "https://EXP.HOST./x", true),
            (&["https://exp.host"], "http://exp.host/", false),
            (&["https://exp.host"], "https://exp.host:8443/", false),
            (&["https://exp.host"], "https://a.exp.host/", false),
            (&["https://exp.host"], "https://exp.host.evil.example/", false),
            (&["https://exp.host"], "https://evil.example/https://exp.host", false),
            (&["https://exp.host"], "https://evil.example\\@exp.host/", false),
            (&["https://exp.host"], "https://exp.host\\@evil.example/", true),
            (&wide, "https://eu.push.example/", true),
            (&wide, "https://a.b.push.example/", true),
            (&wide, "https://push.example/", false),
            (&wide, "https://evilpush.example/", false),
            (&[], "https://exp.host/", false),
        ] {
            assert_eq!(http(&grants(allowed, None), Call::Send, url, &[]).is_ok(), yes, "{allowed:?} {url}");
        }
    }

    #[test]
    fn the_operators_word_opens_one_exact_origin() {
        let grants = grants(&[], Some("http://127.0.0.1:8080"));
        assert!(http(&grants, Call::Send, "http://127.0.0.1:8080/x", &["token"]).is_ok());
        assert!(http(&grants, Call::Send, "http://127.0.0.1:8081/x", &[]).is_err());
        assert!(http(&grants, Call::Send, "http://localhost:8080/x", &[]).is_err());
        assert!(address(&grants, "127.0.0.1", [127, 0, 0, 1].into()).is_ok());
        assert!(address(&grants, "other.example", [127, 0, 0, 1].into()).is_err());
        assert!(address(&grants, "other.example", [1, 1, 1, 1].into()).is_ok());
    }

    #[test]
    fn a_denial_says_what_would_allow_it() {
        let denial = http(&grants(&[], None), Call::Send, "https://exp.host/x", &[]).unwrap_err();
        assert_eq!(denial.code, "origin_not_granted");
        assert!(
            denial.message.contains("`base_url = \"https://exp.host\"` under [target.pigeon]"),
            "{}",
            denial.message
        );
        assert!(smtp(&grants(&[], None), Call::Send).unwrap_err().message.contains("`smtp = true`"));
        let denial =
            http(&grants(&["https://exp.host"], None), Call::Send, "https://exp.host", &["other"]).unwrap_err();
        assert_eq!(denial.code, "secret_not_granted");
        for url in ["https://u:p@exp.host/", "ftp://exp.host/", "exp.host", "https:///", ""] {
            assert_eq!(
                http(&grants(&["https://exp.host"], None), Call::Send, url, &[]).unwrap_err().code,
                "invalid_url",
                "{url}"
            );
        }
    }

    #[test]
    fn creators_get_no_door() {
        let grants = Grants { smtp: true, ..grants(&["https://exp.host"], None) };
        for call in [Call::Describe, Call::CheckAddress, Call::Create] {
            assert!(http(&grants, call, "https://exp.host", &[]).is_err());
            assert!(smtp(&grants, call).is_err());
            assert!(signing(&grants, call, "token").is_err());
        }
        assert!(smtp(&grants, Call::Send).is_ok());
        assert!(signing(&grants, Call::Send, "token").is_ok());
        assert!(signing(&grants, Call::Send, "other").is_err());
    }

    #[test]
    fn bundled_components_get_what_they_ask_for_and_others_what_the_operator_says() {
        let asked = Manifest {
            smtp: true,
            http: crate::rules::manifest::Http {
                origins: vec![origin("https://exp.host"), origin("http://plain.example")],
                record_address: false,
            },
            ..Manifest::named("Pigeon")
        };
        let stranger = OperatorWord::default();
        assert_eq!(
            Grants::effective("pigeon", &asked, &stranger),
            Grants { module: "pigeon".into(), ..Grants::default() }
        );
        let bundled = OperatorWord { bundled: true, ..stranger.clone() };
        let grants = Grants::effective("pigeon", &asked, &bundled);
        assert_eq!(grants.origins, [origin("https://exp.host")], "a bundled component still gets no plain HTTP");
        assert!(grants.smtp);
        let word = OperatorWord { smtp: true, base_url: Some(origin("http://127.0.0.1:1")), ..stranger };
        let grants = Grants::effective("pigeon", &asked, &word);
        assert!(grants.smtp && grants.origins.is_empty() && grants.operator_origin.is_some());
    }
}
