//! `engine run`

use super::context::Context;
use super::exit::Code;
use super::output;
use crate::api;
use crate::delivery::{Deliverer, Event, Observer, Stopped};
use crate::rules::status::Status;
use anyhow::Context as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Signals that come so soon after one another are one.
const ONE_WISH: Duration = Duration::from_millis(300);

/// How long it may take to end after a second signal, outcomes included that have to be written.
const LONGEST_END: Duration = Duration::from_secs(20);

/// Said after calls were cut off.
pub const CUT_OFF: &str = "engine: stopped in the middle of calls; the next start deals with what they were sending";

pub async fn execute(context: &Context) -> anyhow::Result<Code> {
    let deliverer = deliverer(context, Arc::new(log))?;
    for wrong in context.settings.wrong_targets() {
        output::aside(&format!("engine: {wrong} That target alone waits until it is mended."));
    }
    super::target_show::tell_stray_sections(context).await?;
    let mut stops = Stops::listen()?;
    let server = match context.settings.server.listen {
        None => None,
        Some(address) => {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("`server.listen` cannot be used: {address} is taken or not this machine's.")
            })?;
            output::aside(&format!("engine: listening on http://{}", listener.local_addr()?));
            Some(tokio::spawn(api::serve(listener, context.store.clone(), stops.first())))
        }
    };
    let begun =
        || output::aside(&format!("engine: delivering from {}; stop with Ctrl-C", context.settings.shown_database()));
    let stopped = deliverer.run(begun, stops.first(), stops.second()).await?;
    if let Some(server) = server {
        server.abort();
    }
    match stopped {
        Stopped::Drained | Stopped::Early => Ok(Code::Done),
        Stopped::CutOff => {
            output::aside(CUT_OFF);
            Ok(Code::Failed)
        }
    }
}

/// What delivers with this context.
pub fn deliverer(context: &Context, observer: Observer) -> anyhow::Result<Deliverer> {
    super::descriptors::raise();
    Ok(Deliverer {
        store: context.store.clone(),
        catalog: Arc::new(context.catalog()?),
        settings: context.settings.clone(),
        clock: context.clock.clone(),
        engine: context.new_id(),
        jitter: || rand::random_range(-1.0..=1.0),
        observer,
    })
}

fn log(event: &Event<'_>) {
    match event {
        Event::Attempted { claimed, outcome, settlement, .. } if settlement.status == Status::DeliveryFailure => {
            tracing::warn!(
                notification = %claimed.notification.id,
                target = claimed.target.name,
                code = outcome.code(),
                reason = outcome.message(),
                "a notification could not be delivered"
            );
        }
        Event::Attempted { claimed, outcome, settlement, .. } => tracing::info!(
            notification = %claimed.notification.id,
            target = claimed.target.name,
            outcome = outcome.kind().as_str(),
            code = outcome.code(),
            status = settlement.status.as_str(),
            "attempted"
        ),
        Event::Ended(ended) => {
            tracing::info!(notification = %ended.notification.id, status = ended.status.as_str(), "ended without an attempt");
        }
        Event::Waits { notification, reason, .. } => {
            tracing::info!(notification = %notification.id, reason, "waits for its target");
        }
    }
}

/// Whether whoever started this process has had it ignore a signal; where the system does not tell, nobody has.
fn is_ignored(signal: SignalKind) -> bool {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = told.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal.as_raw_value() - 1) & 1 == 1
}

/// Whoever signals twice is not kept waiting: for a reader of what is printed last, say.
fn end_in_any_event() {
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST_END);
        std::process::exit(1);
    });
}

/// The signals to stop, counted.
pub struct Stops(watch::Receiver<u32>);

impl Stops {
    /// Listens for SIGINT, SIGTERM and, unless `nohup` is to keep it from us, SIGHUP from now on.
    pub fn listen() -> anyhow::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut hangup = if is_ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup())?) };
        let (count, counted) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    Some(_) = async { hangup.as_mut()?.recv().await } => {}
                }
                count.send_modify(|count| *count += 1);
                if *count.borrow() == 2 {
                    end_in_any_event();
                }
                // `timeout` signals its child and then the group that it is in; systemd may add a hangup. That is one wish.
                let same = tokio::time::sleep(ONE_WISH);
                tokio::pin!(same);
                loop {
                    tokio::select! {
                        () = &mut same => break,
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        Some(_) = async { hangup.as_mut()?.recv().await } => {}
                    }
                }
            }
        });
        Ok(Stops(counted))
    }

    /// Ends with the first signal.
    pub fn first(&mut self) -> impl Future<Output = ()> + Send + 'static {
        self.after(1)
    }

    /// Ends with the second.
    pub fn second(&mut self) -> impl Future<Output = ()> + Send + 'static {
        self.after(2)
    }

    fn after(&self, signals: u32) -> impl Future<Output = ()> + Send + 'static {
        let mut counted = self.0.clone();
        async move {
            if counted.wait_for(|count| *count >= signals).await.is_err() {
                std::future::pending().await
            }
        }
    }
}
