//! One empty call: a fresh instance, the handler with one notification, the instance dropped; one call at a time.

use crate::quantile;
use engine::clock::Clock;
use engine::host::{Delivery, Host, Powers};
use engine::rules::notification::Notification;
use engine::rules::status::Status;
use engine::rules::target::TargetUserRecord;
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::settings::Settings;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

const WARM_UP: usize = 2_000;
const CALLS: usize = 50_000;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let component = std::fs::read(env!("NOOP")).unwrap();
    let began = Instant::now();
    let module = host.load("noop", &component).await.unwrap();
    let compiled = began.elapsed();
    let began = Instant::now();
    host.load("noop", &component).await.unwrap();
    let cached = began.elapsed();

    let powers = Arc::new(Powers::default());
    let (user, record, notification) = values();
    let delivery = first_attempt(&user, &record, &notification);
    let mut times = Vec::with_capacity(CALLS);
    for i in 0..WARM_UP + CALLS {
        let began = Instant::now();
        let sent = module.send(&powers, std::slice::from_ref(&delivery)).await;
        if i >= WARM_UP {
            times.push(began.elapsed());
        }
        assert!(sent.fault.is_none());
    }
    times.sort_unstable();
    println!("sandbox, one empty call at a time ({CALLS} calls, a component of {} KiB)", component.len() / 1024);
    println!("  median {:?}, p90 {:?}, p99 {:?}", quantile(&times, 0.5), quantile(&times, 0.9), quantile(&times, 0.99));
    println!("  loading: {} ms compiled, {} ms from the cache", millis(compiled), millis(cached));
}

/// A sandbox as it comes, which keeps its files in this folder.
pub fn host(folder: &Path) -> Host {
    let text = format!("[database]\nurl = 'sqlite:{}'\n", folder.join("engine.db").display());
    let settings = Settings::from_text("bench", &text, std::iter::empty()).unwrap();
    Host::new(&settings.sandbox, &settings.cache(), &settings.engine_key().unwrap(), Clock::system()).unwrap()
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A call's part that is about these.
pub fn first_attempt<'a>(user: &'a User, record: &'a TargetUserRecord, notification: &'a Notification) -> Delivery<'a> {
    Delivery { notification, user, record, attempt: 1, last_attempt: false, previous: None }
}

/// What one call is about.
pub fn values() -> (User, TargetUserRecord, Notification) {
    let user = User {
        id: Uuid::now_v7(),
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        time_zone: "Europe/London".to_owned(),
        locale: "en-GB".to_owned(),
        attributes: Default::default(),
    };
    let record = TargetUserRecord {
        id: Uuid::now_v7(),
        user: user.id,
        target: Uuid::now_v7(),
        target_user_id: "ada@example.org".to_owned(),
        description: String::new(),
        active: true,
        inactive_reason: None,
    };
    let notification = Notification {
        id: Uuid::now_v7(),
        tenant: Tenant::DEFAULT,
        target_user_record: record.id,
        title: "Title".to_owned(),
        body: "A body of a sentence or two, as they are.".to_owned(),
        extra: Default::default(),
        status: Status::Scheduled,
        scheduled_delivery: Timestamp::UNIX_EPOCH,
        attempted_delivery: None,
        retry_time_interval: 60,
        retry_attempts: 0,
        max_retries: 3,
        expires_at: None,
        idempotency_key: None,
        on_unknown: None,
        created_date: Timestamp::UNIX_EPOCH,
        modified_date: Timestamp::UNIX_EPOCH,
    };
    (user, record, notification)
}
