//! Runs cargo on the whole workspace.
//!
//! Always the whole of it, even where one package is wanted: cargo gives a shared dependency the features that the selected
//! packages ask for, so that another selection could mean compiling wasmtime again. It is also why a package of this workspace should
//! list what it needs for its tests under `[dependencies]` if that adds features to a dependency of the engine: what stands under
//! `[dev-dependencies]` counts for `cargo test` and not for `cargo build`.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

/// The workspace's folder.
pub fn folder() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// `cargo <subcommand> --workspace --locked`, in an environment without what `cargo run` has set for this program.
pub fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder()).args([subcommand, "--workspace", "--locked"]);
    forget_cargo_run(&mut command);
    command
}

/// Takes what `cargo run` has set for this program out of a command's environment, where it would count as a change of what is compiled.
pub fn forget_cargo_run(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
}

/// A command's exit code as this program's own; a signal counts as failure.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
