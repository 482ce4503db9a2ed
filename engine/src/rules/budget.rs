//! What one call of a component may use: the operator says it for all, or for one target; a tenant may say less.
//!
//! The same decision bounds the running call and is what `engine target inspect` shows.

use super::limits::Invalid;
use super::quantities::{parse_duration, parse_size};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Time in which the component computes.
    Cpu,
    /// Time that the call takes, waiting included.
    Wall,
    /// Memory, summed over all memories and tables of the instance.
    Memory,
    /// HTTP requests, however many notifications the call is about.
    HttpRequests,
    /// Mails, likewise.
    Mails,
    /// The body of an HTTP request.
    Request,
    /// The body of an HTTP answer, unpacked.
    Answer,
    /// Time for connecting to an HTTP server.
    HttpConnect,
    /// Time for a whole HTTP exchange.
    HttpTime,
    /// What the component may answer with: all texts of a result together; a creator as much for each record.
    Result,
    /// What the component may say in its log.
    Log,
    /// In how many lines.
    LogLines,
}

/// How many limits there are.
pub const LIMITS: usize = 12;

/// In what a limit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Bytes,
    Pieces,
}

impl Limit {
    /// All of them, as they are listed.
    pub const ALL: [Limit; LIMITS] = [
        Limit::Cpu,
        Limit::Wall,
        Limit::Memory,
        Limit::HttpRequests,
        Limit::Mails,
        Limit::Request,
        Limit::Answer,
        Limit::HttpConnect,
        Limit::HttpTime,
        Limit::Result,
        Limit::Log,
        Limit::LogLines,
    ];

    /// As it is written, in settings and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Limit::Cpu => "cpu",
            Limit::Wall => "wall",
            Limit::Memory => "memory",
            Limit::HttpRequests => "http_requests",
            Limit::Mails => "mails",
            Limit::Request => "request",
            Limit::Answer => "answer",
            Limit::HttpConnect => "http_connect",
            Limit::HttpTime => "http_time",
            Limit::Result => "result",
            Limit::Log => "log",
            Limit::LogLines => "log_lines",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Limit> {
        Limit::ALL.into_iter().find(|limit| limit.name() == name)
    }

    const fn unit(self) -> Unit {
        match self {
            Limit::Cpu | Limit::Wall | Limit::HttpConnect | Limit::HttpTime => Unit::Milliseconds,
            Limit::Memory | Limit::Request | Limit::Answer | Limit::Result | Limit::Log => Unit::Bytes,
            Limit::HttpRequests | Limit::Mails | Limit::LogLines => Unit::Pieces,
        }
    }

    /// The least and the most that anybody can say. The most that a call may take is far below what a claim is good for (an hour).
    const fn range(self) -> (u64, u64) {
        match self {
            Limit::Cpu => (1, 600_000),
            Limit::Wall => (1, 600_000),
            Limit::Memory => (1 << 20, 4 << 30),
            Limit::HttpRequests | Limit::Mails => (0, 1000),
            Limit::Request | Limit::Answer => (0, 64 << 20),
            Limit::HttpConnect | Limit::HttpTime => (1, 600_000),
            Limit::Result => (1 << 10, 16 << 20),
            Limit::Log => (0, 64 << 10),
            Limit::LogLines => (0, 10_000),
        }
    }

    /// Reads an amount as people write it: `200ms`, `32MiB`, `4`. The error is the end of a sentence.
    pub fn read(self, text: &str) -> Result<u64, String> {
        let has_no_unit = text.trim().parse::<u64>().is_ok();
        let amount = match self.unit() {
            Unit::Milliseconds => parse_duration(text).map(milliseconds)?,
            Unit::Bytes => parse_size(text)?,
            Unit::Pieces => text.trim().parse().map_err(|_| format!("\"{text}\" is not a whole number"))?,
        };
        self.check(amount).map_err(|why| match self.unit() {
            Unit::Bytes if has_no_unit => {
                format!("{why}: a number alone means bytes, and KiB, MiB and GiB are written behind it")
            }
            Unit::Bytes | Unit::Milliseconds | Unit::Pieces => why,
        })
    }

    /// Whether an amount can be meant at all. The error is the end of a sentence.
    pub fn check(self, amount: u64) -> Result<u64, String> {
        let (least, most) = self.range();
        if (least..=most).contains(&amount) {
            return Ok(amount);
        }
        Err(format!(
            "it must be between {} and {}, and {} is not",
            self.show(least),
            self.show(most),
            self.show(amount)
        ))
    }

