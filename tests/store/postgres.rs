//! What only PostgreSQL has: a server that may be away, several engines at once, and the plans of its statements.

use std::path::Path;
use std::time::Duration;

use engine::rules::status::Status;
use engine::store::{ClaimRequest, Store};
use sqlx::{AssertSqlSafe, Executor, Row};
use uuid::Uuid;

use super::{Database, Place, TENANT, news, noon, request};
use crate::support::postgres::{self, Server};

/// Those that are run for each notification.
const DELIVERING: [&str; 6] =
    ["create_notifications", "creation_obstacle", "claim_due", "unsendable_claims", "settle", "find_notification"];

/// The statements of the store, as it includes them.
fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src/store/sql/postgres");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()));
    let found: Vec<_> = named.collect();
    assert!(found.len() > 40, "{} statements", found.len());
    found
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let database = Database::postgres().await;
    let mut connection = postgres::connect(&database.url).await;
    for (name, statement) in statements() {
        let prepared = connection.execute(AssertSqlSafe(format!("PREPARE s AS {statement}"))).await;
        prepared.unwrap_or_else(|error| panic!("{name}: {error}"));
        connection.execute("DEALLOCATE s").await.unwrap();
    }
}

/// One plan is made for each statement, whatever its parameters are: it must be good for all. The planner believes that tables are empty, as they
/// were when it last looked, and they hold ten thousand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_do_not_depend_on_statistics() {
    let database = Database::postgres().await;
    let bob = database.user("bob").await;
    database.execute("ALTER TABLE notifications SET (autovacuum_enabled = false)").await.unwrap();
    for table in ["attempts", "users", "target_user_records", "opt_outs"] {
        database.execute(format!("ALTER TABLE {table} SET (autovacuum_enabled = false)")).await.unwrap();
    }
    let session = session_of_the_engine();
    let mut connection = postgres::connect(&database.url).await;
    connection.execute(AssertSqlSafe(session)).await.unwrap();
    for round in ["empty", "full, and nobody has looked", "full"] {
        for (name, statement) in statements() {
            let steps = plan(&mut connection, &statement).await;
            for (step, next) in steps.iter().zip(steps.iter().skip(1).chain([&String::new()])) {
                let large = ["notifications", "attempts", "notification_texts"]
                    .iter()
                    .any(|table| step.contains(&format!(" on {table} ")));
                // Where nothing is known of a table yet, an index that begins with the tenant seems to be as good as one that ends there.
                let holders = step.contains(" on users") || step.contains(" on target_user_records");
                let all_of_a_tenant = next.contains("(tenant_id = ") && !next.contains(" AND ");
                assert!(
                    !(holders && all_of_a_tenant && round != "full" && DELIVERING.contains(&name.as_str())),
                    "{round}: {name}: {}",
                    steps.join("\n")
                );
                // Lists are read from their newest end, and bounded.
                let walks =
                    large && step.contains("Scan") && !next.contains("Index Cond") && name != "list_notifications";
                assert!(
                    !walks && !step.contains("Hash Join") && !step.contains("Merge Join"),
                    "{round}: {name}: {}",
                    steps.join("\n")
                );
            }
        }
        if round == "empty" {
            for _ in 0..10 {
                let batch: Vec<_> = (0..1000).map(|_| news(&bob.record)).collect();
                database.store.create(TENANT, &batch, noon()).await.unwrap();
            }
        } else {
            database.execute("ANALYZE").await.unwrap();
        }
    }
}

/// What the engine tells each of its connections first.
fn session_of_the_engine() -> String {
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src/store/postgres/open.rs"))
            .unwrap();
    let (_, rest) = source.split_once("const SESSION: &str = \"").unwrap();
    rest.split_once("\";").unwrap().0.to_owned()
}

