//! Builds the standard library for components and puts it where the compiler looks for it, then compiles a first component.

use std::env::consts::ARCH;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use guest_build::{TARGET, toolchain};

use crate::step::Steps;

/// An empty crate, for which cargo builds the whole library. Everything in it is called this.
const EMPTY: &str = "nothing_but_std";

/// What a linker needs of the C library, which Debian puts into another place than rustup.
const C_LIBRARY: &[&str] = &["libc.a", "crt1-command.o", "crt1-reactor.o"];

/// Debian's name of this platform, which is a folder's name in its packages.
pub fn triplet() -> String {
    format!("{ARCH}-linux-gnu")
}

/// Completes the toolchain in `folder`, in whose `root` the packages have been unpacked.
pub fn build(folder: &Path, scratch: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let usr = folder.join("root/usr");
    let library = usr.join("lib/rustlib").join(TARGET).join("lib");
    let self_contained = library.join("self-contained");
    fs::create_dir_all(&self_contained).with_context(|| format!("cannot create {}", self_contained.display()))?;
    for file in C_LIBRARY {
        copy(&usr.join("lib").join(TARGET).join(file), &self_contained.join(file))?;
    }

    let crate_folder = scratch.join(EMPTY);
    fs::create_dir_all(crate_folder.join("src"))?;
    fs::write(crate_folder.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"{EMPTY}\"\nedition = \"2024\"\n[profile.release]\npanic = \"abort\"\n[workspace]\n"
    );
    fs::write(crate_folder.join("Cargo.toml"), manifest)?;
    steps.run("building the standard library", &mut cargo(folder, &crate_folder)?)?;

    let mut built = Vec::new();
    find_libraries(&crate_folder.join("target").join(TARGET), &mut built)?;
    if built.is_empty() {
        bail!("building the standard library made no libraries");
    }
    for file in built {
        if let Some(name) = file.file_name() {
            copy(&file, &library.join(name))?;
        }
    }
    compile_one(folder, scratch, steps)
}

/// cargo, Debian's own, so that it has the version of the compiler and of the library's source.
fn cargo(folder: &Path, crate_folder: &Path) -> anyhow::Result<Command> {
    let usr = folder.join("root/usr");
    let mut command = super::program(&usr.join("bin/cargo").to_string_lossy());
    toolchain::at(folder)?.apply(&mut command);
    command.current_dir(crate_folder);
    command.args([
        "build",
        "--release",
        "--target",
        TARGET,
        "-Z",
        "build-std=std,panic_abort",
        "--target-dir",
        "target",
    ]);
    command.env("LD_LIBRARY_PATH", usr.join("lib").join(triplet()));
    // Building it is an unstable feature, and this is how Debian's compiler is told to have those.
    command.env("RUSTC_BOOTSTRAP", "1");
    // Link-time optimization of components needs bitcode in the library. The folder's name would otherwise be in every component's
    // panic messages; the new name is the one that components' own builds give to the toolchain's folder.
    command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        format!("-Cembed-bitcode=yes\u{1f}--remap-path-prefix={}=/rust", usr.display()),
    );
    Ok(command)
}

fn find_libraries(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            find_libraries(&path, found)?;
        } else if path.extension() == Some(OsStr::new("rlib")) && !name.contains(EMPTY) {
            found.push(path);
        }
    }
    Ok(())
}

/// Shows that the compiler, the library and the linker fit together, before anybody relies on them.
fn compile_one(folder: &Path, scratch: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let source = scratch.join("first.rs");
    fs::write(&source, "#[unsafe(no_mangle)]\npub extern \"C\" fn first() { println!(\"first\") }\n")?;
    let toolchain = toolchain::at(folder)?;
    if !toolchain.linkers.iter().any(|linkers| linkers.join("wasm-component-ld").is_file()) {
        bail!("the current Rust toolchain has no `wasm-component-ld`; rustup's toolchains have it");
    }
    let mut command = Command::new(&toolchain.rustc);
    toolchain.apply(&mut command);
    command.args([
        "--target",
        TARGET,
        "--edition",
        "2024",
        "--crate-type",
        "cdylib",
        "-Copt-level=s",
        "-Clto",
        "-Cpanic=abort",
    ]);
    command.arg("-o").arg(scratch.join("first.wasm")).arg(&source);
    steps.run("compiling a first component", &mut command)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
