//! Against a mail server that is not ours.

use crate::support::program::Program;
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// A thousand mails into aiosmtpd, which the test command installs, judged by Python's own parser.
#[test]
fn aiosmtpd_receives_a_thousand_once_each_as_valid_mime() {
    let python =
        std::env::var("TEST_PYTHON").expect("TEST_PYTHON is set by `cargo xtask test`: a Python that has aiosmtpd");
    let mut server = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/cli/aiosmtpd_sink.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let port = lines.next().unwrap().unwrap();
    let program = Program::new().relay(format!("127.0.0.1:{port}").parse().unwrap());
    program.ada();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(crate::delivery::backlog(&program, 1000));
    let ran = program.ok(&["process-notifications", "--output", "json"]);
    assert_eq!(ran.json().as_array().unwrap().len(), 1000);
    drop(server.stdin.take());
    let received: Vec<String> = lines.map(Result::unwrap).collect();
    server.wait().unwrap();
    let faults: Vec<_> = received.iter().filter(|line| !line.ends_with(" ok")).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(received.len(), 1000);
    assert_eq!(received.iter().collect::<HashSet<_>>().len(), 1000, "once each");
}
