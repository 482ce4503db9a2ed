//! A probe of HTTP in a sandbox without an engine around it, whose names are looked up as the test says: granted like a bundled component,
//! which is more than a stranger's gets.

use crate::support::engine::ada;
use crate::support::guest;
use engine::clock::Clock;
use engine::host::{Delivery, Host, HttpClient, Module, Network, Powers, Redactor, Resolver};
use engine::rules::grants::{Grants, OperatorWord, operators_origins};
use engine::rules::manifest::SecretFormat;
use engine::rules::notification::{NewNotification, Notification};
use engine::rules::origin::Origin;
use engine::rules::outcome::{Outcome, OutcomeKind};
use engine::rules::target::TargetUserRecord;
use engine::settings::{Secret, Settings};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use uuid::Uuid;

/// Answers with what the test says, the last answer again and again, and counts how often it was asked.
#[derive(Clone, Default)]
pub struct Names {
    answers: Arc<Mutex<Vec<Vec<IpAddr>>>>,
    pub asked: Arc<AtomicUsize>,
}

impl Names {
    pub fn answer(&self, answers: &[&[&str]]) {
        let parsed = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        *self.answers.lock().unwrap() = answers.iter().map(parsed).collect();
        self.asked.store(0, Ordering::SeqCst);
    }

    fn resolver(&self) -> Resolver {
        let names = self.clone();
        Arc::new(move |_| {
            let turn = names.asked.fetch_add(1, Ordering::SeqCst);
            let answers = names.answers.lock().unwrap();
            let found = answers.get(turn).or(answers.last()).cloned().unwrap_or_default();
            Box::pin(async move { Ok(found) })
        })
    }
}

/// A sandbox with the probe and an honest component.
pub struct Probe {
    pub names: Names,
    host: Host,
    module: Module,
    honest: Module,
    _folder: tempfile::TempDir,
}

impl Probe {
    /// The one that speaks by `http.send`.
    pub async fn new() -> Self {
        Self::of("http_probe").await
    }

    pub async fn of(module: &str) -> Self {
        let (host, folder) = sandbox();
        let names = Names::default();
        let host = host.on(Network::resolved_by(names.resolver()));
        let (module, honest) = (load(&host, module).await, load(&host, "noop").await);
        Probe { names, host, module, honest, _folder: folder }
    }

    /// What the probe may do if it is granted what it asks for, and this origin by the operator.
    pub fn powers(&self, base_url: Option<&str>) -> Powers {
        let bundled = OperatorWord { bundled: true, ..OperatorWord::default() };
        let word = OperatorWord { base_url: base_url.map(|origin| Origin::parse(origin).unwrap()), ..bundled };
        let origins = operators_origins(&self.module.manifest, &word);
        self.with(word, origins)
    }

    /// What a stranger's component may do that the operator lets to this origin, whose secret goes to these.
    pub fn of_stranger(&self, base_url: &str, secret_goes_to: &[&str]) -> Powers {
        let origin = |text: &str| Origin::parse(text).unwrap();
        let secrets = vec!["token".to_owned()];
        let word = OperatorWord { base_url: Some(origin(base_url)), secrets, ..OperatorWord::default() };
        self.with(word, secret_goes_to.iter().map(|text| origin(text)).collect())
    }

    fn with(&self, word: OperatorWord, origins: Vec<Origin>) -> Powers {
        let manifest = &self.module.manifest;
        let bound = [("token".to_owned(), origins)].into();
        let name = &self.module.name;
        let grants = Grants::new(name, name, manifest, Vec::new(), word, bound);
        let redactor = Redactor::of([("token", "hush-hush")].into_iter());
        Powers {
            module: name.clone(),
            http: Some(HttpClient::new(&grants, self.host.network(), Duration::from_secs(3)).unwrap()),
            grants,
            redactor,
            secrets: [("token".to_owned(), (SecretFormat::Text, Secret::new("hush-hush")))].into(),
            ..Powers::default()
        }
    }

