//! The commands, as they are typed.

mod commands;
mod examples;
mod grants;
mod import_django;
mod mistakes;
mod moving_over;
mod peers;
mod readme;
mod secrets;
mod target_settings;
mod tls;
