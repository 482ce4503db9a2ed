//! The resident memory of `engine run` with nothing to do, five seconds after its start.

use crate::engine_binary;
use std::process::{Command, Stdio};
use std::time::Duration;

pub fn measure() {
    let Some(binary) = engine_binary() else {
        println!("idle memory: not measured; `cargo build --release` makes the engine first");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(binary)
        .arg("run")
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(5));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("idle `engine run`: {:.1} MB resident", kib * 1024.0 / 1e6);
}
