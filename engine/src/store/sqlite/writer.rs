//! The one task of this process that writes.
//!
//! A commit with `synchronous=FULL` waits for the disk; a statement does not. So the writer takes everything that has
//! queued up while it was busy, runs it in one transaction, commits once, and only then answers. Each piece of work has
//! a savepoint of its own, so that one that fails takes nothing of the others with it. Nothing is held back to make a
//! group larger: when little is written, each piece has a commit of its own.

use std::sync::Arc;

use futures::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection as _};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::store::statement::Connection;
use crate::store::{Result, StoreError};

/// So much work can wait; who brings more waits with it.
const QUEUE: usize = 1024;
/// So much is committed at once, which bounds how long the first of a group waits for the last.
const GROUP: usize = 64;

/// The way to the writing task.
pub struct Writer {
    /// `None` once it is closed.
    queue: Mutex<Option<mpsc::Sender<Box<dyn Work>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A piece of work and whoever waits for it.
trait Work: Send {
    /// Does it, once; says whether what it wrote is to be kept.
    fn perform<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool>;
    /// Tells whoever waits, now that it is certain whether the group was committed.
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Awaited<T, W> {
    /// `None` once it is done.
    work: Option<W>,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T, W> Work for Awaited<T, W>
where
    T: Send,
    W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send,
{
    fn perform<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            if let Some(work) = self.work.take() {
                self.result = Some(work(Connection::Sqlite(connection)).await);
            }
            matches!(self.result, Some(Ok(_)))
        })
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let answer = match (self.result, commit) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(closed()),
        };
        // Nobody may be waiting any more; the work is done all the same.
        let _ = self.answer.send(answer);
    }
}

impl Writer {
    /// Writes over `connection`, and over a new one of these options when a group could not be written.
    pub fn start(connection: SqliteConnection, options: SqliteConnectOptions) -> Writer {
        let (queue, work) = mpsc::channel(QUEUE);
        let task = tokio::spawn(write(connection, options, work));
        Writer { queue: Mutex::new(Some(queue)), task: Mutex::new(Some(task)) }
    }

    pub async fn run<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(Connection<'c>) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let work = Box::new(Awaited { work: Some(work), result: None, answer });
        let queue = self.queue.lock().await.clone().ok_or_else(closed)?;
        queue.send(work).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Takes no more work, finishes what is queued, and closes the connection.
    pub async fn close(&self) {
        self.queue.lock().await.take();
        if let Some(task) = self.task.lock().await.take()
            && let Err(panic) = task.await
        {
            tracing::error!(%panic, "the writing task ended early");
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable {
        sentence: "The database is closed: this engine is stopping.".to_owned(),
        passing: false,
        source: None,
    }
}

async fn write(connection: SqliteConnection, options: SqliteConnectOptions, mut queue: mpsc::Receiver<Box<dyn Work>>) {
    let mut connection = Some(connection);
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let commit = group_over(&mut connection, &options, &mut group).await.map_err(Arc::new);
        for work in group.drain(..) {
            work.answer(commit.clone().map_err(StoreError::from));
        }
    }
    // This folds the log into the file, so that a stopped engine leaves one file behind.
    if let Some(connection) = connection
        && let Err(error) = connection.close().await
    {
        tracing::warn!(%error, "closing the database");
    }
}

/// Writes a group. After a failure the connection is not used again: where SQLite has rolled back by itself, as it does when the disk is full,
/// sqlx still counts an open transaction, and every further one would fail.
async fn group_over(
    connection: &mut Option<SqliteConnection>,
    options: &SqliteConnectOptions,
    group: &mut [Box<dyn Work>],
) -> std::result::Result<(), sqlx::Error> {
    let mut open = match connection.take() {
        Some(open) => open,
        None => options.connect().await?,
    };
    write_group(&mut open, group).await?;
    *connection = Some(open);
    Ok(())
}

async fn write_group(
    connection: &mut SqliteConnection,
    group: &mut [Box<dyn Work>],
) -> std::result::Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for work in group {
        let mut savepoint = transaction.begin().await?;
        if work.perform(&mut savepoint).await {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
    }
    transaction.commit().await
}
