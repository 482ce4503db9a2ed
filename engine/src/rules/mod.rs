//! What is decided: pure functions and the values they are about. No input or output, no async, no clock.
//!
//! The models first (`tenant`, `user`, `target`, `notification`, `attempt`), then what happens to them (`status`,
//! `outcome`, `retry`, `rescue`, `clock`), then what components may do (`manifest`, `schema`, `grants`, `allowed`, `origin`, `addresses`, `imports`, `hints`,
//! `setup`, `sealed`), then what another program's rows become
//! (`django`), then what all of them use (`limits`, `quantities`, `memory`, `moment`, `duplicates`, `spelling`).

pub mod addresses;
pub mod allowed;
pub mod attempt;
pub mod budget;
pub mod clock;
pub mod django;
pub mod duplicates;
pub mod grants;
pub mod hints;
pub mod imports;
pub mod limits;
pub mod manifest;
pub mod memory;
pub mod moment;
pub mod notification;
pub mod origin;
pub mod outcome;
pub mod quantities;
pub mod rescue;
pub mod retry;
pub mod schema;
pub mod sealed;
pub mod setup;
pub mod spelling;
pub mod status;
pub mod target;
pub mod tenant;
pub mod user;
