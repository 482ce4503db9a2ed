//! What may happen, at random: commands that mean something in whatever state they come to, so that a sequence of them stays one when some
//! are left out.

use proptest::prelude::*;

/// Picks of notifications from here on are of any of them, those before of those for which the command is meant.
pub const ANY: u8 = 8;

/// Something that happens. Numbers pick among what there is at that moment, the newest first.
#[derive(Debug, Clone)]
pub enum Command {
    /// So many seconds pass; if negative, the clock is set back.
    Wait(i64),
    Create(Vec<Draft>),
    Claim {
        engine: u8,
        limit: u32,
        targets: Meant,
        lease: i64,
    },
    Preview {
        limit: u32,
        targets: Meant,
    },
    MarkSending(Vec<Which>, Policy),
    Recheck(Vec<Which>),
    Settle(Vec<(Which, Ending)>),
    Release(Vec<Which>),
    /// For how many seconds an engine must have been silent; `None`: all others are dead.
    Rescue {
        engine: u8,
        silent: Option<i64>,
    },
    Heartbeat(u8),
    EngineStopped(u8),
    Cancel(u8),
    Retry(u8),
    Resolve {
        notification: u8,
        delivered: bool,
    },
    Remove(u8),
    /// What ended so many seconds ago.
    Purge {
        age: i64,
        limit: u32,
    },
    OptOut(u8),
    OptIn(u8),
    SwitchOff(u8),
    SwitchOn(u8),
    Pause(u8),
    Resume(u8),
    SlowDown {
        target: u8,
        seconds: i64,
    },
    CountFault(u8),
    ForgetFaults(u8),
}

/// A notification to be made. Times are seconds, from now and from then.
#[derive(Debug, Clone)]
pub struct Draft {
    pub record: u8,
    pub due: i64,
    pub expires: Option<i64>,
    pub on_unknown: Option<Policy>,
    pub max_retries: u32,
    pub key: Option<u8>,
}

/// What to do if an outcome stays unknown.
#[derive(Debug, Clone, Copy)]
pub enum Policy {
    Resend,
    Hold,
}

/// Which targets are meant.
#[derive(Debug, Clone)]
pub enum Meant {
    All,
    Only(Vec<u8>),
    AllBut(Vec<u8>),
}

/// Which claim is shown.
#[derive(Debug, Clone)]
pub enum Which {
    /// One that is valid.
    Held(u8),
    /// One of all that there have been; most have ended.
    Any(u8),
    /// The number of the claim after one that there has been.
    Next(u8),
    /// One that there has been, as if it were another tenant's.
    Foreign(u8),
}

/// How an attempt ends.
#[derive(Debug, Clone)]
pub enum Ending {
    Delivered,
    /// By a component that can learn more.
    Accepted,
    Busy {
        whose: Fault,
        after: Option<u64>,
    },
    Failed,
    Gone,
    Unwanted,
    Unknown(Policy),
}

/// Whom a fault concerns.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    Message,
    Account,
    Configuration,
}

/// Sequences of at most so many commands and stories. Each begins with something to work on.
pub fn commands(most: usize) -> impl Strategy<Value = Vec<Command>> {
    let begin = prop::collection::vec(draft(), 1..5).prop_map(|drafts| vec![Command::Create(drafts)]);
    let happens = prop_oneof![20 => command().prop_map(|command| vec![command]), 4 => story(), 1 => poison()];
    (begin, prop::collection::vec(happens, 1..most)).prop_map(|(begin, then)| [begin, then.concat()].concat())
}

/// Commands that seldom come one after the other by themselves: something is claimed, something comes between, and then it is dealt with. When
/// a sequence is made shorter, a story loses its parts.
fn story() -> impl Strategy<Value = Vec<Command>> {
    let between = prop_oneof![
        3 => mark_sending(),
        2 => user().prop_map(Command::OptOut),
        2 => pick().prop_map(Command::Cancel),
        1 => record().prop_map(Command::SwitchOff),
        2 => (20..=60_i64).prop_map(Command::Wait),
    ];
    let end = prop_oneof![2 => settle(), 1 => recheck(), 1 => release(), 3 => rescue()];
    told((claim(), between, end))
}

/// Three engines die over what they send.
fn poison() -> impl Strategy<Value = Vec<Command>> {
    let claim = || Just(Command::Claim { engine: 0, limit: 1, targets: Meant::All, lease: 1 });
    let mark = || Just(Command::MarkSending(vec![Which::Held(0)], Policy::Resend));
    let rescue = || Just(Command::Rescue { engine: 1, silent: None });
    let death = || told((claim(), mark(), rescue()));
    (death(), death(), death()).prop_map(|(one, two, three)| [one, two, three].concat())
}

/// Almost always all of a story.
fn told(
    (one, two, three): (impl Strategy<Value = Command>, impl Strategy<Value = Command>, impl Strategy<Value = Command>),
) -> impl Strategy<Value = Vec<Command>> {
    let is_told = || prop::bool::weighted(0.95);
    ((one, is_told()), (two, is_told()), (three, is_told())).prop_map(|(one, two, three)| {
        [one, two, three].into_iter().filter(|(_, is_told)| *is_told).map(|(command, _)| command).collect()
    })
}

