//! One call of a component: what it may use, what it has done so far, and the calls of the host that need no door.

use super::bindings::phases::Phase;
use super::bindings::{runtime, types};
use super::limits::{MOST_RESOURCES, Meter};
use super::log::{CallLog, Output};
use super::redaction::Redactor;
use super::{HttpClient, Relay};
use crate::clock::Clock;
use crate::rules::attempt;
use crate::rules::budget::{InForce, Limit};
use crate::rules::grants::{self, Call, Grants};
use crate::rules::manifest::SecretFormat;
use crate::rules::origin::Origin;
use crate::settings::Secret;
use ring::rand::SecureRandom;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// How many random bytes one request may ask for.
const MOST_RANDOM: u32 = 64 * 1024;

/// What one target of one tenant may use: made once, shared by its calls.
#[derive(Debug, Default)]
pub struct Powers {
    pub module: String,
    pub grants: Grants,
    /// The target's settings, as the component reads them.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// The secrets that have a value, and how each becomes a key.
    pub secrets: BTreeMap<String, (SecretFormat, Secret)>,
    /// Why secrets that were set cannot be used.
    pub unreadable: BTreeMap<String, String>,
    /// What cuts those values out of texts.
    pub redactor: Redactor,
    pub http: Option<HttpClient>,
    pub relay: Option<Arc<Relay>>,
    /// The target's own sender of mail, as the operator has set it.
    pub sender: Option<lettre::message::Mailbox>,
    /// The folder of templates.
    pub templates: Option<PathBuf>,
    /// Each limit that holds for its calls, and who has set it; `None`: the operator's for all.
    pub limits: Option<[InForce; 7]>,
}

impl Powers {
    /// Whether a secret has a value; if not, who can give it one.
    pub fn has_secret(&self, name: &str) -> Result<(), String> {
        match self.unreadable.get(name) {
            _ if self.secrets.contains_key(name) => Ok(()),
            Some(why) => Err(why.clone()),
            None => Err(format!(
                "The secret `{name}` has no value; `engine secret set {name}` gives it one, or the operator as ENGINE_SECRET__{}.",
                name.to_uppercase()
            )),
        }
    }
}

/// What a call is about.
#[derive(Debug, Default)]
pub struct Batch {
    /// The notifications' ids.
    pub ids: Vec<String>,
    /// The origins of the addresses that are URLs.
    pub records: Vec<Origin>,
}

