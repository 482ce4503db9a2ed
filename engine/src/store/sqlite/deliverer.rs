//! Who may deliver from the file: one process at a time.
//!
//! The lock is the operating system's, on a file beside the database, so that it goes with the process however that
//! ends. The file itself stays: removing it would let two processes lock two files of one name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use crate::store::{Result, StoreError};

/// This process delivers, until this is dropped.
#[derive(Debug)]
#[must_use = "the lock ends when this is dropped"]
pub struct DelivererLock(File);

impl Drop for DelivererLock {
    /// Closing would not do: a process that is being started at this moment has a copy of what is open until it becomes another program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

pub fn lock(database: &Path) -> Result<DelivererLock> {
    let path = super::open::beside(database, "lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| unusable(&path, error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Only a courtesy: without a readable number, the refusal just names no process.
            let _ = file.read_to_string(&mut holder);
            return Err(StoreError::Locked { file: database.to_owned(), by: holder.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(&path, error)),
    }
    note_holder(&mut file).map_err(|error| unusable(&path, error))?;
    Ok(DelivererLock(file))
}

/// Lets those who are refused say which process is in the way.
fn note_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn unusable(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::Unavailable {
        sentence: format!(
            "The lock file {} cannot be used: check the permissions of its folder, which must be on a local disk.",
            path.display()
        ),
        passing: false,
        source: Some(Arc::new(error)),
    }
}
