//! What a refusal says: which key is missing, and the exact words that turn it.

use super::capability::quoted;
use super::doors::{bind_options, likely_places, places};
use super::{Asked, Capability, Decision, Grants, decide};
use crate::rules::origin::Origin;
use crate::rules::spelling::nearest_of_long;
use std::collections::BTreeSet;

/// A refusal, before any effect. The text says which grant is missing and how it is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denial {
    pub code: &'static str,
    pub message: String,
}

impl Denial {
    pub(super) fn new(code: &'static str, message: String) -> Self {
        Denial { code, message }
    }
}

/// The code for the address of a notification's own record, which nobody but its user has chosen: all else that is denied is for who set the target up.
pub const RECORD_NOT_ALLOWED: &str = "record_not_allowed";

/// The refusal of a record's address. What would open it is not told: it is an address that anybody may have chosen.
pub(super) fn of_record(why: String) -> Denial {
    let message = format!("The address of this record may not be used: {why}; give the record another one.");
    Denial::new(RECORD_NOT_ALLOWED, message)
}

/// The refusal of `wanted`, of which not all keys turn. `origin` is the one that a request would have gone to.
pub(super) fn of(grants: &Grants, wanted: &Capability, decision: Decision, origin: Option<&Origin>) -> Denial {
    let Grants { module, operator, .. } = grants;
    let target = grants.target();
    let command = format!("`engine target grant {} {}` lets it", quoted(target), wanted.option());
    // The operator's word is not the tenant's to take back.
    let back = if grants.granted.contains(wanted) {
        format!("; `engine target revoke {} {}` takes the grant back", quoted(target), wanted.option())
    } else {
        String::new()
    };
    let then = if decision.granted { String::new() } else { format!(", after which {command}") };
    match wanted {
        Capability::Http(_) | Capability::RecordAddress => {
            let whither = origin.map_or_else(|| wanted.to_string(), |origin| format!("HTTP to {origin}"));
            // That key holds one.
            let instead_of = operator.base_url.as_ref().map_or_else(String::new, |now| format!(", instead of {now},"));
            let (code, why) = if !decision.asked {
                let author = origin.map_or_else(
                    || "; its author lets it ask for `http.record_address`".to_owned(),
                    |origin| {
                        if origin.is_many() {
                            return String::new();
                        }
                        format!("; its author adds {origin} to `http.origins` there, or the operator opens it{instead_of} with `base_url = \"{origin}\"` under [target.{module}]")
                    },
                );
                (
                    "origin_not_asked",
                    format!(
                        "its component does not ask for it in its manifest{}{author}{back}",
                        instead(whither_asked(grants), origin.map(ToString::to_string))
                    ),
                )
            } else if !decision.allowed {
                let why = origin.and_then(|origin| operator.allowed.origin(origin).err()).unwrap_or_default();
                // That key holds one: another would close what is open.
                let base_url = match (&operator.base_url, origin.filter(|origin| !origin.is_many())) {
                    (None, Some(origin)) => format!(", or writes `base_url = \"{origin}\"` under [target.{module}]"),
                    _ => String::new(),
                };
                let word = format!("; the operator does that{then}{base_url}");
                ("origin_not_allowed", format!("the operator forbids it: {why}{word}"))
            } else {
                ("origin_not_granted", format!("it is not granted; {command}"))
            };
            // One of the two may be a slip; a component that reads `base_url` goes there by itself.
            let slip = match (&operator.base_url, origin.filter(|_| decision.asked)) {
                (Some(named), Some(_)) => format!(
                    "; what the operator opens to it is {named}, by `base_url` under [target.{module}]: if that is a slip, mend it instead"
                ),
                _ => String::new(),
            };
            Denial::new(code, format!("The target {target} may not use {whither}: {why}{slip}."))
        }
        Capability::Smtp(from) => {
            let sender = from.as_deref().or(grants.own_sender());
            let own = grants.own_sender().map_or_else(String::new, |own| format!(" Its own sender is {own}."));
            let code = if from.is_some() { "sender_not_granted" } else { "smtp_not_granted" };
            let word = format!("`smtp = true` under [target.{module}]");
            let why = match (decision.asked, sender) {
                // The operator's word opens its own sender alone.
                (false, _) if from.is_some() => {
                    format!("its component does not ask for mail in its manifest; its author adds `smtp` there{back}")
                }
                (false, _) => {
                    let both = if grants.own_sender().is_some() { "" } else { "`from_email` and " };
                    format!(
                        "its component does not ask for mail in its manifest; its author adds `smtp` there, or the operator opens it with {both}{word}{back}"
                    )
                }
                (true, None) if operator.smtp => {
                    format!("it has no sender; the operator writes `from_email` under [target.{module}]")
                }
                (true, None) => format!(
                    "it has no sender, and mail is not open to it; the operator writes both `from_email` and `smtp = true` under [target.{module}]"
                ),
                (true, Some(sender)) if !decision.allowed && from.is_none() => {
                    format!(
                        "the operator forbids it: `[sandbox] senders` does not name {sender}; the operator writes {word}, or adds it there{then}"
                    )
                }
                (true, Some(sender)) if !decision.allowed => {
                    format!(
                        "the operator forbids it: `[sandbox] senders` does not name {sender}; the operator can add it there{then}"
                    )
                }
                (true, Some(_)) => format!("it is not granted; {command}"),
            };
            let own = if from.is_some() { own.as_str() } else { "" };
            Denial::new(code, format!("The target {target} may not send {wanted}: {why}.{own}"))
        }
        Capability::Templates => {
            let named = format!("`templates = \"FOLDER\"` under [target.{module}]");
            let why = match (decision.asked, decision.granted) {
                (true, _) => format!("the operator names none; {named} does"),
                (false, true) => {
                    "its component does not ask for it in its manifest; its author adds `templates` there".to_owned()
                }
                (false, false) => format!(
                    "its component does not ask for it in its manifest; its author adds `templates` there, and the operator {named}"
                ),
            };
            Denial::new("templates_not_granted", format!("The target {target} may not read {wanted}: {why}."))
        }
        Capability::Secret(name, towards) => {
            let is_known = grants.asked.secrets.contains(name);
            let (code, why) = if let Some(origin) = towards.as_ref().filter(|_| !decision.asked && is_known) {
                let meant = instead(
                    places(grants).map(|origin| origin.to_string()).collect(),
                    towards.as_ref().map(ToString::to_string),
                );
                ("secret_not_granted", format!("its component asks for no HTTP to {origin}{meant}{back}"))
            } else if !decision.asked {
                let asked = grants.asked.secrets.iter().map(|asked| format!("`{asked}`"));
                let instead = instead(asked.collect(), Some(format!("`{name}`")));
                (
                    "secret_not_granted",
                    format!(
                        "its component does not ask for it in its manifest{instead}; its author adds it to `secrets` there{back}"
                    ),
                )
            } else if !decision.granted {
                (
                    "secret_not_granted",
                    format!("it is not granted{}; {command}", of_base_url(grants, name, towards.as_ref())),
                )
            } else {
                let bound = grants.bound.get(name);
                // All of them in one command, since it says anew where the secret may go; but for those of no use.
                let of_use = |origin: &&Origin| decide(grants, &Capability::Http((*origin).clone())).asked;
                let wanted = towards.clone().or_else(|| likely_places(grants).into_iter().next());
                let (of_use, of_none): (Vec<&Origin>, Vec<&Origin>) = bound.into_iter().flatten().partition(of_use);
                // Others may use the one of all targets.
                let is_for_others = !grants.own_secrets.contains(name) && !of_none.is_empty();
                let kept = if is_for_others { Vec::new() } else { of_use };
                let origins: BTreeSet<&Origin> = kept.into_iter().chain(&wanted).collect();
                let is_for_this = grants.own_secrets.contains(name) || is_for_others;
                let options = bind_options(origins, is_for_this.then_some(target));
                let set = format!("`engine secret set {name}{options}`");
                match bound.map(Vec::as_slice) {
                    Some([]) => (
                        "secret_not_bound",
                        format!(
                            "it is the operator's and goes where `base_url` under [target.{module}] says, which is not set"
                        ),
                    ),
                    Some(bound) => {
                        let bound: Vec<String> = bound.iter().map(ToString::to_string).collect();
                        let how = if is_for_others {
                            "sets one for this target alone"
                        } else {
                            "sets it anew for this one too"
                        };
                        ("secret_not_bound", format!("it is bound to {}; {set} {how}", listed(bound.into_iter())))
                    }
                    None => ("no_such_secret", format!("it has no value; {set} gives it one")),
                }
            };
            Denial::new(code, format!("The target {target} may not use {wanted}: {why}."))
        }
    }
}

