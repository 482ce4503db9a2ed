//! What a refusal says: which key is missing, and the exact words that turn it.

use super::capability::{quoted, shell};
use super::doors::places;
use super::{Capability, Decision, Grants, decide};
use crate::rules::origin::Origin;
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

/// The refusal of `wanted`, of which not all keys turn. `origin` is the one that a request would have gone to.
pub(super) fn of(grants: &Grants, wanted: &Capability, decision: Decision, origin: Option<&Origin>) -> Denial {
    let Grants { module, operator, .. } = grants;
    let target = grants.target();
    let command = format!("`engine target grant {} {}` lets it", quoted(target), wanted.option());
    match wanted {
        Capability::Http(_) | Capability::RecordAddress => {
            let whither = origin.map_or_else(|| wanted.to_string(), |origin| format!("HTTP to {origin}"));
            let (code, why) = if !decision.asked {
                let author = origin.map_or_else(
                    || "; its author lets it ask for `http.record_address`".to_owned(),
                    |origin| {
                        format!("; its author adds {origin} to `http.origins` there, or the operator opens it with `base_url = \"{origin}\"` under [target.{module}]")
                    },
                );
                (
                    "origin_not_asked",
                    format!(
                        "its component does not ask for it in its manifest{}{author}",
                        instead(grants.asked.origins.iter().map(ToString::to_string))
                    ),
                )
            } else if !decision.allowed {
                let why = origin.and_then(|origin| operator.allowed.origin(origin).err()).unwrap_or_default();
                let word = format!("; the operator can change that, or write `base_url` under [target.{module}]");
                ("origin_not_allowed", format!("the operator forbids it: {why}{word}"))
            } else {
                ("origin_not_granted", format!("it is not granted; {command}"))
            };
            Denial::new(code, format!("The target {target} may not use {whither}: {why}."))
        }
        Capability::Smtp(from) => {
            let sender = from.as_deref().or(grants.own_sender());
            let own = grants.own_sender().map_or_else(String::new, |own| format!(" Its own sender is {own}."));
            let code = if from.is_some() { "sender_not_granted" } else { "smtp_not_granted" };
            let word = format!("`smtp = true` under [target.{module}]");
            let why = match (decision.asked, sender) {
                (false, _) => {
                    format!(
                        "its component does not ask for mail in its manifest; the operator can open it all the same, with {word}"
                    )
                }
                (true, None) => format!(
                    "it has no sender; the operator sets one, with `from_email` under [target.{module}] or with `[sandbox] senders`"
                ),
                (true, Some(sender)) if !decision.allowed && from.is_none() => format!(
                    "the operator forbids it: `[sandbox] senders` does not name {sender}; the operator can change that, or write {word}"
                ),
                (true, Some(sender)) if !decision.allowed => {
                    format!("the operator forbids it: `[sandbox] senders` does not name {sender}")
                }
                (true, Some(_)) => format!("it is not granted; {command}"),
            };
            let own = if from.is_some() { own.as_str() } else { "" };
            Denial::new(code, format!("The target {target} may not send {wanted}: {why}.{own}"))
        }
        Capability::Templates => {
            let why = if decision.asked {
                format!("the operator names none; `templates` under [target.{module}] does")
            } else {
                "its component does not ask for it in its manifest".to_owned()
            };
            Denial::new("templates_not_granted", format!("The target {target} may not read {wanted}: {why}."))
        }
        Capability::Secret(name, towards) => {
            let (code, why) = if !decision.asked {
                let instead = instead(grants.asked.secrets.iter().map(|asked| format!("`{asked}`")));
                (
                    "secret_not_granted",
                    format!(
                        "its component does not ask for it in its manifest{instead}; its author adds it to `secrets` there"
                    ),
                )
            } else if !decision.granted {
                ("secret_not_granted", format!("it is not granted; {command}"))
            } else {
                let bound = grants.bound.get(name);
                // All of them in one command, since it says anew where the secret may go; but for those of no use.
                let of_use = |origin: &&Origin| decide(grants, &Capability::Http((*origin).clone())).asked;
                let wanted = towards.clone().or_else(|| places(grants).next());
                let origins: BTreeSet<&Origin> = bound.into_iter().flatten().filter(of_use).chain(&wanted).collect();
                let mut options: String =
                    origins.iter().map(|origin| format!(" --origin {}", shell(&origin.to_string()))).collect();
                if options.is_empty() {
                    options.push_str(" --origin https://…");
                }
                if grants.own_secrets.contains(name) {
                    options.push_str(&format!(" --target {}", quoted(target)));
                }
                let set = format!("`engine secret set {name}{options}`");
                match bound.map(Vec::as_slice) {
                    Some([]) => (
                        "secret_not_bound",
                        format!(
                            "it is the operator's and goes where `base_url` under [target.{module}] says, which is not set"
                        ),
                    ),
                    Some(_) => (
                        "secret_not_bound",
                        format!("it is bound to other origins; {set} sets it anew for this one too"),
                    ),
                    None => ("no_such_secret", format!("it has no value; {set} gives it one")),
                }
            };
            Denial::new(code, format!("The target {target} may not use {wanted}: {why}."))
        }
    }
}

/// How many of what was asked for are told.
const MOST_TOLD: usize = 3;

/// What a component asks for, which may have been meant.
fn instead(asked: impl ExactSizeIterator<Item = String>) -> String {
    let all = asked.len();
    let told: Vec<String> = asked.take(MOST_TOLD).collect();
    let rest = if all > told.len() { format!(" and {} more", all - told.len()) } else { String::new() };
    if told.is_empty() { String::new() } else { format!(", but for {}{rest}", told.join(", ")) }
}
