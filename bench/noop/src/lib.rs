//! A target that says of everything that it was delivered.

use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Receipt, Target, export_target};

struct Noop;

impl Target for Noop {
    fn describe() -> Manifest {
        Manifest::new("Noop", env!("CARGO_PKG_VERSION"))
            .summary("Delivers nothing, to measure all the rest.")
            .address("Anything", "anything")
            .largest_batch(100)
    }

    fn check_address(target_user_id: String) -> Result<String, Failure> {
        Ok(target_user_id)
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        Ok(Draft::for_each_record(request))
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        batch.iter().map(|_| Outcome::Delivered(Receipt::new("", ""))).collect()
    }
}

export_target!(Noop);
