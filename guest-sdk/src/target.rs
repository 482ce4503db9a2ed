//! What every target is: the trait to implement, and the values that go in and out.

use crate::Manifest;
use crate::bindings::target::exports::notification::engine::notification_target as exported;
pub use crate::bindings::target::notification::engine::types::{
    Failure, Retry, Scope, TargetUserRecord, Timestamp, User,
};
pub use exported::{CreationRequest, Draft, Notification, Outcome, PreviousAttempts, Receipt};

/// A target. Each function is called in a fresh instance of the component, so there is no `self`, and statics do not
/// last.
///
/// ```
/// use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Receipt, Target};
///
/// struct Pigeon;
///
/// impl Target for Pigeon {
///     fn describe() -> Manifest {
///         Manifest::new("Carrier Pigeon", "1.0.0").summary("Sends a pigeon with a note.").address("A loft", "Loft 7, Vienna")
///     }
///     fn check_address(loft: String) -> Result<String, Failure> {
///         let loft = loft.trim();
///         if loft.is_empty() {
///             return Err(Failure::new("no_loft", "A pigeon needs to know its loft."));
///         }
///         Ok(loft.to_owned())
///     }
///     fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
///         Ok(Draft::for_each_record(request))
///     }
///     fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
///         batch.into_iter().map(|_| Outcome::Delivered(Receipt::new("", "It flew."))).collect()
///     }
/// }
///
/// guest_sdk::export_target!(Pigeon);
/// # fn main() {}
/// ```
pub trait Target {
    /// What this target is and what it asks for. The same each time.
    fn describe() -> Manifest;

    /// The normal form of an address, or why it cannot be one.
    fn check_address(target_user_id: String) -> Result<String, Failure>;

    /// The creator: which notifications to store for a request. [`Draft::for_each_record`] is the usual answer.
    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure>;

    /// The handler: one outcome for each notification, in the same order.
    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome>;
}

impl<T: Target> exported::Guest for T {
    fn describe() -> String {
        T::describe().to_json()
    }
    fn check_address(target_user_id: String) -> Result<String, Failure> {
        T::check_address(target_user_id)
    }
    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        T::create_notification(request)
    }
    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        T::send_notifications(batch)
    }
}

impl Failure {
    /// A failure with a code for programs and a sentence for people.
    ///
    /// ```
    /// let failure = guest_sdk::Failure::new("no_loft", "A pigeon needs to know its loft.");
    /// assert_eq!(failure.code, "no_loft");
    /// ```
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

impl Receipt {
    /// A receipt; the provider's id may be empty.
    ///
    /// ```
    /// let receipt = guest_sdk::Receipt::new("ring-4711", "It flew at noon.");
    /// assert_eq!(receipt.provider_id, "ring-4711");
    /// ```
    pub fn new(provider_id: impl Into<String>, message: impl Into<String>) -> Self {
        Self { provider_id: provider_id.into(), message: message.into() }
    }
}

impl Outcome {
    /// Not now, and nothing was taken; again after the notification's own interval.
    ///
    /// ```
    /// use guest_sdk::{Failure, Outcome, Scope};
    ///
    /// let Outcome::Retry(retry) = Outcome::retry(Scope::Message, Failure::new("fog", "No pigeon flies in fog.")) else { unreachable!() };
    /// assert_eq!(retry.after, None);
    /// ```
    pub fn retry(scope: Scope, reason: Failure) -> Self {
        Self::Retry(Retry { after: None, scope, reason })
    }
}

impl Draft {
    /// A draft for each of the request's records, with its title, body and extra as they are.
    ///
    /// ```
    /// # use guest_sdk::{CreationRequest, Draft, Failure};
    /// fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    ///     if request.body.len() > 100 {
    ///         return Err(Failure::new("too_heavy", "A pigeon carries a hundred letters at most."));
    ///     }
    ///     Ok(Draft::for_each_record(request))
    /// }
    /// ```
    pub fn for_each_record(request: CreationRequest) -> Vec<Self> {
        let CreationRequest { target_user_records, title, body, extra, .. } = request;
        target_user_records
            .into_iter()
            .map(|record| Self {
                target_user_record_id: record.id,
                title: title.clone(),
                body: body.clone(),
                extra: extra.clone(),
                not_before: None,
            })
            .collect()
    }
}
