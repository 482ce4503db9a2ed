//! Mail through the relay of the target.

use crate::bindings::target::notification::engine::smtp as imported;
pub use crate::http::Phase;
use crate::{Failure, Outcome, Scope};
pub use imported::{Attachment, Breakage, Error, Mail, Mailbox, Reply, Stage};

/// Hands a mail to the relay. [`Mail::send`] is the same.
///
/// ```no_run
/// use guest_sdk::smtp::{Error, Mail, Mailbox, send};
///
/// let mut mail = Mail::new("", Mailbox::new("ada@example.org"), "Tea");
/// mail.text = "The tea is ready.".into();
/// match send(&mail) {
///     Ok(reply) => println!("taken: {}", reply.text),
///     Err(Error::Refused(reply)) => println!("{} {} at {:?}", reply.code, reply.text, reply.stage),
///     Err(Error::Broken(breakage)) => println!("{} in {:?}", breakage.message, breakage.phase),
/// }
/// ```
pub fn send(mail: &Mail) -> Result<Reply, Error> {
    imported::send(mail)
}

impl Mailbox {
    /// An address without a name.
    ///
    /// ```
    /// let ada = guest_sdk::smtp::Mailbox::new("ada@example.org");
    /// assert_eq!(ada.name, "");
    /// ```
    pub fn new(address: impl Into<String>) -> Self {
        Self { name: String::new(), address: address.into() }
    }
}

impl Mail {
    /// A mail without content, from the target's own sender to one recipient. At least one of `text` and `html` is
    /// still to be set. The notification's id may be empty if the batch has only one.
    ///
    /// ```
    /// use guest_sdk::smtp::{Mail, Mailbox};
    ///
    /// let mut mail = Mail::new("", Mailbox::new("ada@example.org"), "Tea");
    /// mail.html = "<p>The tea is <b>ready</b>.</p>".into();
    /// mail.text = "The tea is ready.".into();
    /// ```
    pub fn new(notification_id: impl Into<String>, recipient: Mailbox, subject: impl Into<String>) -> Self {
        Self {
            about: notification_id.into(),
            sender: Mailbox::new(""),
            recipients: vec![recipient],
            cc: Vec::new(),
            bcc: Vec::new(),
            reply_to: Vec::new(),
            subject: subject.into(),
            text: String::new(),
            html: String::new(),
            attachments: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Hands it to the relay.
    ///
    /// ```no_run
    /// # use guest_sdk::smtp::{Mail, Mailbox};
    /// # let mail = Mail::new("", Mailbox::new("ada@example.org"), "Tea");
    /// let taken = mail.send().is_ok();
    /// ```
    pub fn send(&self) -> Result<Reply, Error> {
        send(self)
    }
}

/// What becomes of a message whose mail was not taken: the relay's own words say whether for now or for good, and where it had no answer, how far it got.
/// A relay that will not have the target at all is a matter of how that is set up.
impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(Reply { stage, code, enhanced, text }) => {
                let is_for_now = code < 500;
                let code = format!("{code} {enhanced}").trim_end().to_owned();
                let reason = Failure { message: format!("The relay said: {code} {text}"), code };
                match (stage, is_for_now) {
                    (Stage::Greeting | Stage::Hello | Stage::Authentication, true) => {
                        Self::retry(Scope::Account, reason)
                    }
                    (Stage::Greeting | Stage::Hello | Stage::Authentication, false) => {
                        Self::retry(Scope::Configuration, reason)
                    }
                    (_, true) => Self::retry(Scope::Message, reason),
                    (_, false) => Self::Failed(reason),
                }
            }
            Error::Broken(Breakage { phase, code, message }) => {
                let reason = Failure { code, message };
                match phase {
                    Phase::Invalid => Self::Failed(reason),
                    Phase::Denied => Self::retry(Scope::Configuration, reason),
                    Phase::Resolve | Phase::Connect | Phase::Tls | Phase::Write => Self::retry(Scope::Message, reason),
                    Phase::Wait | Phase::Read => Self::Unknown(reason),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: Error) -> String {
        match Outcome::from(error) {
            Outcome::Retry(retry) => format!("{:?}: {}", retry.scope, retry.reason.message),
            Outcome::Failed(reason) => format!("failed: {}", reason.message),
            Outcome::Unknown(_) => "unknown".to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_mail_that_was_not_taken_is_an_outcome() {
        let refused =
            |stage, code| Error::Refused(Reply { stage, code, enhanced: "x.7.1".to_owned(), text: "No.".to_owned() });
        assert_eq!(of(refused(Stage::Recipient, 550)), "failed: The relay said: 550 x.7.1 No.");
        assert_eq!(of(refused(Stage::Content, 451)), "Scope::Message: The relay said: 451 x.7.1 No.");
        assert_eq!(of(refused(Stage::Authentication, 535)), "Scope::Configuration: The relay said: 535 x.7.1 No.");
        assert_eq!(of(refused(Stage::Greeting, 421)), "Scope::Account: The relay said: 421 x.7.1 No.");
        let broken = |phase| Error::Broken(Breakage { phase, code: "c".to_owned(), message: "Broken.".to_owned() });
        assert_eq!(of(broken(Phase::Denied)), "Scope::Configuration: Broken.");
        assert_eq!(of(broken(Phase::Write)), "Scope::Message: Broken.");
        assert_eq!(of(broken(Phase::Wait)), "unknown");
    }
}
