//! The sandbox and its doors: guest programs that behave, one test of each one's name (`tests/build.rs` sees to it). Those that do not are
//! in `attacks`.

mod doors;
mod grants;
mod guests;
mod installed;
mod languages;
mod limits;
mod missed;
mod modules;
mod wasi_http;
