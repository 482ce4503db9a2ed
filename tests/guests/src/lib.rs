//! What the guest programs under `examples` have in common: they take any address, create what was asked for, and do
//! the one thing that they are for when they send.
//!
//! A program that reports something does so in the message of a `delivered` outcome, as JSON; one that has more to say
//! than a message holds says it in the log.

use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Receipt};
use serde_json::Value;

/// Makes a component of a manifest and a function from a batch to outcomes; if need be with a creator of its own.
#[macro_export]
macro_rules! guest {
    ($manifest:expr, $send:expr) => {
        $crate::guest!($manifest, $send, $crate::create);
    };
    ($manifest:expr, $send:expr, $create:expr) => {
        struct Guest;

        impl ::guest_sdk::Target for Guest {
            fn describe() -> ::guest_sdk::Manifest {
                $manifest
            }
            fn check_address(target_user_id: String) -> Result<String, ::guest_sdk::Failure> {
                Ok(target_user_id)
            }
            fn create_notification(
                request: ::guest_sdk::CreationRequest,
            ) -> Result<Vec<::guest_sdk::Draft>, ::guest_sdk::Failure> {
                $create(request)
            }
            fn send_notifications(batch: Vec<::guest_sdk::Notification>) -> Vec<::guest_sdk::Outcome> {
                $send(batch)
            }
        }

        ::guest_sdk::export_target!(Guest);
    };
}

/// The manifest of a program that asks for nothing.
pub fn manifest(name: &str) -> Manifest {
    Manifest::new(name, env!("CARGO_PKG_VERSION")).summary("A program for tests.").address("Anything", "anything")
}

/// What was asked for.
pub fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    Ok(Draft::for_each_record(request))
}

/// Delivered, all of it.
pub fn delivered(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(|_| Outcome::Delivered(Receipt::new("", "Nothing was done."))).collect()
}

/// What the test wants, by notification.
pub fn extra(notification: &Notification) -> Value {
    serde_json::from_str(&notification.extra).unwrap_or_default()
}

/// A member that is a text; empty if it is not.
pub fn text(of: &Value, member: &str) -> String {
    of[member].as_str().unwrap_or_default().to_owned()
}

/// Reports to the test, in at most as many characters as a receipt's message may have: 1,000.
pub fn report(found: &Value) -> Outcome {
    Outcome::Delivered(Receipt::new("", found.to_string()))
}

/// `00ff`, from bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes, from `00ff`. What is not hexadecimal is left out.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.as_chunks::<2>().0.iter().filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_there_and_back() {
        assert_eq!(hex(&[0, 0x7f, 0xff]), "007fff");
        assert_eq!(unhex("00 7F ff"), [0, 0x7f, 0xff]);
        assert_eq!(unhex("xyz"), [0u8; 0]);
    }
}
