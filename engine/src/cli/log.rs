//! The log goes to standard error, so that standard output is the command's own. Nobody waits for whoever reads it.

use super::printer::Printer;
use crate::settings::{LogFormat, Settings};
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How many bytes wait for a reader who is slow; what comes then is left out.
const MOST: usize = 1 << 20;
/// As much as a pipe takes at once when it says that it can be written to (`PIPE_BUF` of POSIX, at least).
const AT_ONCE: usize = 512;
/// How long a command that has ended waits for who reads its log.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The log of a command.
pub struct Log(Arc<Lines>);

impl Log {
    /// One that has not begun.
    pub fn new() -> Self {
        Log(Arc::new(Lines { slowly: Printer::start(io::stderr(), MOST), turn: Mutex::default() }))
    }

    /// Starts it as the settings have it.
    pub fn start(&self, settings: &Settings) -> anyhow::Result<()> {
        let mut filter = EnvFilter::try_new(&settings.log.level).map_err(|_| {
            anyhow::anyhow!("`log.level` must be a level such as \"info\", and \"{}\" is none.", settings.log.level)
        })?;
        for left_out in crate::host::NOT_LOGGED.into_iter().chain([crate::store::NOT_LOGGED]) {
            filter = filter.add_directive(left_out.parse()?);
        }
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(self.0.clone())
            // That nobody reads the log any more would otherwise be a panic, in whatever writes to it.
            .log_internal_errors(false)
            .with_ansi(io::stderr().is_terminal());
        // A log that is there already is a test's; it stays.
        let _ = match settings.log.format {
            LogFormat::Text => log.finish().try_init(),
            LogFormat::Json => log.json().finish().try_init(),
        };
        Ok(())
    }

    /// Waits for a moment until all lines are written.
    pub async fn end(&self) {
        // What is not read by then, nobody waits for.
        let _ = tokio::time::timeout(LAST_LINES, self.0.slowly.printed()).await;
    }
}

/// Lines of standard error: written at once where there is room for them, and otherwise by a thread of their own.
struct Lines {
    slowly: Printer,
    turn: Mutex<()>,
}

impl Write for &Lines {
    /// A whole line, as the log writes them.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = line;
        if self.slowly.is_idle() {
            let left_out = self.slowly.take_left_out();
            if left_out > 0 {
                self.slowly
                    .print(format!("\nengine: {left_out} lines of the log were left out, as nobody read them\n"));
            }
            while self.slowly.is_idle() && !rest.is_empty() && has_room() {
                let (part, more) = rest.split_at(rest.len().min(AT_ONCE));
                io::stderr().lock().write_all(part)?;
                rest = more;
            }
        }
        if !rest.is_empty() {
            self.slowly.print(String::from_utf8_lossy(rest).into_owned());
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether standard error can be written to at once. What cannot be asked can.
#[cfg(unix)]
fn has_room() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let err = io::stderr();
    poll(&mut [PollFd::new(&err, PollFlags::OUT)], Some(&Timespec::default())) != Ok(0)
}

#[cfg(not(unix))]
fn has_room() -> bool {
    true
}