async fn plan(connection: &mut sqlx::PgConnection, statement: &str) -> Vec<String> {
    let parameters = (1..=20).rev().find(|number| statement.contains(&format!("${number}"))).unwrap_or(0);
    connection.execute(AssertSqlSafe(format!("PREPARE s AS {statement}"))).await.unwrap();
    let nulls = vec!["NULL"; parameters].join(", ");
    let execute = if parameters == 0 { "EXECUTE s".to_owned() } else { format!("EXECUTE s ({nulls})") };
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN {execute}"))).fetch_all(&mut *connection).await.unwrap();
    connection.execute("DEALLOCATE s").await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// It once removed all that had ended, in one transaction, where the planner believed that there is one notification.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_keeps_to_its_limit_whatever_the_planner_believes() {
    let database = Database::postgres().await;
    let bob = database.user("bob").await;
    database.execute("ALTER TABLE notifications SET (autovacuum_enabled = false)").await.unwrap();
    database.create(news(&bob.record)).await;
    database.execute("ANALYZE notifications").await.unwrap();
    for _ in 0..19 {
        database.create(news(&bob.record)).await;
    }
    database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
    let before = "2100-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(database.store.purge(TENANT, before, 5).await.unwrap(), 5);
    assert_eq!(database.store.purge(TENANT, before, 100).await.unwrap(), 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_engines_share_a_queue_and_nothing_is_claimed_twice() {
    let database = Database::postgres().await;
    let bob = database.user("bob").await;
    let batch: Vec<_> = (0..1000).map(|_| news(&bob.record)).collect();
    database.store.create(TENANT, &batch, noon()).await.unwrap();
    let engines: Vec<_> = (0..4)
        .map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move {
                let (store, engine) = (Store::open(&url).await.unwrap(), Uuid::now_v7());
                let mut claimed = Vec::new();
                loop {
                    let claims = store.claim_due(&ClaimRequest { engine, limit: 37, ..request(noon()) }).await.unwrap();
                    // Rows that another engine is just claiming are passed over, so that an empty answer is no end.
                    if claims.claimed.is_empty() && store.next_due().await.unwrap().is_none() {
                        return claimed;
                    }
                    claimed.extend(claims.claimed.into_iter().map(|claimed| claimed.notification.id));
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for engine in engines {
        let claimed = engine.await.unwrap();
        assert!(claimed.len() < 1000, "one engine got everything");
        all.extend(claimed);
    }
    all.sort_unstable();
    let total = all.len();
    all.dedup();
    assert_eq!((all.len(), total), (1000, 1000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_opt_out_wins_against_a_creation_at_the_same_moment() {
    let database = Database::postgres().await;
    for round in 0..30 {
        let bob = database.user(&format!("bob{round}")).await;
        let other = database.store.clone();
        let record = bob.record.clone();
        let creating = tokio::spawn(async move { other.create(TENANT, &[news(&record)], noon()).await });
        database.store.opt_out(TENANT, bob.user.id, noon()).await.unwrap();
        let _ = creating.await.unwrap();
        let waiting = "SELECT count(*) FROM notifications WHERE status = 'SCHEDULED'";
        assert_eq!(database.number(waiting).await, 0, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn engines_that_start_at_once_make_the_schema_once() {
    let server = Server::start(&["fsync=off"]);
    server.admin("CREATE DATABASE engine").await;
    let url = server.url("engine");
    let opening: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Store::open(&url).await.unwrap() })
        })
        .collect();
    for opened in opening {
        assert_eq!(opened.await.unwrap().list_targets(TENANT).await.unwrap().len(), 3);
    }
}

/// One letter that it cannot write would keep the outcomes of all others from being written.
#[tokio::test]
async fn a_database_that_cannot_keep_every_text_is_refused() {
    let server = Server::start(&["fsync=off"]);
    server.admin("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0").await;
    let refusal = Store::open(&server.url("latin")).await.map(drop).unwrap_err().to_string();
    assert!(refusal.contains("keeps texts as LATIN1") && refusal.contains("ENCODING 'UTF8'"), "{refusal}");
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_said_in_a_sentence() {
    let open = async |url: &str| Store::open(url).await.map(drop).unwrap_err();
    let away = open("postgres://tests@127.0.0.1:1/engine").await;
    assert_eq!(
        away.to_string(),
        "The database server cannot be reached: check that it runs, and the host and port in the database's URL."
    );
    assert!(away.is_worth_another_try());
    let database = Database::postgres().await;
    let url = &database.url;
    let lost = open(&format!("{url}_and_no_other")).await;
    assert_eq!(
        lost.to_string(),
        "There is no such database on the server: make it, or name another one in the database's URL."
    );
    assert!(!lost.is_worth_another_try());
    let unreadable = open("postgres://tests:secret@127.0.0.1:what/engine").await;
    assert!(unreadable.to_string().starts_with("The URL of the database cannot be read"), "{unreadable}");
    assert!(!format!("{unreadable:?}").contains("secret"));
}

/// What was answered is kept, what was not is not, and the store goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_restarted_loses_nothing() {
    let server = Server::start(&[]);
    server.admin("CREATE DATABASE engine").await;
    let url = server.url("engine");
    let database = Database { store: Store::open(&url).await.unwrap(), url, place: Place::Server { _database: None } };
    let bob = database.user("bob").await;
    let before = database.create(news(&bob.record)).await;
    let server = tokio::task::spawn_blocking(move || {
        server.stop();
        server.run(&[]);
        server
    });
    let server = server.await.unwrap();
    let mut after = None;
    for _ in 0..100 {
        match database.store.create(TENANT, &[news(&bob.record)], noon()).await {
            Ok(created) => {
                after = Some(created[0].id());
                break;
            }
            Err(error) => assert!(error.is_worth_another_try(), "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for id in [before, after.unwrap()] {
        assert_eq!(database.stands(id).await.status, Status::Scheduled);
    }
    drop(database);
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();
}
