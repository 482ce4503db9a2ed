//! Servers that are not ours: Python scripts, with the Python that `cargo xtask test` prepares.

use std::io::{BufRead, BufReader, Lines};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The interpreter that has aiosmtpd and Django.
pub fn python() -> String {
    std::env::var("TEST_PYTHON")
        .expect("TEST_PYTHON is set by `cargo xtask test`: a Python that has aiosmtpd and Django")
}

/// A script that prints its port, or an address that ends with it, serves until its standard input ends, and then prints what it has seen.
pub struct Peer {
    pub address: SocketAddr,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts a script; its path is seen from `tests/cli`.
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(python())
            .arg(format!("{}/cli/{script}", env!("CARGO_MANIFEST_DIR")))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let port: u16 = line.rsplit(':').next().unwrap().parse().unwrap();
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
