//! All that a target asks for or was given, with the decision for each: what `engine target inspect` shows.

use super::doors::places;
use super::{Capability, Decision, Grants, OperatorWord, decide, denial};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// One capability and what has been decided about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspected {
    #[serde(serialize_with = "as_text")]
    pub capability: Capability,
    #[serde(flatten)]
    pub decision: Decision,
    /// Who grants it: `tenant`, `bundled` (what comes with the engine has what it asks for), `operator`.
    pub granted_by: Option<&'static str>,
    pub in_force: bool,
    /// The first key that does not turn: `component`, `operator`, `tenant`; for a secret `binding`.
    pub removed_by: Option<&'static str>,
    /// What would change that, in a sentence; empty where it is in force.
    pub why: String,
}

fn as_text<S: Serializer>(capability: &Capability, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(capability)
}

/// Everything that was asked for, granted or opened by the operator's word, in a fixed order.
pub fn inspect(grants: &Grants) -> Vec<Inspected> {
    let Grants { asked, granted, operator, bound, .. } = grants;
    let mut all: BTreeSet<Capability> = granted.iter().cloned().collect();
    all.extend(asked.origins.iter().chain(&operator.base_url).cloned().map(Capability::Http));
    if asked.record_address {
        all.insert(Capability::RecordAddress);
    }
    if asked.smtp || operator.smtp {
        all.insert(Capability::Smtp(None));
    }
    if asked.templates || operator.templates {
        all.insert(Capability::Templates);
    }
    for name in &asked.secrets {
        // Also towards where the operator leads it, be it bound there or not.
        let towards = bound.get(name).into_iter().flatten().chain(&operator.base_url);
        all.extend(towards.map(|origin| Capability::Secret(name.clone(), Some(origin.clone()))));
        if !all.iter().any(|listed| matches!(listed, Capability::Secret(listed, _) if listed == name)) {
            all.extend([Capability::Secret(name.clone(), places(grants).next())]);
        }
    }
    all.into_iter().map(|capability| one(grants, capability)).collect()
}

/// What to do where a component asks for ways to its provider, HTTP or mail, and none of them is in force: it could send nothing.
pub fn cut_off(grants: &Grants) -> Option<String> {
    let mut ways = ways(grants).peekable();
    let first = ways.peek().map(|way| way.why.clone());
    if ways.any(|way| way.in_force) { None } else { first }
}

/// What a component asks for to send with, HTTP, mail or a folder of templates, and that is not in force. What is bundled does without a folder.
pub fn shut(grants: &Grants) -> Vec<Inspected> {
    let folder = inspect(grants).into_iter().filter(|inspected| {
        inspected.capability == Capability::Templates && inspected.decision.asked && !grants.is_bundled()
    });
    ways(grants).chain(folder).filter(|inspected| !inspected.in_force).collect()
}

/// The ways to its provider, HTTP or mail, that a component asks for.
fn ways(grants: &Grants) -> impl Iterator<Item = Inspected> {
    let is_way = |capability: &Capability| match capability {
        Capability::Http(_) | Capability::RecordAddress | Capability::Smtp(_) => true,
        Capability::Templates | Capability::Secret(..) => false,
    };
    inspect(grants).into_iter().filter(move |way| way.decision.asked && is_way(&way.capability))
}

fn one(grants: &Grants, capability: Capability) -> Inspected {
    let decision = decide(grants, &capability);
    let removed_by = match decision {
        Decision { asked: false, .. } => Some("component"),
        // Where a secret may go is looked at when somebody has said that it may be used.
        Decision { granted: false, .. } if matches!(capability, Capability::Secret(..)) => Some("tenant"),
        Decision { allowed: false, .. } if matches!(capability, Capability::Secret(..)) => Some("binding"),
        Decision { allowed: false, .. } => Some("operator"),
        Decision { granted: false, .. } => Some("tenant"),
        Decision { asked: true, granted: true, allowed: true } => None,
    };
    let origin = match &capability {
        Capability::Http(origin) => Some(origin),
        Capability::RecordAddress | Capability::Smtp(_) | Capability::Templates | Capability::Secret(..) => None,
    };
    let why = match removed_by {
        Some(_) => denial::of(grants, &capability, decision, origin).message,
        None => String::new(),
    };
    let granted_by = decision.granted.then(|| granted_by(grants, &capability));
    Inspected { in_force: decision.in_force(), capability, decision, granted_by, removed_by, why }
}

/// Whose word it is by which it is granted.
fn granted_by(grants: &Grants, capability: &Capability) -> &'static str {
    let without = |operator: OperatorWord| decide(&Grants { operator, ..grants.clone() }, capability).granted;
    // Of the operator's word only what says whose mail is its own.
    let sender = || grants.own_sender().map(str::to_owned);
    if without(OperatorWord { sender: sender(), ..OperatorWord::default() }) {
        return "tenant";
    }
    let bundled = grants.operator.bundled;
    if without(OperatorWord { bundled, sender: sender(), ..OperatorWord::default() }) { "bundled" } else { "operator" }
}
