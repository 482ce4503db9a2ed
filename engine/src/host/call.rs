//! One call of a component: what it may use, what it has done so far, and the calls of the host that need no door.

use super::HttpClient;
use super::bindings::{runtime, types};
use super::exchanges::{Ended, Exchanges, NO_SECRETS};
use super::http::Door;
use super::limits::{MOST_RESOURCES, Meter};
use super::log::{CallLog, Output};
use super::redaction::Redactor;
use super::smtp::Mailer;
use crate::clock::Clock;
use crate::rules::budget::{self, InForce, LIMITS, Limit, SetBy};
use crate::rules::grants::{self, Call, Grants};
use crate::rules::manifest::SecretFormat;
use crate::rules::origin::Origin;
use crate::settings::Secret;
use ring::rand::SecureRandom;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// How many random bytes one request may ask for.
const MOST_RANDOM: u32 = 64 * 1024;
/// How many bytes the headers of one message may take, of `wasi:http`: those of a request, and what keeping them takes.
pub const MOST_FIELDS: usize = 32 * 1024;

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
    pub mailer: Option<Mailer>,
    /// The target's own sender of mail, as the operator has set it.
    pub sender: Option<lettre::message::Mailbox>,
    /// The folder of templates.
    pub templates: Option<PathBuf>,
    /// Each limit that holds for its calls, and who has set it; `None`: the operator's for all.
    pub limits: Option<[InForce; LIMITS]>,
}

impl Powers {
    /// Where a limit on these calls is said, and where another one would be.
    pub fn said_where(&self, limit: Limit) -> String {
        let (said, name) = (budget::said_where(self.limits.as_ref(), limit), limit.name());
        match self.limits.as_ref().map(|limits| limits[limit as usize].set_by) {
            Some(SetBy::Tenant) => {
                format!("{said}; `engine target limit {} {name}=` takes it away", grants::quoted(self.grants.target()))
            }
            Some(SetBy::OperatorForTarget) => said,
            Some(SetBy::Operator) | None => {
                format!(
                    "{said}; the operator says another with `limits = {{ {name} = … }}` under [target.{}]",
                    self.module
                )
            }
        }
    }

    /// Whether a secret has a value; if not, who can give it one.
    pub fn has_secret(&self, name: &str) -> Result<(), String> {
        match self.unreadable.get(name) {
            _ if self.secrets.contains_key(name) => Ok(()),
            Some(why) => Err(why.clone()),
            None => Err(format!(
                "The secret `{name}` has no value; `engine secret set {name}{}` gives it one, or the operator as ENGINE_SECRET__{}{}.",
                grants::bind_option(&self.grants),
                name.to_uppercase(),
                match (self.grants.is_bundled(), grants::goes_somewhere(&self.grants)) {
                    (true, _) => String::new(),
                    (false, true) =>
                        format!(", with `secrets = [\"{name}\"]` and `base_url` under [target.{}]", self.module),
                    (false, false) => format!(", with `secrets = [\"{name}\"]` under [target.{}]", self.module),
                }
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
    /// What it has to do with others, shared with those of its requests that go on beside it.
    pub exchanges: Arc<Exchanges>,
    pub clock: Clock,
    pub meter: Meter,
    stdout: Output,
    stderr: Output,
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    http_door: Door,
    table: ResourceTable,
}

impl CallState {
    /// The state of a call that is about to begin.
    pub fn new(kind: Call, powers: Arc<Powers>, clock: Clock, batch: Batch, meter: Meter) -> Self {
        let log = CallLog::new(&powers.redactor, &meter.budget);
        let (stdout, stderr) = (Output::new(&log, "info"), Output::new(&log, "warn"));
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        let folder = powers.templates.as_deref().filter(|_| grants::templates(&powers.grants, kind));
        let wasi = inert(&stdout, &stderr, folder);
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(MOST_FIELDS);
        let exchanges = Arc::new(Exchanges::new(kind, powers, batch, log, meter.budget));
        let http_door = Door::of(&exchanges);
        CallState { exchanges, clock, meter, stdout, stderr, wasi, wasi_http, http_door, table }
    }

    /// Ends the output and the dealings with others, and gives away what is known of both.
    pub fn finish(&mut self) -> (String, Ended) {
        let ended = self.exchanges.end();
        self.stdout.finish();
        self.stderr.finish();
        (self.exchanges.log.text(&self.exchanges.powers.module), ended)
    }
}

/// A body that the component was still writing would look as if it had been finished: so its requests are told before the table goes.
impl Drop for CallState {
    fn drop(&mut self) {
        self.exchanges.end();
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

impl WasiHttpView for CallState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.wasi_http, table: &mut self.table, hooks: &mut self.http_door }
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
        self.exchanges.log.add(level, &message);
    }

    fn now(&mut self) -> u64 {
        u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default()
    }

    fn time_left(&mut self) -> u32 {
        u32::try_from(self.exchanges.time_left().as_millis()).unwrap_or(u32::MAX)
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
        self.exchanges.powers.settings.get(&name).map_or_else(|| "null".to_owned(), ToString::to_string)
    }

    fn has_secret(&mut self, name: String) -> bool {
        let Exchanges { powers, kind, .. } = &*self.exchanges;
        if *kind != Call::Send {
            self.exchanges.misses(NO_SECRETS);
        }
        grants::any_use(&powers.grants, *kind, &name).is_ok() && powers.secrets.contains_key(&name)
    }

    fn callback_url(&mut self) -> String {
        // There is no server for callbacks yet, so there is no address to give.
        String::new()
    }
}
