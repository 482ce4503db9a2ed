//! What the store can do: a file for each thing that is kept, and for what delivery does with notifications.

mod claims;
mod engines;
mod imports;
mod interventions;
mod notifications;
mod opt_outs;
mod records;
mod rows;
mod settlements;
mod targets;
mod users;

pub use rows::Flag;
