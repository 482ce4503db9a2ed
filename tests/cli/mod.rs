//! The commands, as they are typed.

mod commands;
mod mistakes;
mod moving_over;
mod peers;
mod tls;
