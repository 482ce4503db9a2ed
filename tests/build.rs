//! Builds the guest programs that the tests run: `GUESTS` is the folder in which they lie, as `<name>.wasm`.

#[path = "build/named.rs"]
mod named;
#[path = "build/text.rs"]
mod text;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, error};

use guest_build::Guest;

const GUESTS: &[Guest] = &[
    Guest::Examples { package: "test-guests", folder: "tests/guests" },
    Guest::Library { package: "carrier-pigeon", folder: "examples/carrier_pigeon", lib: "carrier_pigeon" },
    Guest::Examples { package: "contract-sketches", folder: "tests/sketches" },
];

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
    let tests = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).canonicalize()?;
    named::check(&tests)?;

    let workspace = tests.parent().unwrap_or(Path::new("."));
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("guests");
    guest_build::print_watched(workspace, GUESTS);

    let built = guest_build::build(workspace, GUESTS)?;
    guest_build::copy_to(&folder, &built)?;
    text::build(&workspace.join("wit"), &tests.join("guests/text"), &folder)?;
    println!("cargo::rustc-env=GUESTS={}", folder.display());
    Ok(())
}
