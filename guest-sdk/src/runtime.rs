//! What a component needs around it: a log, the time, chance, its settings.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::Timestamp;
use crate::bindings::target::notification::engine::runtime as imported;
pub use imported::Level;

/// Writes a line into the call's log. A full log drops lines and fails nothing.
///
/// ```no_run
/// use guest_sdk::runtime::{Level, log};
///
/// log(Level::Warn, "The loft is crowded.");
/// ```
pub fn log(level: Level, message: impl AsRef<str>) {
    imported::log(level, message.as_ref());
}

/// The engine's time.
///
/// ```no_run
/// let seconds = guest_sdk::runtime::now() / 1000;
/// ```
pub fn now() -> Timestamp {
    imported::now()
}

/// How long until the engine ends this call, which then has no outcomes at all.
///
/// ```no_run
/// use std::time::Duration;
///
/// if guest_sdk::runtime::time_left() < Duration::from_secs(5) {
///     // answer `retry` for the rest
/// }
/// ```
pub fn time_left() -> Duration {
    Duration::from_millis(imported::time_left().into())
}

/// Random bytes fit for keys, at most 65,536.
///
/// ```no_run
/// let nonce = guest_sdk::runtime::random_bytes(16);
/// ```
pub fn random_bytes(count: u32) -> Vec<u8> {
    imported::random_bytes(count)
}

/// A setting of the target. `None` if there is none, or if it is of another type: the latter the engine prevents, if
/// the manifest's `settings` says which type it has.
///
/// ```no_run
/// let sender: Option<String> = guest_sdk::runtime::setting("sender");
/// ```
pub fn setting<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_str::<Option<T>>(&imported::setting(name)).ok().flatten()
}

/// Whether a secret has a value.
///
/// ```no_run
/// let signed = guest_sdk::runtime::has_secret("ring_key");
/// ```
pub fn has_secret(name: &str) -> bool {
    imported::has_secret(name)
}

/// The public address at which [`Callbacks::receive`](crate::callbacks::Callbacks::receive) is called; empty if there
/// is none.
///
/// ```no_run
/// # let notification_id = "";
/// let mut url = guest_sdk::runtime::callback_url();
/// if !url.is_empty() {
///     url += &format!("?notification={notification_id}");
/// }
/// ```
pub fn callback_url() -> String {
    imported::callback_url()
}
