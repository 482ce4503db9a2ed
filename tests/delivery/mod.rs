//! The way of a notification, with the real e-mail component and a server that answers as told.

mod backlogs;
mod clocks;
mod mail;
mod pauses;
pub mod process;
pub mod providers;
mod shared_queue;
pub mod templates;

pub use process::backlog;
