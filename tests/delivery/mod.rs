//! The way of a notification, with the real e-mail component and a server that answers as told.

mod backlogs;
mod clocks;
mod mail;
mod pauses;
pub mod process;
pub mod providers;
mod readers;
mod shared_queue;
mod signals;
pub mod templates;

pub use process::backlog;
