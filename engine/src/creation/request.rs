//! What an application asks for, and what it is told.

use crate::host::{Fault, ModuleError};
use crate::rules::grants::{quoted, shell};
use crate::rules::limits::Invalid;
use crate::rules::moment::Moment;
use crate::rules::notification::OnUnknown;
use crate::rules::outcome::Failure;
use crate::rules::schema::Misfit;
use crate::rules::spelling::shown;
use crate::rules::tenant::Tenant;
use crate::store::StoreError;
use crate::targets::Unready;
use serde_json::{Map, Value};
use uuid::Uuid;

/// What an application asks for: a user is to be notified.
#[derive(Debug, Clone)]
pub struct Request {
    pub tenant: Tenant,
    /// The user's name.
    pub user: String,
    /// Display or module names. Empty: every target in which the user has an active record.
    pub targets: Vec<String>,
    pub message: Message,
    /// Another message for one of the targets, by its display or module name.
    pub messages: Vec<(String, Message)>,
    /// `None`: now.
    pub scheduled_delivery: Option<Moment>,
    pub expires_at: Option<Moment>,
    /// Seconds; `None`: what the component proposes.
    pub retry_time_interval: Option<u32>,
    pub max_retries: u32,
    pub on_unknown: Option<OnUnknown>,
    /// The application's name for this request: the same one again gives the first answer.
    pub idempotency_key: Option<String>,
    /// Stored as it is, without asking the components' creators.
    pub raw: bool,
}

/// What a user is told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    pub title: String,
    pub body: String,
    pub extra: Map<String, Value>,
}

/// What a request came to in one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The target's display name.
    pub target: String,
    /// The ids of the notifications, or why there are none.
    pub result: Result<Vec<Uuid>, Refusal>,
}

/// Why a request makes nothing in a target, though nothing is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("The user `{0}` has opted out of notifications.")]
    UserIsOptedOut(String),
    /// Without a target: in none at all.
    #[error(
        "The user `{user}` has no active record in {}; `engine record add --user {} --target {} --target-user-id …` makes one, `engine record activate ID` switches one on that `engine record list` shows.",
        in_target(.target.as_deref()),
        shell(.user),
        .target.as_deref().map_or_else(|| "…".to_owned(), quoted)
    )]
    UserHasNoTargetRecords { user: String, target: Option<String> },
    #[error("No notification was made: {0}")]
    NotificationsNotCreated(String),
}

/// Who can do something about a fault. A limit may be too low for what is asked.
fn whom_to_tell(fault: &Fault) -> &'static str {
    if fault.code.starts_with("out_of_") { "Tell its author, or raise the limit." } else { "Tell its author." }
}

fn in_target(target: Option<&str>) -> String {
    target.map_or_else(|| "any target".to_owned(), |target| format!("the target {target}"))
}

impl Refusal {
    /// Its name for programs, the predecessor's.
    pub const fn name(&self) -> &'static str {
        match self {
            Refusal::UserIsOptedOut(_) => "UserIsOptedOut",
            Refusal::UserHasNoTargetRecords { .. } => "UserHasNoTargetRecords",
            Refusal::NotificationsNotCreated(_) => "NotificationsNotCreated",
        }
    }
}

/// Why nothing was made. Nothing has been stored then, in any target.
#[derive(Debug, thiserror::Error)]
pub enum CreationError {
    /// In no target was there anything to do; the first reason speaks for all.
    #[error("{}", .0.first().map_or_else(String::new, |(_, refusal)| refusal.to_string()))]
    Nothing(Vec<(Option<String>, Refusal)>),
    /// The creator refused the request; the text behind the colon is its own.
    #[error("The target {target} refuses this: {}", shown(&.failure.message))]
    Refused { target: String, failure: Failure },
    /// Its `extra` is not what the component takes.
    #[error("This cannot be sent to {target}: {why}.")]
    Unfit { target: String, why: Misfit },
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error(transparent)]
    Module(#[from] ModuleError),
    #[error("The component of the target {target} failed: {fault} {}", whom_to_tell(.fault))]
    Fault { target: String, fault: Fault },
    #[error(transparent)]
    Store(StoreError),
}

impl CreationError {
    /// Nothing was made in any target, because of this alone.
    pub fn refused(refusal: Refusal) -> Self {
        CreationError::Nothing(vec![(None, refusal)])
    }

    /// Whether nothing is wrong but with one target: its component cannot be used, fails, or does not take the request. Its reason, where the target is named beside it.
    pub fn of_one_target(&self) -> Option<String> {
        match self {
            CreationError::Module(_) | CreationError::Fault { .. } => Some(self.to_string()),
            CreationError::Refused { failure, .. } => Some(shown(&failure.message)),
            CreationError::Unfit { why, .. } => Some(format!("{why}.")),
            CreationError::Nothing(_) | CreationError::Invalid(_) | CreationError::Store(_) => None,
        }
    }
}

impl From<Unready> for CreationError {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Module(error) | Unready::Trouble(error) => CreationError::Module(error),
            Unready::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for CreationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OptedOut { username } => CreationError::refused(Refusal::UserIsOptedOut(username)),
            other => CreationError::Store(other),
        }
    }
}
