//! The world in which commands mean something: who there is, what time it is, and which claims have been handed out.

use std::time::Duration;

use engine::rules::attempt::{Attempt, Phase};
use engine::rules::notification::{NewNotification, OnUnknown};
use engine::rules::outcome::{Failure, Outcome, Receipt, Scope};
use engine::rules::retry::{self, RetryPolicy};
use engine::rules::status::Status;
use engine::rules::target::{Target, TargetUserRecord};
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::store::{Claim, ClaimRequest, Claimed, Lost, Settled, Targets};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::calls::{Answer, Call};
use super::commands::{ANY, Command, Draft, Ending, Fault, Meant, Policy, Which};
use super::invariants::Step;
use super::specification::Model;
use crate::store::{TENANT, news, noon, record, user};

/// Three, so that one can take from another what a third has marked.
const ENGINES: [Uuid; 3] = [Uuid::from_u128(0xe1), Uuid::from_u128(0xe2), Uuid::from_u128(0xe3)];

/// Who there is from the beginning. Anna is reached in two targets, Bob in one.
#[derive(Debug, Clone)]
pub struct Cast {
    pub users: Vec<User>,
    pub targets: Vec<Target>,
    pub records: Vec<TargetUserRecord>,
}

impl Cast {
    /// With the targets that every database has.
    pub fn of(targets: Vec<Target>) -> Cast {
        let users = vec![user("anna"), user("bob")];
        let records = [(0, 0), (0, 1), (1, 0)].map(|(user, target): (usize, usize)| {
            let user: &User = &users[user];
            record(user, &targets[target], &user.email)
        });
        Cast { records: records.into(), users, targets }
    }

    pub fn model(&self) -> Model {
        Model {
            users: self.users.iter().map(|user| (user.id, user.clone())).collect(),
            targets: self.targets.iter().map(|target| (target.id, target.clone())).collect(),
            records: self.records.iter().map(|record| (record.id, record.clone())).collect(),
            ..Model::default()
        }
    }
}

/// Commands played on the model.
pub struct Play<'a> {
    pub model: Model,
    /// What has become of what so far, in words that can be counted.
    pub happened: Vec<String>,
    world: World<'a>,
}

impl Play<'_> {
    pub fn new(cast: &Cast) -> Play<'_> {
        Play { model: cast.model(), happened: Vec::new(), world: World::new(cast) }
    }

    pub fn now(&self) -> Timestamp {
        self.world.now
    }

    /// What a command comes to, which is judged; `None` if only time has passed.
    pub fn next(&mut self, command: &Command) -> Result<Option<(Call, Answer)>, String> {
        let Some(call) = self.world.call(command, &self.model) else { return Ok(None) };
        let before = self.model.clone();
        let answer = call.on_model(&mut self.model, self.world.now);
        let step = Step { before: &before, call: &call, now: self.world.now, answer: &answer, after: &self.model };
        step.check().map_err(|broken| format!("{call:#?}\n{broken}"))?;
        self.happened.extend(step.happened());
        if let (Call::Claim(_), Answer::Claims(claims)) = (&call, &answer) {
            self.world.claimed.extend_from_slice(&claims.claimed);
        }
        Ok(Some((call, answer)))
    }
}

/// What has happened so far, as far as commands speak of it.
struct World<'a> {
    cast: &'a Cast,
    now: Timestamp,
    /// The notifications that were to be made, stored or not.
    made: Vec<Uuid>,
    /// The claims that were handed out.
    claimed: Vec<Claimed>,
}

