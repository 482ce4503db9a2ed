//! Against a mail server that is not ours.

use crate::support::peer::Peer;
use crate::support::program::Program;
use std::collections::HashSet;

/// A thousand mails into aiosmtpd, judged by Python's own parser.
#[test]
fn aiosmtpd_receives_a_thousand_once_each_as_valid_mime() {
    let server = Peer::start("aiosmtpd_sink.py", &[]);
    let program = Program::new().relay(server.address);
    program.ada();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(crate::delivery::backlog(&program, 1000));
    let ran = program.ok(&["process-notifications", "--output", "json"]);
    assert_eq!(ran.json().as_array().unwrap().len(), 1000);
    let received = server.seen();
    let faults: Vec<_> = received.iter().filter(|line| !line.ends_with(" ok")).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(received.len(), 1000);
    assert_eq!(received.iter().collect::<HashSet<_>>().len(), 1000, "once each");
}
