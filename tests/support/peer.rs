//! Servers that are not ours: Python scripts, with the Python that `cargo xtask test` prepares.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A script that prints its port, serves until its standard input ends, and then prints what it has seen.
pub struct Peer {
    pub address: SocketAddr,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a script from `tests/cli`.
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        let python =
            std::env::var("TEST_PYTHON").expect("TEST_PYTHON is set by `cargo xtask test`: a Python that has aiosmtpd");
        let mut child = Command::new(python)
            .arg(format!("{}/cli/{script}", env!("CARGO_MANIFEST_DIR")))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = lines.next().unwrap().unwrap().parse().unwrap();
        let stdin = child.stdin.take();
        Peer { address: ([127, 0, 0, 1], port).into(), child, stdin, lines }
    }

    /// Ends it and gives the lines that it prints.
    pub fn seen(mut self) -> Vec<String> {
        drop(self.stdin.take());
        self.lines.by_ref().map(Result::unwrap).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