impl World<'_> {
    fn new(cast: &Cast) -> World<'_> {
        World { cast, now: noon(), made: Vec::new(), claimed: Vec::new() }
    }

    /// What a command means now; `None` if only time passes.
    fn call(&mut self, command: &Command, model: &Model) -> Option<Call> {
        Some(match command {
            Command::Wait(seconds) => {
                self.now = self.after(*seconds);
                return None;
            }
            Command::Create(drafts) => Call::Create(drafts.iter().map(|draft| self.draft(draft)).collect()),
            Command::Claim { engine, limit, targets, lease } => {
                let targets = self.targets(targets);
                let limit = without_ties(model, self.now, *limit, &targets);
                let (engine, now, lease_until) = (self::engine(*engine), self.now, self.after(*lease));
                Call::Claim(ClaimRequest { engine, now, lease_until, limit, bytes: usize::MAX, targets })
            }
            Command::Preview { limit, targets } => {
                let targets = self.targets(targets);
                Call::Preview(without_ties(model, self.now, *limit, &targets), targets)
            }
            Command::MarkSending(claims, policy) => {
                Call::MarkSending(self.claims(claims, model).into_iter().map(|claim| (claim, policy.meant())).collect())
            }
            Command::Recheck(claims) => Call::Recheck(self.claims(claims, model)),
            Command::Settle(batch) => {
                let settled = batch.iter().filter_map(|(which, ending)| self.settled(which, ending, model));
                Call::Settle(settled.collect())
            }
            Command::Release(claims) => Call::Release(self.claims(claims, model)),
            Command::Rescue { engine, silent } => {
                let lost = silent.map_or(Lost::OfOthers, |seconds| Lost::OfSilentSince(self.after(-seconds)));
                Call::Rescue(self::engine(*engine), lost)
            }
            Command::Heartbeat(engine) => Call::Heartbeat(self::engine(*engine)),
            Command::EngineStopped(engine) => Call::EngineStopped(self::engine(*engine)),
            Command::Cancel(pick) => Call::Cancel(self.notification(*pick, model, Status::claimable)),
            Command::Retry(pick) => {
                let is_meant = |status| matches!(status, Status::Retry | Status::Unknown | Status::DeliveryFailure);
                Call::Retry(self.notification(*pick, model, is_meant))
            }
            Command::Resolve { notification: pick, delivered } => {
                Call::Resolve(self.notification(*pick, model, |status| status == Status::Unknown), *delivered)
            }
            Command::Remove(pick) => Call::Remove(self.notification(*pick, model, |_| true)),
            Command::Purge { age, limit } => Call::Purge(self.after(-age), *limit),
            Command::OptOut(pick) => Call::OptOut(self.user(*pick)),
            Command::OptIn(pick) => Call::OptIn(self.user(*pick)),
            Command::SwitchOff(pick) => Call::SwitchOff(self.record(*pick)),
            Command::SwitchOn(pick) => Call::SwitchOn(self.record(*pick)),
            Command::Pause(pick) => Call::Pause(self.target(*pick)),
            Command::Resume(pick) => Call::Resume(self.target(*pick)),
            Command::SlowDown { target, seconds } => Call::SlowDown(self.target(*target), self.after(*seconds)),
            Command::CountFault(pick) => Call::CountFault(self.target(*pick)),
            Command::ForgetFaults(pick) => Call::ForgetFaults(self.target(*pick)),
        })
    }

    fn after(&self, seconds: i64) -> Timestamp {
        self.now + SignedDuration::from_secs(seconds)
    }

    fn draft(&mut self, draft: &Draft) -> NewNotification {
        let id = id_made_at(self.now, self.made.len());
        self.made.push(id);
        let scheduled_delivery = self.after(draft.due);
        NewNotification {
            id,
            scheduled_delivery,
            retry_time_interval: 5,
            max_retries: draft.max_retries,
            expires_at: draft.expires.map(|seconds| scheduled_delivery + SignedDuration::from_secs(seconds)),
            idempotency_key: draft.key.map(|key| format!("key {key}")),
            on_unknown: draft.on_unknown.map(Policy::meant),
            target_user_record: self.record(draft.record),
            ..news(&self.cast.records[0])
        }
    }

    /// The newest first; if there are not so many, one that does not exist.
    fn notification(&self, pick: u8, model: &Model, is_meant: impl Fn(Status) -> bool) -> Uuid {
        let is_meant = |id: &Uuid| model.notifications.get(id).is_some_and(|kept| is_meant(kept.notification.status));
        let meant: Vec<Uuid> = self.made.iter().rev().copied().filter(is_meant).collect();
        match pick.checked_sub(ANY) {
            None if !meant.is_empty() => meant[usize::from(pick) % meant.len()],
            None => self.made.last().copied().unwrap_or_default(),
            Some(pick) => self.made.iter().rev().nth(pick.into()).copied().unwrap_or_default(),
        }
    }

    /// The numbers after the last are of nobody and nothing.
    fn user(&self, pick: u8) -> Uuid {
        self.cast.users.get(usize::from(pick)).map_or(Uuid::nil(), |user| user.id)
    }

    fn record(&self, pick: u8) -> Uuid {
        self.cast.records.get(usize::from(pick)).map_or(Uuid::nil(), |record| record.id)
    }

    fn target(&self, pick: u8) -> Uuid {
        self.cast.targets.get(usize::from(pick)).map_or(Uuid::nil(), |target| target.id)
    }

    fn targets(&self, meant: &Meant) -> Targets {
        let ids = |picks: &[u8]| picks.iter().map(|pick| self.target(*pick)).collect();
        match meant {
            Meant::All => Targets::All,
            Meant::Only(picks) => Targets::Only(ids(picks)),
            Meant::AllBut(picks) => Targets::AllBut(ids(picks)),
        }
    }

    fn claims(&self, which: &[Which], model: &Model) -> Vec<Claim> {
        which.iter().filter_map(|which| self.claimed(which, model)).map(|claimed| claimed.claim).collect()
    }

    /// A claim, with what came with it; `None` if there is none of the kind.
    fn claimed(&self, which: &Which, model: &Model) -> Option<Claimed> {
        let nth = |pick: &u8, all: Vec<&Claimed>| {
            let place = usize::from(*pick) % all.len().max(1);
            all.into_iter().rev().nth(place).cloned()
        };
        let claimed = match which {
            Which::Held(pick) => nth(pick, self.claimed.iter().filter(|claimed| model.holds(&claimed.claim)).collect()),
            Which::Any(pick) | Which::Next(pick) | Which::Foreign(pick) => nth(pick, self.claimed.iter().collect()),
        }?;
        let claim = match which {
            Which::Held(_) | Which::Any(_) => claimed.claim,
            Which::Next(_) => Claim { fence: claimed.claim.fence + 1, ..claimed.claim },
            Which::Foreign(_) => Claim { tenant: Tenant(TENANT.0 + 1), ..claimed.claim },
        };
        // A guess that hits is no guess.
        let is_guess = matches!(which, Which::Next(_)) && model.holds(&claim);
        (!is_guess).then_some(Claimed { claim, ..claimed })
    }

    /// What an engine would write back for an attempt of the last second.
    fn settled(&self, which: &Which, ending: &Ending, model: &Model) -> Option<Settled> {
        let claimed = self.claimed(which, model)?;
        let (outcome, policy) = ending.meant();
        let can_learn_more = matches!(ending, Ending::Accepted);
        let settlement =
            retry::settle(&claimed.notification.standing(), &outcome, &policy, can_learn_more, self.now, 0.0);
        let attempt = Attempt {
            phase: matches!(ending, Ending::Unknown(_)).then_some(Phase::Read),
            log: "It went on.".to_owned(),
            component_digest: Some("sha256:0123".to_owned()),
            ..Attempt::new(claimed.attempt, self.after(-1), self.now, &outcome, ENGINES[0])
        };
        Some(claimed.settled(settlement, attempt))
    }
}

