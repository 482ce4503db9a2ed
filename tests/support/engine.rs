//! An engine inside the test, with a folder, a database and a clock of its own.

use engine::clock::Clock;
use engine::creation::{self, CreationError, Message, Request};
use engine::delivery::{Chosen, Deliverer, Observer, Stopped};
use engine::host::{Catalog, Host};
use engine::rules::target::{Target, TargetUserRecord};
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::settings::Settings;
use engine::store::{NotificationHistory, Store};
use serde_json::{Map, Value};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

pub struct TestEngine {
    /// Holds the database; goes with the engine.
    _folder: tempfile::TempDir,
    pub settings: Arc<Settings>,
    pub store: Store,
    pub catalog: Arc<Catalog>,
    pub clock: Clock,
    pub user: User,
}

/// What the test's settings say beside the database.
pub struct Builder {
    text: String,
    secrets: Vec<(String, String)>,
}

impl Builder {
    /// The e-mail target sends to this relay, and gives up waiting soon.
    pub fn relay(self, address: SocketAddr) -> Self {
        self.with(&format!("[smtp]\nhost = '127.0.0.1'\nport = {}\ntimeout = '700ms'\n", address.port()))
    }

    /// Components are searched here.
    pub fn targets_in(self, folder: &Path) -> Self {
        self.with(&format!("[targets]\npaths = ['{}']\n", folder.display()))
    }

    pub fn with(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((format!("ENGINE_SECRET__{}", name.to_uppercase()), value.to_owned()));
        self
    }

    pub async fn start(self) -> TestEngine {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("engine.db");
        let text = format!("[database]\nurl = 'sqlite:{}'\n{}", database.display(), self.text);
        let settings = Arc::new(Settings::from_text("test.toml", &text, self.secrets.into_iter()).unwrap());
        let store = Store::open(&settings.database.url).await.unwrap();
        let clock = Clock::adjustable();
        let key = settings.engine_key().unwrap();
        let host = Host::new(&settings.sandbox, &settings.cache(), &key, clock.clone()).unwrap();
        let catalog = Arc::new(Catalog::new(host, settings.clone()).unwrap());
        let user = ada();
        store.add_user(Tenant::DEFAULT, &user, clock.now()).await.unwrap();
        TestEngine { _folder: folder, settings, store, catalog, clock, user }
    }
}

/// The user of most tests.
pub fn ada() -> User {
    User {
        id: Uuid::now_v7(),
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        time_zone: "Europe/London".to_owned(),
        locale: "en-GB".to_owned(),
        attributes: Map::new(),
    }
}

impl TestEngine {
    pub fn builder() -> Builder {
        Builder { text: String::new(), secrets: Vec::new() }
    }

    /// The target of a module, made if it is not there, and a record of the user in it.
    pub async fn record(&self, module: &str, target_user_id: &str) -> TargetUserRecord {
        let target = match self.store.find_target(Tenant::DEFAULT, module).await {
            Ok(target) => target,
            Err(_) => {
                let target = Target {
                    id: Uuid::now_v7(),
                    name: module.chars().take(15).collect(),
                    notification_module_name: module.to_owned(),
                    pause: None,
                    slowed_until: None,
                    faults: 0,
                    revision: 0,
                };
                self.store.add_target(Tenant::DEFAULT, &target, self.clock.now()).await.unwrap();
                target
            }
        };
        let record = TargetUserRecord {
            id: Uuid::now_v7(),
            user: self.user.id,
            target: target.id,
            target_user_id: target_user_id.to_owned(),
            description: String::new(),
            active: true,
            inactive_reason: None,
        };
        self.store.add_record(Tenant::DEFAULT, &record, self.clock.now()).await.unwrap();
        record
    }

    pub fn request(&self, target: &str, title: &str, extra: Value) -> Request {
        let Value::Object(extra) = extra else { panic!("extra must be an object") };
        Request {
            tenant: Tenant::DEFAULT,
            user: self.user.username.clone(),
            targets: vec![target.to_owned()],
            message: Message { title: title.to_owned(), body: "The body.".to_owned(), extra },
            messages: Vec::new(),
            scheduled_delivery: None,
            expires_at: None,
            retry_time_interval: Some(60),
            max_retries: 2,
            on_unknown: None,
            idempotency_key: None,
            raw: false,
        }
    }

    /// Makes the notifications of a request, and gives their ids.
    pub async fn create(&self, request: &Request) -> Result<Vec<Uuid>, CreationError> {
        let reports = creation::create(&self.store, &self.catalog, request, self.clock.now(), Uuid::now_v7).await?;
        Ok(reports.into_iter().filter_map(|report| report.result.ok()).flatten().collect())
    }

    /// One notification in a module's target, made by its creator.
    pub async fn notify(&self, target: &str, title: &str, extra: Value) -> Uuid {
        self.create(&self.request(target, title, extra)).await.unwrap()[0]
    }

    pub fn deliverer(&self, observer: Observer) -> Deliverer {
        Deliverer {
            store: self.store.clone(),
            catalog: self.catalog.clone(),
            settings: self.settings.clone(),
            clock: self.clock.clone(),
            engine: Uuid::now_v7(),
            jitter: || 0.0,
            observer,
        }
    }

    /// Delivers while something else is done, and cuts off what is left then.
    pub async fn beside<T>(&self, done: impl Future<Output = T>) -> T {
        let (deliverer, never) = (self.deliverer(Arc::new(|_| {})), std::future::pending);
        tokio::select! {
            _ = deliverer.run(|| {}, never(), never()) => panic!("nothing asks it to stop"),
            done = done => done,
        }
    }

    /// Delivers what is due now.
    pub async fn deliver(&self) {
        let stopped = self
            .deliverer(Arc::new(|_| {}))
            .process_due(Chosen::default(), std::future::pending(), std::future::pending())
            .await
            .unwrap();
        assert_eq!(stopped, Stopped::Drained);
    }

    pub async fn show(&self, id: Uuid) -> NotificationHistory {
        self.store.find_notification(Tenant::DEFAULT, id).await.unwrap()
    }

    /// Makes a notification, delivers it once, and shows what became of it.
    pub async fn tried(&self, target: &str, title: &str, extra: Value) -> NotificationHistory {
        let id = self.notify(target, title, extra).await;
        self.deliver().await;
        self.show(id).await
    }
}
