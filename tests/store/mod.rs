//! What every database must do for the store, said once and run on each.
//!
//! A case is a function that takes a fresh, empty database and the words below to arrange and look;
//! `on_every_database!` at the end of each file turns it into a test on each of them. A case that is missing from that
//! list is reported as dead code. What only SQLite has, being a file, is in `sqlite.rs`.

mod claims;
mod clock;
mod constraints;
mod grants;
mod imports;
mod interventions;
mod limits;
mod model;
mod notifications;
mod opt_out_races;
mod postgres;
mod records;
mod rescue;
mod settlements;
mod sqlite;
mod targets;
mod tenancy;
mod users;
mod versions;
mod watches;

use std::time::Duration;

use engine::rules::attempt::Attempt;
use engine::rules::notification::{NewNotification, Notification};
use engine::rules::outcome::{Failure, Outcome, Receipt, Scope};
use engine::rules::retry::{self, RetryPolicy};
use engine::rules::target::{Target, TargetUserRecord};
use engine::rules::tenant::Tenant;
use engine::rules::user::User;
use engine::store::{ClaimRequest, Claimed, Claims, NotificationHistory, Settled, Store, Targets};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use uuid::Uuid;

use crate::support::postgres as server;

/// Makes each of the named cases a test on every database.
macro_rules! on_every_database {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($crate::store::Database::sqlite().await).await;
                }
            )*
        }
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($crate::store::Database::postgres().await).await;
                }
            )*
        }
    };
}
use on_every_database;

/// The tenant that is there from the beginning.
const TENANT: Tenant = Tenant::DEFAULT;

/// A database of its own for one test.
struct Database {
    store: Store,
    url: String,
    /// Where it is kept, until it is dropped.
    place: Place,
}

enum Place {
    /// The folder of a file.
    Folder(tempfile::TempDir),
    /// On the tests' server, which drops it.
    Server { _database: Option<server::TestDatabase> },
}

/// A user with an address, and where that is.
struct Arranged {
    user: User,
    target: Target,
    record: TargetUserRecord,
}

impl Database {
    async fn sqlite() -> Database {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("engine.db").display());
        Database { store: Store::open(&url).await.unwrap(), url, place: Place::Folder(folder) }
    }

    async fn postgres() -> Database {
        let database = server::TestDatabase::new().await;
        let url = database.url.clone();
        Database { store: Store::open(&url).await.unwrap(), url, place: Place::Server { _database: Some(database) } }
    }

    fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Server { .. })
    }

    /// Runs a statement past the store, as somebody with a tool of their own would; the number of rows, or what the
    /// database said.
    async fn execute(&self, statement: impl Into<String>) -> Result<u64, String> {
        let statement = AssertSqlSafe(statement.into());
        let outcome = if self.is_postgres() {
            let mut connection = server::connect(&self.url).await;
            sqlx::query(statement).execute(&mut connection).await.map(|done| done.rows_affected())
        } else {
            let mut connection = self.connect().await;
            sqlx::query(statement).execute(&mut connection).await.map(|done| done.rows_affected())
        };
        outcome.map_err(|error| error.to_string())
    }

    /// The one number that a query past the store returns.
    async fn number(&self, query: impl Into<String>) -> i64 {
        let query = query.into();
        if self.is_postgres() {
            // Whatever the width of the column.
            let query = AssertSqlSafe(format!("SELECT (({query}))::bigint"));
            sqlx::query_scalar(query).fetch_one(&mut server::connect(&self.url).await).await.unwrap()
        } else {
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut self.connect().await).await.unwrap()
        }
    }

    /// A connection to the file.
    async fn connect(&self) -> sqlx::SqliteConnection {
        let file = self.file().join("engine.db");
        let options = SqliteConnectOptions::new().filename(file).foreign_keys(true);
        options.busy_timeout(Duration::from_secs(5)).connect().await.unwrap()
    }

    /// The folder of the file.
    fn file(&self) -> &std::path::Path {
        match &self.place {
            Place::Folder(folder) => folder.path(),
            Place::Server { .. } => panic!("a server has no file"),
        }
    }

    /// An id as this database writes it in a statement.
    fn id(&self, id: Uuid) -> String {
        if self.is_postgres() { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    }

    /// Yes or no as this database writes it in a statement.
    fn flag(&self, flag: bool) -> &'static str {
        match (self.is_postgres(), flag) {
            (true, true) => "true",
            (true, false) => "false",
            (false, true) => "1",
            (false, false) => "0",
        }
    }

    /// A user of this name with an active e-mail record.
    async fn user(&self, username: &str) -> Arranged {
        self.user_of(TENANT, username, self.email().await).await
    }

    async fn user_of(&self, tenant: Tenant, username: &str, target: Target) -> Arranged {
        let user = user(username);
        self.store.add_user(tenant, &user, noon()).await.unwrap();
        let record = record(&user, &target, &user.email);
        self.store.add_record(tenant, &record, noon()).await.unwrap();
        Arranged { user, target, record }
    }

    async fn email(&self) -> Target {
        self.store.find_target(TENANT, "email").await.unwrap()
    }

    /// One more target, with a module of the same name in small letters.
    async fn target(&self, name: &str) -> Target {
        let target = target(name);
        self.store.add_target(TENANT, &target, noon()).await.unwrap();
        target
    }

    /// A second tenant, without any targets.
    async fn other_tenant(&self) -> Tenant {
        self.execute("INSERT INTO tenants (id, name, created_date, modified_date) VALUES (2, 'other', 0, 0)")
            .await
            .unwrap();
        Tenant(2)
    }

    /// Stores one notification that is due at `due`.
    async fn due(&self, arranged: &Arranged, due: Timestamp) -> Uuid {
        let new = NewNotification { scheduled_delivery: due, ..news(&arranged.record) };
        self.create(new).await
    }

    async fn create(&self, new: NewNotification) -> Uuid {
        let id = new.id;
        self.store.create(TENANT, &[new], noon()).await.unwrap();
        id
    }

    /// Everything that is due at noon, claimed for an hour.
    async fn claim(&self) -> Claims {
        self.store.claim_due(&request(noon())).await.unwrap()
    }

    /// The one notification that is due at noon, claimed for an hour.
    async fn claim_one(&self) -> Claimed {
        let mut claims = self.claim().await;
        assert_eq!((claims.claimed.len(), claims.ended.len()), (1, 0), "{claims:?}");
        claims.claimed.remove(0)
    }

    async fn find(&self, id: Uuid) -> NotificationHistory {
        self.store.find_notification(TENANT, id).await.unwrap()
    }

    /// The notification as it stands, without its history.
    async fn stands(&self, id: Uuid) -> Notification {
        self.find(id).await.listed.notification
    }
}

