//! What only SQLite has, being a file: opening, locking, several processes at once, sudden death, and the plans of its
//! statements.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use engine::store::{ClaimRequest, Lost, Store, StoreError};
use sqlx::{AssertSqlSafe, Connection, Row};
use uuid::Uuid;

use super::{Database, ENGINE, TENANT, delivered, news, noon, request, settled, user};

/// The statements of the store, as it includes them.
fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src/store/sql/sqlite");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() > 40, "{} statements", found.len());
    found
}

/// How SQLite goes about a statement, a line for each step.
async fn plan(database: &Database, statement: &str) -> Vec<String> {
    let mut connection = database.connect().await;
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
        .fetch_all(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{error}: {statement}"));
    connection.close().await.unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn a_file_is_made_if_absent_and_is_its_owners_own() {
    let database = Database::sqlite().await;
    #[cfg(unix)]
    for file in ["engine.db", "engine.db-wal"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(database.file().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(database.number("SELECT count(*) FROM tenants WHERE id = 1 AND name = 'default'").await, 1);
}

#[tokio::test]
async fn a_closed_store_leaves_one_file_and_everything_in_it() {
    let database = Database::sqlite().await;
    let bob = database.user("bob").await;
    database.store.close().await;
    assert!(!database.file().join("engine.db-wal").exists());
    let refusal = database.store.add_user(TENANT, &user("cleo"), noon()).await.unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable { .. }), "{refusal:?}");
    let reopened = Store::open(&database.url).await.unwrap();
    assert_eq!(reopened.find_user(TENANT, "bob").await.unwrap(), bob.user);
}

#[tokio::test]
async fn what_is_no_database_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "This is not a database, and long enough to be taken for one that is damaged. ".repeat(9))
        .unwrap();
    let open = async |url: String| Store::open(&url).await.map(drop).unwrap_err().to_string();
    assert_eq!(
        open(format!("sqlite:{}", text.display())).await,
        "The database file is damaged, or not a database: restore it from a backup, or name another file."
    );
    let lost = folder.path().join("no/such/folder/engine.db");
    assert_eq!(
        open(format!("sqlite:{}", lost.display())).await,
        format!(
            "The database file {} cannot be made or found: check that its folder exists and may be written.",
            lost.display()
        )
    );
    for memory in ["sqlite::memory:", "sqlite:", "sqlite:file?mode=memory"] {
        assert!(open(memory.to_owned()).await.contains("use `sqlite:` and the path of a file"), "{memory}");
    }
    assert!(open("mysql://localhost/engine".to_owned()).await.starts_with("`mysql` names no database"));
}

