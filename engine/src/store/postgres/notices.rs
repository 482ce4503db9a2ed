//! Hints between engines that something may be due, by LISTEN and NOTIFY.
//!
//! They make things quicker and nothing else depends on them: whoever waits for one also looks from time to time. A notice takes
//! a lock of the whole server when it is committed, so that they are sent outside of the transactions that they tell of, and
//! not more often than every 20 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinHandle;

use crate::store::Result;

const CHANNEL: &str = "notification_engine_due";
const LEAST_BETWEEN: Duration = Duration::from_millis(20);
/// How long to wait before another try to listen.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Sends notices.
pub struct Notifier {
    wanted: Arc<Wanted>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What the sending task is told.
#[derive(Default)]
struct Wanted {
    notice: AtomicBool,
    end: AtomicBool,
    changed: Notify,
}

impl Notifier {
    pub fn start(pool: PgPool) -> Notifier {
        let wanted = Arc::new(Wanted::default());
        Notifier { task: Mutex::new(Some(tokio::spawn(send(pool, wanted.clone())))), wanted }
    }

    pub fn announce(&self) {
        self.wanted.notice.store(true, Ordering::Release);
        self.wanted.changed.notify_one();
    }

    /// Sends what is still wanted: a command that stores something ends before its turn would come.
    pub async fn close(&self) {
        self.wanted.end.store(true, Ordering::Release);
        self.wanted.changed.notify_one();
        if let Some(task) = self.task.lock().await.take() {
            let _ = task.await;
        }
    }
}

async fn send(pool: PgPool, wanted: Arc<Wanted>) {
    loop {
        let ends = wanted.end.load(Ordering::Acquire);
        if wanted.notice.swap(false, Ordering::AcqRel) {
            notify(&pool).await;
            tokio::time::sleep(LEAST_BETWEEN).await;
        } else if ends {
            return;
        } else {
            wanted.changed.notified().await;
        }
    }
}

async fn notify(pool: &PgPool) {
    let sent = sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(pool).await;
    if let Err(error) = sent {
        tracing::debug!(%error, "other engines could not be told that something may be due");
    }
}

/// Receives notices, from the moment on at which it is made.
pub struct Notices {
    received: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Notices {
    pub async fn listen(pool: &PgPool) -> Result<Notices> {
        let received = Arc::new(Notify::new());
        let listener = listener(pool).await?;
        Ok(Notices { task: tokio::spawn(receive(pool.clone(), listener, received.clone())), received })
    }

    /// Waits for the next notice; one that came since the last call counts.
    pub async fn next(&self) {
        self.received.notified().await;
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listener(pool: &PgPool) -> std::result::Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn receive(pool: PgPool, mut listener: PgListener, received: Arc<Notify>) {
    loop {
        match listener.try_recv().await {
            // `None`: the connection was lost, and with it perhaps a notice.
            Ok(_) => received.notify_one(),
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                tracing::debug!(%error, "listening for notices");
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
                if let Ok(again) = self::listener(&pool).await {
                    listener = again;
                    received.notify_one();
                }
            }
        }
    }
}
