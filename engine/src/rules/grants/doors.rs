//! What the doors ask, call by call. Each answer is the decision, and a refusal comes before any effect.

use super::capability::{quoted, shell};
use super::denial::{self, Denial, RECORD_NOT_ALLOWED};
use super::{Call, Capability, Decision, Grants, decide};
use crate::rules::origin::Origin;
use std::net::IpAddr;
use url::{ParseError, Url};

/// How many characters of a URL are shown that cannot be read.
const MOST_SHOWN: usize = 100;

/// May this call send an HTTP request to `url`, carrying these secrets? The URL that is returned is the one to send to. `records` are the
/// origins of the addresses of the notifications that are being sent.
pub fn http(grants: &Grants, call: Call, url: &str, secrets: &[&str], records: &[Origin]) -> Result<Url, Denial> {
    only_while_sending(call, "HTTP")?;
    let invalid = |why: String| Denial::new("invalid_url", format!("The URL {why}."));
    let beginning = || url.chars().take(MOST_SHOWN).collect::<String>().escape_debug().to_string();
    let parsed = Url::parse(url).map_err(|e| {
        invalid(match e {
            ParseError::RelativeUrlWithoutBase => format!(
                "\"{}\" does not say `https://` or `http://`: write all of it, such as https://pigeons.example/flights",
                beginning()
            ),
            other => format!("\"{}\" cannot be read ({other})", beginning()),
        })
    })?;
    let origin = Origin::of(&parsed).map_err(invalid)?;
    let decision = decide(grants, &Capability::Http(origin.clone()));
    if !decision.in_force() {
        let as_record = decide(grants, &Capability::RecordAddress);
        match records.contains(&origin) && as_record.asked {
            true if !as_record.in_force() => {
                return Err(denial::of(grants, &Capability::RecordAddress, as_record, Some(&origin)));
            }
            true => grants.operator.allowed.origin(&origin).map_err(denial::of_record)?,
            false => return Err(denial::of(grants, &Capability::Http(origin.clone()), decision, Some(&origin))),
        }
    }
    for name in secrets {
        check_secret(grants, name, Some(origin.clone())).map_err(|denial| {
            let goes_to_record = records.contains(&origin) && follows_addresses(grants);
            // One that may go nowhere yet, or is meant to go there, is for who sets the target up.
            let goes_elsewhere = grants.bound.contains_key(*name) && secret_anywhere(grants, name, false).is_ok();
            let is_meant = grants.granted.contains(&Capability::Secret((*name).to_owned(), Some(origin.clone())));
            match goes_to_record && goes_elsewhere && !is_meant {
                true => denial::of_record(format!("the secret {name}, which would go there, may not go to {origin}")),
                false => denial,
            }
        })?;
    }
    Ok(parsed)
}

/// Whether an origin is where a request goes since the address of a record says so, and not since anybody has named it who sets the target up.
fn is_of_record(grants: &Grants, origin: &Origin, records: &[Origin]) -> bool {
    let is_named = grants.asked.origins.contains(origin) || grants.operator.base_url.as_ref() == Some(origin);
    let is_open = decide(grants, &Capability::Http(origin.clone())).in_force();
    records.contains(origin) && follows_addresses(grants) && !(is_named && is_open)
}

