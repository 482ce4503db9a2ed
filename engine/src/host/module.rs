//! The calls of a module. Each gets a fresh instance, which lives as long as the call; each ends as a result or a fault, in
//! bounded time.

use super::backtrace::readable;
use super::bindings::{self, target};
use super::call::{Batch, CallState, Powers};
use super::contract::{self, Creation, Delivery, Draft};
use super::exchanges::Ended;
use super::limits::{MOST_HANDLES, Meter};
use super::log;
use super::modules::{other_contract, root};
use super::places::{Place, Places};
use super::shelf::Taken;
use super::stopwatch::Turns;
use crate::clock::Clock;
use crate::rules::attempt::{Phase, Usage};
use crate::rules::budget::{Budget, Limit};
use crate::rules::grants::{Call, Grants};
use crate::rules::hints;
use crate::rules::manifest::Manifest;
use crate::rules::origin::Origin;
use crate::rules::outcome::{Failure, Outcome, Scope};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::Store;
use wasmtime::component::InstancePre;
use wasmtime_wasi::I32Exit;

/// How many bytes the values of one call may take on their way in and out, beside the bodies of a request and of its answer.
const HOSTCALL_BYTES: usize = 10 * 1024 * 1024;

/// How the library says that there were more.
const TOO_MUCH_AT_ONCE: &str = "fuel allocated for hostcalls has been exhausted";

/// How long a call may take in which there is nobody to wait for.
const WITHOUT_WAITING: Duration = Duration::from_secs(3);
/// The same for a creator, which may have much to compute: an application waits for it.
const CREATING: Duration = Duration::from_secs(10);

/// The code of a call that did not end by itself.
const OUT_OF_TIME: &str = "out_of_time";

/// The code of a call that there was not, since the component's functions are not the contract's.
pub(super) const OTHER_CONTRACT: &str = "other_contract";

/// The component behind a target, ready to be called.
pub struct Module {
    pub name: String,
    /// `sha256:` and the digest of the component's bytes.
    pub digest: String,
    pub manifest: Manifest,
    /// What it imports, by name: interfaces of the contract and of WASI.
    pub imports: Vec<String>,
    /// How many bytes its largest memory begins with.
    pub memory: u64,
    pub(super) pre: InstancePre<CallState>,
    /// Where the contract's functions are in an instance.
    pub(super) exports: bindings::TargetIndices,
    /// What its calls may use where nothing else is said.
    pub(super) budget: Budget,
    pub(super) clock: Clock,
    /// For its calls, and for those of `describe` alone: what is loaded for a call that has its place already must not wait for another.
    pub places: Places,
    pub(super) described: Places,
    pub(super) turns: Turns,
    /// The room that it takes, where that is bounded.
    #[expect(dead_code, reason = "it is held, and let go")]
    pub(super) room: Option<Taken>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Module({}, {})", self.name, self.digest)
    }
}

/// The component's own fault: it trapped, or used up what it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub code: &'static str,
    pub message: String,
}

impl Fault {
    /// Whether the component alone is to blame: that a call took too long may be its provider's doing.
    pub fn is_its_own(&self) -> bool {
        self.code != OUT_OF_TIME
    }
}

/// Its functions are named as the contract's, and take or give something else.
#[derive(Debug, thiserror::Error)]
#[error("it was built against another contract")]
struct OtherContract;

/// What a call came to, and what it took.
#[derive(Debug)]
pub struct Report<T> {
    pub result: Result<T, Fault>,
    pub usage: Usage,
    pub took: Duration,
    /// For how much of that it waited for other targets.
    pub queued: Duration,
    /// What the component said.
    pub log: String,
    /// How many bytes the result may have.
    most: usize,
    broken_at: Option<Phase>,
    left: BTreeSet<String>,
    denied: Option<String>,
}

/// What a call of the handler came to, for each notification in its order. Never a fault: that is an outcome here too.
#[derive(Debug)]
pub struct Sent {
    pub outcomes: Vec<Outcome>,
    pub log: String,
    pub usage: Usage,
    /// The phase at which the last exchange broke, if one did.
    pub phase: Option<Phase>,
    pub fault: Option<Fault>,
    /// For how long it waited for other targets, which is not its own doing.
    pub queued: Duration,
}

impl Module {
    /// The beginning of the digest, by which people tell versions apart.
    pub fn version(&self) -> &str {
        log::cut(&self.digest, "sha256:".len() + 12)
    }

    /// The manifest's text.
    pub async fn describe(&self, powers: &Arc<Powers>) -> Report<String> {
        self.call(Call::Describe, powers, Batch::default(), async |guest, store| guest.call_describe(store).await).await
    }

    /// Whether this can be an address here, and its normal form.
    pub async fn check_address(&self, powers: &Arc<Powers>, target_user_id: &str) -> Report<Result<String, Failure>> {
        let mut report = self
            .call(Call::CheckAddress, powers, Batch::default(), async |guest, store| {
                guest.call_check_address(store, target_user_id).await
            })
            .await
            .map(|answer| answer.map_err(|failed| contract::failure(failed, &powers.redactor)));
        report.bound(powers, |answer| match answer {
            Ok(text) => text.len(),
            Err(_) => 0,
        });
        report
    }

