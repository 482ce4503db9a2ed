//! Stand-ins for providers, for the demo and for trying things out; the only place where a provider is named.

pub mod inbox;
pub mod providers;
pub mod scene;
