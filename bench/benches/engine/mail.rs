//! Mails per second into a local SMTP server: the whole engine (claim, sandbox, SMTP, settlement on disk) beside plain lettre,
//! which sends the same mails over as many connections and remembers nothing.
//!
//! lettre is measured twice: through its own pool, as its users have it, where Nagle's algorithm costs 40 ms a mail on one machine; and over
//! connections that are opened with TCP_NODELAY by hand, as the engine's are, which is the most that lettre can do.
//!
//! The server is another process, the same for both. `RELAY=host:port` measures into another one, such as Postfix's smtp-sink.

use crate::median;
use engine::clock::Clock;
use engine::delivery::{Chosen, Deliverer};
use engine::development::inbox::Inbox;
use engine::host::{Catalog, Host};
use engine::rules::notification::NewNotification;
use engine::rules::target::TargetUserRecord;
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::settings::Settings;
use engine::store::Store;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::net::TcpStream;
use uuid::Uuid;

const MAILS: usize = 2_000;
const CONNECTIONS: u32 = 8;
const ROUNDS: usize = 3;
const TITLE: &str = "A title of some words";
const BODY: &str = "Dear Ada,\n\nthis is a body of a sentence or two, as notifications have them.\n";

/// The server process: prints its port and takes mails until standard input ends.
pub async fn sink() {
    let mut inbox = Inbox::start().await.unwrap();
    println!("{}", inbox.address);
    while inbox.next().await.is_some() {}
}

struct Server {
    address: SocketAddr,
    _child: Option<Child>,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self._child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn server() -> Server {
    if let Ok(relay) = std::env::var("RELAY") {
        let address = relay.to_socket_addrs().unwrap().next().unwrap();
        return Server { address, _child: None };
    }
    let mut child = Command::new(std::env::current_exe().unwrap()).arg("sink").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { address: line.trim().parse().unwrap(), _child: Some(child) }
}

pub async fn measure() {
    let server = server();
    let (mut tuned_rates, mut engine_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let tuned = tuned_lettre(server.address).await;
        let ours = engine(server.address).await;
        // The first round warms up.
        if round > 0 {
            tuned_rates.push(tuned);
            engine_rates.push(ours);
            ratios.push(ours / tuned);
        }
    }
    let pooled = pooled_lettre(server.address).await;
    println!("e-mail, {MAILS} mails over {CONNECTIONS} connections, {ROUNDS} rounds in turn");
    let (engine, tuned) = (median(&mut engine_rates), median(&mut tuned_rates));
    println!("  engine {engine:.0}/s");
    println!(
        "  plain lettre, its own pool: {pooled:.0}/s, ratio {:.1} (its sockets have no TCP_NODELAY)",
        engine / pooled
    );
    println!(
        "  lettre over sockets with TCP_NODELAY: {tuned:.0}/s, ratio {:.2} ({:.2} to {:.2})",
        median(&mut ratios),
        ratios.first().unwrap(),
        ratios.last().unwrap(),
    );
}

/// The fastest that lettre can be: a task for each connection, which sends one mail after another over it, with TCP_NODELAY.
async fn tuned_lettre(address: SocketAddr) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let next = next.clone();
            tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut connection =
                    AsyncSmtpConnection::connect_with_transport(Box::new(stream), &ClientId::default()).await.unwrap();
                while next.fetch_add(1, Ordering::Relaxed) < MAILS {
                    let message = message();
                    connection.send(message.envelope(), &message.formatted()).await.unwrap();
                }
                connection.quit().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    MAILS as f64 / began.elapsed().as_secs_f64()
}

/// lettre as its users have it, with fewer mails: on one machine its small writes wait 40 ms for each other.
async fn pooled_lettre(address: SocketAddr) -> f64 {
    let mails = MAILS / 10;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
        .port(address.port())
        .pool_config(PoolConfig::new().max_size(CONNECTIONS))
        .build();
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (transport, next) = (transport.clone(), next.clone());
            tokio::spawn(async move {
                while next.fetch_add(1, Ordering::Relaxed) < mails {
                    transport.send(message()).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    mails as f64 / began.elapsed().as_secs_f64()
}

fn message() -> Message {
    Message::builder()
        .from("notifications@localhost".parse().unwrap())
        .to("ada@example.org".parse().unwrap())
        .subject(TITLE)
        .message_id(None)
        .body(BODY.to_owned())
        .unwrap()
}

/// A backlog in SQLite, delivered through the real pipeline.
async fn engine(address: SocketAddr) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[database]\nurl = 'sqlite:{}'\n[smtp]\nhost = '{}'\nport = {}\nconnections = {CONNECTIONS}\n[delivery]\nconcurrency_per_target = {CONNECTIONS}\n",
        folder.path().join("engine.db").display(),
        address.ip(),
        address.port()
    );
    let settings = Arc::new(Settings::from_text("bench", &text, std::iter::empty()).unwrap());
    let clock = Clock::system();
    let store = Store::open(&settings.database.url).await.unwrap();
    backlog(&store, &clock).await;
    let key = settings.engine_key().unwrap();
    let host = Host::new(&settings.sandbox, &settings.cache(), &key, clock.clone()).unwrap();
    let catalog = Arc::new(Catalog::new(host, settings.clone()).unwrap());
    catalog.get("email").await.unwrap();
    let done = Arc::new(AtomicUsize::new(0));
    let count = done.clone();
    let deliverer = Deliverer {
        store: store.clone(),
        catalog,
        settings,
        clock,
        engine: Uuid::now_v7(),
        jitter: || 0.0,
        observer: Arc::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        }),
    };
    let began = Instant::now();
    deliverer.process_due(Chosen::default(), std::future::pending(), std::future::pending()).await.unwrap();
    let took = began.elapsed();
    assert_eq!(done.load(Ordering::Relaxed), MAILS);
    store.close().await;
    MAILS as f64 / took.as_secs_f64()
}

async fn backlog(store: &Store, clock: &Clock) {
    let tenant = Tenant::DEFAULT;
    let user = User {
        id: Uuid::now_v7(),
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        time_zone: "UTC".to_owned(),
        locale: String::new(),
        attributes: Default::default(),
    };
    store.add_user(tenant, &user, clock.now()).await.unwrap();
    let target = store.find_target(tenant, "email").await.unwrap();
    let record = TargetUserRecord {
        id: Uuid::now_v7(),
        user: user.id,
        target: target.id,
        target_user_id: "ada@example.org".to_owned(),
        description: String::new(),
        active: true,
        inactive_reason: None,
    };
    store.add_record(tenant, &record, clock.now()).await.unwrap();
    let batch: Vec<_> = (0..MAILS)
        .map(|_| NewNotification {
            id: Uuid::now_v7(),
            target_user_record: record.id,
            title: TITLE.to_owned(),
            body: BODY.to_owned(),
            extra: Default::default(),
            scheduled_delivery: clock.now(),
            retry_time_interval: 60,
            max_retries: 3,
            expires_at: None,
            idempotency_key: None,
            on_unknown: None,
        })
        .collect();
    store.create(tenant, &batch, clock.now()).await.unwrap();
}