    /// The creator: drafts for a request, or its refusal.
    pub async fn create(&self, powers: &Arc<Powers>, request: &Creation<'_>) -> Report<Result<Vec<Draft>, Failure>> {
        let request = contract::request(request);
        let mut report = self
            .call(Call::Create, powers, Batch::default(), async |guest, store| {
                guest.call_create_notification(store, &request).await
            })
            .await;
        // Before it is read, which takes many times its length. A creator may answer with as much for each record.
        report.bound(powers, |answer| match answer {
            Ok(drafts) => drafts.iter().map(contract::size).sum::<usize>() / request.target_user_records.len().max(1),
            Err(_) => 0,
        });
        let denied = report.denied.take();
        let mut report = report.and_then(|answer| match answer {
            Ok(drafts) => drafts.into_iter().map(contract::draft).collect::<Result<Vec<Draft>, Fault>>().map(Ok),
            Err(failure) => Ok(Err(contract::failure(failure, &powers.redactor))),
        });
        match &mut report.result {
            Ok(Ok(_)) => {}
            Ok(Err(failure)) => add_help(&mut failure.message, denied.as_deref(), &powers.grants, Call::Create),
            Err(fault) => add_help(&mut fault.message, denied.as_deref(), &powers.grants, Call::Create),
        }
        report
    }

    /// The handler: an outcome for each notification.
    pub async fn send(&self, _place: &Place, powers: &Arc<Powers>, batch: &[Delivery<'_>]) -> Sent {
        let ids: Vec<String> = batch.iter().map(|d| d.notification.id.to_string()).collect();
        let values: Vec<target::Notification> = batch.iter().map(contract::notification).collect();
        let about = Batch { ids: ids.clone(), records: batch.iter().filter_map(address_origin).collect() };
        let mut report = self
            .call(Call::Send, powers, about, async |guest, store| guest.call_send_notifications(store, &values).await)
            .await
            .and_then(|outcomes| {
                if outcomes.len() == values.len() {
                    return Ok(outcomes);
                }
                Err(Fault {
                    code: "wrong_result",
                    message: format!(
                        "The component has to answer with an outcome for each notification, of which there were {}, and did with {}.",
                        values.len(),
                        outcomes.len()
                    ),
                })
            });
        // Before it is cut to what is kept.
        report.bound(powers, |outcomes| outcomes.iter().map(contract::outcome_size).sum());
        let kept = |outcome| contract::outcome(outcome, &powers.redactor);
        let mut report = report.map(|outcomes| outcomes.into_iter().map(kept).collect::<Vec<Outcome>>());
        let phase = report.broken_at;
        let denied = report.denied.take();
        let (outcomes, fault) = match report.result {
            Ok(mut outcomes) => {
                for failure in outcomes.iter_mut().filter_map(Outcome::failure_mut) {
                    add_help(&mut failure.message, denied.as_deref(), &powers.grants, Call::Send);
                }
                (outcomes, None)
            }
            Err(mut fault) => {
                add_help(&mut fault.message, denied.as_deref(), &powers.grants, Call::Send);
                (ids.iter().map(|id| of_fault(&fault, report.left.contains(id))).collect(), Some(fault))
            }
        };
        Sent { outcomes, log: report.log, usage: report.usage, phase, fault, queued: report.queued }
    }

    async fn call<T>(
        &self,
        kind: Call,
        powers: &Arc<Powers>,
        batch: Batch,
        call: impl AsyncFnOnce(&target::Guest, &mut Store<CallState>) -> wasmtime::Result<T>,
    ) -> Report<T> {
        // Waiting for a place is not the component's time.
        let _place = match kind {
            Call::Send => None,
            Call::Describe => Some(self.described.take(Duration::ZERO).await),
            Call::CheckAddress | Call::Create => Some(self.places.take(Duration::ZERO).await),
        };
        let budget = powers.limits.as_ref().map_or(self.budget, Budget::from_decision);
        let meter = Meter::new(budget, self.turns.clone());
        let state = CallState::new(kind, powers.clone(), self.clock.clone(), batch, meter);
        let began = Instant::now();
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(most_at_once(&budget));
        store.set_max_component_handles(MOST_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| Meter::tick(store, |state: &mut CallState| &mut state.meter));
        let stopwatch = store.data().meter.stopwatch.clone();
        let work = async {
            let instance = self.pre.instantiate_async(&mut store).await?;
            let target = self.exports.load(&mut store, &instance).map_err(|e| e.context(OtherContract))?;
            call(target.notification_engine_notification_target(), &mut store).await
        };
        let wall = match kind {
            Call::Describe | Call::CheckAddress => budget.time(Limit::Wall).min(WITHOUT_WAITING),
            Call::Create => budget.time(Limit::Wall).min(CREATING),
            Call::Send => budget.time(Limit::Wall),
        };
        let ended = tokio::time::timeout(wall, stopwatch.around(work)).await;
        let state = store.data_mut();
        let result = match ended {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(fault(&error, state, &budget)),
            Err(_) if wall < budget.time(Limit::Wall) => Err(Fault {
                code: "waited",
                message: format!(
                    "The component did not end within {wall:?}, and has nothing to wait for in this call."
                ),
            }),
            Err(_) => Err(Fault {
                code: OUT_OF_TIME,
                message: format!("The component did not end within {wall:?} ({}).", powers.said_where(Limit::Wall)),
            }),
        };
        let (log, Ended { left, denied, broken_at, requests, queued }) = state.finish();
        let usage = Usage { http: requests, ..state.meter.usage() };
        let most = budget.bytes(Limit::Result);
        Report { result, usage, took: began.elapsed(), queued, log, most, broken_at, left, denied }
    }
}

impl<T> Report<T> {
    fn map<U>(self, then: impl FnOnce(T) -> U) -> Report<U> {
        self.and_then(|value| Ok(then(value)))
    }

