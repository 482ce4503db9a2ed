//! What a component may do, decided by pure functions: the doors (`host/http`, `host/smtp`) ask here and nowhere else.
//!
//! In force is what the component asks for, and what it was granted, and what the operator allows; nothing else. A target
//! whose component is bundled is granted what it asks for. What the operator writes into a target's settings, `base_url`,
//! `secrets` and `smtp = true`, is ask, grant and permission in one.
//!
//! In reading order: here the three keys and the one decision, `capability` (what there is to decide about), `doors` (what the doors ask),
//! `denial` (what a refusal says), `inspection` (all of it at once, for people).

mod capability;
mod denial;
mod doors;
mod inspection;
#[cfg(test)]
mod tests;

pub use capability::{Capability, MAX_SECRET_NAME, RECORD_ADDRESS, check_secret_name, quoted, shell};
pub use denial::Denial;
pub use doors::{
    any_use, bind_option, binding, follows_addresses, goes_somewhere, goes_to_many, http, is_operators, may_carry,
    may_dial, no_templates, not_public, origins, record, secret_anywhere, signing, smtp, templates,
};
pub use inspection::{Inspected, cut_off, inspect, shut};

use crate::rules::allowed::Allowed;
use crate::rules::manifest::Manifest;
use crate::rules::origin::Origin;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What the operator says about one target, from the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperatorWord {
    /// The component came with the engine.
    pub bundled: bool,
    /// An origin that the operator opens to it, of whatever scheme and address.
    pub base_url: Option<Origin>,
    /// Mail through the relay of the settings.
    pub smtp: bool,
    /// The address of its own sender.
    pub sender: Option<String>,
    /// There is a folder of templates for it.
    pub templates: bool,
    /// The operator's secrets that it may use though it is not bundled.
    pub secrets: Vec<String>,
    /// What may be granted to it at all.
    pub allowed: Allowed,
}

/// The three keys of one target: what is asked, granted and allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// What people call the target.
    target: String,
    module: String,
    asked: Asked,
    granted: Vec<Capability>,
    operator: OperatorWord,
    /// The secrets that have a value, and towards which origins each may be sent.
    bound: BTreeMap<String, Vec<Origin>>,
    /// Those of them that were set for this target alone.
    own_secrets: BTreeSet<String>,
}

/// The part of a manifest that asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    origins: Vec<Origin>,
    record_address: bool,
    smtp: bool,
    templates: bool,
    secrets: Vec<String>,
}

/// Which of the keys turn, for one capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The component asks for it.
    pub asked: bool,
    /// The tenant grants it, or it is granted to what is bundled.
    pub granted: bool,
    /// The operator allows it; for a secret, whoever set it has bound it to that origin.
    pub allowed: bool,
}

impl Decision {
    /// What the operator's word opens.
    const WORD: Decision = Decision { asked: true, granted: true, allowed: true };

    /// Whether the component may.
    pub fn in_force(self) -> bool {
        self.asked && self.granted && self.allowed
    }
}

impl Grants {
    /// The keys of a target. `bound` are the secrets that have a value, each with the origins towards which it may be sent.
    pub fn new(
        target: &str,
        module: &str,
        manifest: &Manifest,
        granted: Vec<Capability>,
        operator: OperatorWord,
        bound: BTreeMap<String, Vec<Origin>>,
    ) -> Self {
        let asked = Asked {
            origins: manifest.http.origins.clone(),
            record_address: manifest.http.record_address,
            smtp: manifest.smtp,
            templates: manifest.templates,
            secrets: manifest.secrets.iter().map(|secret| secret.name.clone()).collect(),
        };
        let (target, module, own_secrets) = (target.to_owned(), module.to_owned(), BTreeSet::new());
        Grants { target, module, asked, granted, operator, bound, own_secrets }
    }

    /// The same, of which these secrets were set for the target alone.
    #[must_use]
    pub fn with_own_secrets(self, own_secrets: BTreeSet<String>) -> Self {
        Grants { own_secrets, ..self }
    }

    /// What commands call the target: by its name or, where there is none, its module's.
    pub fn target(&self) -> &str {
        if self.target.is_empty() { &self.module } else { &self.target }
    }

