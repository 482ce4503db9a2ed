//! What a machine can deliver: a backlog is filled and drained, then a trickle is timed from due to sent.
//!
//! Nothing is left out of what is measured: each notification is claimed, sent through a component in the sandbox, and
//! settled with its history, on the disk.

use super::inbox::Inbox;
use crate::clock::Clock;
use crate::delivery::{Deliverer, Event, Observer};
use crate::rules::notification::NewNotification;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::settings::Settings;
use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

/// The component that is really called and does nothing.
const NOOP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/development/noop.wasm"));

/// So many are stored at once while the backlog is filled.
const FILLING: usize = 1000;
/// The trickle: so many, at this distance, of which every other one is made before it is due and the rest at that moment.
const TRICKLE: usize = 1000;
const APART: Duration = Duration::from_millis(10);
const AHEAD: SignedDuration = SignedDuration::from_millis(500);
/// What is further away than anything here takes.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many are due when the measurement begins.
    pub notifications: usize,
    /// How many more there are that are not due.
    pub future: usize,
    /// How many go into one call.
    pub batch_size: usize,
    /// The module that they go through.
    pub module: &'static str,
    /// Where they are kept. What is there already stays, and what of it is due is delivered too.
    pub database: String,
}

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The backlog's notifications for each second from its first claim to its last settlement.
    pub per_second: f64,
    /// From due to the call of the handler, in the trickle.
    pub due_to_sent_p50: Duration,
    pub due_to_sent_p99: Duration,
}

/// How far a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Filled(usize),
    Drained(usize),
    Trickled(usize),
}

/// The settings for a plan: its database, its component, and an inbox where mails go.
pub fn settings(plan: &Plan, folder: &Path, inbox: &Inbox) -> anyhow::Result<Settings> {
    let targets = folder.join("targets");
    std::fs::create_dir(&targets)?;
    std::fs::write(targets.join("noop.wasm"), NOOP)?;
    let text = format!(
        "[database]\nurl = '{}'\n[smtp]\nhost = '127.0.0.1'\nport = {}\n[targets]\npaths = ['{}']\n\
         [delivery]\ncall_batch = {}\n[sandbox]\ncache = '{}'\n",
        plan.database,
        inbox.address.port(),
        targets.display(),
        plan.batch_size,
        folder.join("cache").display(),
    );
    Ok(Settings::from_text("the benchmark's settings", &text, std::iter::empty())?)
}

/// Measures. `deliverer` is given who is told of what was delivered; `new_id` makes ids.
pub async fn measure(
    plan: &Plan,
    store: &Store,
    clock: &Clock,
    new_id: fn() -> Uuid,
    deliverer: impl FnOnce(Observer) -> anyhow::Result<Deliverer>,
    progress: impl Fn(Progress),
) -> anyhow::Result<Figures> {
    let records = records(store, plan.module, clock.now(), new_id).await?;
    let filler = Filler { store, records: &records, new_id, clock };
    let now = clock.now();
    for begun in (0..plan.future).step_by(FILLING) {
        filler.store(FILLING.min(plan.future - begun), now + FAR).await?;
    }
    for begun in (0..plan.notifications).step_by(FILLING) {
        filler.store(FILLING.min(plan.notifications - begun), now).await?;
        progress(Progress::Filled((begun + FILLING).min(plan.notifications)));
    }

    let (count, mut counted) = watch::channel(0_usize);
    let waits = Arc::new(Mutex::new(Vec::with_capacity(TRICKLE)));
    let (noted, backlog) = (waits.clone(), plan.notifications);
    let deliverer = deliverer(Arc::new(move |event: &Event<'_>| {
        let Event::Attempted { claimed, attempt, .. } = event else { return };
        count.send_modify(|count| *count += 1);
        if *count.borrow() > backlog {
            let due = claimed.notification.scheduled_delivery;
            let wait = Duration::try_from(attempt.started_at.duration_since(due)).unwrap_or_default();
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(wait);
        }
    }))?;
    // To compile the component is no part of delivering.
    deliverer.catalog.get(plan.module).await?;

    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let began = Instant::now();
    let delivering = tokio::spawn(async move { deliverer.run(|| (), stopped, std::future::pending()).await });
    until(&mut counted, plan.notifications, |count| progress(Progress::Drained(count))).await?;
    let took = began.elapsed();
    trickle(&filler, |made| progress(Progress::Trickled(made))).await?;
    until(&mut counted, plan.notifications + TRICKLE, |_| {}).await?;
    let _ = stop.send(());
    delivering.await??;

    let mut waits = std::mem::take(&mut *waits.lock().unwrap_or_else(PoisonError::into_inner));
    waits.sort_unstable();
    let quantile = |part: f64| waits.get(((waits.len() as f64 * part) as usize).min(waits.len() - 1)).copied();
    Ok(Figures {
        per_second: plan.notifications as f64 / took.as_secs_f64(),
        due_to_sent_p50: quantile(0.5).unwrap_or_default(),
        due_to_sent_p99: quantile(0.99).unwrap_or_default(),
    })
}

