//! What the author of a notification target depends on.
//!
//! A target is a WebAssembly component that delivers notifications to one kind of place. It is a type that implements
//! [`Target`], handed to [`export_target!`], in a crate of type `cdylib` built for `wasm32-wasip2`:
//!
//! ```
//! use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Receipt, Target, http};
//!
//! struct Pigeon;
//!
//! impl Target for Pigeon {
//!     fn describe() -> Manifest {
//!         Manifest::new("Carrier Pigeon", env!("CARGO_PKG_VERSION"))
//!             .summary("Sends a pigeon with a note.")
//!             .address("A loft", "Loft 7, Vienna")
//!             .origin("https://pigeons.example")
//!             .secret("loft_key", "The key of our own loft.")
//!     }
//!
//!     fn check_address(target_user_id: String) -> Result<String, Failure> {
//!         let loft = target_user_id.trim();
//!         if loft.is_empty() {
//!             return Err(Failure::new("no_loft", "A pigeon needs to know its loft."));
//!         }
//!         Ok(loft.to_owned())
//!     }
//!
//!     fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
//!         Ok(Draft::for_each_record(request))
//!     }
//!
//!     fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
//!         batch.iter().map(fly).collect()
//!     }
//! }
//!
//! fn fly(notification: &Notification) -> Outcome {
//!     let note = serde_json::json!({ "to": notification.target_user_record.target_user_id, "note": notification.body });
//!     let request = http::Request::post("https://pigeons.example/flights").bearer("loft_key").json(&note);
//!     match request.about(&notification.id).send() {
//!         Ok(response) if response.status == 201 => Outcome::Delivered(Receipt::new("", "It flew.")),
//!         Ok(response) => Outcome::Failed(Failure::new(response.status.to_string(), response.text())),
//!         // Says by itself whether it is worth another try, and whether the pigeon may be on its way.
//!         Err(error) => error.into(),
//!     }
//! }
//!
//! guest_sdk::export_target!(Pigeon);
//! # fn main() {}
//! ```
//!
//! The contract itself, with every unit, limit and error case, is in the folder `wit` of the engine's sources; what is
//! written here are only its Rust names, and a few shorter ways to write what most targets write. Natively all of this
//! compiles, so that pure functions can be tested with `cargo test`, but a call to the engine panics there.

#[doc(hidden)]
pub mod bindings;
mod export;
mod manifest;
mod target;

pub mod callbacks;
pub mod http;
pub mod receipts;
pub mod runtime;
pub mod samples;
pub mod signing;
pub mod smtp;

pub use manifest::{Format, Manifest, OnUnknown, Secret};
pub use target::{
    CreationRequest, Draft, Failure, Notification, Outcome, PreviousAttempts, Receipt, Retry, Scope, Target,
    TargetUserRecord, Timestamp, User,
};