    /// Lets the probe try this, and an honest component send something.
    pub async fn tried(&self, powers: &Arc<Powers>, extra: Value) -> Value {
        let outcome = send(&self.module, powers, extra).await;
        assert_eq!(outcome.kind(), OutcomeKind::Delivered, "{outcome:?}");
        let honest = send(&self.honest, &Arc::new(Powers::default()), Value::Null).await;
        assert_eq!(honest.kind(), OutcomeKind::Delivered, "{honest:?}");
        serde_json::from_str(outcome.message()).unwrap_or_else(|e| panic!("{e}: {outcome:?}"))
    }
}

/// A hostile component and an honest one that waits a few times, called side by side without an engine around them.
pub struct Pair {
    hostile: Module,
    honest: Module,
    powers: Arc<Powers>,
    _folder: tempfile::TempDir,
}

impl Pair {
    pub async fn new(hostile: &str) -> Self {
        let (host, folder) = sandbox();
        let (hostile, honest) = (load(&host, hostile).await, load(&host, "sleeper").await);
        Pair { hostile, honest, powers: Arc::default(), _folder: folder }
    }

    pub async fn hostile(&self) -> Outcome {
        send(&self.hostile, &self.powers, Value::Null).await
    }

    pub async fn honest(&self) -> Outcome {
        send(&self.honest, &self.powers, json!({ "milliseconds": 11, "times": 5 })).await
    }
}

fn sandbox() -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[database]\nurl = 'sqlite:{}'\n", folder.path().join("engine.db").display());
    let settings = Settings::from_text("test.toml", &text, std::iter::empty()).unwrap();
    let key = settings.engine_key().unwrap();
    (Host::new(&settings.sandbox, &settings.cache(), &key, Clock::system()).unwrap(), folder)
}

async fn load(host: &Host, name: &str) -> Module {
    host.load(name, &std::fs::read(guest(name)).unwrap()).await.unwrap()
}

async fn send(module: &Module, powers: &Arc<Powers>, extra: Value) -> Outcome {
    let user = ada();
    let record = TargetUserRecord {
        id: Uuid::now_v7(),
        user: user.id,
        target: Uuid::now_v7(),
        target_user_id: extra["record"].as_str().unwrap_or("anything").to_owned(),
        description: String::new(),
        active: true,
        inactive_reason: None,
    };
    let new = NewNotification {
        id: Uuid::now_v7(),
        target_user_record: record.id,
        title: "Title".to_owned(),
        body: "The body.".to_owned(),
        extra: extra.as_object().cloned().unwrap_or_default(),
        scheduled_delivery: jiff::Timestamp::UNIX_EPOCH,
        retry_time_interval: 60,
        max_retries: 2,
        expires_at: None,
        idempotency_key: None,
        on_unknown: None,
    };
    let notification = notification(new);
    let delivery = Delivery {
        notification: &notification,
        user: &user,
        record: &record,
        attempt: 1,
        last_attempt: false,
        previous: None,
    };
    module.send(&module.places.take(Duration::ZERO).await, powers, &[delivery]).await.outcomes.remove(0)
}

fn notification(new: NewNotification) -> Notification {
    Notification {
        id: new.id,
        tenant: engine::rules::tenant::Tenant::DEFAULT,
        target_user_record: new.target_user_record,
        title: new.title,
        body: new.body,
        extra: new.extra,
        status: engine::rules::status::Status::Scheduled,
        scheduled_delivery: new.scheduled_delivery,
        attempted_delivery: None,
        retry_time_interval: new.retry_time_interval,
        retry_attempts: 0,
        max_retries: new.max_retries,
        expires_at: None,
        idempotency_key: None,
        on_unknown: None,
        created_date: new.scheduled_delivery,
        modified_date: new.scheduled_delivery,
    }
}
