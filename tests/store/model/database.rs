//! A database as the model sees it: everything in it read back, through the verbs that show it and past them where none does.

use std::collections::BTreeMap;
use std::fmt::Debug;

use engine::rules::attempt::Attempt;
use engine::rules::status::Status;
use engine::rules::target::Target;
use engine::store::{
    Claim, Claimed, Interventions, ListedNotification, NotificationFilter, Recheck, RecordFilter, Store,
};
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::calls::{Answer, Call};
use super::specification::{Held, Kept, Model};
use super::world::Cast;
use crate::store::{Database, TENANT, noon};
use crate::support::postgres as server;

/// A database that is emptied for each sequence of commands: to make one takes as long as many commands.
pub struct Subject {
    name: &'static str,
    database: Database,
    /// Past the store.
    connection: Connection,
    /// What had been seen when a claim was made.
    seen: BTreeMap<(Uuid, i64), Interventions>,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// Runs a query past the store, in which both databases can be asked the same.
macro_rules! rows {
    ($subject:expr, $query:expr) => {
        match &mut $subject.connection {
            Connection::Sqlite(connection) => {
                sqlx::query_as(AssertSqlSafe($query)).fetch_all(connection).await.unwrap()
            }
            Connection::Postgres(connection) => {
                sqlx::query_as(AssertSqlSafe($query)).fetch_all(connection).await.unwrap()
            }
        }
    };
}

/// What stands beside a notification and no verb shows. Times are milliseconds.
type Beside = (Uuid, i64, Option<Uuid>, Option<i64>, Option<i64>, Option<String>, i64, i64, bool, bool);

const BESIDE: &str = "SELECT id, fence, claimed_by, claimed_at, lease_until, sending, CAST(attempts AS BIGINT), \
     CAST(lease_deaths AS BIGINT), opted_out, canceled FROM notifications";

/// An attempt, behind the id of its notification.
type Tried = (
    Uuid,
    i64,
    i64,
    i64,
    String,
    String,
    String,
    String,
    Option<String>,
    String,
    Option<String>,
    Uuid,
    Option<String>,
    Option<String>,
);

const TRIED: &str = "SELECT notification_id, CAST(number AS BIGINT), started_at, finished_at, outcome, code, message, \
     provider_id, phase, log, component_digest, engine_id, request_hash, usage FROM attempts ORDER BY notification_id, number";

impl Subject {
    pub async fn new(name: &'static str, database: Database) -> Subject {
        let connection = if database.is_postgres() {
            Connection::Postgres(server::connect(&database.url).await)
        } else {
            Connection::Sqlite(database.connect().await)
        };
        Subject { name, database, connection, seen: BTreeMap::new() }
    }

    fn store(&self) -> &Store {
        &self.database.store
    }

    /// The targets that every database has.
    pub async fn targets(&self) -> Vec<Target> {
        self.store().list_targets(TENANT).await.unwrap()
    }

    /// Makes a call that was made to the model, and compares the answers.
    pub async fn answers(&mut self, call: &Call, expected: &Answer, now: Timestamp) -> Result<(), String> {
        if let (Call::Recheck(claims), Answer::Rechecked(answers)) = (call, expected) {
            self.notices(claims, answers).await?;
        }
        let seen = self.store().interventions().await.unwrap();
        let answer = call.on_store(self.store(), now).await;
        if let (Call::Claim(_), Answer::Claims(claims)) = (call, &answer) {
            self.seen
                .extend(claims.claimed.iter().map(|Claimed { claim, .. }| ((claim.notification, claim.fence), seen)));
        }
        // As they are written out, since claims cannot be compared otherwise.
        if format!("{answer:?}") == format!("{expected:?}") {
            return Ok(());
        }
        Err(format!("{call:#?}\n{} answers\n{}", self.name, difference(&answer, expected)))
    }

    /// What ends before its send, by whatever but its time, is noticed without a look at it.
    async fn notices(&self, claims: &[Claim], answers: &[Recheck]) -> Result<(), String> {
        for (claim, answer) in claims.iter().zip(answers) {
            let is_noticed = async || match self.seen.get(&(claim.notification, claim.fence)) {
                Some(seen) => self.store().has_intervened(*seen).await.unwrap(),
                None => true,
            };
            if matches!(answer, Recheck::Ended(status) if *status != Status::Expired) && !is_noticed().await {
                return Err(format!("{} has not noticed why {claim:?} is {answer:?}", self.name));
            }
        }
        Ok(())
    }

    /// Compares everything that is in it.
    pub async fn is_like(&mut self, model: &Model, cast: &Cast) -> Result<(), String> {
        let found = self.read(cast).await;
        if found != *model {
            return Err(format!("{} holds\n{}", self.name, difference(&found, model)));
        }
        let (found, expected) = (self.store().next_due().await.unwrap(), model.next_due());
        if found != expected {
            return Err(format!("{} says that next is due\n{}", self.name, difference(&found, &expected)));
        }
        Ok(())
    }

