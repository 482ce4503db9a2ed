//! Exports all that a target can: its messages are accepted, and each receipt and each callback says that they arrived.

use guest_sdk::callbacks::{Callbacks, Event, Reaction, Report, Request};
use guest_sdk::receipts::{Fate, Receipts};
use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Receipt, Retry, Target};

struct EveryExport;

impl Target for EveryExport {
    fn describe() -> Manifest {
        test_guests::manifest("Every export").largest_batch(100).receipts(60, 60, 3600)
    }

    fn check_address(target_user_id: String) -> Result<String, Failure> {
        Ok(target_user_id)
    }

    fn create_notification(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
        test_guests::create(request)
    }

    fn send_notifications(batch: Vec<Notification>) -> Vec<Outcome> {
        batch.into_iter().map(|notification| Outcome::Accepted(Receipt::new(notification.id, "Taken."))).collect()
    }
}

impl Receipts for EveryExport {
    fn check(provider_ids: Vec<String>) -> Result<Vec<Fate>, Retry> {
        Ok(vec![Fate::Delivered; provider_ids.len()])
    }
}

impl Callbacks for EveryExport {
    /// The body is the provider's id.
    fn receive(request: Request) -> Reaction {
        let provider_id = String::from_utf8_lossy(&request.body).into_owned();
        let report = Report { notification_id: String::new(), provider_id, fate: Fate::Delivered };
        Reaction { events: vec![Event::Fate(report)], ..Reaction::status(204) }
    }
}

guest_sdk::export_target!(EveryExport with receipts, callbacks);