    /// An amount as people read it.
    pub fn show(self, amount: u64) -> String {
        match self.unit() {
            Unit::Milliseconds if amount > 0 && amount.is_multiple_of(1000) => format!("{}s", amount / 1000),
            Unit::Milliseconds => format!("{amount}ms"),
            Unit::Bytes if amount > 0 && amount.is_multiple_of(1 << 30) => format!("{}GiB", amount >> 30),
            Unit::Bytes if amount > 0 && amount.is_multiple_of(1 << 20) => format!("{}MiB", amount >> 20),
            Unit::Bytes if amount > 0 && amount.is_multiple_of(1 << 10) => format!("{}KiB", amount >> 10),
            Unit::Bytes | Unit::Pieces => amount.to_string(),
        }
    }
}

/// A duration as limits count it.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What is said about some of the limits, in milliseconds, bytes or pieces.
pub type Said = BTreeMap<Limit, u64>;

/// Who has set a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetBy {
    /// The operator, for all targets: `[sandbox]`.
    Operator,
    /// The operator, for this target: `[target.NAME] limits`.
    OperatorForTarget,
    /// The tenant: `engine target limit`.
    Tenant,
}

impl SetBy {
    /// Where to look for it.
    pub const fn words(self) -> &'static str {
        match self {
            SetBy::Operator => "[sandbox]",
            SetBy::OperatorForTarget => "[target] limits",
            SetBy::Tenant => "target limit",
        }
    }
}

/// Where a limit is said, for the sentence that tells of it. `limits` are those that hold for the target; without them the operator's for all do.
pub fn said_where(limits: Option<&[InForce; LIMITS]>, limit: Limit) -> String {
    let name = limit.name();
    match limits.map(|limits| limits[limit as usize].set_by) {
        Some(SetBy::Tenant) => format!("`{name}` by `engine target limit`"),
        Some(SetBy::OperatorForTarget) => format!("`{name}` in the target's own `limits`"),
        Some(SetBy::Operator) | None => format!("`[sandbox] {name}`"),
    }
}

/// A limit as it holds, and through whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InForce {
    pub limit: Limit,
    /// Milliseconds, bytes or pieces.
    pub amount: u64,
    pub set_by: SetBy,
}

/// What holds for a target: what the operator says of it, or else of all; less, if its tenant says less.
pub fn in_force(of_all: &Budget, of_target: &Said, of_tenant: &Said) -> [InForce; LIMITS] {
    Limit::ALL.map(|limit| {
        let (most, by) = match of_target.get(&limit) {
            Some(most) => (*most, SetBy::OperatorForTarget),
            None => (of_all.amount(limit), SetBy::Operator),
        };
        match of_tenant.get(&limit) {
            Some(less) if *less < most => InForce { limit, amount: *less, set_by: SetBy::Tenant },
            Some(_) | None => InForce { limit, amount: most, set_by: by },
        }
    })
}

/// Refuses what a tenant may not say: more than the operator allows.
pub fn check_tenant(of_all: &Budget, of_target: &Said, wanted: &Said) -> Result<(), Invalid> {
    for InForce { limit, amount: most, set_by } in in_force(of_all, of_target, &Said::new()) {
        if wanted.get(&limit).is_some_and(|amount| *amount > most) {
            let name = limit.name();
            let sentence = format!(
                "`{name}` is at most {} for this target, as the operator has it in {}, and {} is more: say less, or ask the operator.",
                limit.show(most),
                set_by.words(),
                limit.show(wanted.get(&limit).copied().unwrap_or_default())
            );
            return Err(Invalid::new("limit", sentence));
        }
    }
    Ok(())
}

/// What one call may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget([u64; LIMITS]);

impl Budget {
    /// A budget in which each limit is what `amount` says.
    pub fn of(amount: impl Fn(Limit) -> u64) -> Budget {
        Budget(Limit::ALL.map(amount))
    }

    /// What holds, for a call.
    pub fn from_decision(in_force: &[InForce; LIMITS]) -> Budget {
        Budget(in_force.map(|decided| decided.amount))
    }

