//! What came of an import: how many of each kind, what was left out and why, what had to be said differently.

use crate::import::Tally;
use crate::rules::django::Adjustment;
use crate::rules::limits::Invalid;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What is imported, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    User,
    Target,
    Record,
    OptOut,
    Notification,
}

impl Kind {
    pub const ALL: [Kind; 5] = [Kind::User, Kind::Target, Kind::Record, Kind::OptOut, Kind::Notification];
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Kind::User => "user",
            Kind::Target => "target",
            Kind::Record => "target user record",
            Kind::OptOut => "opt-out",
            Kind::Notification => "notification",
        })
    }
}

/// A row that is not here afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub kind: Kind,
    /// Its id there.
    pub id: String,
    /// The column at fault.
    pub column: &'static str,
    pub why: String,
}

/// What came of an import, or would.
#[derive(Debug, Default)]
pub struct Report {
    pub tallies: BTreeMap<Kind, Tally>,
    /// Row by row.
    pub left_out: Vec<LeftOut>,
    /// How many notifications each adjustment was made to.
    pub adjusted: BTreeMap<Adjustment, u64>,
    /// What else somebody should know.
    pub notes: Vec<String>,
}

impl Report {
    /// How many were left out, by kind and the column at fault.
    pub fn left_out_by_column(&self) -> BTreeMap<(Kind, &'static str), u64> {
        let mut counts = BTreeMap::new();
        for left in &self.left_out {
            *counts.entry((left.kind, left.column)).or_default() += 1;
        }
        counts
    }

    pub(super) fn leave_out(&mut self, kind: Kind, id: String, why: Invalid) {
        self.left_out.push(LeftOut { kind, id, column: why.field, why: why.sentence });
    }

    pub(super) fn tally(&mut self, kind: Kind) -> &mut Tally {
        self.tallies.entry(kind).or_default()
    }
}
