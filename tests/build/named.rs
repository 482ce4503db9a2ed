//! A guest program that no test runs proves nothing: each has a test of its name in one of these rooms, or nothing compiles.

use std::fs;
use std::io;
use std::path::Path;

/// Where the tests of guest programs are.
const ROOMS: [&str; 2] = ["attacks", "host"];

/// Says in one sentence which guest program under `guests` has no test.
pub fn check(tests: &Path) -> Result<(), String> {
    let mut code = String::new();
    for room in ROOMS {
        let room = tests.join(room);
        println!("cargo::rerun-if-changed={}", room.display());
        for (_, text) in texts(&room, &["rs"])? {
            code.push_str(&text);
        }
    }
    for folder in ["guests/examples", "guests/text"] {
        for (name, _) in texts(&tests.join(folder), &["rs", "wat"])? {
            if !code.contains(&format!("async fn {name}()")) {
                return Err(format!(
                    "The guest program `{name}` in tests/{folder} has no test: write `async fn {name}()` in tests/attacks or tests/host."
                ));
            }
        }
    }
    Ok(())
}

/// The files of a folder that end so, by their names without the ending.
pub fn texts(folder: &Path, endings: &[&str]) -> Result<Vec<(String, String)>, String> {
    let cannot = |e: io::Error| format!("{} cannot be read: {e}.", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let name = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        if endings.contains(&name(path.extension()).as_str()) {
            all.push((name(path.file_stem()), fs::read_to_string(&path).map_err(cannot)?));
        }
    }
    all.sort();
    Ok(all)
}
