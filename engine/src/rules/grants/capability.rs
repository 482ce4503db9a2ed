//! What a component can be given, one by one: as the tenant writes it, as it is stored, as it is shown.

use crate::rules::allowed;
use crate::rules::limits::Invalid;
use crate::rules::origin::Origin;
use std::fmt;

/// Instead of an origin: that of the address of the notification that is being sent.
pub const RECORD_ADDRESS: &str = "record_address";
/// Characters in a grant's scope.
const LONGEST_SCOPE: usize = 500;

/// One thing that a component may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// HTTP to an origin, or to all that it stands for.
    Http(Origin),
    /// HTTP to the origin of the address of the notification that is being sent.
    RecordAddress,
    /// Mail from this address; `None`: from the target's own sender.
    Smtp(Option<String>),
    /// The folder of templates, which only the operator gives.
    Templates,
    /// A secret of this name towards this origin; `None`: in signatures, which go nowhere by themselves.
    Secret(String, Option<Origin>),
}

impl Capability {
    /// Reads what stands for HTTP: an origin, or `record_address`.
    pub fn http(text: &str) -> Result<Self, Invalid> {
        if text == RECORD_ADDRESS {
            return Ok(Capability::RecordAddress);
        }
        let origin = Origin::parse(text).map_err(|why| {
            let sentence = format!("{why}: write an origin such as https://pigeons.example, or `{RECORD_ADDRESS}`.");
            Invalid::new("http", sentence)
        })?;
        Capability::Http(origin).checked()
    }

    /// Reads the address of a sender.
    pub fn smtp_from(text: &str) -> Result<Self, Invalid> {
        if !allowed::is_address(text) {
            let sentence =
                format!("\"{}\" is not an e-mail address: write one such as news@example.org.", text.escape_debug());
            return Err(Invalid::new("smtp_from", sentence));
        }
        Capability::Smtp(Some(text.to_lowercase())).checked()
    }

    /// Reads `NAME=ORIGIN`, or `NAME` for signatures alone.
    pub fn secret(text: &str) -> Result<Self, Invalid> {
        let (name, origin) = text.split_once('=').map_or((text, None), |(name, origin)| (name, Some(origin)));
        check_secret_name(name)?;
        // Not shown: it may be a value.
        let origin = origin.map(Origin::parse).transpose().map_err(|_| {
            let sentence = format!(
                "What stands behind `{name}=` is no origin: write NAME=ORIGIN, such as loft_key=https://pigeons.example; the value is what `engine secret set` reads."
            );
            Invalid::new("secret", sentence)
        })?;
        Capability::Secret(name.to_owned(), origin).checked()
    }

    fn checked(self) -> Result<Self, Invalid> {
        let length = self.scope().chars().count();
        if length > LONGEST_SCOPE {
            return Err(Invalid::new(
                "grant",
                format!("The grant has {length} characters: shorten it to {LONGEST_SCOPE}."),
            ));
        }
        Ok(self)
    }

    /// Reads what is stored: the two columns of a grant. `None` for what this engine does not know.
    pub fn stored(kind: &str, scope: &str) -> Option<Self> {
        match (kind, scope) {
            ("http", scope) => Capability::http(scope).ok(),
            ("smtp", "") => Some(Capability::Smtp(None)),
            ("smtp", address) => Some(Capability::Smtp(Some(address.to_owned()))),
            ("secret", scope) => Capability::secret(scope).ok(),
            _ => None,
        }
    }

