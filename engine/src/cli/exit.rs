//! Exit codes, and the sentence that goes with a failure.

use super::output::{self, Format};
use crate::creation::{CreationError, Refusal};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    Done,
    /// It could not be done; 2 is clap's, for arguments that make no sense.
    Failed,
    /// All that was due was handled, and some of it ended badly.
    SomeFailed,
    UserIsOptedOut,
    UserHasNoTargetRecords,
    NotificationsNotCreated,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        ExitCode::from(match code {
            Code::Done => 0,
            Code::Failed => 1,
            Code::SomeFailed => 3,
            Code::UserIsOptedOut => 4,
            Code::UserHasNoTargetRecords => 5,
            Code::NotificationsNotCreated => 6,
        })
    }
}

impl Code {
    /// What a refused creation exits with.
    pub fn of(error: &CreationError) -> Self {
        match error {
            CreationError::Nothing(refusals) => match refusals.first() {
                Some((_, Refusal::UserIsOptedOut(_))) => Code::UserIsOptedOut,
                Some((_, Refusal::UserHasNoTargetRecords { .. })) => Code::UserHasNoTargetRecords,
                Some((_, Refusal::NotificationsNotCreated(_))) | None => Code::NotificationsNotCreated,
            },
            CreationError::Refused { .. }
            | CreationError::Unfit { .. }
            | CreationError::Invalid(_)
            | CreationError::Module(_)
            | CreationError::Fault { .. }
            | CreationError::Store(_) => Code::Failed,
        }
    }
}

/// Prints why a command failed: one sentence, for programs as the one value of standard output too; and its causes in the log for whoever asks for them.
pub fn report(error: &anyhow::Error, format: Format) -> Code {
    let closed = error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe);
    if closed {
        // Whoever read the output has seen enough.
        return Code::Done;
    }
    output::aside(&format!("engine: {error}"));
    for cause in error.chain().skip(1) {
        tracing::info!("caused by: {cause}");
    }
    let refused = error.downcast_ref::<CreationError>();
    // What came of a request in each target is that value already.
    if format == Format::Json && !matches!(refused, Some(CreationError::Nothing(_))) {
        // That nobody reads it is no other failure than the one that is told.
        let _ = output::json(&serde_json::json!({ "error": error.to_string() }));
    }
    refused.map_or(Code::Failed, Code::of)
}

/// Prints why arguments make no sense, or the help that they ask for. For programs the sentence is the one value of standard output, too: how they want it is
/// looked for in the arguments, which could not be read.
pub fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let for_programs = arguments.windows(2).any(|two| two == ["--output", "json"])
        || arguments.iter().any(|one| one == "--output=json");
    // That nobody reads it is no other failure than the one that is told.
    let _ = error.print();
    if error.use_stderr() && for_programs {
        let _ = output::json(&serde_json::json!({ "error": sentence(&error.to_string()) }));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// What clap says first, on one line.
fn sentence(said: &str) -> String {
    let first = said.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    let words = words.join(" ");
    words.strip_prefix("error: ").unwrap_or(&words).to_owned()
}
