//! One empty call: a fresh instance, the handler with one notification, the instance dropped; one call at a time, and 64 at once.
//!
//! The sandbox is as in delivery: with its limits, its stopwatch, and what the operator and the tenant have said of the target.

use crate::quantile;
use engine::clock::Clock;
use engine::development::bench::used_by_this_process;
use engine::host::{Delivery, Host, Module, Powers};
use engine::rules::budget::{Said, in_force};
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
use tokio::task::JoinSet;
use uuid::Uuid;

const WARM_UP: usize = 2_000;
const CALLS: usize = 50_000;
/// How many calls are under way at once, in the second part; `sandbox.instances`.
const AT_ONCE: usize = 64;
/// What is promised: the median of a call alone, and the processors' time of one among many.
const MOST_ALONE: Duration = Duration::from_micros(50);
const MOST_CPU: Duration = Duration::from_micros(80);

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let limits = in_force(&settings(folder.path()).sandbox.budget(), &Said::new(), &Said::new());
    let component = std::fs::read(env!("NOOP")).unwrap();
    let began = Instant::now();
    let module = host.load("noop", &component).await.unwrap();
    let compiled = began.elapsed();
    let began = Instant::now();
    host.load("noop", &component).await.unwrap();
    let cached = began.elapsed();

    let powers = Arc::new(Powers { limits: Some(limits), ..Powers::default() });
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
    let median = quantile(&times, 0.5);
    println!("  median {median:?}, p90 {:?}, p99 {:?}", quantile(&times, 0.9), quantile(&times, 0.99));
    println!("  the median is {} {MOST_ALONE:?}", verdict(median, MOST_ALONE));
    at_once(Arc::new(module), &powers).await;
    println!("  loading: {} ms compiled, {} ms from the cache", millis(compiled), millis(cached));
}

/// As many calls as before, so many of them at once: what each takes of the processors.
async fn at_once(module: Arc<Module>, powers: &Arc<Powers>) {
    let cpu = || used_by_this_process().unwrap().cpu;
    let before = cpu();
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (module, powers) = (module.clone(), powers.clone());
        workers.spawn(async move {
            let (user, record, notification) = values();
            let delivery = first_attempt(&user, &record, &notification);
            for _ in 0..CALLS / AT_ONCE {
                assert!(module.send(&powers, std::slice::from_ref(&delivery)).await.fault.is_none());
            }
        });
    }
    let began = Instant::now();
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    let calls = u32::try_from(CALLS / AT_ONCE * AT_ONCE).unwrap();
    let (each, per_second) = ((cpu() - before) / calls, f64::from(calls) / began.elapsed().as_secs_f64());
    println!("sandbox, {AT_ONCE} empty calls at once ({calls} calls)");
    println!("  {each:?} of processor each, {per_second:.0} a second");
    println!("  that is {} {MOST_CPU:?}", verdict(each, MOST_CPU));
}

fn verdict(measured: Duration, most: Duration) -> &'static str {
    if measured < most { "under" } else { "OVER" }
}

fn settings(folder: &Path) -> Settings {
    let text = format!("[database]\nurl = 'sqlite:{}'\n", folder.join("engine.db").display());
    Settings::from_text("bench", &text, std::iter::empty()).unwrap()
}

/// A sandbox as it comes, which keeps its files in this folder.
pub fn host(folder: &Path) -> Host {
    let settings = settings(folder);
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