/// What undoes something is more frequent than what does it: otherwise everything soon stands still.
fn command() -> impl Strategy<Value = Command> {
    let engines_do = prop_oneof![
        5 => prop_oneof![6 => 0..=30_i64, 1 => 30..=200_i64, 1 => -60..0_i64].prop_map(Command::Wait),
        8 => prop::collection::vec(draft(), 1..3).prop_map(Command::Create),
        14 => claim(),
        1 => (1..=5_u32, meant()).prop_map(|(limit, targets)| Command::Preview { limit, targets }),
        10 => settle(),
        4 => mark_sending(),
        4 => recheck(),
        3 => release(),
        6 => rescue(),
        3 => engine().prop_map(Command::Heartbeat),
        1 => engine().prop_map(Command::EngineStopped),
    ];
    let people_do = prop_oneof![
        4 => pick().prop_map(Command::Cancel),
        6 => pick().prop_map(Command::Retry),
        4 => (pick(), any::<bool>()).prop_map(|(notification, delivered)| Command::Resolve { notification, delivered }),
        1 => pick().prop_map(Command::Remove),
        3 => (0..=30_i64, 1..=5_u32).prop_map(|(age, limit)| Command::Purge { age, limit }),
        2 => user().prop_map(Command::OptOut),
        6 => user().prop_map(Command::OptIn),
        2 => record().prop_map(Command::SwitchOff),
        7 => record().prop_map(Command::SwitchOn),
        1 => target().prop_map(Command::Pause),
        5 => target().prop_map(Command::Resume),
        1 => (target(), -10..=60_i64).prop_map(|(target, seconds)| Command::SlowDown { target, seconds }),
        1 => target().prop_map(Command::CountFault),
        1 => target().prop_map(Command::ForgetFaults),
    ];
    prop_oneof![3 => engines_do, 1 => people_do]
}

fn claim() -> impl Strategy<Value = Command> {
    (engine(), 1..=5_u32, meant(), 1..=60_i64).prop_map(|(engine, limit, targets, lease)| Command::Claim {
        engine,
        limit,
        targets,
        lease,
    })
}

fn settle() -> impl Strategy<Value = Command> {
    prop::collection::vec((which(), ending()), 1..3).prop_map(Command::Settle)
}

fn mark_sending() -> impl Strategy<Value = Command> {
    (some_claims(), policy()).prop_map(|(claims, policy)| Command::MarkSending(claims, policy))
}

fn recheck() -> impl Strategy<Value = Command> {
    some_claims().prop_map(Command::Recheck)
}

fn release() -> impl Strategy<Value = Command> {
    some_claims().prop_map(Command::Release)
}

fn rescue() -> impl Strategy<Value = Command> {
    (engine(), prop::option::of(0..=60_i64)).prop_map(|(engine, silent)| Command::Rescue { engine, silent })
}

fn draft() -> impl Strategy<Value = Draft> {
    let expires = prop_oneof![3 => Just(None), 1 => (0..=40_i64).prop_map(Some)];
    let due = prop_oneof![3 => -30..=0_i64, 1 => 0..=30_i64];
    let key = prop_oneof![5 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    (record(), due, expires, prop::option::of(policy()), 0..=3_u32, key).prop_map(
        |(record, due, expires, on_unknown, max_retries, key)| Draft {
            record,
            due,
            expires,
            on_unknown,
            max_retries,
            key,
        },
    )
}

fn ending() -> impl Strategy<Value = Ending> {
    let fault = prop_oneof![4 => Just(Fault::Message), 1 => Just(Fault::Account), 1 => Just(Fault::Configuration)];
    prop_oneof![
        3 => Just(Ending::Delivered),
        1 => Just(Ending::Accepted),
        4 => (fault, prop::option::of(0..=30_u64)).prop_map(|(whose, after)| Ending::Busy { whose, after }),
        1 => Just(Ending::Failed),
        1 => Just(Ending::Gone),
        1 => Just(Ending::Unwanted),
        3 => policy().prop_map(Ending::Unknown),
    ]
}

fn some_claims() -> impl Strategy<Value = Vec<Which>> {
    prop::collection::vec(which(), 1..3)
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        16 => few().prop_map(Which::Held),
        4 => pick().prop_map(Which::Any),
        1 => pick().prop_map(Which::Next),
        1 => pick().prop_map(Which::Foreign),
    ]
}

fn meant() -> impl Strategy<Value = Meant> {
    let targets = || prop::collection::vec(target(), 0..2);
    prop_oneof![6 => Just(Meant::All), 1 => targets().prop_map(Meant::Only), 1 => targets().prop_map(Meant::AllBut)]
}

fn policy() -> impl Strategy<Value = Policy> {
    prop_oneof![Just(Policy::Resend), Just(Policy::Hold)]
}

fn engine() -> impl Strategy<Value = u8> {
    0..3_u8
}

/// There are two; seldom it is another one, who does not exist.
fn user() -> impl Strategy<Value = u8> {
    prop_oneof![30 => 0..2_u8, 1 => Just(2)]
}

/// There are three; seldom it is another one, which does not exist.
fn record() -> impl Strategy<Value = u8> {
    prop_oneof![50 => 0..3_u8, 1 => Just(3)]
}

/// There are three, two of them with records; seldom it is another one, which does not exist.
fn target() -> impl Strategy<Value = u8> {
    prop_oneof![30 => 0..2_u8, 1 => 2..4_u8]
}

/// One of a few, so that the same one is often meant again.
fn few() -> impl Strategy<Value = u8> {
    0..4_u8
}

/// From `ANY` on it does not matter whether the command fits.
fn pick() -> impl Strategy<Value = u8> {
    prop_oneof![9 => 0..ANY, 2 => ANY..ANY + 12]
}
