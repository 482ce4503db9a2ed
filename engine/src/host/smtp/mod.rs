//! The door for mail: one decision (`rules::grants::smtp`), then the message, then the relay.

mod message;
mod relay;
mod wire;

pub use relay::Relay;

use super::bindings::phases::Phase;
use super::bindings::smtp::{Breakage, Error, Host, Mail, Reply};
use super::call::CallState;
use super::limits::MOST_SMTP;
use crate::rules::grants;

fn never_begun(phase: Phase, code: &str, message: String) -> Error {
    Error::Broken(Breakage { phase, code: code.to_owned(), message })
}

impl Host for CallState {
    async fn send(&mut self, mail: Mail) -> Result<Reply, Error> {
        let result = self.send_mail(mail).await;
        if let Err(Error::Broken(b)) = &result {
            self.broke(b.phase);
        }
        result
    }
}

impl CallState {
    async fn send_mail(&mut self, mail: Mail) -> Result<Reply, Error> {
        let powers = self.powers.clone();
        grants::smtp(&powers.grants, self.kind).map_err(|d| never_begun(Phase::Denied, d.code, d.message))?;
        if !self.meter.take_smtp() {
            return Err(never_begun(Phase::Denied, "too_many_mails", format!("One call may send {MOST_SMTP} mails.")));
        }

        let invalid = |message: String| never_begun(Phase::Invalid, "invalid_mail", message);
        let notification = match (mail.about.as_str(), self.batch.as_slice()) {
            ("", [only]) => only.clone(),
            ("", _) => {
                return Err(invalid("`about` must say which notification of the batch the mail carries.".into()));
            }
            (about, batch) if batch.iter().any(|id| id == about) => about.to_owned(),
            (about, _) => {
                return Err(invalid(format!("`about` names {}, which is not in this batch.", about.escape_debug())));
            }
        };
        let (Some(relay), Some(own)) = (&powers.relay, &powers.sender) else {
            return Err(never_begun(Phase::Denied, "no_relay", "This target has no relay and sender for mail.".into()));
        };
        let mut sender = own.clone();
        if !mail.sender.address.is_empty() {
            let asked = message::mailbox_of(&mail.sender).map_err(invalid)?;
            if asked.email != own.email {
                let module = &powers.module;
                return Err(never_begun(
                    Phase::Denied,
                    "sender_not_granted",
                    format!(
                        "The component {module} may not send mail as {}; its own sender is {}, set as `from_email` under [target.{module}].",
                        asked.email, own.email
                    ),
                ));
            }
        }
        if !mail.sender.name.is_empty() {
            if mail.sender.name.chars().any(char::is_control) {
                return Err(invalid("The sender's name holds a control character.".into()));
            }
            sender.name = Some(mail.sender.name.clone());
        }
        let ready = message::build(&mail, &sender, &notification, self.clock.now()).map_err(invalid)?;

        let stopwatch = self.meter.stopwatch.clone();
        let mut leaving = Vec::new();
        let leaves = || leaving.extend(self.leaves(std::slice::from_ref(&notification)));
        let result = stopwatch.outside(relay.send(&ready.envelope, &ready.bytes, leaves)).await;
        match &result {
            Ok(_) => {}
            Err(Error::Broken(b)) if b.phase == Phase::Wait => {}
            // A relay that said no, or never got the final dot, has not taken it.
            Err(_) => self.stayed(&leaving),
        }
        result
    }
}
