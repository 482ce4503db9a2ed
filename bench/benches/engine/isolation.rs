//! What a target is slowed down by another one whose component spins: its calls with a provider that takes 50 ms to answer, alone and while
//! a thousand calls of the other are under way, as many at once as the engine lets one target have.

use crate::quantile;
use crate::sandbox::{first_attempt, host, values};
use engine::host::{HttpClient, Module, Powers};
use engine::rules::grants::{Grants, OperatorWord};
use engine::rules::origin::Origin;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const CALLS: usize = 400;
const SPINNING: usize = 1000;
/// `delivery.concurrency_per_target`.
const AT_ONCE: usize = 8;
const ANSWERS_AFTER: Duration = Duration::from_millis(50);

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let load = async |name: &str, file| Arc::new(host.load(name, &std::fs::read(file).unwrap()).await.unwrap());
    let spin = load("spin", env!("SPIN")).await;
    let honest = load("http_probe", env!("HTTP_PROBE")).await;
    let provider = provider();
    let origin = format!("http://{provider}");
    let word = OperatorWord { base_url: Some(Origin::parse(&origin).unwrap()), ..OperatorWord::default() };
    let grants = Grants::new("http_probe", "http_probe", &honest.manifest, Vec::new(), word, BTreeMap::new());
    let http = Some(HttpClient::new(&grants, host.network()).unwrap());
    let powers = Arc::new(Powers { grants, http, ..Powers::default() });

    let alone = delivered(&honest, &powers, &origin).await;
    let mut spinning = JoinSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    for _ in 0..SPINNING {
        let (spin, places) = (spin.clone(), places.clone());
        spinning.spawn(async move {
            let _place = places.acquire().await;
            assert!(!send(&spin, &Arc::default(), "").await);
        });
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beside = delivered(&honest, &powers, &origin).await;
    assert!(!spinning.is_empty(), "the spinning calls ended too soon");
    spinning.shutdown().await;

    println!("isolation, calls beside {SPINNING} that spin, {AT_ONCE} at once ({CALLS} calls each)");
    for (name, times) in [("alone", &alone), ("beside", &beside)] {
        println!("  {name}: median {:?}, p99 {:?}", quantile(times, 0.5), quantile(times, 0.99));
    }
    let ratio = quantile(&beside, 0.99).as_secs_f64() / quantile(&alone, 0.99).as_secs_f64();
    println!("  p99 is {ratio:.2} times as long (2 is the most)");
}

/// How long calls took that were made one after another, sorted.
async fn delivered(module: &Module, powers: &Arc<Powers>, url: &str) -> Vec<Duration> {
    let mut times = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let began = Instant::now();
        assert!(send(module, powers, url).await);
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times
}

/// Makes a call. Whether it ended by itself.
async fn send(module: &Module, powers: &Arc<Powers>, url: &str) -> bool {
    let (user, record, mut notification) = values();
    notification.extra = [("url".to_owned(), url.into())].into_iter().collect();
    let delivery = first_attempt(&user, &record, &notification);
    module.send(powers, &[delivery]).await.fault.is_none()
}

/// A provider on threads of its own, which the runtime that is measured does not slow down.
fn provider() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).is_ok_and(|count| count > 0) {
                    std::thread::sleep(ANSWERS_AFTER);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
                }
            });
        }
    });
    address
}
