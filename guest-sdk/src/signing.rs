//! Signatures with named secrets.

use crate::bindings::target::notification::engine::signing as imported;
use crate::{Failure, Outcome, Scope};
pub use imported::{Algorithm, Refusal};

/// Signs a message with the named secret. The same key and message give the same signature in every call.
///
/// ```no_run
/// use guest_sdk::signing::{Algorithm, sign};
///
/// let signature = sign("ring_key", Algorithm::HmacSha256, b"Come home.");
/// ```
pub fn sign(secret: &str, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    imported::sign(secret, algorithm, message)
}

/// Whether a signature is the named secret's.
///
/// ```no_run
/// use guest_sdk::signing::{Algorithm, verify};
///
/// let signature = [0; 32];
/// let genuine = verify("ring_key", Algorithm::HmacSha256, b"Come home.", &signature) == Ok(true);
/// ```
pub fn verify(secret: &str, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<bool, Refusal> {
    imported::verify(secret, algorithm, message, signature)
}

/// A message that could not be signed has not been sent, and a person has to mend the secret first.
impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = match refusal {
            Refusal::Denied => ("signing_denied", "Signing was not allowed."),
            Refusal::NoSuchSecret => ("no_such_secret", "The secret to sign with is not set."),
            Refusal::WrongKey => ("wrong_key", "The secret to sign with is not a key of the right kind."),
        };
        Self::retry(Scope::Configuration, Failure::new(code, message))
    }
}
