//! The log goes to standard error, so that standard output is the command's own. Nobody waits for whoever reads it.

use crate::settings::{LogFormat, Settings};
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How long a reader may take before lines are left out until it reads again.
const PATIENCE: Duration = Duration::from_millis(200);
/// As much as a pipe takes at once when it says that it can be written to (`PIPE_BUF` of POSIX, at least).
const AT_ONCE: usize = 512;

/// Starts the log as the settings have it.
pub fn start(settings: &Settings) -> anyhow::Result<()> {
    let mut filter = EnvFilter::try_new(&settings.log.level).map_err(|_| {
        anyhow::anyhow!("`log.level` must be a level such as \"info\", and \"{}\" is none.", settings.log.level)
    })?;
    for left_out in crate::host::NOT_LOGGED.into_iter().chain([crate::store::NOT_LOGGED]) {
        filter = filter.add_directive(left_out.parse()?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Arc::new(Lines::default()))
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

/// Lines of standard error, those left out for which nobody has made room.
#[derive(Default)]
struct Lines {
    /// Whether the last was left out.
    is_stuck: AtomicBool,
    left_out: AtomicU64,
}

impl Write for &Lines {
    /// A whole line, as the log writes them.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut out = io::stderr().lock();
        let patience = if self.is_stuck.load(Ordering::Relaxed) { Duration::ZERO } else { PATIENCE };
        for (number, part) in line.chunks(AT_ONCE).enumerate() {
            if !has_room(patience) {
                self.is_stuck.store(true, Ordering::Relaxed);
                self.left_out.fetch_add(1, Ordering::Relaxed);
                return Ok(line.len());
            }
            if number == 0 && self.is_stuck.swap(false, Ordering::Relaxed) {
                let left_out = self.left_out.swap(0, Ordering::Relaxed);
                writeln!(out, "\nengine: {left_out} lines of the log were left out, as nobody read it")?;
            }
            out.write_all(part)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether standard error can be written to, within this time. What cannot be asked can.
#[cfg(unix)]
fn has_room(within: Duration) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let Ok(within) = Timespec::try_from(within) else { return true };
    let err = io::stderr();
    poll(&mut [PollFd::new(&err, PollFlags::OUT)], Some(&within)) != Ok(0)
}

#[cfg(not(unix))]
fn has_room(_: Duration) -> bool {
    true
}
