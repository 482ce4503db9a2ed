//! One empty call: a fresh instance, the handler with one notification, the instance dropped. All is on that a delivery has on: limits,
//! stopwatch, log, grants, and the secrets that are cut out of what the component says.
//!
//! One at a time it is timed. Of 64 at once the computing time is taken, that of the whole process, which other programs on the machine do
//! not lengthen as they lengthen a wait.

use crate::{powers, quantile, table};
use engine::clock::Clock;
use engine::host::{Delivery, Host, Module, Powers};
use engine::rules::notification::Notification;
use engine::rules::status::Status;
use engine::rules::target::TargetUserRecord;
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::settings::Settings;
use jiff::Timestamp;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use uuid::Uuid;

const WARM_UP: usize = 2_000;
const CALLS: usize = 50_000;
const AT_ONCE: usize = 64;
/// For how long those sleep that are all there at the same time: longer than it takes to begin them all.
const SLEEP: Duration = Duration::from_millis(20);

/// What is promised.
const LONGEST: Duration = Duration::from_micros(50);
const MOST_COMPUTING: Duration = Duration::from_micros(80);

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let component = std::fs::read(env!("NOOP")).unwrap();
    let began = Instant::now();
    let module = Arc::new(host.load("noop", &component).await.unwrap());
    let compiled = began.elapsed();
    let began = Instant::now();
    host.load("noop", &component).await.unwrap();
    let cached = began.elapsed();
    let sleeper = Arc::new(host.load("sleeper", &std::fs::read(env!("SLEEPER")).unwrap()).await.unwrap());
    let powers = powers::all(&host, None);

    // As the engine makes its calls: on a thread of the runtime's.
    let alone = tokio::spawn(one_at_a_time(module.clone(), powers.clone())).await.unwrap();
    let together = at_once(&module, &powers, CALLS / AT_ONCE, None).await;
    let asleep = at_once(&sleeper, &powers, CALLS / AT_ONCE / 10, Some(SLEEP)).await;

    println!("sandbox: an empty call, all limits on ({CALLS} calls, a component of {} KiB)", component.len() / 1024);
    let median = quantile(&alone, 0.5);
    table::row("one at a time, median", median, Some(LONGEST));
    table::row("  90th, of a hundred", quantile(&alone, 0.9), None);
    table::row("  99th", quantile(&alone, 0.99), None);
    table::row(&format!("{AT_ONCE} at once, computing time of one"), together, Some(MOST_COMPUTING));
    table::row(&format!("  with a sleep of {} ms in it", SLEEP.as_millis()), asleep, None);
    table::row("loading the component, compiled", compiled, None);
    table::row("  from the cache", cached, None);
}

/// How long calls took that were made one after another, sorted.
async fn one_at_a_time(module: Arc<Module>, powers: Arc<Powers>) -> Vec<Duration> {
    let (user, record, notification) = values();
    let delivery = first_attempt(&user, &record, &notification);
    let mut times = Vec::with_capacity(CALLS);
    for i in 0..WARM_UP + CALLS {
        let began = Instant::now();
        let sent =
            module.send(&module.places.take(Duration::ZERO).await, &powers, std::slice::from_ref(&delivery)).await;
        if i >= WARM_UP {
            times.push(began.elapsed());
        }
        assert!(sent.fault.is_none());
    }
    times.sort_unstable();
    times
}

/// The computing time of one call, where so many make so many calls each. With `sleep` all their instances are there at the same time.
async fn at_once(module: &Arc<Module>, powers: &Arc<Powers>, calls: usize, sleep: Option<Duration>) -> Duration {
    let mut before = Duration::ZERO;
    // The first round is to warm up.
    for calls in [WARM_UP / AT_ONCE, calls] {
        before = computing_time();
        let mut callers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (module, powers) = (module.clone(), powers.clone());
            callers.spawn(async move {
                let (user, record, mut notification) = values();
                let wish = sleep.map(|sleep| ("milliseconds".to_owned(), json!(sleep.as_millis() as u64)));
                notification.extra = wish.into_iter().collect();
                let delivery = first_attempt(&user, &record, &notification);
                for _ in 0..calls {
                    assert!(
                        module
                            .send(&module.places.take(Duration::ZERO).await, &powers, std::slice::from_ref(&delivery))
                            .await
                            .fault
                            .is_none()
                    );
                    tokio::task::yield_now().await;
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
    }
    (computing_time() - before) / (AT_ONCE * calls) as u32
}

/// The computing time of this process so far, in hundredths of a second, as Linux tells it.
fn computing_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// A sandbox as it comes, which keeps its files in this folder.
pub fn host(folder: &Path) -> Host {
    let text = format!("[database]\nurl = 'sqlite:{}'\n", folder.join("engine.db").display());
    let settings = Settings::from_text("bench", &text, std::iter::empty()).unwrap();
    Host::new(&settings.sandbox, &settings.cache(), &settings.engine_key().unwrap(), Clock::system()).unwrap()
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
