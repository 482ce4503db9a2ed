//! What the store refuses, and why: kinds that callers branch on, each with one sentence that may be shown to anybody.
//!
//! The sentence says what to do. What the database itself said is kept as the source, for the log; it may hold values
//! and is not shown.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use crate::rules::limits::Invalid;

/// Why a verb of the store did nothing. Whatever the error, nothing of what was asked has been written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What was named does not exist in this tenant.
    #[error(
        "There is no {what} `{name}`: {}`{}` shows those there are.",
        near.as_ref().map(|near| format!("did you mean `{near}`? ")).unwrap_or_default(),
        what.list_command()
    )]
    NotFound {
        /// Of which kind it would be.
        what: Thing,
        /// As the caller named it.
        name: String,
        /// What there is that is spelled most like it, if that was looked for.
        near: Option<String>,
    },
    /// It exists already, and there can be only one.
    #[error("There already is a {what} `{name}`: use it as it is, or choose another {}.", .what.told_apart_by())]
    AlreadyExists {
        /// Of which kind it is.
        what: Thing,
        /// The part of it that may not be repeated.
        name: String,
    },
    /// It cannot be removed while something else needs it.
    #[error("The {what} `{name}` is in use: {remedy}.")]
    InUse {
        /// Of which kind it is.
        what: Thing,
        /// As the caller named it.
        name: String,
        /// What would make the removal possible.
        remedy: &'static str,
    },
    /// The user wants no notifications.
    #[error("The user `{username}` has opted out of notifications: nothing new can be made for them.")]
    OptedOut {
        /// Who that is.
        username: String,
    },
    /// The record is switched off.
    #[error(
        "The target user record `{target_user_id}` is not active: `engine record activate {id}` switches it on, or use another one."
    )]
    Inactive {
        /// The record.
        id: Uuid,
        /// The record's address.
        target_user_id: String,
    },
    /// A field is not what it must be, or the request as a whole makes no sense.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Another process delivers from the same file.
    #[error(
        "Another engine{} delivers from {} at the moment: stop it, or give this one a database of its own.",
        by.map(|process| format!(" (process {process})")).unwrap_or_default(),
        file.display()
    )]
    Locked {
        /// The database.
        file: PathBuf,
        /// Its process id, if it could be read.
        by: Option<u32>,
    },
    /// A newer engine has been at work on the database.
    #[error(
        "The database has schema {found}, and this engine knows only those up to {known}: use the engine that made it, \
         or a newer one."
    )]
    FutureSchema {
        /// The number of its last migration.
        found: i64,
        /// The number of ours.
        known: i64,
    },
    /// The database could not do its part.
    #[error("{sentence}")]
    Unavailable {
        /// What is the matter, and what to do.
        sentence: String,
        /// Whether waiting may help: it is busy, or its disk is full.
        passing: bool,
        /// What the database said. Shared, because one failed commit fails all that it would have kept.
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },
}

impl StoreError {
    /// What was named does not exist.
    pub(super) fn not_found(what: Thing, name: impl Into<String>) -> Self {
        StoreError::NotFound { what, name: name.into(), near: None }
    }

    /// The record that is not there any more, or switched off, if that is what is the matter.
    pub fn unreachable_record(&self) -> Option<Uuid> {
        match self {
            StoreError::Inactive { id, .. } => Some(*id),
            StoreError::NotFound { what: Thing::Record, name, .. } => name.parse().ok(),
            _ => None,
        }
    }

    /// Whether the database has ended one of two transactions that waited for each other, or for what had changed: the same one again will most likely succeed.
    pub(super) fn is_of_a_race(&self) -> bool {
        let StoreError::Unavailable { source: Some(error), .. } = self else { return false };
        let error = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
        let state = error.and_then(|error| error.code());
        state.is_some_and(|state| ["40P01", "40001"].contains(&state.as_ref()))
    }

    /// Whether the same call may succeed later without anybody changing anything about it.
    pub fn is_worth_another_try(&self) -> bool {
        match self {
            StoreError::Unavailable { passing, .. } => *passing,
            StoreError::InUse { .. } | StoreError::Locked { .. } => true,
            StoreError::NotFound { .. }
            | StoreError::AlreadyExists { .. }
            | StoreError::OptedOut { .. }
            | StoreError::Inactive { .. }
            | StoreError::Invalid(_)
            | StoreError::FutureSchema { .. } => false,
        }
    }
}

/// The kinds of things that the store keeps and people name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are those of the models")]
pub enum Thing {
    User,
    Target,
    Record,
    Notification,
    Secret,
}

impl Thing {
    /// The command that shows all of the kind.
    fn list_command(self) -> &'static str {
        match self {
            Thing::User => "engine user list",
            Thing::Target => "engine target list",
            Thing::Record => "engine record list",
            Thing::Notification => "engine notification list",
            Thing::Secret => "engine secret list",
        }
    }

    /// What no two of them have in common.
    fn told_apart_by(self) -> &'static str {
        match self {
            Thing::Record => "address",
            Thing::User | Thing::Target | Thing::Notification | Thing::Secret => "name",
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Thing::User => "user",
            Thing::Target => "target",
            Thing::Record => "target user record",
            Thing::Notification => "notification",
            Thing::Secret => "secret",
        })
    }
}
