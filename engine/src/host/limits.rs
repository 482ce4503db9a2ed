//! What one call may use: computing time, memory, calls of the host. Wall-clock time is bounded where the call is made.

use super::stopwatch::{Stopwatch, Turns};
use crate::rules::attempt::Usage;
use crate::rules::budget::{Budget, Limit};
use std::time::Duration;
use wasmtime::{ResourceLimiter, StoreContextMut, UpdateDeadline};

/// How often a computing component is looked at.
pub const TICK: Duration = Duration::from_millis(10);

/// Entries of the table of resources: WASI's streams and pollables.
pub const MOST_RESOURCES: usize = 1024;
/// Handles that the instances of a call have of each other's resources and of the host's.
pub const MOST_HANDLES: usize = 16 * 1024;

/// Counts and bounds a call's memory and computing time.
#[derive(Debug)]
pub struct Meter {
    pub budget: Budget,
    usage: Usage,
    /// What counts the computing time.
    pub stopwatch: Stopwatch,
    turns: Turns,
    /// What had been computed when a turn was taken last.
    before_turn: Duration,
    pub out_of_memory: bool,
    pub out_of_cpu: bool,
}

impl Meter {
    /// A meter for one call.
    pub fn new(budget: Budget, turns: Turns) -> Self {
        Meter {
            budget,
            usage: Usage::default(),
            stopwatch: Stopwatch::default(),
            turns,
            before_turn: Duration::ZERO,
            out_of_memory: false,
            out_of_cpu: false,
        }
    }

    /// Called at every tick at which the component computes: lets others run, or ends it.
    pub fn tick<T>(
        mut store: StoreContextMut<'_, T>,
        meter: fn(&mut T) -> &mut Meter,
    ) -> wasmtime::Result<UpdateDeadline> {
        let meter = meter(store.data_mut());
        let computed = meter.stopwatch.read();
        if computed > meter.budget.time(Limit::Cpu) {
            meter.out_of_cpu = true;
            return Ok(UpdateDeadline::Interrupt);
        }
        if !meter.takes_a_turn(computed) {
            return Ok(UpdateDeadline::Continue(1));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(meter.turns.clone().take(meter.stopwatch.clone()))))
    }

    /// Whether a call that has computed for so long has to take its turn. Ticks pass while it waits too: what a provider takes to answer would
    /// else put it behind all those that compute without end.
    fn takes_a_turn(&mut self, computed: Duration) -> bool {
        let takes = computed.saturating_sub(self.before_turn) >= TICK / 2;
        if takes {
            self.before_turn = computed;
        }
        takes
    }

    /// What the call has used so far; requests are counted elsewhere.
    pub fn usage(&self) -> Usage {
        let cpu_ms = u64::try_from(self.stopwatch.read().as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        Usage { cpu_ms, ..self.usage }
    }

    /// Takes one of the call's mails. Whether there was one left.
    pub fn take_smtp(&mut self) -> bool {
        let left = u64::from(self.usage.smtp) < self.budget.amount(Limit::Mails);
        self.usage.smtp += u32::from(left);
        left
    }

    /// The host keeps so many more bytes for the call, for as long as it lasts. Whether it may have them.
    pub fn keep(&mut self, bytes: usize) -> bool {
        self.grow(0, bytes)
    }

    fn grow(&mut self, current: usize, desired: usize) -> bool {
        let total = self.usage.memory.saturating_add(desired.saturating_sub(current) as u64);
        if total > self.budget.amount(Limit::Memory) {
            self.out_of_memory = true;
            return false;
        }
        self.usage.memory = total;
        true
    }
}

/// Refusing lets `memory.grow` answer -1: what the component makes of that, usually a trap, is then told as its want of memory.
impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let entry = size_of::<usize>();
        Ok(self.grow(current.saturating_mul(entry), desired.saturating_mul(entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_for_those_who_compute() {
        let mut meter = Meter::new(Budget::of(|_| 100), Turns::of_this_machine());
        let took = [1, 4, 5, 6, 9, 10, 20, 24].map(|ms| meter.takes_a_turn(Duration::from_millis(ms)));
        assert_eq!(took, [false, false, true, false, false, true, true, false]);
    }

    #[test]
    fn memory_is_summed() {
        let mut meter = Meter::new(Budget::of(|_| 100), Turns::of_this_machine());
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 60, None).unwrap(), "a second memory counts too");
        assert!(meter.out_of_memory);
        assert!(meter.table_growing(0, 5, None).unwrap());
        assert_eq!(meter.usage.memory, 100);
    }
}
