//! The door for mail: one decision (`rules::grants::smtp`), then the message, then the relay.

mod answer;
mod message;
mod relay;
mod starttls;
mod wire;

pub use relay::Relay;

use super::bindings::phases::Phase;
use super::bindings::smtp::{Breakage, Error, Host, Mail, Reply};
use super::call::CallState;
use super::exchanges::Exchanges;
use super::http::LONGEST_ID;
use super::shares::Sharer;
use crate::rules::budget::Limit;
use crate::rules::grants;
use std::sync::Arc;

/// A target's way to the relay.
#[derive(Debug, Clone)]
pub struct Mailer {
    relay: Arc<Relay>,
    sharer: Sharer,
}

impl Mailer {
    /// That of a target, which shares the connections with all others unless it comes with the engine.
    pub fn new(relay: &Arc<Relay>, bundled: bool) -> Self {
        Mailer { relay: relay.clone(), sharer: relay.sharer(bundled) }
    }
}

fn never_begun(phase: Phase, code: &str, message: String) -> Error {
    Error::Broken(Breakage { phase, code: code.to_owned(), message })
}

impl Host for CallState {
    async fn send(&mut self, mail: Mail) -> Result<Reply, Error> {
        let result = self.send_mail(mail).await;
        if let Err(Error::Broken(b)) = &result {
            self.exchanges.broke(b.phase);
            if b.phase == Phase::Denied {
                self.exchanges.denies(&b.message);
            }
        }
        result
    }
}

impl CallState {
    async fn send_mail(&mut self, mail: Mail) -> Result<Reply, Error> {
        let exchanges = self.exchanges.clone();
        let Exchanges { powers, kind, batch, .. } = &*exchanges;
        let invalid = |message: String| never_begun(Phase::Invalid, "invalid_mail", message);
        message::check_amount(&mail).map_err(invalid)?;
        let asked = match mail.sender.address.is_empty() {
            true => None,
            false => Some(message::mailbox_of(&mail.sender).map_err(invalid)?.email.to_string()),
        };
        let from = grants::smtp(&powers.grants, *kind, asked.as_deref())
            .map_err(|d| never_begun(Phase::Denied, d.code, d.message))?;
        if !self.meter.take_smtp() {
            return Err(never_begun(
                Phase::Denied,
                "too_many_mails",
                format!(
                    "One call may send {} mails ({}).",
                    self.meter.budget.amount(Limit::Mails),
                    self.exchanges.powers.said_where(Limit::Mails)
                ),
            ));
        }

        let notification = match (mail.about.as_str(), batch.as_slice()) {
            ("", [only]) => only.clone(),
            ("", _) => {
                return Err(invalid("`about` must say which notification of the batch the mail carries.".into()));
            }
            (about, batch) if batch.iter().any(|id| id == about) => about.to_owned(),
            (about, _) if about.len() > LONGEST_ID => {
                return Err(invalid("`about` is no id of a notification.".into()));
            }
            (about, _) => {
                return Err(invalid(format!("`about` names {}, which is not in this batch.", about.escape_debug())));
            }
        };
        let Some(Mailer { relay, sharer }) = &powers.mailer else {
            return Err(never_begun(Phase::Denied, "no_relay", "This target has no relay for mail.".into()));
        };
        let own = powers.sender.as_ref().filter(|own| own.email.to_string().eq_ignore_ascii_case(from));
        let mut sender = match own {
            Some(own) => own.clone(),
            None => from.parse().map_err(|_| invalid(format!("{from} is not the address of a sender.")))?,
        };
        if !mail.sender.name.is_empty() {
            if mail.sender.name.chars().any(char::is_control) {
                return Err(invalid("The sender's name holds a control character.".into()));
            }
            sender.name = Some(mail.sender.name.clone());
        }
        let ready = message::build(&mail, &sender, &notification, self.clock.now()).map_err(invalid)?;

        let stopwatch = self.meter.stopwatch.clone();
        let about = std::slice::from_ref(&notification);
        let mut has_left = false;
        // A call that is over would not wait for this any more.
        let leaves = || has_left |= exchanges.leaves(about);
        let sent = async {
            let queueing = exchanges.queues();
            let place = sharer.place().await;
            drop(queueing);
            relay.send(&place, &ready.envelope, &ready.bytes, leaves).await
        };
        let result = stopwatch.outside(sent).await;
        match &result {
            Ok(_) => {}
            Err(Error::Broken(b)) if b.phase == Phase::Wait => {}
            // A relay that said no, or never got the final dot, has not taken it.
            Err(_) if has_left => exchanges.stayed(about),
            Err(_) => {}
        }
        result
    }
}
