//! Why there are no components. Each text is one sentence for the person who ran cargo, and says what to do if that is known.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::TARGET;
use crate::toolchain::VARIABLE;

#[derive(Debug)]
pub enum Error {
    /// No compiler for components was found.
    NoToolchain,
    /// The compiler that the variable names cannot do it.
    NotAGuestCompiler {
        rustc: PathBuf,
    },
    /// A program could not be started, or did not answer a simple question.
    Program {
        program: PathBuf,
        source: Option<io::Error>,
    },
    /// The second cargo failed; it has said why on its standard error.
    Build {
        package: String,
    },
    /// The second cargo succeeded, but not in making what was asked for.
    NotProduced {
        package: String,
        file: PathBuf,
    },
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what was being done, and to which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToolchain => write!(
                f,
                "no compiler for {TARGET} was found: run `rustup target add {TARGET}`, or on a Debian machine where rustup cannot \
                 download it `cargo xtask toolchain`, and then the same command again"
            ),
            Self::NotAGuestCompiler { rustc } => write!(
                f,
                "{VARIABLE} names {}, which has no standard library for {TARGET}: name another compiler, or unset {VARIABLE}",
                rustc.display()
            ),
            Self::Program { program, source: Some(source) } => write!(f, "cannot run {}: {source}", program.display()),
            Self::Program { program, source: None } => {
                write!(f, "{} did not say which version it is or where its libraries are", program.display())
            }
            Self::Build { package } => {
                write!(f, "building the components of {package} failed; cargo's own words say why")
            }
            Self::NotProduced { package, file } => write!(
                f,
                "package {package} was built but {} was not made: its crate type should be `cdylib`",
                file.display()
            ),
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The texts above contain their sources, so that a build script can print one line.
        None
    }
}
