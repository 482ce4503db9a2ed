//! Waiting for others to write.

use std::time::Duration;

use super::Result;
use super::postgres::Notices;
use super::sqlite::FileWatch;

/// How often a file is looked at. Each look costs some microseconds.
const LOOK: Duration = Duration::from_millis(10);

/// Tells when something may have been written, by this process or another, since it was made or last asked, if there are hints.
pub enum Watch {
    /// A file that is looked at.
    File(FileWatch),
    /// A server that sends notices.
    Notices(Notices),
    /// Nobody tells.
    Blind,
}

impl Watch {
    /// Waits until something may have been written, but at most for so long.
    pub async fn wait(&mut self, most: Duration) -> Result<()> {
        match self {
            Watch::File(file) => {
                let changed = async {
                    while !file.changed().await? {
                        tokio::time::sleep(LOOK).await;
                    }
                    Ok(())
                };
                tokio::time::timeout(most, changed).await.unwrap_or(Ok(()))
            }
            Watch::Notices(notices) => {
                let _ = tokio::time::timeout(most, notices.next()).await;
                Ok(())
            }
            Watch::Blind => {
                tokio::time::sleep(most).await;
                Ok(())
            }
        }
    }
}
