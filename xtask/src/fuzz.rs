//! `cargo xtask fuzz`: gives the engine bytes that cargo-fuzz makes up, and keeps what it cannot take.
//!
//! It runs on the stable Rust of everything else, without a sanitizer, which would take a nightly one: the engine's own code is safe Rust,
//! so that what is looked for are panics and broken promises.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};
use clap::Args;
use guest_build::toolchain::cache_folder;

use crate::step::Steps;
use crate::workspace;

/// Which cargo-fuzz is installed.
const VERSION: &str = "0.13.2";
/// The package with the targets, their `corpus/` beside them.
const PACKAGE: &str = "tests/fuzz";
/// The longest input, in bytes: what is found is read by people.
const LONGEST: usize = 8192;

#[derive(Args)]
pub struct Fuzz {
    /// One target instead of all: answer, component, manifest, origin or settings
    target: Option<String>,
    /// How many seconds each target gets
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub fn run(asked: &Fuzz) -> anyhow::Result<ExitCode> {
    let all = targets()?;
    let chosen = match &asked.target {
        None => all,
        Some(target) if all.contains(target) => vec![target.clone()],
        Some(target) => bail!("there is no target `{target}`; there are {}", all.join(", ")),
    };
    let program = install()?;
    let folder = target_folder()?.join("fuzz");
    for target in &chosen {
        println!("\n== {target}, {} s", asked.seconds);
        let kept = workspace::folder().join(PACKAGE).join("corpus").join(target);
        // What is made up goes to cargo's folder, and only by hand to the corpus.
        let made_up = folder.join("corpus").join(target);
        fs::create_dir_all(&made_up).with_context(|| format!("cannot create {}", made_up.display()))?;
        let mut command = cargo_fuzz(&program, &folder);
        command.arg(target).arg(&made_up).arg(&kept).arg("--").args([
            format!("-max_total_time={}", asked.seconds),
            format!("-max_len={LONGEST}"),
            format!("-artifact_prefix={}/found-{target}-", folder.display()),
            "-timeout=5".to_owned(),
            "-print_final_stats=1".to_owned(),
            "-verbosity=0".to_owned(),
        ]);
        let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
        if !status.success() {
            bail!(
                "{target} failed, for the reason above. If something was found, it is a file in {}: put it into {} under a name that says what it is, where the tests replay it",
                folder.display(),
                kept.display()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `cargo-fuzz run`, so that a target can follow.
fn cargo_fuzz(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::folder());
    workspace::forget_cargo_run(&mut command);
    command.args(["run", "--fuzz-dir", PACKAGE, "--target-dir"]).arg(folder);
    // What is fuzzed is what is shipped: no crate is told that it is being fuzzed.
    command.args(["--sanitizer", "none", "--no-cfg-fuzzing", "--features", "libfuzzer"]);
    command
}

/// The targets, by the folders of their corpora; a test holds that these are all.
fn targets() -> anyhow::Result<Vec<String>> {
    let corpus = workspace::folder().join(PACKAGE).join("corpus");
    let entries = fs::read_dir(&corpus).with_context(|| format!("cannot read {}", corpus.display()))?;
    let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// cargo-fuzz in the cache folder, which is installed if it is not there.
fn install() -> anyhow::Result<PathBuf> {
    let cache = cache_folder().context("there is no cache folder, since neither XDG_CACHE_HOME nor HOME is set")?;
    let root = cache.join(format!("cargo-fuzz-{VERSION}"));
    let program = root.join("bin").join("cargo-fuzz");
    if program.is_file() {
        return Ok(program);
    }
    if !["c++", "g++", "clang++"].iter().any(|compiler| answers(compiler)) {
        bail!("the fuzzer is C++ and needs a compiler for that: on Debian, `apt install g++` installs one");
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot create {}", cache.display()))?;
    println!("cargo-fuzz is installed, once, into {}", root.display());
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    workspace::forget_cargo_run(&mut command);
    // Without optimization it is built in half the time: it only starts what is optimized.
    command.args(["install", "cargo-fuzz", "--version", VERSION, "--locked", "--debug", "--root"]).arg(&root);
    Steps::new(&root.with_extension("log"))?.run("compiling cargo-fuzz", &mut command)?;
    Ok(program)
}

fn answers(compiler: &str) -> bool {
    let status = Command::new(compiler).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// cargo's target folder, in which this program lies.
fn target_folder() -> anyhow::Result<PathBuf> {
    let this = env::current_exe().context("cannot tell where this program lies")?;
    let folder = this.parent().and_then(Path::parent).context("this program does not lie where cargo puts it")?;
    Ok(folder.to_owned())
}
