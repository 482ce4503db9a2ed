//! Tries each way out of the sandbox that Rust's standard library knows, and writes into the log what it got, as JSON:
//! `nothing`, `refused: …`, or `GOT …`, which a test must never see.

use std::fmt::{Debug, Display};
use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::{env, fs};

use guest_sdk::{Notification, Outcome};
use serde_json::{Value, json};

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    // Into the log, where there is more room than in a receipt.
    guest_sdk::runtime::log(guest_sdk::runtime::Level::Info, look_around().to_string());
    test_guests::delivered(batch)
}

fn look_around() -> Value {
    json!({
        "environment": several(env::vars_os()),
        "path": one(env::var("PATH")),
        "arguments": several(env::args_os()),
        "stdin": one(read_stdin()),
        "root": one(fs::read_dir("/").map(Iterator::count)),
        "here": one(fs::read_dir(".").map(Iterator::count)),
        "templates": one(fs::read_dir("/templates").map(Iterator::count)),
        "passwords": one(fs::read_to_string("/etc/passwd")),
        "process": one(fs::read("/proc/self/environ")),
        "parent": one(fs::read_to_string("../Cargo.toml")),
        "write": one(fs::write("/tmp/wall", "x")),
        "write_here": one(fs::write("wall", "x")),
        "folder": one(fs::create_dir("/wall")),
        "loopback": one(TcpStream::connect(("127.0.0.1", 80))),
        "loopback_6": one(TcpStream::connect(("::1", 80))),
        "internet": one(TcpStream::connect(("192.0.2.1", 443))),
        "listen": one(TcpListener::bind(("127.0.0.1", 0))),
        "datagram": one(UdpSocket::bind(("127.0.0.1", 0))),
        "look_up": one(("localhost", 80).to_socket_addrs().map(Iterator::count)),
        "look_up_outside": one(("example.org", 443).to_socket_addrs().map(Iterator::count)),
    })
}

fn read_stdin() -> std::io::Result<Empty> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map(|_| Empty(text))
}

/// A text that is nothing if it is empty.
struct Empty(String);

impl Debug for Empty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { f.write_str("nothing") } else { Debug::fmt(&self.0, f) }
    }
}

fn several<T: Debug>(found: impl Iterator<Item = T>) -> String {
    let found: Vec<T> = found.collect();
    if found.is_empty() { "nothing".to_owned() } else { format!("GOT {found:?}") }
}

fn one<T: Debug, E: Display>(found: Result<T, E>) -> String {
    match found.map(|found| format!("{found:?}")) {
        Ok(found) if found == "nothing" => found,
        Ok(found) => format!("GOT {found}"),
        Err(error) => format!("refused: {error}"),
    }
}

test_guests::guest!(test_guests::manifest("Wall"), send);
