//! `engine demo`: the whole way of a notification, with an inbox in place of a mail provider.

use super::context::{Context, start_log};
use super::exit::Code;
use super::output::{self, Format};
use super::run::deliverer;
use crate::clock::Clock;
use crate::creation::{self, Message, Request};
use crate::development::inbox::{Inbox, Received};
use crate::rules::target::TargetUserRecord;
use crate::rules::tenant::Tenant;
use crate::rules::user::User;
use crate::settings::Settings;
use crate::store::{NotificationHistory, Store};
use anyhow::Context as _;
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::Duration;

/// How long the mail may take to arrive; compiling the component at the first start is most of it.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn execute(format: Format) -> anyhow::Result<Code> {
    let folder = tempfile::tempdir().context("The demo needs a temporary folder, and cannot make one.")?;
    let mut inbox = Inbox::start().await.context("The demo's inbox cannot listen on this machine.")?;
    let database = folder.path().join("engine.db");
    let text = format!(
        "[database]\nurl = 'sqlite:{}'\n[smtp]\nhost = '127.0.0.1'\nport = {}\n[target.email]\nfrom_email = '\"The Engine\" <engine@example.org>'\n",
        database.display(),
        inbox.address.port()
    );
    let settings = Settings::from_text("the demo's settings", &text, std::iter::empty())?;
    start_log(&settings)?;
    let say = |text: String| if format == Format::Text { output::text(&text) } else { Ok(()) };

    say(format!("1. An inbox listens on {}; it takes the place of a mail provider.", inbox.address))?;
    let store = Store::open(&settings.database.url).await?;
    let context = Context { settings: Arc::new(settings), store, clock: Clock::system(), output: format };
    say(format!("2. The engine has a database: {}", database.display()))?;

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
    let now = context.clock.now();
    context.store.add_user(Tenant::DEFAULT, &user, now).await?;
    let target = context.store.find_target(Tenant::DEFAULT, "email").await?;
    let catalog = context.catalog()?;
    let record = TargetUserRecord {
        id: context.new_id(),
        user: user.id,
        target: target.id,
        target_user_id: creation::check_address(&catalog, &target, &user.email).await?,
        description: "Ada's e-mail".to_owned(),
        active: true,
        inactive_reason: None,
    };
    context.store.add_record(Tenant::DEFAULT, &record, now).await?;
    say(format!("3. A user: {} {}, reached by {} at {}", user.first_name, user.last_name, target.name, user.email))?;

    let request = Request {
        tenant: Tenant::DEFAULT,
        user: user.username.clone(),
        targets: vec!["email".to_owned()],
        message: Message {
            title: "The engine works ✓".to_owned(),
            body: "Dear Ada,\n\nthis mail was made and sent by a component in a sandbox.\n".to_owned(),
            extra: Map::new(),
        },
        messages: Vec::new(),
        scheduled_delivery: None,
        expires_at: None,
        retry_time_interval: None,
        max_retries: 3,
        on_unknown: None,
        raw: false,
    };
    let made = creation::create(&context.store, &catalog, &request, context.clock.now(), || context.new_id()).await?;
    let ids = made.into_iter().filter_map(|report| report.result.ok()).flatten().next();
    let id = ids.context("The e-mail component made no notification.")?;
    say(format!("4. A notification: {id}, made by the component's creator, now SCHEDULED"))?;

    let deliverer = deliverer(&context, Arc::new(|_| {}))?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stop_signal = async {
        let _ = stopped.await;
    };
    let delivering = tokio::spawn(async move { deliverer.run(|| (), stop_signal, std::future::pending()).await });
    let received = tokio::time::timeout(PATIENCE, inbox.next())
        .await
        .ok()
        .flatten()
        .context("The mail did not arrive; run `engine demo` again with ENGINE_LOG__LEVEL=debug.")?;
    let _ = stop.send(());
    delivering.await??;
    let history = context.store.find_notification(Tenant::DEFAULT, id).await?;
    context.store.close().await;
    show(&received, &history, format)?;
    Ok(Code::Done)
}

fn show(received: &Received, history: &NotificationHistory, format: Format) -> anyhow::Result<()> {
    let parsed =
        mail_parser::MessageParser::default().parse(&received.message).context("What arrived is not a mail.")?;
    let subject = parsed.subject().unwrap_or_default();
    let text = parsed.body_text(0).unwrap_or_default();
    let status = history.listed.notification.status;
    if format == Format::Json {
        return output::json(&json!({
            "status": status,
            "sender": received.sender,
            "recipients": received.recipients,
            "subject": subject,
            "text": text,
        }));
    }
    let sentence = history.attempts.last().map_or("", |attempt| attempt.message.as_str());
    output::text(&format!("5. The component's handler sent it through the engine's SMTP door: {status} ({sentence})"))?;
    output::text("6. And this is what arrived in the inbox:\n")?;
    output::text(&format!("   From:    {}", received.sender))?;
    output::text(&format!("   To:      {}", received.recipients.join(", ")))?;
    output::text(&format!("   Subject: {subject}\n"))?;
    for line in text.lines() {
        output::text(&format!("   {line}"))?;
    }
    output::text("\nNext: the five-minute tour in README.md, and `engine --help`.")
}
