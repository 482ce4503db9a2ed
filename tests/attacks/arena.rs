//! Where guests attack: an engine with an honest target beside the hostile one.

use crate::support::engine::{Builder, TestEngine};
use crate::support::guests;
use engine::rules::notification::NewNotification;
use engine::rules::outcome::OutcomeKind;
use engine::rules::status::Status;
use engine::rules::tenant::Tenant;
use engine::store::NotificationHistory;
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use uuid::Uuid;

/// An engine, and the module that attacks it.
pub struct Arena {
    pub engine: TestEngine,
    module: &'static str,
}

impl Arena {
    /// An engine as it comes.
    pub async fn of(module: &'static str) -> Self {
        Self::with(module, "").await
    }

    /// An engine with these settings.
    pub async fn with(module: &'static str, settings: &str) -> Self {
        Self::started(module, TestEngine::builder().targets_in(guests()).with(settings)).await
    }

    pub async fn started(module: &'static str, builder: Builder) -> Self {
        let engine = builder.start().await;
        engine.record(module, "ada@example.org").await;
        engine.record("noop", "anything").await;
        Arena { engine, module }
    }

    /// Lets the guest try this: a notification is made by its creator and delivered once.
    pub async fn tried(&self, extra: Value) -> NotificationHistory {
        let shown = self.engine.tried(self.module, "Title", extra).await;
        self.serves().await;
        shown
    }

    /// Lets the guest send one, without its creator: those in text have none.
    pub async fn sent(&self) -> NotificationHistory {
        let (tenant, now) = (Tenant::DEFAULT, self.engine.clock.now());
        let target = self.engine.store.find_target(tenant, self.module).await.unwrap();
        let records = self.engine.store.active_records(tenant, self.engine.user.id, target.id).await.unwrap();
        let new = self.new_notification(records[0].id);
        let id = new.id;
        self.engine.store.create(tenant, &[new], now).await.unwrap();
        self.engine.deliver().await;
        let shown = self.engine.show(id).await;
        self.serves().await;
        shown
    }

    /// One that is due now, for this record.
    pub fn new_notification(&self, target_user_record: Uuid) -> NewNotification {
        NewNotification {
            id: Uuid::now_v7(),
            target_user_record,
            title: "Title".to_owned(),
            body: "The body.".to_owned(),
            extra: Map::new(),
            scheduled_delivery: self.engine.clock.now(),
            retry_time_interval: 60,
            max_retries: 2,
            expires_at: None,
            idempotency_key: None,
            on_unknown: None,
        }
    }

    /// What the guest reported of its try.
    pub async fn reported(&self, extra: Value) -> Value {
        let shown = self.tried(extra).await;
        let attempt = shown.attempts.last().unwrap_or_else(|| panic!("{shown:#?}"));
        assert_eq!(attempt.outcome, OutcomeKind::Delivered, "{shown:#?}");
        serde_json::from_str(&attempt.message).unwrap_or_else(|e| panic!("{e}: {shown:#?}"))
    }

    /// An honest target is served as ever.
    pub async fn serves(&self) {
        let shown = self.engine.tried("noop", "Title", json!({})).await;
        assert_eq!(shown.listed.notification.status, Status::Delivered, "the engine serves nobody: {shown:#?}");
    }

    /// The component is refused when it is installed, in one sentence that holds this.
    pub async fn is_refused(&self, part: &str) {
        let error = self.engine.catalog.get(self.module).await.unwrap_err().to_string();
        assert!(error.contains(part), "{}: {error}", self.module);
        assert!(!error.chars().any(char::is_control), "{error:?}");
        self.serves().await;
    }
}

/// A fault before anything left: the notification is tried again, and the history says why.
pub fn is_fault(shown: &NotificationHistory, code: &str, part: &str) {
    assert_eq!(shown.listed.notification.status, Status::Retry, "{shown:#?}");
    let attempt = &shown.attempts[0];
    assert_eq!((attempt.outcome, attempt.code.as_str()), (OutcomeKind::Retry, code), "{shown:#?}");
    assert!(attempt.message.contains(part), "{}", attempt.message);
}

/// It was delivered, as what it tried had no effect.
pub fn is_delivered(shown: &NotificationHistory) {
    assert_eq!(shown.listed.notification.status, Status::Delivered, "{shown:#?}");
}

/// The name of an attack among those of one test, as `ATTACKS.md` has it.
pub const fn case(name: &str) -> &str {
    name
}

/// The attacks of one test: all of them are made, and those that did not end as they must are told by name.
#[derive(Default)]
pub struct Cases(Vec<String>);

impl Cases {
    pub fn check(&mut self, name: &str, is_right: bool, found: impl Debug) {
        if !is_right {
            self.0.push(format!("{name}: {found:?}"));
        }
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        assert!(self.0.is_empty() || std::thread::panicking(), "these attacks ended otherwise:\n{}", self.0.join("\n"));
    }
}
