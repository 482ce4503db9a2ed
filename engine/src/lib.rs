//! The notification engine, in reading order:
//!
//! - [`settings`] and [`clock`]: what the operator wants, and what time it is
//! - [`rules`]: what is decided, without any input or output
//! - [`store`]: what is kept
//! - [`host`]: the sandbox in which components run, and its doors
//! - [`targets`]: what is set up for a target, and what it makes of its component
//! - [`creation`]: a request becomes notifications
//! - [`import`]: what was kept elsewhere becomes the engine's own
//! - [`delivery`]: notifications that are due are attempted and settled
//! - [`api`]: the HTTP side
//! - [`cli`]: the commands of the binary
//! - [`development`]: stand-ins for providers
//!
//! `ARCHITECTURE.md` is the map.

pub mod clock;
pub mod rules;
pub mod settings;

pub mod store;

pub mod host;

pub mod targets;

pub mod creation;
pub mod delivery;
pub mod import;

pub mod api;
pub mod cli;

pub mod development;
