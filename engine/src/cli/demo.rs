//! `engine demo`: the same news by e-mail, SMS, push and pigeon, the whole way, with stand-ins in place of the providers.

use super::context::Context;
use super::exit::Code;
use super::log::Log;
use super::output::{self, Format};
use super::run::deliverer;
use crate::clock::Clock;
use crate::creation::{self, Message, Request};
use crate::development::inbox::Inbox;
use crate::development::providers::{Providers, Received};
use crate::development::scene::{ADDRESSES, settings};
use crate::rules::target::{Target, TargetUserRecord};
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::store::Store;
use anyhow::Context as _;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long the news may take to arrive; compiling the components at the first start is most of it.
const PATIENCE: Duration = Duration::from_secs(120);

const TITLE: &str = "The engine works ✓";
const BODY: &str = "Dear Ada, this was made and sent by a component in a sandbox.";

pub async fn execute(format: Format, log: &Log) -> anyhow::Result<Code> {
    let folder = tempfile::tempdir().context("The demo needs a temporary folder, and cannot make one.")?;
    let mut inbox = Inbox::start().await.context("The demo's inbox cannot listen on this machine.")?;
    let mut providers = Providers::start().await.context("The demo's stand-ins cannot listen on this machine.")?;
    let settings = settings(folder.path(), &inbox, &providers)?;
    log.start(&settings)?;
    let say = |text: String| if format == Format::Text { output::text(&text) } else { Ok(()) };

    say(format!(
        "1. An inbox listens on {}, and stand-ins for three providers on {}.",
        inbox.address, providers.address
    ))?;
    let store = Store::open(&settings.database.url).await?;
    let context = Context { settings: Arc::new(settings), store, clock: Clock::system(), output: format };
    say(format!("2. The engine has a database: {}", context.settings.database.url.trim_start_matches("sqlite:")))?;

    let user = ada(&context).await?;
    say(format!(
        "3. A user: {} {}, reached in {} targets, one of them somebody's own",
        user.first_name,
        user.last_name,
        ADDRESSES.len()
    ))?;

    let made =
        creation::create(&context.store, &context.catalog()?, &news(&user), context.clock.now(), || context.new_id())
            .await?;
    let made: Vec<_> = made.into_iter().filter_map(|report| Some((report.target, report.result.ok()?))).collect();
    let names: Vec<&str> = made.iter().map(|(target, _)| target.as_str()).collect();
    say(format!("4. A notification each for {}, made by the components' creators, now SCHEDULED", names.join(", ")))?;

    let deliverer = deliverer(&context, Arc::new(|_| {}))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop_signal = async {
        let _ = stopped.await;
    };
    let delivering = tokio::spawn(async move { deliverer.run(|| (), stop_signal, std::future::pending()).await });
    let arrived = tokio::time::timeout(PATIENCE, arrivals(&mut inbox, &mut providers))
        .await
        .context("Not all of it arrived; run `engine demo` again with ENGINE_LOG__LEVEL=debug.")??;
    let _ = stop.send(());
    delivering.await??;

    let mut delivered = Vec::new();
    for (target, ids) in made {
        for id in ids {
            let shown = context.store.find_notification(Tenant::DEFAULT, id).await?;
            let sentence = shown.attempts.last().map_or_else(String::new, |attempt| attempt.message.clone());
            delivered.push((target.clone(), shown.listed.notification.status, sentence));
        }
    }
    context.store.close().await;
    if format == Format::Json {
        let delivered: Vec<_> =
            delivered.iter().map(|(target, status, _)| json!({ "target": target, "status": status })).collect();
        let arrived: Vec<_> = arrived.iter().map(as_json).collect();
        output::json(&json!({ "notifications": delivered, "arrived": arrived }))?;
        return Ok(Code::Done);
    }
    output::text("5. The components' handlers sent them through the engine's doors:")?;
    for (target, status, sentence) in delivered {
        output::text(&format!(
            "   {target:14} {status} {}",
            if sentence.is_empty() { sentence } else { format!("({sentence})") }
        ))?;
    }
    output::text("6. And this is what arrived:")?;
    for Received { by, to, title, text } in arrived {
        output::text(&format!("\n   {by} to {to}"))?;
        for line in [title.as_str()].into_iter().chain(text.lines()).filter(|line| !line.is_empty()) {
            output::text(&format!("   | {line}"))?;
        }
    }
    output::text("\nNext: the five-minute tour in README.md, and `engine --help`.")?;
    Ok(Code::Done)
}

/// The user, with a record in each target.
async fn ada(context: &Context) -> anyhow::Result<User> {
    let user = User {
        id: context.new_id(),
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        time_zone: "Europe/London".to_owned(),
        locale: "en-GB".to_owned(),
        attributes: Map::new(),
    };
    let (store, now) = (&context.store, context.clock.now());
    store.add_user(Tenant::DEFAULT, &user, now).await?;
    let pigeon = Target {
        id: context.new_id(),
        name: "Carrier Pigeon".to_owned(),
        notification_module_name: "carrier_pigeon".to_owned(),
        pause: None,
        slowed_until: None,
        faults: 0,
        revision: 0,
    };
    store.add_target(Tenant::DEFAULT, &pigeon, now).await?;
    let catalog = context.catalog()?;
    for (module, address) in ADDRESSES {
        let target = store.find_target(Tenant::DEFAULT, module).await?;
        let record = TargetUserRecord {
            id: context.new_id(),
            user: user.id,
            target: target.id,
            target_user_id: address.to_owned(),
            description: format!("Ada's {}", target.name),
            active: true,
            inactive_reason: None,
        };
        creation::upsert_record(store, &catalog, Tenant::DEFAULT, &target, record, now).await?;
    }
    Ok(user)
}

/// The news, for every target in which the user can be reached.
fn news(user: &User) -> Request {
    Request {
        tenant: Tenant::DEFAULT,
        user: user.username.clone(),
        targets: Vec::new(),
        message: Message { title: TITLE.to_owned(), body: BODY.to_owned(), extra: Map::new() },
        messages: Vec::new(),
        scheduled_delivery: None,
        expires_at: None,
        retry_time_interval: None,
        max_retries: 3,
        on_unknown: None,
        idempotency_key: None,
        raw: false,
    }
}

/// One message of each kind, in the order in which they come.
async fn arrivals(inbox: &mut Inbox, providers: &mut Providers) -> anyhow::Result<Vec<Received>> {
    let mut arrived = Vec::with_capacity(ADDRESSES.len());
    while arrived.len() < ADDRESSES.len() {
        tokio::select! {
            mail = inbox.next() => {
                let mail = mail.context("The inbox has stopped.")?;
                let parsed = mail_parser::MessageParser::default().parse(&mail.message).context("What arrived is not a mail.")?;
                arrived.push(Received {
                    by: "e-mail",
                    to: mail.recipients.join(", "),
                    title: parsed.subject().unwrap_or_default().to_owned(),
                    text: parsed.body_text(0).unwrap_or_default().into_owned(),
                });
            }
            received = providers.next() => arrived.push(received.context("The stand-ins have stopped.")?),
        }
    }
    Ok(arrived)
}

fn as_json(Received { by, to, title, text }: &Received) -> Value {
    json!({ "by": by, "to": to, "title": title, "text": text })
}
