//! What one call has to do with others outside: what it may, and what has become of it. Its doors share this with those of its requests that go
//! on beside it (`wasi:http`), which may be under way when it ends.

use super::bindings::phases::Phase;
use super::call::{Batch, Powers};
use super::log::{CallLog, cut};
use crate::rules::attempt;
use crate::rules::budget::{Budget, Limit};
use crate::rules::grants::Call;
use crate::rules::origin::Origin;
use crate::rules::spelling::shown;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many of the largest bodies the requests of one call may hold at once, as one after another is all that `http.send` can hold.
const MOST_HELD: usize = 3;

/// How many of the largest answers a call may hold that it has not read yet: as many requests may be under way (`wasi:http`) as it may send.
const MOST_UNREAD: usize = 8;

/// In how many parts the answers of one call may come together: each takes some time, however little is in it.
pub const MOST_PARTS: u32 = 1 << 16;

/// The longest refusal that is kept, in bytes: the longest sentence with the longest URL.
const LONGEST_DENIAL: usize = 12 * 1024;

/// What is said of sockets, which are nobody's.
pub const NO_SOCKETS: &str = "Sockets are refused to every component: what leaves goes through `http` or `smtp` of the contract, or through `wasi:http`.";

/// What is said to who asks for secrets where there are none.
pub const NO_SECRETS: &str = "There are no secrets in this call; they are there in `send-notifications`.";

/// One call's dealings with others.
pub struct Exchanges {
    pub kind: Call,
    pub powers: Arc<Powers>,
    /// The ids of the notifications that this call is about.
    pub batch: Vec<String>,
    /// The origins of the addresses of those notifications.
    pub records: Vec<Origin>,
    pub log: CallLog,
    pub budget: Budget,
    deadline: Instant,
    done: Mutex<Done>,
}

#[derive(Default)]
struct Done {
    requests: u32,
    /// Parts in which answers came.
    parts: u32,
    /// Bytes of requests' bodies, and of answers that the component has not read.
    held: usize,
    unread: usize,
    /// Those whose bytes may be with a provider, and by how many exchanges.
    left: BTreeMap<String, u32>,
    denied: Option<String>,
    /// What was said of the last thing that it has looked for where it is not.
    missed: Option<&'static str>,
    broken_at: Option<attempt::Phase>,
    is_over: bool,
    /// How many of its exchanges wait for those of other targets, since when one does, and how long one did before.
    queueing: u32,
    queueing_since: Option<Instant>,
    queued: Duration,
}

/// What is known when a call is over.
pub struct Ended {
    /// The notifications whose bytes may be with a provider.
    pub left: BTreeSet<String>,
    /// The first refusal.
    pub denied: Option<String>,
    /// How far the last exchange with a provider got, if it broke.
    pub broken_at: Option<attempt::Phase>,
    /// How many HTTP requests it sent.
    pub requests: u32,
    /// For how long it waited for other targets, which is not its own doing.
    pub queued: Duration,
}

impl Exchanges {
    /// The dealings of a call that begins now.
    pub fn new(kind: Call, powers: Arc<Powers>, batch: Batch, log: CallLog, budget: Budget) -> Self {
        let deadline = Instant::now() + budget.time(Limit::Wall);
        let Batch { ids: batch, records } = batch;
        Exchanges { kind, powers, batch, records, log, budget, deadline, done: Mutex::default() }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is left of the call's time.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Takes one of the call's HTTP requests. Whether there was one left.
    pub fn take_request(&self) -> bool {
        let mut done = self.done();
        let left = u64::from(done.requests) < self.budget.amount(Limit::HttpRequests);
        done.requests += u32::from(left);
        left
    }

    /// Another part of an answer has come. Whether it may.
    pub fn take_part(&self) -> bool {
        let mut done = self.done();
        let left = done.parts < MOST_PARTS;
        done.parts += u32::from(left);
        left
    }

    /// Something was refused: whoever looks at the notification is told, whatever the component makes of it.
    pub fn denies(&self, why: &str) {
        // What it quotes is the component's; it is kept with each notification of the batch.
        let why = cut(why, LONGEST_DENIAL);
        self.log.add("warn", why);
        // It is looked through for secrets when the call is over, as the log is.
        self.done().denied.get_or_insert_with(|| why.to_owned());
    }

    /// The component looks for something where it is not. That is told less than all that was refused: a library of its may have tried something first.
    pub fn misses(&self, what: &'static str) {
        if self.done().missed.replace(what) != Some(what) {
            self.log.add("warn", what);
        }
    }

    /// One of its exchanges waits for those of other targets, until this is dropped.
    pub fn queues(&self) -> Queueing<'_> {
        let mut done = self.done();
        done.queueing += 1;
        done.queueing_since.get_or_insert_with(Instant::now);
        Queueing(self)
    }

    /// These notifications are about to leave, with one exchange. Not if the call is over: then nothing must leave.
    #[must_use]
    pub fn leaves(&self, notifications: &[String]) -> bool {
        let mut done = self.done();
        if done.is_over {
            return false;
        }
        for id in notifications {
            *done.left.entry(id.clone()).or_default() += 1;
        }
        true
    }