/// Waits until so many were delivered.
async fn until(counted: &mut watch::Receiver<usize>, all: usize, told: impl Fn(usize)) -> anyhow::Result<()> {
    loop {
        let count = *counted.borrow_and_update();
        told(count.min(all));
        if count >= all {
            return Ok(());
        }
        counted.changed().await.map_err(|_| anyhow::anyhow!("The engine stopped by itself; the log says why."))?;
    }
}

struct Filler<'a> {
    store: &'a Store,
    records: &'a [Uuid],
    new_id: fn() -> Uuid,
    clock: &'a Clock,
}

impl Filler<'_> {
    /// Stores so many that are due at one time, for all users in turn.
    async fn store(&self, many: usize, due: Timestamp) -> Result<(), StoreError> {
        let batch: Vec<NewNotification> =
            self.records.iter().cycle().take(many).map(|record| self.one(*record, due)).collect();
        self.store.create(Tenant::DEFAULT, &batch, self.clock.now()).await?;
        Ok(())
    }

    fn one(&self, record: Uuid, due: Timestamp) -> NewNotification {
        NewNotification {
            id: (self.new_id)(),
            target_user_record: record,
            title: "A title of some words".to_owned(),
            body: "Dear Ada,\n\nthis is a body of a sentence or two, as notifications have them.\n".to_owned(),
            extra: Map::new(),
            scheduled_delivery: due,
            retry_time_interval: 60,
            max_retries: 3,
            expires_at: None,
            idempotency_key: None,
            on_unknown: None,
        }
    }
}

/// Makes notifications one by one, each due at its own time.
async fn trickle(filler: &Filler<'_>, made: impl Fn(usize)) -> anyhow::Result<()> {
    let mut turns = tokio::time::interval(APART);
    for (number, record) in filler.records.iter().cycle().take(TRICKLE).enumerate() {
        turns.tick().await;
        let now = filler.clock.now();
        let due = if number % 2 == 0 { now + AHEAD } else { now };
        filler.store.create(Tenant::DEFAULT, &[filler.one(*record, due)], now).await?;
        made(number + 1);
    }
    Ok(())
}

/// A hundred users with an address in the target, which is made if it is not there.
async fn records(store: &Store, module: &str, now: Timestamp, new_id: fn() -> Uuid) -> Result<Vec<Uuid>, StoreError> {
    let target = match store.find_target(Tenant::DEFAULT, module).await {
        Ok(target) => target,
        Err(StoreError::NotFound { .. }) => {
            let target = Target {
                id: new_id(),
                name: module.to_owned(),
                notification_module_name: module.to_owned(),
                pause: None,
                slowed_until: None,
                faults: 0,
                revision: 0,
            };
            store.add_target(Tenant::DEFAULT, &target, now).await?;
            target
        }
        Err(error) => return Err(error),
    };
    let mut records = Vec::new();
    for _ in 0..100 {
        let id = new_id();
        let user = User {
            id,
            username: format!("bench-{id}"),
            email: format!("{}@example.org", id.simple()),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            time_zone: String::new(),
            locale: String::new(),
            attributes: Map::new(),
        };
        store.add_user(Tenant::DEFAULT, &user, now).await?;
        let record = TargetUserRecord {
            id: new_id(),
            user: user.id,
            target: target.id,
            target_user_id: user.email,
            description: String::new(),
            active: true,
            inactive_reason: None,
        };
        store.add_record(Tenant::DEFAULT, &record, now).await?;
        records.push(record.id);
    }
    Ok(records)
}

/// What this process has used since it began.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    pub cpu: Duration,
    /// Bytes of memory at the most.
    pub peak_memory: u64,
}

/// Linux only; `None` elsewhere.
pub fn used_by_this_process() -> Option<Used> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak_kib: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    // After the name, which is in parentheses and may hold anything; in hundredths of a second, as Linux always tells them.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Used { cpu: Duration::from_millis((user + system) * 10), peak_memory: peak_kib * 1024 })
}
