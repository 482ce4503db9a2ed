//! Does what other programs may do and components may not, as `extra.create` says in its creator and `extra.send` in its handler, and fails with what its
//! language says of that: `"file"` reads a template without having asked for the folder, `"variable"` reads one of the environment, `"unwrapped"` panics for
//! want of it, `"connection"` opens a socket, `"name"` looks one up. `"nothing"` fails after it has printed something, which misses nothing.

use guest_sdk::{CreationRequest, Draft, Failure, Manifest, Notification, Outcome, Receipt};
use serde_json::{Value, json};
use std::fmt::Display;
use std::net::{TcpStream, ToSocketAddrs};

fn fails<T>(code: &str, of: Result<T, impl Display>) -> Result<(), Failure> {
    of.map(drop).map_err(|e| Failure::new(code, format!("It fails: {e}.")))
}

#[expect(clippy::unwrap_used, reason = "it is what is tried")]
fn miss(extra: &str, when: &str) -> Result<(), Failure> {
    let extra: Value = serde_json::from_str(extra).unwrap_or_default();
    match extra[when].as_str() {
        Some("file") => fails("file", std::fs::read("/templates/loft.txt")),
        Some("variable") => fails("variable", std::env::var("LOFT")),
        Some("unwrapped") => fails("variable", Ok::<_, String>(std::env::var("LOFT").unwrap())),
        Some("connection") => fails("connection", TcpStream::connect(("127.0.0.1", 80))),
        Some("name") => fails("name", ("pigeons.example", 443).to_socket_addrs()),
        Some(_) => {
            println!("Something.");
            eprintln!("Something else.");
            Err(Failure::new("nothing", "It fails."))
        }
        None => Ok(()),
    }
}

fn create(request: CreationRequest) -> Result<Vec<Draft>, Failure> {
    miss(&request.extra, "create")?;
    test_guests::create(request)
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    let send = |notification: &Notification| match miss(&notification.extra, "send") {
        Ok(()) => Outcome::Delivered(Receipt::new("", "")),
        Err(why) => Outcome::Failed(why),
    };
    batch.iter().map(send).collect()
}

/// Takes any settings, and names one.
fn manifest() -> Manifest {
    test_guests::manifest("Misses")
        .settings(json!({ "type": "object", "properties": { "loft": { "type": "string" } } }))
}

test_guests::guest!(manifest(), send, create);