    /// With that exchange they certainly did not leave after all; with another they may have.
    pub fn stayed(&self, notifications: &[String]) {
        let mut done = self.done();
        for id in notifications {
            if let Some(by) = done.left.get_mut(id) {
                *by = by.saturating_sub(1);
            }
        }
        done.left.retain(|_, by| *by > 0);
    }

    /// An exchange broke at this phase.
    pub fn broke(&self, phase: Phase) {
        self.done().broken_at = Some(match phase {
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

    /// The call is over: nothing leaves any more, and what is known is given away.
    pub fn end(&self) -> Ended {
        let mut done = self.done();
        done.is_over = true;
        // What it quotes is the component's; it is kept with each notification of the batch.
        let redact = |why: String| shown(cut(&self.powers.redactor.text(&why), LONGEST_DENIAL));
        let denied = done.denied.take().map(redact);
        Ended {
            left: std::mem::take(&mut done.left).into_keys().collect(),
            denied: denied.or_else(|| done.missed.map(str::to_owned)),
            broken_at: done.broken_at,
            requests: done.requests,
            queued: done.queued + done.queueing_since.map_or(Duration::ZERO, |since| since.elapsed()),
        }
    }
}

/// A wait for the exchanges of others. Several at once count once.
pub struct Queueing<'a>(&'a Exchanges);

impl Drop for Queueing<'_> {
    fn drop(&mut self) {
        let mut done = self.0.done();
        done.queueing -= 1;
        if done.queueing == 0
            && let Some(since) = done.queueing_since.take()
        {
            done.queued += since.elapsed();
        }
    }
}

/// The bytes of one body, as long as they are held.
pub struct Held {
    of: Arc<Exchanges>,
    what: What,
    bytes: usize,
}

/// Of what a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Request,
    Answer,
}

impl Held {
    /// Nothing yet.
    pub fn by(of: &Arc<Exchanges>, what: What) -> Self {
        Held { of: of.clone(), what, bytes: 0 }
    }

    /// So many more. Whether the call may hold them.
    pub fn add(&mut self, bytes: usize) -> bool {
        let (mut done, budget) = (self.of.done(), &self.of.budget);
        let (held, most) = match self.what {
            What::Request => (&mut done.held, MOST_HELD * budget.bytes(Limit::Request)),
            What::Answer => (&mut done.unread, MOST_UNREAD * budget.bytes(Limit::Answer)),
        };
        let fits = *held + bytes <= most;
        if fits {
            *held += bytes;
            self.bytes += bytes;
        }
        fits
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut done = self.of.done();
        match self.what {
            What::Request => done.held -= self.bytes,
            What::Answer => done.unread -= self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Redactor;

    fn exchanges(kind: Call) -> Arc<Exchanges> {
        let budget = Budget::of(|_| 100);
        let log = CallLog::new(&Redactor::default(), &budget);
        Arc::new(Exchanges::new(kind, Arc::default(), Batch::default(), log, budget))
    }

    #[test]
    fn nothing_leaves_when_the_call_is_over() {
        let ids = ["a".to_owned(), "b".to_owned()];
        let exchanges = exchanges(Call::Send);
        // The one that leaves first fails last: what another has taken meanwhile, it has.
        assert!(exchanges.leaves(&ids) && exchanges.leaves(&ids[..1]));
        exchanges.stayed(&ids);
        assert_eq!(exchanges.end().left, [ids[0].clone()].into());
        assert!(!exchanges.leaves(&ids));
        assert!(exchanges.end().left.is_empty());
    }

    #[test]
    fn a_refusal_is_kept_short_and_on_one_line() {
        let exchanges = exchanges(Call::Send);
        exchanges.denies(&format!("one\ntwo {}", "A".repeat(15_000_000)));
        let denied = exchanges.end().denied.unwrap();
        assert!(denied.len() <= LONGEST_DENIAL + 100 && denied.starts_with("one\\ntwo A"), "{}", denied.len());
    }

    #[test]
    fn waits_for_others_at_once_count_once() {
        let exchanges = exchanges(Call::Send);
        let wait = Duration::from_millis(20);
        let began = Instant::now();
        let both = [exchanges.queues(), exchanges.queues()];
        std::thread::sleep(wait);
        drop(both);
        let between = began.elapsed();
        std::thread::sleep(wait);
        let _still = exchanges.queues();
        let queued = exchanges.end().queued;
        assert!(queued >= wait && queued < between + wait, "{queued:?} of {:?}", began.elapsed());
    }

    #[test]
    fn bodies_are_held_together() {
        let exchanges = exchanges(Call::Send);
        let (mut one, mut other) = (Held::by(&exchanges, What::Request), Held::by(&exchanges, What::Request));
        assert!(one.add(299) && other.add(1) && !other.add(1));
        drop(one);
        assert!(other.add(299) && !other.add(1));
        drop(other);
        assert_eq!(exchanges.done().held, 0);
        let mut answer = Held::by(&exchanges, What::Answer);
        assert!(answer.add(800) && !answer.add(1) && Held::by(&exchanges, What::Request).add(300));
    }
}
