//! How long a call has computed: all the time in which a thread was busy with it, but for exchanges with others.
//!
//! Ticks cannot tell computing from waiting: a component that has slept finds a tick passed, as if it had computed. So the time is taken in
//! which the call's future is polled. What the host does for the component counts too, or it could let the host work for it for nothing;
//! only what a door does in an exchange does not, as that is few (`Limit::HttpRequests`, `Limit::Mails`) and much of it TLS.
//!
//! Calls that compute for long take turns of a tick, so that one processor is left to all the others, which are soon done. They also leave the
//! runtime's threads, since a thread that computes does not look for what has arrived, and may be the one that should.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Whose turn it is to compute for long.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// Turns for all processors but one.
    pub fn of_this_machine() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Turns(Arc::new(Semaphore::new(processors.saturating_sub(1).max(1))))
    }

    /// Lets others compute, and waits for a turn, which lasts until the call waits for something.
    pub async fn take(self, stopwatch: Stopwatch) {
        stopwatch.counted().is_long = true;
        tokio::task::yield_now().await;
        // A closed semaphore, which this never is, would only mean that nobody waits.
        let turn = self.0.acquire_owned().await.ok();
        stopwatch.counted().turn = turn;
    }
}

/// Counts the computing time of one call; clones go together.
#[derive(Debug, Clone, Default)]
pub struct Stopwatch(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    before: Duration,
    /// Since when it has been computing, if it is.
    since: Option<Instant>,
    /// In an exchange.
    held: bool,
    /// It has computed for a tick at a time.
    is_long: bool,
    turn: Option<OwnedSemaphorePermit>,
}

impl Counted {
    fn stop(&mut self) {
        self.turn = None;
        if let Some(since) = self.since.take() {
            self.before += since.elapsed();
        }
    }

    fn start(&mut self) {
        if !self.held {
            self.since = Some(Instant::now());
        }
    }
}

impl Stopwatch {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it so far.
    pub fn read(&self) -> Duration {
        let counted = self.counted();
        counted.before + counted.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Does the work and counts the time that it computes.
    pub async fn around<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            let is_long = {
                let mut counted = self.counted();
                counted.start();
                counted.is_long
            };
            let mut poll = || work.as_mut().poll(context);
            let polled = if is_long { beside_the_runtime(poll) } else { poll() };
            self.counted().stop();
            polled
        })
        .await
    }

    /// Does an exchange, which does not count.
    pub async fn outside<T>(&self, exchange: impl Future<Output = T>) -> T {
        let hold = |held| {
            let mut counted = self.counted();
            counted.stop();
            counted.held = held;
        };
        hold(true);
        let done = exchange.await;
        hold(false);
        self.counted().start();
        done
    }
}

/// Computes while another thread takes over what this one does for the runtime, if that has more than one.
pub fn beside_the_runtime<T>(compute: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(compute),
        _ => compute(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHILE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn waiting_and_exchanges_do_not_count() {
        let watch = Stopwatch::default();
        watch
            .around(async {
                std::thread::sleep(WHILE);
                tokio::time::sleep(10 * WHILE).await;
                watch.outside(async { std::thread::sleep(10 * WHILE) }).await;
                std::thread::sleep(WHILE);
                assert!(watch.read() >= 2 * WHILE, "it can be read under way");
            })
            .await;
        let read = watch.read();
        assert!((2 * WHILE..10 * WHILE).contains(&read), "{read:?}");
        std::thread::sleep(WHILE);
        assert_eq!(watch.read(), read, "and it has ended");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn who_computes_for_long_leaves_the_thread_to_others() {
        let watch = Stopwatch::default();
        let spinning = tokio::spawn(async move {
            let spin = async {
                Turns::of_this_machine().take(watch.clone()).await;
                std::thread::sleep(50 * WHILE);
            };
            watch.around(spin).await;
        });
        let began = Instant::now();
        // Both the runtime's clock and its threads are needed for that.
        tokio::spawn(tokio::time::sleep(WHILE)).await.unwrap();
        assert!(began.elapsed() < 25 * WHILE, "{:?}", began.elapsed());
        spinning.await.unwrap();
    }
}
