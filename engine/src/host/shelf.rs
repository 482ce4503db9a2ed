//! The installed components that are loaded, and the targets that are ready: as many as there is room for. What was not used for longest goes, and is
//! loaded anew when it is needed; what is in use stays until its last call has ended, and others wait for its room.

use super::catalog::Ready;
use super::module::Module;
use super::modules::ModuleError;
use crate::rules::tenant::Tenant;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

/// In what the room is counted.
const PAGE: usize = 4096;
/// How many components are read at once, and how many compiled: each of them is held until there is room for it. Those that were compiled before do not wait for
/// the others.
const READ_AT_ONCE: usize = 8;
const COMPILED_AT_ONCE: usize = 2;
/// How often who waits for room lets one more target go.
const AGAIN: Duration = Duration::from_millis(20);
/// How many targets are kept ready; each has connections of its own.
const MOST_TARGETS: usize = 1000;
/// How many bytes may be taken by what cuts their secrets out of texts; a target with large ones has some megabytes of it.
const MOST_FOR_SECRETS: usize = 256 << 20;

pub(super) type Prepared = Result<Arc<Ready>, ModuleError>;
pub(super) type Loading = Arc<OnceCell<Arc<Module>>>;

/// The room that a loaded component takes, until it is dropped.
pub(super) type Taken = OwnedSemaphorePermit;

pub(super) struct Shelf {
    pub reading: Semaphore,
    pub compiling: Semaphore,
    room: Arc<Semaphore>,
    /// How many pages there are.
    pages: u32,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By the module's name and the component's digest.
    components: HashMap<(String, String), Loading>,
    /// What each target has come to.
    targets: HashMap<(Tenant, Uuid), Known>,
    /// Counts on with each use, to tell which was the last.
    uses: u64,
}

struct Known {
    /// At which revision of its setup.
    revision: i64,
    prepared: Prepared,
    used: u64,
}

impl Shelf {
    /// One with room for so many bytes of compiled code.
    pub fn new(bytes: u64) -> Self {
        let pages = u32::try_from(bytes / PAGE as u64).unwrap_or(u32::MAX).max(1);
        let (reading, compiling) = (Semaphore::new(READ_AT_ONCE), Semaphore::new(COMPILED_AT_ONCE));
        Shelf { reading, compiling, room: Arc::new(Semaphore::new(pages as usize)), pages, held: Mutex::default() }
    }

    /// A panic while it was held is impossible: nothing is called in between.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a target has come to, if that is known at this revision of its setup or a later one.
    pub fn target(&self, tenant: Tenant, target: Uuid, revision: i64) -> Option<Prepared> {
        let mut held = self.held();
        held.uses += 1;
        let uses = held.uses;
        let known = held.targets.get_mut(&(tenant, target))?;
        if known.revision < revision || known.prepared.is_err() {
            return None;
        }
        known.used = uses;
        Some(known.prepared.clone())
    }

    /// Keeps what a target has come to, unless a later revision is known. What another version has replaced goes with its last call.
    pub fn keep(&self, tenant: Tenant, target: Uuid, revision: i64, prepared: &Prepared) {
        let mut held = self.held();
        held.uses += 1;
        let newest = Known { revision, prepared: prepared.clone(), used: held.uses };
        match held.targets.entry((tenant, target)) {
            std::collections::hash_map::Entry::Occupied(known) if known.get().revision > revision => {}
            std::collections::hash_map::Entry::Occupied(mut known) => drop(known.insert(newest)),
            std::collections::hash_map::Entry::Vacant(place) => drop(place.insert(newest)),
        }
        while held.are_too_many() && held.let_one_go(|_| true) {}
        held.drop_unused();
    }

    /// The place of an installed component, loaded or not.
    pub fn component(&self, module: &str, digest: &str) -> Loading {
        self.held().components.entry((module.to_owned(), digest.to_owned())).or_default().clone()
    }

    /// How many components are loaded.
    pub fn loaded(&self) -> usize {
        self.held().components.len()
    }

    /// Takes the room for a component of so many bytes; waits for what is in use. The largest takes all there is.
    pub async fn take(&self, bytes: usize) -> Option<Taken> {
        let pages = u32::try_from(bytes.div_ceil(PAGE)).unwrap_or(u32::MAX).min(self.pages);
        // What is in use gives no room now, and would be loaded once more beside itself.
        let is_idle = |known: &Known| known.prepared.as_ref().is_ok_and(|ready| Arc::strong_count(ready) == 1);
        while self.room.available_permits() < pages as usize && self.held().let_one_go(is_idle) {}
        let taken = self.room.clone().acquire_many_owned(pages);
        tokio::pin!(taken);
        loop {
            tokio::select! {
                // A closed semaphore, which this never is, would only mean that nothing bounds it.
                taken = &mut taken => return taken.ok(),
                // What was in use may be idle now, and nobody else would let it go; what is used without end has to give way, too.
                () = tokio::time::sleep(AGAIN) => {
                    self.held().let_one_go(|_| true);
                }
            }
        }
    }
}

impl Held {
    fn are_too_many(&self) -> bool {
        let ready = self.targets.values().filter_map(|known| known.prepared.as_ref().ok());
        let for_secrets: usize = ready.map(|ready| ready.powers.redactor.bytes_of_memory()).sum();
        self.targets.len() > MOST_TARGETS || for_secrets > MOST_FOR_SECRETS
    }

    /// Lets the target go that was not used for longest, of those of which this is true. Whether there was one.
    fn let_one_go(&mut self, is_meant: impl Fn(&Known) -> bool) -> bool {
        let meant = self.targets.iter().filter(|(_, known)| is_meant(known));
        let oldest = meant.min_by_key(|(_, known)| known.used).map(|(id, _)| *id);
        let gone = oldest.and_then(|id| self.targets.remove(&id));
        if gone.is_some() {
            self.drop_unused();
        }
        gone.is_some()
    }

    /// Drops the components of no target; one that is being loaded has none yet.
    fn drop_unused(&mut self) {
        let used: HashSet<&str> = self
            .targets
            .values()
            .filter_map(|known| Some(known.prepared.as_ref().ok()?.module.digest.as_str()))
            .collect();
        let is_loading = |cell: &Loading| !cell.initialized() && Arc::strong_count(cell) > 1;
        self.components.retain(|(_, digest), cell| used.contains(digest.as_str()) || is_loading(cell));
    }
}
