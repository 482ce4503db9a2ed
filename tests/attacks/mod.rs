//! Programs and servers that attack the engine, each with a test that says how it must end: which code, which phase, which status. After each
//! attack an honest target is served.
//!
//! `ATTACKS.md` lists all of them; `table.rs` holds that list and these tests to each other.

mod arena;
mod backlogs;
mod computing;
mod creators;
mod crowds;
mod crowds_at_hosts;
mod doors_flooded;
mod egress;
mod egress_addresses;
mod egress_requests;
mod memory;
pub mod neighbours;
mod probe;
mod relays;
mod secrets_and_logs;
mod secrets_mail;
mod stop;
mod supply;
mod supply_manifests;
mod table;
mod tenancy;
mod time;
mod wasi_http;
