//! A PostgreSQL server of the tests' own: made by the first test that needs it, gone with the process.

mod server;

use engine::store::Store;
pub use server::{Server, connect};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The database that all others are copies of: it has the engine's schema.
const TEMPLATE: &str = "template_engine";

/// The server that all tests share, each with a database of its own.
struct Shared {
    server: Server,
    databases: AtomicU32,
}

/// A database of one test, on the server of all of them; it goes when this is dropped.
pub struct TestDatabase {
    pub url: String,
    name: String,
    shared: &'static Shared,
}

impl TestDatabase {
    /// A new one with the engine's schema.
    pub async fn new() -> TestDatabase {
        let shared = tokio::task::spawn_blocking(shared).await.unwrap();
        let name = format!("test_{}", shared.databases.fetch_add(1, Ordering::Relaxed));
        shared.server.admin(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        TestDatabase { url: shared.server.url(&name), name, shared }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let server = &self.shared.server;
        // A thread of its own, since a runtime may be running in this one.
        std::thread::scope(|scope| scope.spawn(|| block_on(server.admin(&statement))).join().unwrap_or_default());
    }
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let server = Server::start(&["fsync=off", "max_connections=300"]);
        block_on(async {
            server.admin(&format!("CREATE DATABASE {TEMPLATE}")).await;
            Store::open(&server.url(TEMPLATE)).await.unwrap().close().await;
        });
        Shared { server, databases: AtomicU32::new(0) }
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
