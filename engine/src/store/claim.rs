//! The words around a claim: the right to attempt, taken by one engine for a bounded time, with a fence number that
//! only grows.

use jiff::Timestamp;
use uuid::Uuid;

use crate::rules::attempt::Attempt;
use crate::rules::memory;
use crate::rules::notification::Notification;
use crate::rules::retry::Settlement;
use crate::rules::status::Status;
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use std::sync::Arc;

/// The right to attempt one notification. It is shown when the outcome is written back, and is worth nothing once the
/// fence has grown or the claim has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Whose the notification is.
    pub tenant: Tenant,
    /// The notification.
    pub notification: Uuid,
    /// The number of this claim among all that the notification has had.
    pub fence: i64,
}

/// Who wants to claim, what, and for how long.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// The engine that will make the attempts.
    pub engine: Uuid,
    /// What is due by now can be claimed.
    pub now: Timestamp,
    /// When the claims end at the latest. Whoever still holds one then may not send any more.
    pub lease_until: Timestamp,
    /// At most so many, those that ended included.
    pub limit: u32,
    /// At most so much memory, in bytes, and what goes beyond that with the last of them.
    pub bytes: usize,
    /// In which targets. Those that are paused or slowed down are left out by the store itself.
    pub targets: Targets,
}

/// Which targets are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Targets {
    /// Every one.
    #[default]
    All,
    /// Those with these ids.
    Only(Vec<Uuid>),
    /// Those without these ids, because they have as much to do as they can.
    AllBut(Vec<Uuid>),
}

/// How much a claim has seen of what people and other engines decide about what is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interventions(pub(super) i64);

/// What a claim brought, earliest due first.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    /// To be attempted.
    pub claimed: Vec<Claimed>,
    /// Ended where they stood, with nothing to attempt.
    pub ended: Vec<Ended>,
}

/// One claimed notification, with all that a call needs.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The right to attempt it.
    pub claim: Claim,
    /// As it stands, SCHEDULED or RETRY.
    pub notification: Notification,
    /// Who is to be notified.
    pub user: User,
    /// Where.
    pub record: TargetUserRecord,
    /// Through which target; shared by all of one batch.
    pub target: Arc<Target>,
    /// The number of the attempt that is to be made: 1 for the first.
    pub attempt: u32,
    /// The attempt before it.
    pub previous: Option<PreviousAttempt>,
    /// How many engines have died over it.
    pub lease_deaths: u32,
}

impl Claimed {
    /// Bytes of memory that it takes, about.
    pub fn memory(&self) -> usize {
        memory::of_notification(&self.notification) + memory::of_user(&self.user) + size_of::<Self>()
    }

    /// Without what only a call needs: its outcome may have to wait until it is written down.
    #[must_use]
    pub fn called(mut self) -> Self {
        (self.notification.extra, self.user.attributes) = Default::default();
        self
    }

    /// It ended after the claim, with nothing to attempt.
    pub fn ended(self, status: Status) -> Ended {
        Ended { status, notification: self.notification, user: self.user, record: self.record, target: self.target }
    }

    /// What to hand to `settle` when the attempt has ended.
    pub fn settled(&self, settlement: Settlement, attempt: Attempt) -> Settled {
        Settled { claim: self.claim, settlement, attempt, lease_deaths: 0 }
    }
}

/// What a component is told about the attempt before this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousAttempt {
    /// When the last one began.
    pub last: Timestamp,
    /// The provider's own id of the message, from the last attempt that had one; empty if none had.
    pub provider_id: String,
    /// When the first began of which nobody knows whether it was taken.
    pub unknown_since: Option<Timestamp>,
}

/// One notification that ended at the claim or right before the send: the user had opted out, the record was inactive, its expiry had passed, or
/// it was canceled.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What it ended in.
    pub status: Status,
    /// As it stood before.
    pub notification: Notification,
    /// Who would have been notified.
    pub user: User,
    /// Where.
    pub record: TargetUserRecord,
    /// Through which target.
    pub target: Arc<Target>,
}

/// An attempt that has ended: what follows, and the row for the history.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The right under which it was made.
    pub claim: Claim,
    /// What follows.
    pub settlement: Settlement,
    /// For the history; its number is the one that came with the claim.
    pub attempt: Attempt,
    /// How many more engines have died over it.
    pub lease_deaths: u32,
}

/// What became of writing one outcome back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// It is written down, with all that follows.
    Applied,
    /// It is written down; but since the claim the user has opted out, or it was canceled, so that it is in this status instead of waiting
    /// for another attempt.
    Ended(Status),
    /// The claim was not valid any more; nothing was changed.
    Stale,
}

/// What came of taking a notification back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canceling {
    /// It is CANCELED.
    Canceled,
    /// An engine has claimed it: it will be CANCELED unless its send has begun.
    Marked,
}

/// Whether a claim may still be used for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recheck {
    /// Yes.
    Send,
    /// Not any more: the notification has ended in this status, with nothing to attempt.
    Ended(Status),
    /// The claim is not valid any more.
    Stale,
}

/// Which claims are taken from those who hold them, because they will not settle them any more. Claims whose lease has
/// run out are always among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// All of other engines: for whoever holds the deliverer's lock, which says that no other is alive.
    OfOthers,
    /// Those of engines that have stopped, or have not been heard of since this time.
    OfSilentSince(Timestamp),
}
