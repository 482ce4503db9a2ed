//! What a component's imports of WASI are worth here: all of it is linked, and most of it leads nowhere.

use serde::Serialize;

/// What becomes of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Import {
    /// It does what it says.
    Works,
    /// It is there, and answers that there is nothing: no variables, no arguments, no files but templates.
    Empty,
    /// Each use is refused.
    Refused,
}

impl Import {
    /// What becomes of the import of this name, such as `wasi:sockets/tcp@0.2.6`, in a component that may or may not speak HTTP with anybody.
    pub fn of(name: &str, may_http: bool) -> Self {
        let interface = name.split('@').next().unwrap_or_default();
        match interface.split_once('/') {
            Some(("wasi:http", "outgoing-handler")) if !may_http => Import::Refused,
            Some(("wasi:sockets", _)) => Import::Refused,
            Some(("wasi:filesystem", _)) | Some(("wasi:cli", "environment" | "stdin" | "terminal-stdin")) => {
                Import::Empty
            }
            _ => Import::Works,
        }
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Import::Works => "works",
            Import::Empty => "is there, and empty",
            Import::Refused => {
                "is there, and refuses every use: what leaves goes through `http` or `smtp` of the contract, or through `wasi:http`"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_refused_and_surroundings_are_empty() {
        for (name, worth) in [
            ("wasi:http/outgoing-handler@0.2.12", Import::Refused),
            ("wasi:http/types@0.2.12", Import::Works),
            ("wasi:sockets/tcp@0.2.6", Import::Refused),
            ("wasi:sockets/ip-name-lookup@0.2.0", Import::Refused),
            ("wasi:cli/environment@0.2.6", Import::Empty),
            ("wasi:filesystem/preopens@0.2.6", Import::Empty),
            ("wasi:clocks/wall-clock@0.2.6", Import::Works),
            ("notification:engine/http@0.1.0", Import::Works),
        ] {
            assert_eq!(Import::of(name, false), worth, "{name}");
        }
        assert_eq!(Import::of("wasi:http/outgoing-handler@0.2.12", true), Import::Works);
    }
}