    /// Its kind, as it is stored.
    pub fn kind(&self) -> &'static str {
        match self {
            Capability::Http(_) | Capability::RecordAddress => "http",
            Capability::Smtp(_) => "smtp",
            Capability::Templates => "folder",
            Capability::Secret(..) => "secret",
        }
    }

    /// What it is limited to, as it is stored; empty where the kind alone says it.
    pub fn scope(&self) -> String {
        match self {
            Capability::Http(origin) => origin.to_string(),
            Capability::RecordAddress => RECORD_ADDRESS.to_owned(),
            Capability::Smtp(address) => address.clone().unwrap_or_default(),
            Capability::Templates => "templates".to_owned(),
            Capability::Secret(name, None) => name.clone(),
            Capability::Secret(name, Some(origin)) => format!("{name}={origin}"),
        }
    }

    /// The options of `engine target grant` and `revoke` that name it.
    pub fn option(&self) -> String {
        match self {
            Capability::Http(_) | Capability::RecordAddress => format!("--http {}", shell(&self.scope())),
            Capability::Smtp(None) => "--smtp".to_owned(),
            Capability::Smtp(Some(address)) => format!("--smtp-from {}", shell(address)),
            // Nobody grants a folder by a command.
            Capability::Templates => String::new(),
            Capability::Secret(..) => format!("--secret {}", shell(&self.scope())),
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Capability::Http(origin) => write!(f, "HTTP to {origin}"),
            Capability::RecordAddress => write!(f, "HTTP to the record's own address"),
            Capability::Smtp(None) => write!(f, "mail from its own sender"),
            Capability::Smtp(Some(address)) => write!(f, "mail from {address}"),
            Capability::Templates => write!(f, "the folder of templates"),
            Capability::Secret(name, Some(origin)) => write!(f, "the secret {name} towards {origin}"),
            Capability::Secret(name, None) => write!(f, "the secret {name} in signatures"),
        }
    }
}

/// The longest name of a secret.
pub const MAX_SECRET_NAME: usize = 63;

/// A secret's name: small letters, digits and `_`, a letter first, at most 63, as manifests write it.
pub fn check_secret_name(name: &str) -> Result<(), Invalid> {
    let mut letters = name.chars();
    let valid = letters.next().is_some_and(|c| c.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= MAX_SECRET_NAME;
    if valid {
        return Ok(());
    }
    let sentence = format!(
        "\"{}\" is not the name of a secret: use small letters, digits and `_`, a letter first, as in `loft_key`.",
        name.escape_debug()
    );
    Err(Invalid::new("secret", sentence))
}

/// A word as a shell takes it.
pub fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    quoted(word)
}

/// The same, quoted in any case, as names are.
pub fn quoted(word: &str) -> String {
    if word.contains(['"', '$', '`', '\\', '!']) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    format!("\"{word}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_is_stored_and_read_back() {
        for capability in [
            Capability::http("https://*.push.example:8443").unwrap(),
            Capability::http("record_address").unwrap(),
            Capability::Smtp(None),
            Capability::smtp_from("News@Example.org").unwrap(),
            Capability::secret("loft_key=https://pigeons.example").unwrap(),
            Capability::secret("loft_key").unwrap(),
        ] {
            assert_eq!(Capability::stored(capability.kind(), &capability.scope()), Some(capability));
        }
        for (kind, scope) in [("http", ""), ("folder", "templates"), ("secret", ""), ("pigeon", "")] {
            assert_eq!(Capability::stored(kind, scope), None, "{kind} {scope}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_in_a_sentence() {
        for refused in [
            Capability::http("pigeons.example"),
            Capability::http("https://*.co.uk"),
            Capability::smtp_from("news"),
            Capability::secret("Loft=https://pigeons.example"),
            Capability::secret("loft_key=pigeons"),
            Capability::secret(""),
        ] {
            let sentence = refused.unwrap_err().to_string();
            assert!(
                sentence.ends_with('.') && (sentence.contains("such as") || sentence.contains("as in")),
                "{sentence}"
            );
        }
    }

    #[test]
    fn options_can_be_pasted_into_a_shell() {
        for (word, written) in [
            ("https://pigeons.example", "https://pigeons.example"),
            ("https://*.push.example", "\"https://*.push.example\""),
            ("a'b", "\"a'b\""),
            ("$(x)'s", r"'$(x)'\''s'"),
            ("", "\"\""),
        ] {
            assert_eq!(shell(word), written);
        }
    }
}
