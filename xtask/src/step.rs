//! Runs the programs of a long job one after another: says what is being done and for how long, and keeps what the programs
//! print in a log, which the error names if one fails.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How long a step stays silent before it says that it is still at work.
const SILENCE: Duration = Duration::from_secs(15);

pub struct Steps {
    log: File,
    log_path: PathBuf,
}

impl Steps {
    /// Starts a job, whose log replaces the last one's.
    pub fn new(log_path: &Path) -> anyhow::Result<Self> {
        let log = File::create(log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        Ok(Self { log, log_path: log_path.to_owned() })
    }

    /// Runs one program. `what` says what it does, as in "unpacking rustc".
    pub fn run(&mut self, what: &str, command: &mut Command) -> anyhow::Result<()> {
        println!("  {what}");
        writeln!(self.log, "\n# {what}: {command:?}")?;
        let started = Instant::now();
        let child = command.stdin(Stdio::null()).stdout(self.log.try_clone()?).stderr(self.log.try_clone()?).spawn();
        let mut child = child.with_context(|| self.not_started(what, command))?;
        let mut said = started;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if said.elapsed() >= SILENCE {
                said = Instant::now();
                println!("    … {} s", started.elapsed().as_secs());
            }
            thread::sleep(Duration::from_millis(50));
        };
        if !status.success() {
            bail!(self.failed(what));
        }
        Ok(())
    }

    /// Runs one program, quick and quiet, and gives what it printed.
    pub fn output(&mut self, what: &str, command: &mut Command) -> anyhow::Result<String> {
        writeln!(self.log, "\n# {what}: {command:?}")?;
        let output = command.stdin(Stdio::null()).stderr(self.log.try_clone()?).output();
        let output = output.with_context(|| self.not_started(what, command))?;
        self.log.write_all(&output.stdout)?;
        if !output.status.success() {
            bail!(self.failed(what));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn failed(&self, what: &str) -> String {
        format!("{what} failed; what the program said is in {}", self.log_path.display())
    }

    fn not_started(&self, what: &str, command: &Command) -> String {
        format!("{what} failed: cannot run {}", command.get_program().display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(name: &str) -> Steps {
        Steps::new(&std::env::temp_dir().join(format!("xtask-{name}-{}.log", std::process::id()))).unwrap()
    }

    #[test]
    fn a_failure_names_the_log() {
        let mut steps = steps("failure");
        let error = steps
            .run("failing on purpose", Command::new("sh").args(["-c", "echo why; exit 3"]))
            .unwrap_err()
            .to_string();
        let log = std::fs::read_to_string(&steps.log_path).unwrap();
        std::fs::remove_file(&steps.log_path).unwrap();
        assert_eq!(
            error,
            format!("failing on purpose failed; what the program said is in {}", steps.log_path.display())
        );
        assert!(log.contains("why"), "{log}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let mut steps = steps("missing");
        let error = steps.output("looking", &mut Command::new("/nowhere/program")).unwrap_err();
        std::fs::remove_file(&steps.log_path).unwrap();
        assert!(format!("{error:#}").starts_with("looking failed: cannot run /nowhere/program: "), "{error:#}");
    }
}