    /// Whether the component came with the engine.
    pub fn is_bundled(&self) -> bool {
        self.operator.bundled
    }

    /// The address from which the target sends mail that names none.
    pub fn own_sender(&self) -> Option<&str> {
        self.operator.sender.as_deref().or_else(|| self.operator.allowed.usual_sender())
    }
}

/// The origins towards which the operator's own secrets may be sent: those that the operator opens, and for a bundled component those that it
/// asks for. No tenant can add to them.
pub fn operators_origins(manifest: &Manifest, operator: &OperatorWord) -> Vec<Origin> {
    let asked = if operator.bundled { manifest.http.origins.clone() } else { Vec::new() };
    operator.base_url.iter().cloned().chain(asked).collect()
}

/// The one decision: which of the three keys turn for `wanted`. The running call, `engine target inspect` and whatever else wants to know
/// ask this.
pub fn decide(grants: &Grants, wanted: &Capability) -> Decision {
    let Grants { asked, granted, operator, bound, .. } = grants;
    let by_default = |asked: bool| asked && operator.bundled;
    match wanted {
        Capability::Http(origin) if operator.base_url.as_ref().is_some_and(|word| word.covers(origin)) => {
            Decision::WORD
        }
        Capability::Http(origin) => {
            let is_asked = asked.origins.iter().any(|asked| asked.covers(origin));
            let is_granted =
                |granted: &Capability| matches!(granted, Capability::Http(granted) if granted.covers(origin));
            Decision {
                asked: is_asked,
                granted: by_default(is_asked) || granted.iter().any(is_granted),
                allowed: operator.allowed.origin(origin).is_ok(),
            }
        }
        Capability::RecordAddress => Decision {
            asked: asked.record_address,
            granted: by_default(asked.record_address) || granted.contains(wanted),
            // Each address is judged when it is known.
            allowed: true,
        },
        Capability::Smtp(from) => {
            let own = grants.own_sender();
            let sender = from.as_deref().or(own);
            let is_own = sender.is_some() && same(sender, own);
            if operator.smtp && (is_own || from.is_none()) {
                return Decision { allowed: own.is_some(), ..Decision::WORD };
            }
            let is_granted = |granted: &Capability| match granted {
                // Where it has no sender of its own, this is granted and of no use.
                Capability::Smtp(None) => is_own || from.is_none(),
                Capability::Smtp(Some(granted)) => same(Some(granted), sender),
                _ => false,
            };
            Decision {
                asked: asked.smtp,
                granted: (by_default(asked.smtp) && is_own) || granted.iter().any(is_granted),
                allowed: (operator.bundled && is_own) || sender.is_some_and(|sender| operator.allowed.sender(sender)),
            }
        }
        Capability::Templates => {
            Decision { asked: asked.templates, granted: operator.templates, allowed: operator.templates }
        }
        Capability::Secret(name, towards) => {
            // Where it goes with a request, HTTP is asked for, too; an address is known when it is sent to.
            let goes =
                |towards: &Origin| asked.record_address || decide(grants, &Capability::Http(towards.clone())).asked;
            let is_asked = asked.secrets.contains(name) && towards.as_ref().is_none_or(goes);
            let is_granted = |granted: &Capability| match (granted, towards) {
                (Capability::Secret(granted, Some(origin)), Some(towards)) => granted == name && origin.covers(towards),
                // In signatures, which may go anywhere.
                (Capability::Secret(granted, None), None) => granted == name,
                _ => false,
            };
            let is_bound = |towards: &Origin| bound.get(name).is_some_and(|to| to.iter().any(|to| to.covers(towards)));
            Decision {
                asked: is_asked,
                granted: by_default(is_asked) || operator.secrets.contains(name) || granted.iter().any(is_granted),
                allowed: towards.as_ref().map_or(bound.contains_key(name), is_bound),
            }
        }
    }
}

/// Whether two addresses are the same; letters count alike, as every relay of today takes them.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one.eq_ignore_ascii_case(other))
}

/// Which half of a target is being called; a creator gets neither HTTP nor SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Describe,
    CheckAddress,
    Create,
    Send,
}
