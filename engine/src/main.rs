//! The `engine` binary: arguments → settings → one library call → exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    engine::cli::main(std::env::args_os())
}
