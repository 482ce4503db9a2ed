//! Optional: what became of messages, for a provider that can be asked later. Export it with
//! `export_target!(Pigeon with receipts)`, and say in the manifest when to ask.
//!
//! ```
//! use guest_sdk::receipts::{Fate, Receipts};
//! use guest_sdk::{Retry, Scope, Failure, http};
//!
//! struct Pigeon;
//!
//! impl Receipts for Pigeon {
//!     fn check(provider_ids: Vec<String>) -> Result<Vec<Fate>, Retry> {
//!         provider_ids.iter().map(|ring| ask(ring)).collect()
//!     }
//! }
//!
//! fn ask(ring: &str) -> Result<Fate, Retry> {
//!     match http::Request::get(format!("https://pigeons.example/rings/{ring}")).send() {
//!         Ok(response) if response.status == 404 => Ok(Fate::Lost),
//!         Ok(response) if response.json()["home"] == true => Ok(Fate::Delivered),
//!         Ok(_) => Ok(Fate::Pending),
//!         Err(error) => Err(Retry { after: None, scope: Scope::Message, reason: Failure::new(error.code, error.message) }),
//!     }
//! }
//! ```

pub use crate::bindings::receipts::exports::notification::engine::receipts::Guest as Receipts;
pub use crate::bindings::receipts::notification::engine::fates::Fate;
