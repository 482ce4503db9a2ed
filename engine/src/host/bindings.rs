//! What wasmtime generates from the contract in `wit/`, and nothing else.
//!
//! The world with all optional exports is not bound here: which of them a component has is read off its type when it is
//! installed (`components.rs`).

wasmtime::component::bindgen!({
    path: "../wit",
    world: "target",
    imports: {
        "notification:engine/http.send": async,
        "notification:engine/smtp.send": async,
    },
    exports: { default: async },
});

pub use exports::notification::engine::notification_target as target;
pub use notification::engine::{http, phases, runtime, signing, smtp, types};
