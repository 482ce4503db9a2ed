//! Mail through the relay of the target.

use crate::bindings::target::notification::engine::smtp as imported;
pub use crate::http::Phase;
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
