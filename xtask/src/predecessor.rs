//! `cargo xtask predecessor`: a database that the real django-notification-system has filled, on SQLite and on PostgreSQL, is imported and
//! delivered. Not among the tests, because it installs Django's predecessor of this engine and needs a PostgreSQL.

use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::peers::{self, Environment};
use crate::{demo, workspace};

/// What the lane consists of; `run.py` in it says what is done.
const FOLDER: &str = "tests/predecessor";

pub fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let folder = workspace::folder().join(FOLDER);
    let python = peers::make_if_missing(&Environment {
        name: "predecessor-python-1",
        packages: &[],
        requirements: &folder.join("requirements.txt"),
        probe: "import django_notification_system, psycopg2, aiosmtpd, six, pkg_resources",
    })?;
    let engine = demo::build()?;
    let status = Command::new(&python).arg(folder.join("run.py")).arg(engine).args(arguments).status();
    Ok(workspace::exit_code(status.with_context(|| format!("cannot run {}", python.display()))?))
}
