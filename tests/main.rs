//! One test binary. `support` arranges; each other folder is a room of the engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics has failed, which is what it is for"
)]

mod support;

mod attacks;
mod cli;
mod delivery;
mod faults;
mod host;
mod predecessor;
mod store;
