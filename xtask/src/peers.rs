//! The programs of other projects that the tests talk to, all of them Python's: an SMTP server, and Django for the example that uses it. They live
//! in a Python environment of their own in the cache folder, which is made once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use guest_build::toolchain::cache_folder;

use crate::step::Steps;
use crate::workspace;

/// What is installed for the tests, with versions, so that all machines test against the same.
const PACKAGES: &[&str] = &["aiosmtpd==1.4.6"];
/// What the Django example needs, as it says itself.
const EXAMPLE: &str = "examples/django/requirements.txt";

/// A Python environment in the cache folder.
pub struct Environment<'a> {
    /// Its folder's name. It ends with a number that is raised when one of the others changes, so that an older one is not taken.
    pub name: &'a str,
    pub packages: &'a [&'a str],
    /// A file with more of them.
    pub requirements: &'a Path,
    /// A program that succeeds if all of it is there.
    pub probe: &'a str,
}

/// The Python interpreter that has what the tests need.
pub fn python() -> anyhow::Result<PathBuf> {
    make_if_missing(&Environment {
        name: "test-python-2",
        packages: PACKAGES,
        requirements: &workspace::folder().join(EXAMPLE),
        probe: "import aiosmtpd, django",
    })
}

/// The interpreter of an environment, which is made if there is none.
pub fn make_if_missing(environment: &Environment) -> anyhow::Result<PathBuf> {
    let cache = cache_folder().context("there is no cache folder, since neither XDG_CACHE_HOME nor HOME is set")?;
    let folder = cache.join(environment.name);
    let python = interpreter(&folder);
    // It also stops working when the system's Python, to which it points, is replaced.
    if !answers(&python, environment.probe) {
        println!("What the tests talk to is installed, once, into {}", folder.display());
        make(&folder, environment)?;
    }
    Ok(python)
}

fn make(folder: &Path, environment: &Environment) -> anyhow::Result<()> {
    if !answers(Path::new("python3"), "import venv, ensurepip") {
        bail!("the tests need Python's `venv`: on Debian, `apt install python3-venv` installs it");
    }
    // Made beside its place and moved there when complete. Environments can be moved if their interpreter is called by its path.
    let partial = folder.with_extension("partial");
    for old in [folder, &partial] {
        if old.exists() {
            fs::remove_dir_all(old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
    }
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    let mut steps = Steps::new(&folder.with_extension("log"))?;
    steps.run("making a Python environment", Command::new("python3").args(["-m", "venv"]).arg(&partial))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"];
    let mut install = Command::new(interpreter(&partial));
    install.args(pip).args(environment.packages).arg("--requirement").arg(environment.requirements);
    steps.run("installing Python packages into it", &mut install)?;
    fs::rename(&partial, folder).with_context(|| format!("cannot create {}", folder.display()))
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

fn answers(python: &Path, program: &str) -> bool {
    let status = Command::new(python).args(["-c", program]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