    fn and_then<U>(self, then: impl FnOnce(T) -> Result<U, Fault>) -> Report<U> {
        let Report { result, usage, took, queued, log, most, broken_at, left, denied } = self;
        Report { result: result.and_then(then), usage, took, queued, log, most, broken_at, left, denied }
    }

    /// Makes a fault of a result that is too large.
    fn bound(&mut self, powers: &Powers, size: impl FnOnce(&T) -> usize) {
        if let Ok(value) = &self.result {
            let size = size(value);
            let most = self.most;
            if size > most {
                self.result = Err(Fault {
                    code: "wrong_result",
                    message: format!(
                        "The component's result has {size} bytes, and {most} is the most ({}).",
                        powers.said_where(Limit::Result)
                    ),
                });
            }
        }
    }
}

/// The origin of the address that a notification goes to, if that is a URL.
fn address_origin(delivery: &Delivery<'_>) -> Option<Origin> {
    url::Url::parse(&delivery.record.target_user_id).ok().and_then(|url| Origin::of(&url).ok())
}

/// Adds to what a call failed with what was refused in it, which says what to do; or else what helps whoever fails with such words.
fn add_help(message: &mut String, denied: Option<&str>, grants: &Grants, call: Call) {
    let hint = || hints::hint(message, grants, call);
    let Some(help) = denied.map(str::to_owned).or_else(hint).filter(|help| !message.contains(help)) else { return };
    if !message.is_empty() {
        message.push(' ');
    }
    message.push_str(&help);
}

/// What a fault means for a notification: if its bytes may be with the provider nobody knows, else it is tried again.
fn of_fault(fault: &Fault, left: bool) -> Outcome {
    let reason = Failure::new(fault.code, &fault.message);
    if left { Outcome::Unknown(reason) } else { Outcome::Retry { after: None, scope: Scope::Message, reason } }
}

/// How many bytes may be handed over at once, in or out.
fn most_at_once(budget: &Budget) -> usize {
    HOSTCALL_BYTES + budget.bytes(Limit::Request) + budget.bytes(Limit::Answer)
}

fn fault(error: &wasmtime::Error, state: &mut CallState, budget: &Budget) -> Fault {
    if state.meter.out_of_cpu {
        return Fault {
            code: "out_of_cpu",
            message: format!(
                "The component computed for more than {:?} ({}).",
                budget.time(Limit::Cpu),
                state.exchanges.powers.said_where(Limit::Cpu)
            ),
        };
    }
    let last_words = state.exchanges.log.last_words();
    // Where the guest's own symbols say where it was: for those who look at this call.
    for line in format!("{error:?}").lines().filter(|line| !line.trim().is_empty()) {
        state.exchanges.log.add("debug", &readable(line));
    }
    if state.meter.out_of_memory {
        return Fault {
            code: "out_of_memory",
            message: format!(
                "The component wanted more than {} of memory ({}).",
                Limit::Memory.show(budget.amount(Limit::Memory)),
                state.exchanges.powers.said_where(Limit::Memory)
            ),
        };
    }
    if root(error).contains(TOO_MUCH_AT_ONCE) {
        let powers = &state.exchanges.powers;
        let said = |limit: Limit| format!("{} ({})", limit.show(budget.amount(limit)), powers.said_where(limit));
        let most = Limit::Request.show(most_at_once(budget) as u64);
        let result = said(Limit::Result);
        let what = match state.exchanges.kind {
            Call::Create => format!("what it returns may have {result} for each record"),
            Call::Describe | Call::CheckAddress | Call::Send => {
                format!("a request may have {}, and what it returns {result}", said(Limit::Request))
            }
        };
        let message = format!("The component hands over more than {most} at once: {what}.");
        return Fault { code: "trapped", message };
    }
    if error.is::<OtherContract>() {
        return Fault { code: OTHER_CONTRACT, message: other_contract(error).0 };
    }
    let said = if last_words.is_empty() { last_words } else { format!(": {}", last_words.trim_end_matches('.')) };
    let what = if error.is::<I32Exit>() {
        "exited where it has to return an answer".to_owned()
    } else {
        format!("crashed ({})", root(error))
    };
    Fault { code: "trapped", message: format!("The component {what}{said}.") }
}
