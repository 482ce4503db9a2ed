//! For trying things out: stand-ins for providers, the only place where a provider is named; the scene of the demo; the benchmark.

pub mod bench;
pub mod inbox;
pub mod providers;
pub mod scene;
