//! Puts a compiler for components together from Debian's packages, for machines where rustup cannot download one. Nothing is
//! installed, nobody needs to be root, and the machine's own apt stays as it is.
//!
//! Debian compiles the standard library for the machine's platform and not for components, but has all the parts: the compiler, the
//! library's source, and a C library for WASI. The result is one folder in the user's cache, made beside its place and moved there when a
//! first component has been compiled with it.

mod apt;
mod sources;
mod std_library;

use std::fs::{self, File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};
use guest_build::toolchain;

use self::apt::{Apt, Package};
use crate::step::Steps;

/// The compiler in its newest version, which Debian keeps for its browsers, and cargo of the same version, since the way to
/// build a standard library differs between versions.
const PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev", "rust-web-src", "cargo-web"];

/// What the components need, as `rust-version` in the workspace's manifest has it. Without Debian's security updates it is older.
const OLDEST: (u32, u32) = (1, 95);

/// The C library, from the first suite where it knows WASI 0.2. It consists of files for the linker, so it may come from another suite.
const C_LIBRARY: &str = "wasi-libc";
const C_LIBRARY_SUITE: &str = "trixie";

/// Finds its libraries beside itself, wherever the folder is moved.
const WRAPPER: &str = "#!/bin/sh
here=${0%/*}
LD_LIBRARY_PATH=$here/root/usr/lib/TRIPLET exec \"$here/root/usr/bin/rustc\" \"$@\"
";

pub fn is_this() -> bool {
    os_release().is_ok_and(|text| field(&text, "ID") == Some("debian"))
}

/// Makes the toolchain, unless another process does it first.
pub fn make() -> anyhow::Result<()> {
    let folder =
        toolchain::own_folder().context("there is no cache folder, since neither XDG_CACHE_HOME nor HOME is set")?;
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    let _lock = lock(&folder.with_extension("lock"))?;
    if folder.exists() {
        return Ok(());
    }

    let started = Instant::now();
    let partial = folder.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    let mut steps = Steps::new(&folder.with_extension("log"))?;
    put_together(&partial, &mut steps)?;
    fs::rename(&partial, &folder).with_context(|| format!("cannot create {}", folder.display()))?;
    println!("Done in {} s: {}", started.elapsed().as_secs(), folder.display());
    Ok(())
}

fn put_together(folder: &Path, steps: &mut Steps) -> anyhow::Result<()> {
    let scratch = folder.join("scratch");
    let root = folder.join("root");
    fs::create_dir_all(&root).with_context(|| format!("cannot create {}", root.display()))?;

    let codename = os_release()?;
    let codename = field(&codename, "VERSION_CODENAME").context("/etc/os-release does not say which Debian this is")?;
    let own = sources::of_debian(&sources::of_this_machine()?, codename);
    if own.is_empty() {
        bail!("apt has no source for Debian {codename} on this machine (looked into /etc/apt)");
    }
    let apt = Apt::new(&scratch.join("own"), &own)?;
    apt.update("reading Debian's lists of packages", steps)?;
    let mut packages = apt.with_dependencies(PACKAGES, steps)?;
    check_version(&packages)?;
    apt.download("downloading the compiler and its source", &packages, steps)?;

    let other = sources::in_suite(&own, codename, C_LIBRARY_SUITE);
    let apt_other = Apt::new(&scratch.join("other"), &other)?;
    apt_other.update("reading the lists of the suite that has the C library", steps)?;
    let c_library = apt_other.candidate(C_LIBRARY, steps)?;
    apt_other.download("downloading the C library", std::slice::from_ref(&c_library), steps)?;
    packages.push(c_library);

    apt.unpack(&root, steps)?;
    apt_other.unpack(&root, steps)?;

    let wrapper = toolchain::rustc_in(folder);
    fs::write(&wrapper, WRAPPER.replace("TRIPLET", &std_library::triplet()))?;
    fs::set_permissions(&wrapper, Permissions::from_mode(0o755))?;
    let stamp: String = packages.iter().map(|package| format!("{} {}\n", package.name, package.version)).collect();
    fs::write(toolchain::stamp_in(folder), stamp)?;

    std_library::build(folder, &scratch, steps)?;
    // These are half of the folder, and no component needs them.
    for used_up in [scratch, root.join("usr/lib/rustlib/src"), root.join("usr/src"), root.join("usr/share")] {
        fs::remove_dir_all(&used_up).with_context(|| format!("cannot remove {}", used_up.display()))?;
    }
    Ok(())
}

fn check_version(packages: &[Package]) -> anyhow::Result<()> {
    let (major, minor) = OLDEST;
    for package in packages.iter().filter(|package| PACKAGES.contains(&package.name.as_str())) {
        if package.release().is_none_or(|release| release < OLDEST) {
            let Package { name, version } = package;
            bail!(
                "Debian's {name} is {version} here, but {major}.{minor} is needed: are the security updates among apt's sources?"
            );
        }
    }
    Ok(())
}

fn lock(path: &Path) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            println!("Another process is at it; waiting for it");
            file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    Ok(file)
}

fn os_release() -> anyhow::Result<String> {
    fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")
}

/// A value out of `/etc/os-release`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.next().map(|value| value.trim_matches(['"', '\'']))
}

/// A program that is given nothing but what the caller's own environment has.
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    // What programs print is read here, and by people in the log: always in one language.
    command.env("LC_ALL", "C.UTF-8");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_with_and_without_quotes() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\nID_LIKE=x\n";
        assert_eq!(field(text, "ID"), Some("debian"));
        assert_eq!(field(text, "VERSION_CODENAME"), Some("bookworm"));
        assert_eq!(field(text, "PRETTY_NAME"), Some("Debian GNU/Linux 12 (bookworm)"));
        assert_eq!(field(text, "VERSION"), None);
    }

    #[test]
    fn an_old_compiler_is_refused() {
        let package = |version: &str| Package { name: "rustc-web".to_owned(), version: version.to_owned() };
        assert!(check_version(&[package("1.96.0+dfsg1-1~deb12u2")]).is_ok());
        let error = check_version(&[package("1.85.0+dfsg3-1~deb12u3")]).unwrap_err().to_string();
        assert!(error.starts_with("Debian's rustc-web is 1.85.0+dfsg3-1~deb12u3 here, but 1.95 is needed"), "{error}");
    }
}
