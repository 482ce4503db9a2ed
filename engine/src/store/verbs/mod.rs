//! What the store can do: a file for each thing that is kept, and for what delivery does with notifications.

mod claims;
mod components;
mod engines;
mod grants;
mod imports;
mod interventions;
mod notifications;
mod opt_outs;
mod paces;
mod records;
mod rows;
mod secrets;
mod settlements;
mod targets;
mod users;

pub use rows::Flag;