/// The engine that makes the attempts of these tests.
const ENGINE: Uuid = Uuid::from_u128(0xe1);

fn noon() -> Timestamp {
    at("12:00:00")
}

/// A time of the day on which these tests play.
fn at(time: &str) -> Timestamp {
    format!("2026-03-20T{time}Z").parse().unwrap()
}

fn user(username: &str) -> User {
    User {
        id: Uuid::now_v7(),
        username: username.to_owned(),
        email: format!("{username}@example.org"),
        first_name: "Änne".to_owned(),
        last_name: "O'Hara".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        locale: "de-AT".to_owned(),
        attributes: Map::from_iter([("tier".to_owned(), 2.into())]),
    }
}

fn target(name: &str) -> Target {
    Target {
        id: Uuid::now_v7(),
        name: name.to_owned(),
        notification_module_name: name.to_lowercase(),
        pause: None,
        slowed_until: None,
        faults: 0,
        revision: 0,
    }
}

fn record(user: &User, target: &Target, address: &str) -> TargetUserRecord {
    TargetUserRecord {
        id: Uuid::now_v7(),
        user: user.id,
        target: target.id,
        target_user_id: address.to_owned(),
        description: "at home".to_owned(),
        active: true,
        inactive_reason: None,
    }
}

/// A notification that is due at noon.
fn news(record: &TargetUserRecord) -> NewNotification {
    NewNotification {
        id: Uuid::now_v7(),
        target_user_record: record.id,
        title: "News".to_owned(),
        body: "It is \"spring\".\n\u{1f337}".to_owned(),
        extra: Map::from_iter([("colour".to_owned(), "tulip".into())]),
        scheduled_delivery: noon(),
        retry_time_interval: 60,
        max_retries: 3,
        expires_at: None,
        idempotency_key: None,
        on_unknown: None,
    }
}

fn request(now: Timestamp) -> ClaimRequest {
    let lease_until = now + SignedDuration::from_hours(1);
    ClaimRequest { engine: ENGINE, now, lease_until, limit: 1000, bytes: usize::MAX, targets: Targets::All }
}

fn delivered() -> Outcome {
    Outcome::Delivered(Receipt {
        provider_id: "<1@example.org>".to_owned(),
        message: "Email Successfully Sent".to_owned(),
    })
}

fn busy(scope: Scope) -> Outcome {
    Outcome::Retry { after: Some(Duration::from_secs(90)), scope, reason: Failure::new("421", "Try again later.") }
}

fn gone() -> Failure {
    Failure::new("550", "No such mailbox.")
}

/// What is to be written back for a claim whose attempt took from noon to a second later.
fn settled(claimed: &Claimed, outcome: &Outcome) -> Settled {
    let end = at("12:00:01");
    let standing = claimed.notification.standing();
    let settlement = retry::settle(&standing, outcome, &RetryPolicy::default(), false, end, 0.0);
    claimed.settled(settlement, Attempt::new(claimed.attempt, noon(), end, outcome, ENGINE))
}