    /// Removes what earlier commands have left, and adds who there is at the beginning.
    pub async fn begin(&mut self, cast: &Cast) {
        for statement in [
            "UPDATE notifications SET status = 'CANCELED', claimed_by = NULL, claimed_at = NULL, lease_until = NULL, sending = NULL",
            "DELETE FROM users",
            "DELETE FROM engines",
            "UPDATE targets SET pause_kind = NULL, pause_reason = NULL, paused_since = NULL, slowed_until = NULL, faults = 0",
        ] {
            let _: Vec<(i64,)> = rows!(self, statement.to_owned());
        }
        for user in &cast.users {
            self.store().add_user(TENANT, user, noon()).await.unwrap();
        }
        for record in &cast.records {
            self.store().add_record(TENANT, record, noon()).await.unwrap();
        }
    }

    /// Everything in it.
    async fn read(&mut self, cast: &Cast) -> Model {
        let notifications = self.notifications().await;
        let engines: Vec<(Uuid, i64)> = rows!(self, "SELECT id, heartbeat_at FROM engines".to_owned());
        let store = self.store();
        let user = |name: &str| cast.users.iter().find(|user| user.username == name).unwrap().id;
        let opt_outs = store.list_opt_outs(TENANT).await.unwrap();
        let records = store.list_records(TENANT, &RecordFilter::default()).await.unwrap();
        let targets = store.list_targets(TENANT).await.unwrap();
        Model {
            users: cast.users.iter().map(|user| (user.id, user.clone())).collect(),
            targets: targets.into_iter().map(|target| (target.id, target)).collect(),
            records: records.into_iter().map(|listed| (listed.record.id, listed.record)).collect(),
            opt_outs: opt_outs
                .into_iter()
                .map(|said| (user(&said.username), (said.active, said.modified_date)))
                .collect(),
            notifications,
            engines: engines.into_iter().map(|(id, heard_of)| (id, time(heard_of))).collect(),
        }
    }

    async fn notifications(&mut self) -> BTreeMap<Uuid, Kept> {
        let mut attempts: BTreeMap<Uuid, Vec<Attempt>> = BTreeMap::new();
        let tried: Vec<Tried> = rows!(self, TRIED.to_owned());
        for (
            id,
            number,
            started_at,
            finished_at,
            outcome,
            code,
            message,
            provider_id,
            phase,
            log,
            digest,
            engine,
            hash,
            usage,
        ) in tried
        {
            attempts.entry(id).or_default().push(Attempt {
                number: number.try_into().unwrap(),
                started_at: time(started_at),
                finished_at: time(finished_at),
                outcome: outcome.parse().unwrap(),
                code,
                message,
                provider_id,
                phase: phase.map(|phase| phase.parse().unwrap()),
                log,
                component_digest: digest,
                engine,
                request_hash: hash,
                usage: usage.map(|usage| serde_json::from_str(&usage).unwrap()),
            });
        }
        let beside: Vec<Beside> = rows!(self, BESIDE.to_owned());
        let filter = NotificationFilter { limit: 1000, ..NotificationFilter::default() };
        let listed = self.store().list_notifications(TENANT, &filter).await.unwrap();
        let mut listed: BTreeMap<Uuid, ListedNotification> =
            listed.into_iter().map(|listed| (listed.notification.id, listed)).collect();
        let mut kept = BTreeMap::new();
        for (id, fence, by, since, until, sending, count, lease_deaths, opted_out, canceled) in beside {
            let attempts = attempts.remove(&id).unwrap_or_default();
            assert_eq!(attempts.len() as i64, count, "the attempts of {id} are counted");
            let claim = by.map(|engine| Held {
                engine,
                since: time(since.unwrap()),
                until: time(until.unwrap()),
                sending: sending.map(|policy| policy.parse().unwrap()),
            });
            let notification = listed.remove(&id).expect("all are listed").notification;
            let lease_deaths = lease_deaths.try_into().unwrap();
            kept.insert(id, Kept { notification, fence, claim, attempts, lease_deaths, opted_out, canceled });
        }
        kept
    }

    /// Whether each notification is shown, with its history, as it is in the tables.
    pub async fn shows(&self, model: &Model) -> Result<(), String> {
        for (id, kept) in &model.notifications {
            let shown = self.database.find(*id).await;
            let (found, expected) = ((shown.listed.notification, shown.attempts), (&kept.notification, &kept.attempts));
            if (&found.0, &found.1) != expected {
                return Err(format!("{} shows\n{}", self.name, difference(&found, &expected)));
            }
        }
        Ok(())
    }
}

/// The lines from the first to the last that differ.
fn difference(found: &impl Debug, expected: &impl Debug) -> String {
    let (found, expected) = (format!("{found:#?}"), format!("{expected:#?}"));
    let (found, expected): (Vec<_>, Vec<_>) = (found.lines().collect(), expected.lines().collect());
    let same = found.iter().zip(&expected).take_while(|(a, b)| a == b).count();
    let most = found.len().min(expected.len()) - same;
    let same_at_end = found.iter().rev().zip(expected.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let part = |lines: &[&str]| lines[same..lines.len() - same_at_end].join("\n");
    format!("{}\ninstead of\n{}", part(&found), part(&expected))
}

fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}
