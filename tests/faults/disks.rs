//! A disk that is full, in the middle of it.

use super::{ACCEPTED, Explained, arranged, check, history, stop};
use crate::delivery::process::until;
use crate::support::program::Program;
use std::path::Path;
use std::process::Command;

/// A small file system in memory, which only root can make.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output()
            .unwrap();
        mounted.status.success().then_some(SmallDisk(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no room at all, until the file that this makes is removed.
    fn fill(&self) -> std::path::PathBuf {
        let filler = self.path().join("filler");
        let mut file = std::fs::File::create(&filler).unwrap();
        while std::io::Write::write(&mut file, &[0; 4096]).is_ok() {}
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and needs root for a small disk: cargo xtask faults"]
async fn the_disk_is_full_for_a_while() {
    let Some(disk) = SmallDisk::new("64m") else {
        println!("SQLite, a full disk: LEFT OUT, since only root can make a small one");
        return;
    };
    let url = format!("sqlite:{}", disk.path().join("engine.db").display());
    let (relay, program) = arranged(Some(&url)).await;
    let engine = program.start();
    until("some mails", || relay.count() > 500).await;
    let filler = disk.fill();
    let notify = ["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"];
    refused_for_the_disk(&program, &notify).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let meanwhile = relay.count();
    assert!(meanwhile < ACCEPTED, "it was to be stopped by the disk");
    std::fs::remove_file(filler).unwrap();
    let all = history(&program).await;
    stop([engine]);
    check("SQLite, the disk full for a while", &all, &relay, &Explained::default());
}

/// A few may find room in pages that are free already; what was accepted counts like the others.
async fn refused_for_the_disk(program: &Program, notify: &[&str]) {
    let ran = program.run(notify);
    assert!(ran.code != Some(0) && ran.stderr.contains("no room left on the disk"), "{ran:?}");
}
