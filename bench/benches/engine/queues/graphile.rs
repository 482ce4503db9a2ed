//! graphile-worker, as `bench/queues` has it: installed by npm below cargo's folder, once, and run by Node.

use super::per_second;
use std::path::{Path, PathBuf};
use std::process::Command;

const OLDEST_NODE: u32 = 20;
const PACKAGE: &str = include_str!("../../../queues/package.json");
const LOCK: &str = include_str!("../../../queues/package-lock.json");
const PROGRAM: &str = include_str!("../../../queues/drain.mjs");

pub struct Graphile {
    folder: PathBuf,
    /// What Node says of itself.
    pub node: String,
}

impl Graphile {
    pub fn installed() -> Result<Graphile, String> {
        let needs = || {
            format!(
                "queues: graphile-worker needs Node.js {OLDEST_NODE} or newer with npm; install both, so that `node` and `npm` can be run."
            )
        };
        let node = version("node").filter(|version| major(version) >= Some(OLDEST_NODE)).ok_or_else(needs)?;
        version("npm").ok_or_else(needs)?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("queues");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK), ("drain.mjs", PROGRAM)] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let done = folder.join("installed");
        if !std::fs::read_to_string(&done).is_ok_and(|lock| lock == LOCK) {
            install(&folder)?;
            std::fs::write(done, LOCK).unwrap();
        }
        Ok(Graphile { folder, node })
    }

    pub fn drain(&self, url: &str, notifications: u32) -> f64 {
        let mut node = Command::new("node");
        node.current_dir(&self.folder).args(["drain.mjs", url, &notifications.to_string()]);
        per_second(&mut node)
    }

    pub fn version() -> String {
        let package: serde_json::Value = serde_json::from_str(PACKAGE).unwrap();
        package["dependencies"]["graphile-worker"].as_str().unwrap().to_owned()
    }
}

fn install(folder: &Path) -> Result<(), String> {
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&npm.stderr);
    npm.status.success().then_some(()).ok_or_else(|| format!("queues: npm cannot install graphile-worker.\n{said}"))
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// 20 of v20.1.2
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}
