//! Claims that wait until their target is ready to be called. Its component may have to be compiled, which can take a minute; all others are
//! delivered meanwhile.

use super::Deliverer;
use super::lanes::Terms;
use crate::host::{ModuleError, Ready};
use crate::rules::target::Target;
use crate::rules::tenant::Tenant;
use crate::store::Claimed;
use crate::targets::{self, Unready};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::{self, JoinError, JoinSet};
use uuid::Uuid;

/// The targets that are being made ready, with what was claimed for them.
#[derive(Default)]
pub(super) struct Preparing {
    tasks: JoinSet<Result<Arc<Ready>, Unready>>,
    waiting: HashMap<task::Id, (Arc<Target>, Vec<Claimed>, Terms)>,
    /// Those that have ended.
    ready: Vec<Prepared>,
    /// How often in a row the machine had nothing to make a target ready with.
    troubles: HashMap<Uuid, u32>,
}

/// How often that is tried before a person is told; each time takes some seconds.
const MOST_TROUBLES: u32 = 20;

/// A target that was made ready, or why it was not.
pub(super) struct Prepared {
    pub target: Arc<Target>,
    pub claimed: Vec<Claimed>,
    pub terms: Terms,
    pub ready: Result<Arc<Ready>, Unready>,
}

impl Preparing {
    /// Makes a target ready, for which nothing is claimed until it is.
    pub(super) fn begin(&mut self, deliverer: &Deliverer, target: Arc<Target>, claimed: Vec<Claimed>, terms: Terms) {
        let Deliverer { store, catalog, .. } = deliverer.clone();
        let wanted = target.clone();
        let task = self.tasks.spawn(async move { targets::ready(&store, &catalog, Tenant::DEFAULT, &wanted).await });
        self.waiting.insert(task.id(), (target, claimed, terms));
    }

    /// Waits until one has ended; for ever if there is none.
    pub(super) async fn one_ready(&mut self) {
        if !self.ready.is_empty() {
            return;
        }
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.keep(ended),
            None => std::future::pending().await,
        }
    }

    /// One that has ended, if there is any.
    pub(super) fn next_ready(&mut self) -> Option<Prepared> {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.keep(ended);
        }
        self.ready.pop()
    }

    fn keep(&mut self, ended: Result<(task::Id, Result<Arc<Ready>, Unready>), JoinError>) {
        let (id, ready) = ended.unwrap_or_else(|error| {
            // A panic, which nothing there is known to do.
            let why = format!("The target could not be made ready ({error}); tell who wrote the engine.");
            (error.id(), Err(Unready::Module(ModuleError(why))))
        });
        if let Some((target, claimed, terms)) = self.waiting.remove(&id) {
            if !matches!(ready, Err(Unready::Trouble(_))) {
                self.troubles.remove(&target.id);
            }
            self.ready.push(Prepared { target, claimed, terms, ready });
        }
    }

    /// Once more there was nothing to make this target ready with. Whether to try again.
    pub(super) fn is_to_be_tried_again(&mut self, target: Uuid) -> bool {
        let times = self.troubles.entry(target).or_default();
        *times += 1;
        *times < MOST_TROUBLES
    }

    /// The targets for which nothing more is to be claimed yet.
    pub(super) fn targets(&self) -> impl Iterator<Item = Uuid> {
        self.waiting.values().map(|(target, _, _)| target.id)
    }

    /// How many notifications wait.
    pub(super) fn claims(&self) -> usize {
        let waiting = self.waiting.values().map(|(_, claimed, _)| claimed.len()).sum::<usize>();
        waiting + self.ready.iter().map(|prepared| prepared.claimed.len()).sum::<usize>()
    }

    /// How many bytes they take.
    pub(super) fn memory(&self) -> usize {
        let waiting = self.waiting.values().flat_map(|(_, claimed, _)| claimed);
        let ready = self.ready.iter().flat_map(|prepared| &prepared.claimed);
        waiting.chain(ready).map(Claimed::memory).sum()
    }

    /// Takes claims out again whose lease could end before their target is ready.
    pub(super) fn take_late(&mut self, deliverer: &Deliverer) -> Vec<Claimed> {
        let late = |(_, claimed, terms): &mut (Arc<Target>, Vec<Claimed>, Terms)| {
            if deliverer.is_too_late(terms.lease_until) { std::mem::take(claimed) } else { Vec::new() }
        };
        self.waiting.values_mut().flat_map(late).collect()
    }

    /// Ends all of it; what had been claimed.
    pub(super) fn end(&mut self) -> Vec<Claimed> {
        self.tasks.abort_all();
        let ready = self.ready.drain(..).map(|prepared| prepared.claimed);
        let waiting = self.waiting.drain().map(|(_, (_, claimed, _))| claimed);
        ready.chain(waiting).flatten().collect()
    }
}
