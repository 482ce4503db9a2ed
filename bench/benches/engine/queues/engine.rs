//! The engine: the program as it is built for use.

use super::per_second;
use crate::engine_binary;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

pub struct Engine {
    folder: TempDir,
    program: PathBuf,
}

impl Engine {
    pub fn found() -> Result<Engine, String> {
        let built = engine_binary().ok_or("queues: `cargo build --release` makes the engine first.")?;
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("engine");
        // A copy, so that all rounds measure the same one, whatever is built in between.
        std::fs::copy(built, &program).unwrap();
        Ok(Engine { folder, program })
    }

    /// Without a URL, SQLite in a temporary file.
    pub fn drain(&self, url: Option<&str>, batch: u32, notifications: u32) -> f64 {
        let mut engine = Command::new(&self.program);
        engine.current_dir(self.folder.path()).args(["bench", "--target", "noop", "--output", "json"]);
        engine.args(["--notifications", &notifications.to_string(), "--batch-size", &batch.to_string()]);
        if let Some(url) = url {
            engine.args(["--database", url]);
        }
        per_second(&mut engine)
    }
}
