//! What one tenant is slowed down by another whose components spin: its calls, with a provider that takes 50 ms to answer, alone and while a
//! thousand calls of the other are under way.
//!
//! Of those, as many run at once as the engine lets one tenant have, in two targets. Alone and beside are measured in turn, so that both
//! have the same of what else the machine does.

use crate::sandbox::{first_attempt, host, values};
use crate::table::shown;
use crate::{powers, quantile};
use engine::host::{Host, Module, Powers};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const CALLS: usize = 120;
const SPINNING: usize = 1000;
/// `delivery.concurrency_per_target`, and as many targets as `delivery.concurrency_per_tenant` has room for.
const AT_ONCE: usize = 8;
const TARGETS: usize = 2;
const ANSWERS_AFTER: Duration = Duration::from_millis(50);
/// How many times as long the slowest of a hundred calls may take. That is what is promised.
const MOST: f64 = 2.0;

pub async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let honest = load(&host, "http_probe", env!("HTTP_PROBE")).await;
    let mut hostile = Vec::new();
    for target in 0..TARGETS {
        hostile.push(load(&host, &format!("spin_{target}"), env!("SPIN")).await);
    }
    let url = format!("http://{}", provider());
    let powers = powers::all(&host, Some(&url));

    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.extend(calls(&honest, &powers, &url).await);
        let mut spinning = spin(&hostile, &powers);
        tokio::time::sleep(Duration::from_millis(500)).await;
        beside.extend(calls(&honest, &powers, &url).await);
        assert!(!spinning.is_empty(), "the spinning calls ended too soon");
        spinning.shutdown().await;
    }
    alone.sort_unstable();
    beside.sort_unstable();

    let (all, at_once) = (ROUNDS * CALLS, AT_ONCE * TARGETS);
    println!("isolation: calls beside {SPINNING} of another tenant's that spin, {at_once} at once ({all} calls each)");
    println!("  {:>10} {:>10} {:>10} {:>10} {:>10}", "", "median", "90th", "99th", "longest");
    let shares = [0.5, 0.9, 0.99, 1.0];
    let [of_alone, of_beside] = [&alone, &beside].map(|times| shares.map(|share| quantile(times, share)));
    for (name, times) in [("alone", of_alone), ("beside", of_beside)] {
        let [median, ninetieth, p99, longest] = times.map(shown);
        println!("  {name:>10} {median:>10} {ninetieth:>10} {p99:>10} {longest:>10}");
    }
    let ratios: Vec<f64> = of_beside.iter().zip(of_alone).map(|(b, a)| b.as_secs_f64() / a.as_secs_f64()).collect();
    let verdict = if ratios[2] <= MOST { "holds" } else { "IS MISSED" };
    println!("  {:>10} {:>10.2} {:>10.2} {:>10.2} {:>10.2}", "ratio", ratios[0], ratios[1], ratios[2], ratios[3]);
    println!("  the 99th of a hundred takes {:.2} times as long; at most {MOST}: {verdict}", ratios[2]);
}

async fn load(host: &Host, name: &str, file: &str) -> Arc<Module> {
    Arc::new(host.load(name, &std::fs::read(file).unwrap()).await.unwrap())
}

/// Calls that never end by themselves, until they are shut down.
fn spin(hostile: &[Arc<Module>], powers: &Arc<Powers>) -> JoinSet<()> {
    let places: Vec<_> = hostile.iter().map(|_| Arc::new(Semaphore::new(AT_ONCE))).collect();
    let mut spinning = JoinSet::new();
    for i in 0..SPINNING {
        let (module, places) = (hostile[i % TARGETS].clone(), places[i % TARGETS].clone());
        let powers = powers.clone();
        spinning.spawn(async move {
            let _place = places.acquire().await;
            assert!(!send(&module, &powers, "").await, "it spins");
        });
    }
    spinning
}

/// How long calls took that were made one after another, on a thread of the runtime's as the engine makes them.
async fn calls(module: &Arc<Module>, powers: &Arc<Powers>, url: &str) -> Vec<Duration> {
    let (module, powers, url) = (module.clone(), powers.clone(), url.to_owned());
    let made = tokio::spawn(async move {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let began = Instant::now();
            assert!(send(&module, &powers, &url).await);
            times.push(began.elapsed());
        }
        times
    });
    made.await.unwrap()
}

/// Makes a call. Whether it ended by itself.
async fn send(module: &Module, powers: &Arc<Powers>, url: &str) -> bool {
    let (user, record, mut notification) = values();
    notification.extra = [("url".to_owned(), url.into())].into_iter().collect();
    let delivery = first_attempt(&user, &record, &notification);
    module.send(&module.places.take(Duration::ZERO).await, powers, &[delivery]).await.fault.is_none()
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
