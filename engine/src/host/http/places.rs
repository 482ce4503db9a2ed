//! How much one host is asked at once, by one target and by all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many hosts are remembered before those are forgotten with which there is no exchange.
const MOST_HOSTS: usize = 1024;

/// So many exchanges with each host; who is next waits, in the order of coming.
#[derive(Debug)]
pub struct Places {
    at_each: usize,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place, for as long as an exchange takes.
pub type Place = OwnedSemaphorePermit;

impl Places {
    /// So many at each host.
    pub fn at_each(places: usize) -> Arc<Self> {
        Arc::new(Places { at_each: places, hosts: Mutex::default() })
    }

    /// Waits for one. `None` would mean that nothing bounds the exchanges any more, which never is.
    pub async fn at(&self, host: &str) -> Option<Place> {
        self.places_at(host).acquire_owned().await.ok()
    }

    fn places_at(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MOST_HOSTS {
            hosts.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let host = host.trim_end_matches('.').to_owned();
        hosts.entry(host).or_insert_with(|| Arc::new(Semaphore::new(self.at_each))).clone()
    }
}
