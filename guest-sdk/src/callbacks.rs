//! Optional: what became of messages, for a provider that calls back.
//! Export it with `export_target!(Pigeon with callbacks)`.
//!
//! ```
//! use guest_sdk::callbacks::{Callbacks, Event, Fate, Reaction, Report, Request};
//! use guest_sdk::signing::{Algorithm, verify};
//!
//! struct Pigeon;
//!
//! impl Callbacks for Pigeon {
//!     fn receive(request: Request) -> Reaction {
//!         let signature = request.header("x-ring").unwrap_or_default();
//!         if verify("ring_key", Algorithm::HmacSha256, &request.body, signature.as_bytes()) != Ok(true) {
//!             return Reaction::status(403);
//!         }
//!         let ring = String::from_utf8_lossy(&request.body).into_owned();
//!         let home = Report { notification_id: String::new(), provider_id: ring, fate: Fate::Delivered };
//!         Reaction { events: vec![Event::Fate(home)], ..Reaction::status(200) }
//!     }
//! }
//! ```

pub use crate::bindings::callbacks::exports::notification::engine::callbacks::{
    AddressReport, Event, Guest as Callbacks, Reaction, Report, Request,
};
pub use crate::receipts::Fate;

impl Request {
    /// The first header of a name, which may be written in any case.
    ///
    /// ```
    /// # let request = guest_sdk::callbacks::Request { method: "POST".into(), url: String::new(), headers: vec![], body: vec![] };
    /// let signature = request.header("X-Ring");
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Reaction {
    /// An answer without a body, and no events.
    ///
    /// ```
    /// let refused = guest_sdk::callbacks::Reaction::status(403);
    /// assert!(refused.events.is_empty());
    /// ```
    pub fn status(status: u16) -> Self {
        Self { events: Vec::new(), status, content_type: String::new(), body: Vec::new() }
    }
}
