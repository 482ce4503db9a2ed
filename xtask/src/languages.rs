//! `cargo xtask languages`: components that other languages' toolchains make, in the tests that are ignored without them. Not among the tests,
//! because the toolchains are hundreds of megabytes.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use guest_build::toolchain::cache_folder;

use crate::step::Steps;
use crate::{test, workspace};

/// The programs, and what they are built with.
const FOLDER: &str = "tests/languages";
/// What npm needs to know.
const NPMS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
const JAVASCRIPT: [&str; 1] = ["fetch_hook"];

pub fn run() -> anyhow::Result<ExitCode> {
    let folder = workspace::folder().join(FOLDER);
    let cache = cache_folder().context("there is no cache folder, since neither XDG_CACHE_HOME nor HOME is set")?;
    let toolchain = cache.join("languages");
    fs::create_dir_all(&toolchain).with_context(|| format!("cannot create {}", toolchain.display()))?;
    let mut steps = Steps::new(&cache.join("languages.log"))?;
    install(&folder, &toolchain, &mut steps)?;
    for program in JAVASCRIPT {
        let mut build = Command::new("node");
        build.arg(toolchain.join("build.mjs")).arg(folder.join(program).with_extension("js"));
        build.arg(workspace::folder().join("wit")).arg(toolchain.join(program).with_extension("wasm"));
        steps.run(&format!("building {program}"), &mut build)?;
    }
    let chosen = ["--test", "all", "--", "host::languages::", "--ignored"].map(str::to_owned);
    test::run_with(&chosen, &[("TEST_LANGUAGES", &toolchain)])
}

/// What npm installs, anew if that is another than is there.
fn install(folder: &Path, toolchain: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let copy = |name: &str| {
        let (from, to) = (folder.join(name), toolchain.join(name));
        fs::copy(&from, &to).map(drop).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
    };
    let stamp = toolchain.join("installed");
    let wanted = fs::read(folder.join(NPMS[1])).with_context(|| format!("cannot read {}", NPMS[1]))?;
    copy("build.mjs")?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    for name in NPMS {
        copy(name)?;
    }
    if Command::new("npm").arg("--version").output().is_err() {
        bail!(
            "JavaScript's toolchain needs Node 20 or newer, with npm: on Debian, `apt install nodejs npm` installs them"
        );
    }
    println!("JavaScript's toolchain is installed, once, into {}", toolchain.display());
    let mut npm = Command::new("npm");
    npm.arg("ci").current_dir(toolchain);
    steps.run("npm ci", &mut npm)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}
