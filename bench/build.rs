//! Builds the guest programs that are measured: `NOOP`, `SLEEPER`, `SPIN` and `HTTP_PROBE` are their files.

use guest_build::Guest;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, error};

const GUESTS: &[Guest] = &[Guest::Examples { package: "test-guests", folder: "tests/guests" }];

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), Box<dyn error::Error>> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("guests");
    guest_build::print_watched(&workspace, GUESTS);
    guest_build::copy_to(&folder, &guest_build::build(&workspace, GUESTS)?)?;
    for name in ["noop", "sleeper", "spin", "http_probe"] {
        println!("cargo::rustc-env={}={}", name.to_uppercase(), folder.join(name).with_extension("wasm").display());
    }
    Ok(())
}
