//! The program itself, as a user runs it: in a folder of its own, with no settings but those of the test.

use serde_json::Value;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A folder with a database, in which the program is run. Clones share it.
#[derive(Clone)]
pub struct Program {
    pub folder: Arc<tempfile::TempDir>,
    variables: Vec<(String, String)>,
}

/// How a run of it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("not JSON ({e}): {self:?}"))
    }
}

/// The binary that cargo built beside this test. `cargo test --workspace` keeps it fresh.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("engine");
    assert!(binary.is_file(), "there is no {}; run `cargo build -p engine` first", binary.display());
    binary
}

/// A program that does this, and then compiles.
pub fn compiler_after(folder: &Path, script: &str) -> PathBuf {
    let program = folder.join("compiler");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\nexec {} \"$@\"\n", binary().display())).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    program
}

impl Program {
    pub fn new() -> Self {
        Program { folder: Arc::new(tempfile::tempdir().unwrap()), variables: Vec::new() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn relay(self, address: SocketAddr) -> Self {
        self.with("ENGINE_SMTP__HOST", "127.0.0.1").with("ENGINE_SMTP__PORT", &address.port().to_string())
    }

    /// On this database instead of a file in its folder.
    pub fn database(self, url: &str) -> Self {
        self.with("ENGINE_DATABASE__URL", url)
    }

    /// The database that it uses.
    pub fn url(&self) -> String {
        let chosen = self.variables.iter().rfind(|(name, _)| name == "ENGINE_DATABASE__URL");
        let own = || format!("sqlite:{}", self.folder.path().join("engine.db").display());
        chosen.map_or_else(own, |(_, url)| url.clone())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ENGINE_")) {
            command.env_remove(name);
        }
        // The second run of the suite.
        if std::env::var_os("TEST_WITHOUT_HINTS").is_some() {
            command.env("ENGINE_DATABASE__HINTS", "false");
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a person sees at a terminal who keeps the results for something else: only standard error is one.
    pub fn on_a_terminal(&self, arguments: &[&str]) -> String {
        let script = "
import os, pty, subprocess, sys
ours, theirs = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
try:
    while shown := os.read(ours, 4096):
        sys.stdout.buffer.write(shown)
except OSError:
    pass
sys.exit(child.wait())
";
        self.by_python(script, &[], arguments)
    }

    /// What a person sees at a terminal who is asked for something, and types it once the question is there.
    pub fn asked_on_a_terminal(&self, question: &str, answer: &str, arguments: &[&str]) -> String {
        let script = "
import os, pty, sys, time
question, answer, *command = sys.argv[1:]
child, ours = pty.fork()
if child == 0:
    os.execv(command[0], command)
shown, typed = b'', False
try:
    while more := os.read(ours, 4096):
        shown += more
        if not typed and question.encode() in shown:
            # As nobody types at once: what is shown is switched off behind the question.
            time.sleep(0.5)
            os.write(ours, answer.encode() + b'\\n')
            typed = True
except OSError:
    pass
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";
        self.by_python(script, &[question, answer], arguments)
    }

    /// Runs it by a script, which is given these words and then the command.
    fn by_python(&self, script: &str, words: &[&str], arguments: &[&str]) -> String {
        let engine = self.command(arguments);
        let mut at_a_terminal = Command::new(super::peer::python());
        at_a_terminal.args(["-c", script]).args(words).arg(engine.get_program()).args(engine.get_args());
        at_a_terminal.current_dir(self.folder.path()).env("TERM", "xterm");
        for (name, value) in engine.get_envs() {
            match value {
                Some(value) => at_a_terminal.env(name, value),
                None => at_a_terminal.env_remove(name),
            };
        }
        let output = at_a_terminal.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it and expects it to do what was asked.
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        self.ok(&[arguments, &["--output", "json"]].concat()).json()
    }

    /// Runs it and expects one sentence that holds `part`, exit code 1, and nothing on standard output.
    pub fn refused(&self, arguments: &[&str], part: &str) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(1), "{arguments:?}: {ran:?}");
        assert_eq!(ran.stdout, "", "{arguments:?}");
        // The first command in a folder also says that it has made a database there.
        let said = match ran.stderr.split_once('\n') {
            Some((first, rest)) if first.starts_with("engine: a new database was made: ") => rest,
            _ => &ran.stderr,
        };
        let line = said.strip_prefix("engine: ").unwrap_or_else(|| panic!("{arguments:?}: {ran:?}"));
        assert!(line.contains(part), "{arguments:?}: {line}");
        assert_eq!(line.trim_end().lines().count(), 1, "{arguments:?}: more than a line: {line}");
        assert!(!line.contains("panicked"), "{line}");
    }

    /// A user with an e-mail record.
    pub fn ada(&self) {
        self.ok(&["user", "add", "--username", "ada", "--email", "ada@example.org"]);
        self.ok(&["record", "add", "--user", "ada", "--target", "email", "--target-user-id", "ada@example.org"]);
    }

    /// Starts `engine run` and waits until it delivers.
    pub fn start(&self) -> Running {
        let mut child = self.command(&["run"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        let mut stderr = child.stderr.take().unwrap();
        let mut byte = [0];
        while !said.contains("delivering from") {
            assert_eq!(stderr.read(&mut byte).unwrap(), 1, "engine run ended: {said}");
            said.push(byte[0] as char);
        }
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Running(child)
    }
}

/// A running engine; it is killed when the test ends.
pub struct Running(pub Child);

impl Running {
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end and gives its exit code.
    pub fn ended(mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the engine did not stop in 30 seconds");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