/// A limit that does not fall between two that are due at the same time: nobody promises which of them comes first, and databases differ.
fn without_ties(model: &Model, now: Timestamp, limit: u32, targets: &Targets) -> u32 {
    let due: Vec<Timestamp> =
        model.due(now, targets).into_iter().map(|kept| kept.notification.scheduled_delivery).collect();
    let mut limit = limit as usize;
    while limit > 0 && limit < due.len() && due[limit - 1] == due[limit] {
        limit += 1;
    }
    limit as u32
}

/// An id of version 7, which begins with the time and here ends in a number of its own.
fn id_made_at(now: Timestamp, number: usize) -> Uuid {
    let milliseconds = now.as_millisecond() as u128;
    Uuid::from_u128(milliseconds << 80 | 0x7 << 76 | 0x8 << 60 | number as u128)
}

fn engine(pick: u8) -> Uuid {
    ENGINES[usize::from(pick) % ENGINES.len()]
}

impl Policy {
    fn meant(self) -> OnUnknown {
        match self {
            Policy::Resend => OnUnknown::Resend,
            Policy::Hold => OnUnknown::Hold,
        }
    }
}

impl Ending {
    fn meant(&self) -> (Outcome, RetryPolicy) {
        let receipt = || Receipt { provider_id: "message 7".to_owned(), message: "Taken.".to_owned() };
        let failure = |code: &str| Failure::new(code, "It did not work.");
        let outcome = match self {
            Ending::Delivered => Outcome::Delivered(receipt()),
            Ending::Accepted => Outcome::Accepted(receipt()),
            Ending::Busy { whose, after } => {
                let scope = match whose {
                    Fault::Message => Scope::Message,
                    Fault::Account => Scope::Account,
                    Fault::Configuration => Scope::Configuration,
                };
                Outcome::Retry { after: after.map(Duration::from_secs), scope, reason: failure("busy") }
            }
            Ending::Failed => Outcome::Failed(failure("failed")),
            Ending::Gone => Outcome::InactiveDevice(failure("gone")),
            Ending::Unwanted => Outcome::OptedOut(failure("unwanted")),
            Ending::Unknown(_) => Outcome::Unknown(failure("unknown")),
        };
        let on_unknown = match self {
            Ending::Unknown(policy) => policy.meant(),
            _ => OnUnknown::Resend,
        };
        (outcome, RetryPolicy { on_unknown, ..RetryPolicy::default() })
    }
}