#[tokio::test]
async fn a_database_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("CREATE TABLE users (name TEXT)").execute(&mut connection).await.unwrap();
    // Another program's table need not have a name of ours.
    sqlx::query("ALTER TABLE users RENAME TO customers").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let before = std::fs::read(&file).unwrap();
    let refusal = Store::open(&format!("sqlite:{}", file.display())).await.map(drop).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "The database's schema is not one that this engine made: restore a backup, or name another one."
    );
    assert_eq!(std::fs::read(&file).unwrap(), before, "it is as it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_can_be_opened_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("engine.db").display());
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Store::open(&url).await.unwrap() })
        })
        .collect();
    for opened in opening {
        assert_eq!(opened.await.unwrap().list_targets(TENANT).await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn one_process_delivers_and_all_may_write() {
    let database = Database::sqlite().await;
    let other = Store::open(&database.url).await.unwrap();
    let lock = database.store.lock_deliverer().unwrap();
    let refusal = other.lock_deliverer().unwrap_err();
    let process = std::process::id();
    assert!(matches!(refusal, StoreError::Locked { by: Some(by), .. } if by == process), "{refusal:?}");
    assert!(
        refusal.to_string().starts_with(&format!("Another engine (process {process}) delivers from ")),
        "{refusal}"
    );
    other.add_user(TENANT, &user("bob"), noon()).await.unwrap();
    drop(lock);
    other.lock_deliverer().map(drop).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_second_name_of_the_file_is_no_way_around_the_lock() {
    let database = Database::sqlite().await;
    let _lock = database.store.lock_deliverer().unwrap();
    let alias = database.file().join("alias.db");
    std::os::unix::fs::symlink(database.file().join("engine.db"), &alias).unwrap();
    let other = Store::open(&format!("sqlite:{}", alias.display())).await.unwrap();
    assert!(matches!(other.lock_deliverer(), Err(StoreError::Locked { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_in_a_group_takes_nothing_with_it() {
    let database = Database::sqlite().await;
    // All of them queue up at once, so that they share commits; each name is taken twice.
    let adding: Vec<_> = (0..200)
        .map(|number| {
            let (store, user) = (database.store.clone(), user(&format!("user{}", number / 2)));
            tokio::spawn(async move { store.add_user(TENANT, &user, noon()).await })
        })
        .collect();
    let mut added = 0;
    for outcome in adding {
        match outcome.await.unwrap() {
            Ok(()) => added += 1,
            Err(error) => assert!(matches!(error, StoreError::AlreadyExists { .. }), "{error:?}"),
        }
    }
    assert_eq!(added, 100);
    assert_eq!(database.store.list_users(TENANT).await.unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_beside_us_is_waited_for() {
    let database = Database::sqlite().await;
    let mut other = database.connect().await;
    let theirs = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let store = database.store.clone();
    let ours = tokio::spawn(async move { store.add_user(TENANT, &user("bob"), noon()).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!ours.is_finished());
    // Reading waits for nobody.
    assert_eq!(database.store.list_users(TENANT).await.unwrap(), []);
    theirs.rollback().await.unwrap();
    ours.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_log_is_flushed_at_every_commit() {
    let database = Database::sqlite().await;
    assert_eq!(database.number("SELECT count(*) FROM pragma_journal_mode() WHERE journal_mode = 'wal'").await, 1);
    // 2 is FULL. The writer's own connection cannot be asked from here, so that the source is.
    let source =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src/store/sqlite/open.rs"));
    assert!(source.unwrap().contains(".synchronous(SqliteSynchronous::Full)"));
}

/// Not a test of its own: what `nothing_accepted_is_lost_when_the_process_is_killed` kills. It stores, claims and
/// settles without end, and says each thing after it has been told that it is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs until it is killed; another test starts it"]
async fn a_process_that_will_be_killed() {
    let Ok(url) = std::env::var("STORE_TO_BE_KILLED") else { return };
    let store = Store::open(&url).await.unwrap();
    let bob = store.find_user(TENANT, "bob").await.unwrap();
    let email = store.find_target(TENANT, "email").await.unwrap();
    let record = store.active_records(TENANT, bob.id, email.id).await.unwrap().remove(0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let batch = [news(&record), news(&record), news(&record)];
        for created in store.create(TENANT, &batch, noon()).await.unwrap() {
            println!("\nstored {}", created.id());
        }
        let claims = store.claim_due(&ClaimRequest { limit: 2, ..request(noon()) }).await.unwrap();
        let claimed = &claims.claimed[0];
        store.settle(&[settled(claimed, &delivered())], noon()).await.unwrap();
        println!("\nsettled {}", claimed.notification.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_accepted_is_lost_when_the_process_is_killed() {
    let database = Database::sqlite().await;
    database.user("bob").await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store::sqlite::a_process_that_will_be_killed", "--exact", "--ignored", "--nocapture"])
        .env("STORE_TO_BE_KILLED", &database.url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut stored, mut settled) = (Vec::<Uuid>::new(), Vec::<Uuid>::new());
    for line in lines {
        let line = line.unwrap();
        match line.split_once(' ') {
            Some(("stored", id)) => stored.push(id.parse().unwrap()),
            Some(("settled", id)) => settled.push(id.parse().unwrap()),
            _ => {}
        }
        if settled.len() == 60 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(settled.len() >= 60 && stored.len() >= 180, "{} and {}", settled.len(), stored.len());

    let reopened = Store::open(&database.url).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM pragma_integrity_check() WHERE integrity_check = 'ok'").await, 1);
    assert_eq!(database.number("SELECT count(*) FROM pragma_foreign_key_check()").await, 0);
    for id in &stored {
        reopened.find_notification(TENANT, *id).await.unwrap();
    }
    for id in &settled {
        assert_eq!(reopened.find_notification(TENANT, *id).await.unwrap().attempts.len(), 1);
    }
    // What it had claimed and not settled is free again, and everything is either settled or can be claimed.
    let alive = Uuid::now_v7();
    let rescued = reopened.rescue(alive, Lost::OfOthers, noon()).await.unwrap();
    assert!(rescued >= 60, "{rescued}");
    let all = ClaimRequest { engine: alive, limit: 100_000, ..request(noon()) };
    let claimed = reopened.claim_due(&all).await.unwrap().claimed.len();
    let total = database.number("SELECT count(*) FROM notifications").await;
    let delivered = database.number("SELECT count(*) FROM notifications WHERE status = 'DELIVERED'").await;
    assert_eq!(i64::try_from(claimed).unwrap() + delivered, total);
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let database = Database::sqlite().await;
    for (_, statement) in statements() {
        plan(&database, &statement).await;
    }
}

#[tokio::test]
async fn no_statement_walks_through_all_notifications_or_attempts() {
    let database = Database::sqlite().await;
    // Also where the statistics are those of other days.
    for statistics in ["", "ANALYZE"] {
        database.execute(statistics).await.unwrap();
        for (name, statement) in statements() {
            for step in plan(&database, &statement).await {
                for table in ["notifications", "n", "candidate", "attempts", "previous", "notification_texts", "texts"]
                {
                    let walks = step == format!("SCAN {table}") || step.starts_with(&format!("SCAN {table} "));
                    // In the list, `n` is what an inner SELECT with a limit has found.
                    assert!(!walks || (name == "list_notifications" && table == "n"), "{name}: {step}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_goes_with_something_else_is_found_by_an_index() {
    let database = Database::sqlite().await;
    for (parent, child) in [
        ("remove_user", "target_user_records USING COVERING INDEX"),
        ("remove_target", "target_user_records USING COVERING INDEX target_user_records_by_target"),
        ("remove_record", "notifications USING INDEX notifications_by_record"),
        ("remove_notification", "attempts USING PRIMARY KEY"),
    ] {
        let (_, statement) = statements().into_iter().find(|(name, _)| name == parent).unwrap();
        let steps = plan(&database, &statement).await;
        assert!(steps.iter().any(|step| step.starts_with(&format!("SEARCH {child}"))), "{parent}: {steps:#?}");
    }
}

#[tokio::test]
async fn a_claim_reads_as_far_into_its_index_as_it_takes() {
    let database = Database::sqlite().await;
    let bob = database.user("bob").await;
    let batch: Vec<_> = (0..2000).map(|_| news(&bob.record)).collect();
    database.store.create(TENANT, &batch, noon()).await.unwrap();
    let (_, statement) = statements().into_iter().find(|(name, _)| name == "claim_due").unwrap();
    let claim = async || {
        let steps = plan(&database, &statement).await;
        // The rows of each target come from the index in their order, and only what these yield is sorted.
        let index =
            "SEARCH candidate USING INDEX notifications_due (tenant_id=? AND target_id=? AND scheduled_delivery<?)";
        let candidate = steps.iter().position(|step| step == index).unwrap_or_else(|| panic!("{steps:#?}"));
        let sorts: Vec<_> = steps.iter().enumerate().filter(|(_, step)| step.contains("TEMP B-TREE")).collect();
        assert_eq!(sorts.len(), 2, "{steps:#?}");
        assert!(sorts.iter().all(|(place, _)| *place > candidate), "{steps:#?}");
        assert!(!steps[candidate..].iter().any(|step| step.contains("AUTOMATIC")), "{steps:#?}");
    };
    claim().await;
    database.execute("ANALYZE").await.unwrap();
    claim().await;
    // And with statistics from when everything was claimed.
    let engine = database.id(ENGINE);
    database
        .execute(format!("UPDATE notifications SET claimed_by = {engine}, claimed_at = 1, lease_until = 1"))
        .await
        .unwrap();
    database.execute("ANALYZE").await.unwrap();
    claim().await;
}

/// SQLite ends a transaction by itself when the disk is full, and so does this trigger.
#[tokio::test]
async fn the_writer_goes_on_after_a_transaction_that_sqlite_ended() {
    let database = Database::sqlite().await;
    let trigger = "CREATE TRIGGER full BEFORE INSERT ON users WHEN NEW.username = 'boom' BEGIN SELECT RAISE(ROLLBACK, 'full'); END";
    database.execute(trigger).await.unwrap();
    for round in 0..3 {
        assert!(database.store.add_user(TENANT, &user("boom"), noon()).await.is_err());
        let name = format!("bob{round}");
        database.store.add_user(TENANT, &user(&name), noon()).await.unwrap();
        assert_eq!(database.store.find_user(TENANT, &name).await.unwrap().username, name);
    }
}
