//! A tenant: an isolated customer of one engine, with users, targets, grants and secrets of its own.

use serde::{Deserialize, Serialize};

/// Which tenant something belongs to. It is part of every key in the database, so it is a small number and not a UUID;
/// it means nothing outside of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tenant(pub i64);

impl Tenant {
    /// The tenant that every database has from its first migration on, named `default`.
    pub const DEFAULT: Tenant = Tenant(1);
}
