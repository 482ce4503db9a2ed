//! Mails per second into a local SMTP server: the whole engine (claim, sandbox, SMTP, settlement on disk) beside plain lettre,
//! which sends the same mails over as many connections and remembers nothing.
//!
//! The server is another process, the same for both. `RELAY=host:port` measures into another one, such as Postfix's smtp-sink.

use engine::clock::Clock;
use engine::delivery::Deliverer;
use engine::development::inbox::Inbox;
use engine::host::{Catalog, Host};
use engine::rules::notification::NewNotification;
use engine::rules::target::TargetUserRecord;
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::settings::Settings;
use engine::store::Store;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
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
    let (mut lettre_rates, mut engine_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let plain = plain_lettre(server.address).await;
        let ours = engine(server.address).await;
        // The first round warms up.
        if round > 0 {
            lettre_rates.push(plain);
            engine_rates.push(ours);
            ratios.push(ours / plain);
        }
    }
    println!("e-mail, {MAILS} mails over {CONNECTIONS} connections, {ROUNDS} rounds in turn");
    println!(
        "  engine {:.0}/s, plain lettre {:.0}/s, ratio {:.2} (medians; ratios {:.2} to {:.2})",
        median(&mut engine_rates),
        median(&mut lettre_rates),
        median(&mut ratios),
        ratios.first().unwrap(),
        ratios.last().unwrap(),
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As many tasks as connections, each sending one mail after another through lettre's own pool.
async fn plain_lettre(address: SocketAddr) -> f64 {
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
                while next.fetch_add(1, Ordering::Relaxed) < MAILS {
                    let message = Message::builder()
                        .from("notifications@localhost".parse().unwrap())
                        .to("ada@example.org".parse().unwrap())
                        .subject(TITLE)
                        .message_id(None)
                        .body(BODY.to_owned())
                        .unwrap();
                    transport.send(message).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    MAILS as f64 / began.elapsed().as_secs_f64()
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
    deliverer.process_due(std::future::pending()).await.unwrap();
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