/// How many of what was asked for are told.
const MOST_TOLD: usize = 3;

/// Where a component asks to go.
fn whither_asked(grants: &Grants) -> Vec<String> {
    let Asked { origins, record_address, .. } = &grants.asked;
    let of_records = record_address.then(|| "the record's own address".to_owned());
    origins.iter().map(ToString::to_string).chain(of_records).collect()
}

/// What a component asks for, which may have been meant.
fn instead(asked: Vec<String>, of: Option<String>) -> String {
    // The only one is told anyway.
    let among = asked.iter().map(String::as_str).filter(|_| asked.len() > 1);
    let near = of.as_deref().and_then(|wanted| nearest_of_long(wanted, among));
    let meant = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
    let told = listed(asked.into_iter());
    if told.is_empty() { told } else { format!(", but for {told}{meant}") }
}

/// The first of them, and how many there are beside.
fn listed(mut all: impl Iterator<Item = String>) -> String {
    let told: Vec<String> = all.by_ref().take(MOST_TOLD).collect();
    let more = all.count();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", told.join(", "))
}

/// If a secret is granted towards others than the origin that the operator names: one of the two may be a slip.
fn of_base_url(grants: &Grants, secret: &str, towards: Option<&Origin>) -> String {
    let Some(named) = grants.operator.base_url.as_ref().filter(|named| Some(*named) == towards) else {
        return String::new();
    };
    let others = grants.granted.iter().filter_map(|granted| match granted {
        Capability::Secret(name, Some(other)) if name == secret => Some(other.to_string()),
        _ => None,
    });
    let others = listed(others);
    if others.is_empty() {
        return others;
    }
    let module = &grants.module;
    format!(", but towards {others}: `base_url` under [target.{module}] says {named}, so mend it if that is the slip")
}
