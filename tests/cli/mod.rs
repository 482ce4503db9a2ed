//! The commands, as they are typed.

mod commands;
mod mistakes;
mod peers;
mod tls;
