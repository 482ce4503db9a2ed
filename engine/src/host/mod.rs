//! The sandbox: components are compiled, kept and called here, and nothing else of the engine knows wasmtime.
//!
//! In reading order: `bindings` (the contract), `examine`, `compiler` and `modules` (from bytes to something that can be called), `module` (its
//! calls), `call` (what one call has), `limits`, `stopwatch` and `log` (what bounds it), `backtrace` (where it crashed), `exchanges` (what it has to do with others), then the
//! doors: `http`, `smtp`, `signing`. `catalog` finds the module of a target (`shelf`: as many as there is room for; `places`: whose call is next), `powers` makes what it may use, and `redaction` cuts secrets out of
//! what is said.

mod backtrace;
mod bindings;
mod cache;
mod call;
mod catalog;
mod compiler;
mod contract;
mod examine;
mod exchanges;
mod http;
mod limits;
mod log;
mod module;
mod modules;
mod places;
mod powers;
mod redaction;
mod shares;
mod shelf;
mod signing;
mod smtp;
mod sockets;
mod stopwatch;
mod tls;

pub use call::Powers;
pub use catalog::{Catalog, Meant, Ready, Source};
pub use compiler::{Compiler, compile_input};
pub use contract::{Creation, Delivery, Draft, Previous};
pub use examine::examine;
pub use http::{HttpClient, Network, Resolver};
pub use module::{Fault, Module, Report, Sent};
pub use modules::{Host, ModuleError, Read, Unloaded};
pub use places::{Place, Places};
pub use redaction::Redactor;
pub use signing::is_as_asked;
pub use smtp::{Mailer, Relay};
pub use stopwatch::beside_the_runtime;

/// What the engine's own log leaves out: libraries that warn of whatever is wrong with a component's request, and with the certificate of whom it goes
/// to. The component's log says that, and strangers would fill this one.
pub const NOT_LOGGED: [&str; 2] = ["wasmtime_wasi_http=off", "rustls_platform_verifier=off"];

/// What a component returns, as the contract has it, and how it is read: for those who make answers up that no component of ours gives.
pub mod answers {
    pub use super::bindings::{target, types};
    pub use super::contract::{draft, outcome};
}

/// Why the sandbox or one of its doors could not be set up.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct HostError(String);

impl HostError {
    fn new(text: impl Into<String>) -> Self {
        HostError(text.into())
    }
}