/// May the address of a record be gone to, where its component goes to such addresses? One that is no URL is for the component to judge, and where a name
/// leads is known when it is dialled.
pub fn record(grants: &Grants, target_user_id: &str) -> Result<(), Denial> {
    let Some(origin) = Url::parse(target_user_id).ok().and_then(|url| Origin::of(&url).ok()) else { return Ok(()) };
    match http(grants, Call::Send, target_user_id, &[], &[origin]) {
        Err(denial) if follows_addresses(grants) && denial.code == RECORD_NOT_ALLOWED => Err(denial),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// May the component go to the address of what it sends?
pub fn follows_addresses(grants: &Grants) -> bool {
    decide(grants, &Capability::RecordAddress).in_force()
}

/// May the component go to any number of hosts: to its addresses, or to all names below one?
pub fn goes_to_many(grants: &Grants) -> bool {
    let is_many = |origin: &Origin| origin.is_many() && decide(grants, &Capability::Http(origin.clone())).in_force();
    follows_addresses(grants) || places(grants).any(|origin| is_many(&origin))
}

/// How many origins it goes to at most, where that is not any number.
pub fn origins(grants: &Grants) -> usize {
    places(grants).count()
}

/// May this secret go to this origin? One that may not is none that an answer from there can repeat.
pub fn may_carry(grants: &Grants, name: &str, towards: &Origin) -> bool {
    decide_secret(grants, name, &Capability::Secret(name.to_owned(), Some(towards.clone()))).in_force()
}

/// May the component use this secret anywhere: towards a place to which it may go or, if it signs, in a signature? The refusal names the first of these
/// places.
pub fn secret_anywhere(grants: &Grants, name: &str, signs: bool) -> Result<(), Denial> {
    let mut wanted = likely_places(grants).into_iter().map(Some).chain(signs.then_some(None));
    let first = wanted.next().unwrap_or_default();
    let refusal = match check_secret(grants, name, first) {
        Ok(()) => return Ok(()),
        Err(refusal) => refusal,
    };
    // An address is a place, too, but not one that is known now.
    let towards_addresses = grants.granted.iter().filter_map(|granted| match granted {
        Capability::Secret(granted, Some(towards)) if granted == name => Some(Some(towards.clone())),
        _ => None,
    });
    let towards_addresses = towards_addresses.filter(|_| grants.asked.record_address);
    if wanted.chain(towards_addresses).any(|towards| check_secret(grants, name, towards).is_ok()) {
        Ok(())
    } else {
        Err(refusal)
    }
}

/// The places to which the component of a target goes: the one that the operator names, or else those that it asks for.
pub(super) fn places(grants: &Grants) -> impl Iterator<Item = Origin> {
    let asked = if grants.operator.base_url.is_some() { &[] } else { grants.asked.origins.as_slice() };
    grants.operator.base_url.iter().chain(asked).cloned()
}

/// The options of `engine secret set` that bind a secret to these origins, for one target alone if it is named. Where there is no origin, it is for signatures,
/// and any will do.
pub(super) fn bind_options<'a>(origins: impl IntoIterator<Item = &'a Origin>, target: Option<&str>) -> String {
    let mut options: String =
        origins.into_iter().map(|origin| format!(" --origin {}", shell(&origin.to_string()))).collect();
    if options.is_empty() {
        options.push_str(" --origin https://…");
    }
    let own = target.map(|target| format!(" --target {}", quoted(target)));
    options + &own.unwrap_or_default()
}

/// Those that bind a secret to the place to which the component of a target goes most likely.
pub fn bind_option(grants: &Grants) -> String {
    bind_options(&likely_places(grants).first().cloned(), None)
}

/// The places to which the component of a target goes, those first that are open, and then those that are granted or allowed.
pub(super) fn likely_places(grants: &Grants) -> Vec<Origin> {
    let mut places: Vec<Origin> = places(grants).collect();
    places.sort_by_key(|origin| {
        let Decision { granted, allowed, .. } = decide(grants, &Capability::Http(origin.clone()));
        (!(granted && allowed), !granted, !allowed)
    });
    places
}

/// The options of `engine secret set` that keep a secret for what it is for, where only its value is to be another.
pub fn binding(grants: &Grants, name: &str) -> String {
    let bound = grants.bound.get(name).filter(|bound| !bound.is_empty());
    let Some(bound) = bound else { return bind_option(grants) };
    bind_options(bound, grants.own_secrets.contains(name).then(|| grants.target()))
}

/// Whether there is a place where its secrets may go.
pub fn goes_somewhere(grants: &Grants) -> bool {
    places(grants).next().is_some()
}

fn decide_secret(grants: &Grants, name: &str, wanted: &Capability) -> Decision {
    let decision = decide(grants, wanted);
    // That it has no value is another matter, which the door knows more of.
    Decision { allowed: decision.allowed || !grants.bound.contains_key(name), ..decision }
}

fn check_secret(grants: &Grants, name: &str, towards: Option<Origin>) -> Result<(), Denial> {
    let wanted = Capability::Secret(name.to_owned(), towards.clone());
    let decision = decide_secret(grants, name, &wanted);
    if decision.in_force() { Ok(()) } else { Err(denial::of(grants, &wanted, decision, towards.as_ref())) }
}

/// May this call send mail, from `asked` or, if that is none, from the target's own sender? The address that is returned is the sender's.
pub fn smtp<'a>(grants: &'a Grants, call: Call, asked: Option<&'a str>) -> Result<&'a str, Denial> {
    only_while_sending(call, "SMTP")?;
    let wanted = Capability::Smtp(asked.map(str::to_lowercase));
    let decision = decide(grants, &wanted);
    if decision.in_force()
        && let Some(sender) = asked.or(grants.own_sender())
    {
        return Ok(sender);
    }
    if asked.is_none() {
        // Where mail from one other address alone is granted, that is the sender.
        let granted = grants.granted.iter().find_map(|granted| match granted {
            Capability::Smtp(Some(address)) if decide(grants, granted).in_force() => Some(address.as_str()),
            _ => None,
        });
        if let Some(sender) = granted {
            return Ok(sender);
        }
    }
    Err(denial::of(grants, &wanted, decision, None))
}

/// May this call read the folder of templates? Only a creator may: what it renders is stored, and the handler sends what is stored.
pub fn templates(grants: &Grants, call: Call) -> bool {
    call == Call::Create && decide(grants, &Capability::Templates).in_force()
}

/// Why this call finds no folder of templates, if it finds none.
pub fn no_templates(grants: &Grants, call: Call) -> Option<Denial> {
    let decision = decide(grants, &Capability::Templates);
    match call {
        Call::Create if decision.in_force() => None,
        Call::Create => Some(denial::of(grants, &Capability::Templates, decision, None)),
        Call::Describe | Call::CheckAddress | Call::Send => Some(Denial::new(
            "only_while_creating",
            "There are no files in this call; the folder of templates is there in `create-notification`.".to_owned(),
        )),
    }
}

/// May this call use the secret for a signature? Such a one may go anywhere, and short secrets can be found by guessing from one.
pub fn signing(grants: &Grants, call: Call, name: &str) -> Result<(), Denial> {
    only_while_sending(call, "secrets")?;
    check_secret(grants, name, None)
}

/// May this call use the secret in any way?
pub fn any_use(grants: &Grants, call: Call, name: &str) -> Result<(), Denial> {
    only_while_sending(call, "secrets")?;
    secret_anywhere(grants, name, true)
}

/// Whether the operator has opened this origin to the target, wherever it leads.
pub fn is_operators(grants: &Grants, origin: &Origin) -> bool {
    grants.operator.base_url.as_ref().is_some_and(|named| named.covers(origin))
}

/// May a connection be opened to this address, for an origin that the operator has opened or for another?
pub fn may_dial(grants: &Grants, is_operators: bool, address: IpAddr) -> bool {
    is_operators || grants.operator.allowed.address(address)
}

/// That `host`, in a URL of this origin, leads to an address to which no connection may be opened. `records` as for `http`.
pub fn not_public(grants: &Grants, origin: &Origin, records: &[Origin], host: &str, address: IpAddr) -> Denial {
    let what = format!("{host} leads to {address}, which is not a public address");
    if is_of_record(grants, origin, records) {
        return denial::of_record(format!("{what}, nor in one of the operator's `[sandbox] networks`"));
    }
    let module = &grants.module;
    Denial::new(
        "address_not_public",
        format!(
            "{what}; the operator can allow it with `[sandbox] networks`, or with `base_url` under [target.{module}]."
        ),
    )
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
