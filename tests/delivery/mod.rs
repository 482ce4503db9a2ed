//! The way of a notification, with the real e-mail component and a server that answers as told.

mod backlogs;
mod mail;
mod pauses;
mod process;
mod providers;
mod templates;

pub use process::backlog;
