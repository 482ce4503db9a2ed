//! Asks apt for packages without touching the machine: lists, cache and sources are in a folder of their own, and nothing is installed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::program;
use super::sources::Source;
use crate::step::Steps;

/// apt, with a configuration that is read after the machine's own.
pub struct Apt {
    configuration: PathBuf,
    downloads: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    pub name: String,
    pub version: String,
}

impl Package {
    /// The first two numbers of the version.
    pub fn release(&self) -> Option<(u32, u32)> {
        let mut numbers = self.version.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??))
    }
}

impl Apt {
    pub fn new(folder: &Path, sources: &[Source]) -> anyhow::Result<Self> {
        let apt = Self { configuration: folder.join("apt.conf"), downloads: folder.join("downloads") };
        let (lists, cache, parts) = (folder.join("lists"), folder.join("cache"), folder.join("sources"));
        for new in [&lists.join("partial"), &cache.join("archives/partial"), &parts, &apt.downloads] {
            fs::create_dir_all(new).with_context(|| format!("cannot create {}", new.display()))?;
        }
        let stanzas: Vec<_> = sources.iter().map(Source::stanza).collect();
        fs::write(parts.join("debian.sources"), stanzas.join("\n"))?;
        fs::write(&apt.configuration, configuration(&lists, &cache, &parts))?;
        Ok(apt)
    }

    pub fn update(&self, what: &str, steps: &mut Steps) -> anyhow::Result<()> {
        steps.run(what, self.command("apt-get").args(["--error-on=any", "update"]))
    }

    /// These packages in their newest versions, and whatever else they need that is not installed on the machine.
    pub fn with_dependencies(&self, names: &[&str], steps: &mut Steps) -> anyhow::Result<Vec<Package>> {
        let mut simulate = self.command("apt-get");
        simulate.args(["--simulate", "--no-install-recommends", "install"]).args(names);
        let mut packages = new_packages(&steps.output("working out which packages are needed", &mut simulate)?);
        // What is installed already is not new, but is needed here as well.
        for name in names {
            if !packages.iter().any(|package| package.name == *name) {
                packages.push(self.candidate(name, steps)?);
            }
        }
        Ok(packages)
    }

    /// This package in its newest version.
    pub fn candidate(&self, name: &str, steps: &mut Steps) -> anyhow::Result<Package> {
        let policy = steps.output("looking a package up", self.command("apt-cache").args(["policy", name]))?;
        let version = candidate_version(&policy)
            .with_context(|| format!("none of Debian's suites here has the package {name}"))?;
        Ok(Package { name: name.to_owned(), version: version.to_owned() })
    }

    pub fn download(&self, what: &str, packages: &[Package], steps: &mut Steps) -> anyhow::Result<()> {
        let versions = packages.iter().map(|package| format!("{}={}", package.name, package.version));
        steps.run(what, self.command("apt-get").current_dir(&self.downloads).arg("download").args(versions))
    }

    /// Unpacks everything that was downloaded.
    pub fn unpack(&self, root: &Path, steps: &mut Steps) -> anyhow::Result<()> {
        let entries =
            fs::read_dir(&self.downloads).with_context(|| format!("cannot read {}", self.downloads.display()))?;
        let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| file.extension() == Some(OsStr::new("deb")));
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let name = name.split('_').next().unwrap_or_default();
            steps.run(&format!("unpacking {name}"), program("dpkg").arg("--extract").arg(&file).arg(root))?;
        }
        Ok(())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = program(name);
        command.arg("--config-file").arg(&self.configuration);
        command
    }
}

/// apt's configuration. The machine's hooks are cleared, because they would work on the machine's own cache, and fail for an
/// ordinary user. apt's unprivileged user could not write into a home, so whoever runs this downloads as themselves.
fn configuration(lists: &Path, cache: &Path, sources: &Path) -> String {
    format!(
        r#"#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Cache "{}";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "{}";
Dir::State::Lists "{}";
"#,
        cache.display(),
        sources.display(),
        lists.display()
    )
}

/// The packages that a simulated installation would install: `Inst name [old version] (version origin [architecture])`.
fn new_packages(simulation: &str) -> Vec<Package> {
    let package = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        let version = rest.split_once('(')?.1.split_whitespace().next()?;
        Some(Package { name: name.to_owned(), version: version.to_owned() })
    };
    simulation.lines().filter_map(package).collect()
}

/// The version that `apt-cache policy` names as the candidate.
fn candidate_version(policy: &str) -> Option<&str> {
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (version != "(none)").then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn new_packages_are_read_from_a_simulation() {
        let simulation = "Reading package lists...
The following NEW packages will be installed:
  libllvm22 rustc-web
Inst libllvm22 (1:22.1.8-1~deb12u1 Debian-Security:12/oldstable-security [amd64])
Inst rustc-web [1.85.0] (1.96.0+dfsg1-1~deb12u2 Debian-Security:12/oldstable-security [amd64])
Conf libllvm22 (1:22.1.8-1~deb12u1 Debian-Security:12/oldstable-security [amd64])
";
        let expected = [package("libllvm22", "1:22.1.8-1~deb12u1"), package("rustc-web", "1.96.0+dfsg1-1~deb12u2")];
        assert_eq!(new_packages(simulation), expected);
    }

    #[test]
    fn the_candidate_is_read_from_the_policy() {
        let policy =
            "wasi-libc:\n  Installed: (none)\n  Candidate: 0.0~git2024-2\n  Version table:\n     0.0~git2024-2 500\n";
        assert_eq!(candidate_version(policy), Some("0.0~git2024-2"));
        assert_eq!(candidate_version("x:\n  Installed: 1\n  Candidate: (none)\n"), None);
        assert_eq!(candidate_version(""), None);
    }

    #[test]
    fn the_release_is_the_version_s_beginning() {
        assert_eq!(package("rustc-web", "1.96.0+dfsg1-1~deb12u2").release(), Some((1, 96)));
        assert_eq!(package("libllvm22", "1:22.1.8-1").release(), None);
    }
}