    /// A limit, in milliseconds, bytes or pieces.
    pub fn amount(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    /// A limit on time.
    pub fn time(&self, limit: Limit) -> Duration {
        Duration::from_millis(self.amount(limit))
    }

    /// A limit on bytes.
    pub fn bytes(&self, limit: Limit) -> usize {
        usize::try_from(self.amount(limit)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &[(&str, &str)]) -> Said {
        text.iter()
            .map(|(name, amount)| {
                let limit = Limit::named(name).unwrap();
                (limit, limit.read(amount).unwrap())
            })
            .collect()
    }

    /// cpu 500ms, memory 64MiB, 32 requests; the rest as much as there can be.
    fn of_all() -> Budget {
        Budget::of(|limit| match limit {
            Limit::Cpu => 500,
            Limit::Memory => 64 << 20,
            Limit::HttpRequests => 32,
            other => other.range().1,
        })
    }

    #[test]
    fn the_operator_says_how_much_and_the_tenant_may_say_less() {
        let (operator, target, tenant) = (SetBy::Operator, SetBy::OperatorForTarget, SetBy::Tenant);
        for (of_target, of_tenant, limit, amount, set_by) in [
            (&[][..], &[][..], Limit::Cpu, 500, operator),
            (&[("cpu", "2s")], &[], Limit::Cpu, 2000, target),
            (&[("cpu", "100ms")], &[], Limit::Cpu, 100, target),
            (&[], &[("cpu", "200ms")], Limit::Cpu, 200, tenant),
            (&[("cpu", "2s")], &[("cpu", "1s")], Limit::Cpu, 1000, tenant),
            // It was less when it was said; then the operator has lowered it.
            (&[("cpu", "100ms")], &[("cpu", "200ms")], Limit::Cpu, 100, target),
            (&[], &[("cpu", "1s")], Limit::Cpu, 500, operator),
            (&[], &[("cpu", "500ms")], Limit::Cpu, 500, operator),
            (&[("memory", "256MiB")], &[("http_requests", "0")], Limit::Memory, 256 << 20, target),
            (&[("memory", "256MiB")], &[("http_requests", "0")], Limit::HttpRequests, 0, tenant),
        ] {
            let decided = in_force(&of_all(), &said(of_target), &said(of_tenant));
            let found = decided.into_iter().find(|decided| decided.limit == limit).unwrap();
            assert_eq!(found, InForce { limit, amount, set_by }, "{of_target:?} {of_tenant:?}");
            assert_eq!(Budget::from_decision(&decided).amount(limit), amount);
        }
    }

    #[test]
    fn a_tenant_cannot_say_more() {
        let raised = said(&[("memory", "256MiB")]);
        assert!(check_tenant(&of_all(), &Said::new(), &said(&[("cpu", "500ms"), ("memory", "1MiB")])).is_ok());
        assert!(check_tenant(&of_all(), &raised, &said(&[("memory", "256MiB")])).is_ok());
        let refusal = check_tenant(&of_all(), &Said::new(), &said(&[("cpu", "501ms")])).unwrap_err();
        assert!(refusal.sentence.starts_with("`cpu` is at most 500ms"), "{}", refusal.sentence);
        assert!(check_tenant(&of_all(), &raised, &said(&[("memory", "257MiB")])).is_err());
    }

    #[test]
    fn amounts_are_read_and_shown_alike() {
        for (limit, text, amount) in [
            (Limit::Cpu, "200ms", 200),
            (Limit::Wall, "30s", 30_000),
            (Limit::Memory, "64MiB", 64 << 20),
            (Limit::Memory, "2GiB", 2 << 30),
            (Limit::Answer, "100KiB", 100 << 10),
            (Limit::Log, "7", 7),
            (Limit::Mails, "0", 0),
        ] {
            assert_eq!((limit.read(text), limit.show(amount).as_str()), (Ok(amount), text));
        }
        for (limit, text, part) in [
            (Limit::Cpu, "0ms", "between 1ms and 600s"),
            (Limit::Wall, "2h", "between 1ms"),
            (Limit::Memory, "1KiB", "between 1MiB"),
            (Limit::HttpRequests, "many", "not a whole number"),
            (Limit::Log, "1MiB", "between 0 and 64KiB"),
            (Limit::Answer, "big", "not a size"),
        ] {
            assert!(limit.read(text).unwrap_err().contains(part), "{text}: {:?}", limit.read(text));
        }
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!((Limit::named(limit.name()), limit as usize), (Some(limit), place));
        }
    }
}