/// The state of a store: it lives as long as the call.
pub struct CallState {
    pub kind: Call,
    pub powers: Arc<Powers>,
    pub clock: Clock,
    /// The ids of the notifications that this call is about.
    pub batch: Vec<String>,
    pub meter: Meter,
    pub log: CallLog,
    /// The origins of the addresses of those notifications.
    pub records: Vec<Origin>,
    /// The first refusal of this call.
    pub denied: Option<String>,
    /// How far the last exchange with a provider got, if it broke.
    pub broken_at: Option<attempt::Phase>,
    /// Those whose bytes may be with a provider.
    left: BTreeSet<String>,
    deadline: Instant,
    stdout: Output,
    stderr: Output,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl CallState {
    /// The state of a call that is about to begin.
    pub fn new(kind: Call, powers: Arc<Powers>, clock: Clock, batch: Batch, meter: Meter) -> Self {
        let log = CallLog::new(&powers.redactor, meter.budget.bytes(Limit::Log));
        let wall = meter.budget.time(Limit::Wall);
        let (stdout, stderr) = (Output::new(&log, "info"), Output::new(&log, "warn"));
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        let folder = powers.templates.as_deref().filter(|_| grants::templates(&powers.grants, kind));
        let wasi = inert(&stdout, &stderr, folder);
        CallState {
            kind,
            powers,
            clock,
            batch: batch.ids,
            records: batch.records,
            denied: None,
            meter,
            wasi,
            log,
            broken_at: None,
            left: BTreeSet::new(),
            deadline: Instant::now() + wall,
            stdout,
            stderr,
            table,
        }
    }

    /// Something was refused: whoever looks at the notification is told, whatever the component makes of it.
    pub fn denies(&mut self, why: &str) {
        let why = self.powers.redactor.text(why);
        self.log.add("warn", &why);
        self.denied.get_or_insert(why);
    }

    /// These notifications are about to leave. Answers with those that had not left before, for `stayed`.
    pub fn leaves(&mut self, notifications: &[String]) -> Vec<String> {
        notifications.iter().filter(|id| self.left.insert((*id).clone())).cloned().collect()
    }

    /// These certainly did not leave after all.
    pub fn stayed(&mut self, notifications: &[String]) {
        for id in notifications {
            self.left.remove(id);
        }
    }

    /// An exchange broke at this phase.
    pub fn broke(&mut self, phase: Phase) {
        self.broken_at = Some(match phase {
            Phase::Invalid => attempt::Phase::Invalid,
            Phase::Denied => attempt::Phase::Denied,
            Phase::Resolve => attempt::Phase::Resolve,
            Phase::Connect => attempt::Phase::Connect,
            Phase::Tls => attempt::Phase::Tls,
            Phase::Write => attempt::Phase::Write,
            Phase::Wait => attempt::Phase::Wait,
            Phase::Read => attempt::Phase::Read,
        });
    }

    /// What is left of the call's time.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Ends the output and gives away what the call leaves behind.
    pub fn finish(&mut self) -> (String, BTreeSet<String>) {
        self.stdout.finish();
        self.stderr.finish();
        (self.log.text(&self.powers.module), std::mem::take(&mut self.left))
    }
}

/// WASI 0.2 whole and inert: clocks and random numbers work, output goes to the log; there is no environment, no argument, no
/// file but those of the templates if the call may read them, and sockets and look-ups are refused.
fn inert(stdout: &Output, stderr: &Output, templates: Option<&Path>) -> WasiCtx {
    let mut builder = WasiCtx::builder();
    // wasmtime-wasi, by way of cap-std's primitives, keeps paths and symbolic links inside the folder.
    let opened = templates.map(|folder| builder.preopened_dir(folder, "/templates", FsPerms::ReadOnly));
    if let Some(Err(error)) = opened {
        tracing::error!("the folder of templates cannot be opened: {error}");
    }
    builder
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .max_random_size(u64::from(MOST_RANDOM))
        .build()
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl types::Host for CallState {}
impl super::bindings::phases::Host for CallState {}

impl runtime::Host for CallState {
    fn log(&mut self, level: runtime::Level, message: String) {
        let level = match level {
            runtime::Level::Debug => "debug",
            runtime::Level::Info => "info",
            runtime::Level::Warn => "warn",
            runtime::Level::Error => "error",
        };
        self.log.add(level, &message);
    }

    fn now(&mut self) -> u64 {
        u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default()
    }

    fn time_left(&mut self) -> u32 {
        u32::try_from(CallState::time_left(self).as_millis()).unwrap_or(u32::MAX)
    }

    fn random_bytes(&mut self, count: u32) -> Vec<u8> {
        let mut bytes = vec![0; count.min(MOST_RANDOM) as usize];
        // The system's source does not fail once it has begun; should it, nothing is better than something guessable.
        if ring::rand::SystemRandom::new().fill(&mut bytes).is_err() {
            bytes.clear();
        }
        bytes
    }

    fn setting(&mut self, name: String) -> String {
        self.powers.settings.get(&name).map_or_else(|| "null".to_owned(), ToString::to_string)
    }

    fn has_secret(&mut self, name: String) -> bool {
        grants::signing(&self.powers.grants, self.kind, &name).is_ok() && self.powers.secrets.contains_key(&name)
    }

    fn callback_url(&mut self) -> String {
        // There is no server for callbacks yet, so there is no address to give.
        String::new()
    }
}
