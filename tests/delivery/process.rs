//! The program under fire: killed, started twice, asked for its health.

use crate::support::program::Program;
use crate::support::smtp::{Answer, SmtpServer};
use std::collections::HashMap;
use std::time::{Duration, Instant};

pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "{what} did not happen in 60 seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes notifications straight in the database, through the creator once: the program is too slow to be started so often.
pub async fn backlog(program: &Program, count: usize) {
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
    let store = engine::store::Store::open(&program.url()).await.unwrap();
    let filter = engine::store::NotificationFilter::default();
    let tenant = engine::rules::tenant::Tenant::DEFAULT;
    let first = store.list_notifications(tenant, &filter).await.unwrap().remove(0).notification;
    let batch: Vec<_> = (1..count)
        .map(|i| engine::rules::notification::NewNotification {
            id: uuid::Uuid::now_v7(),
            target_user_record: first.target_user_record,
            title: format!("Title {i}"),
            body: "Body".to_owned(),
            extra: Default::default(),
            scheduled_delivery: first.scheduled_delivery,
            retry_time_interval: 1,
            max_retries: 5,
            expires_at: None,
            idempotency_key: None,
            on_unknown: None,
        })
        .collect();
    store.create(tenant, &batch, first.created_date).await.unwrap();
    store.close().await;
}

pub fn by_message_id(server: &SmtpServer) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for mail in server.mails.lock().unwrap().iter() {
        let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap().to_owned();
        *counts.entry(id).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_loses_none() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    backlog(&program, 1000).await;
    let mut kills = 0;
    // A third death could be that of one that was being sent at each of them, which is not sent any more then.
    for share in [100, 500] {
        let running = program.start();
        until("some mails", || server.count() >= share).await;
        running.signal("-KILL");
        running.ended();
        kills += 1;
    }
    let running = program.start();
    until("all mails", || by_message_id(&server).len() == 1000).await;
    let all_delivered = || {
        let list = program.json(&["notification", "list"]);
        list.as_array().unwrap().iter().all(|n| n["status"] == "DELIVERED")
    };
    until("all delivered", all_delivered).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    let doubled = server.count() - 1000;
    // At most what was claimed at a kill may have been sent without being remembered: eight calls, and one batch of outcomes.
    assert!(doubled <= kills * 108, "{doubled} mails came twice");
    assert!(by_message_id(&server).values().all(|count| *count <= 1 + kills));
}

/// What had only waited for its turn is sent; what may have left is held, and nothing comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn killed_where_the_unknown_is_held_it_holds_only_what_was_being_sent() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address).with("ENGINE_DELIVERY__ON_UNKNOWN", "hold");
    program.ada();
    backlog(&program, 1000).await;
    let running = program.start();
    until("some mails", || server.count() >= 100).await;
    running.signal("-KILL");
    running.ended();
    let running = program.start();
    let with = |status: &str| program.json(&["notification", "list", "--status", status]).as_array().unwrap().len();
    until("all ended", || with("SCHEDULED") + with("RETRY") == 0).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    assert_eq!(with("DELIVERED") + with("UNKNOWN"), 1000);
    assert!(by_message_id(&server).values().all(|count| *count == 1), "nothing comes twice");
    // Eight calls, and one batch of outcomes.
    assert!((1..=100).contains(&with("UNKNOWN")), "{} are held", with("UNKNOWN"));
    let held = program.json(&["notification", "list", "--status", "UNKNOWN"])[0]["id"].as_str().unwrap().to_owned();
    program.ok(&["notification", "resolve", &held, "delivered"]);
    assert_eq!(program.json(&["notification", "show", &held])["status"], "DELIVERED");
}

/// The notification's own choice comes first.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_held_where_the_notification_says_so() {
    let server = SmtpServer::start(&[("DOT", Answer::Closes)]).await;
    let program = Program::new().relay(server.address).with("ENGINE_DELIVERY__ON_UNKNOWN", "resend");
    program.ada();
    let notify = ["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"];
    program.ok(&[&notify[..], &["--on-unknown", "hold"]].concat());
    program.ok(&notify);
    program.run(&["process-notifications"]);
    let with = |status: &str| program.json(&["notification", "list", "--status", status]).as_array().unwrap().len();
    assert_eq!((server.count(), with("UNKNOWN"), with("RETRY")), (2, 1, 1));
}

/// Whoever starts it from cron hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn outcomes_that_cannot_be_written_end_it_with_an_error() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    backlog(&program, 3).await;
    let file: sqlx::sqlite::SqliteConnectOptions = program.url().parse().unwrap();
    let mut database = sqlx::ConnectOptions::connect(&file).await.unwrap();
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON attempts \
        WHEN NEW.notification_id = (SELECT min(id) FROM notifications) BEGIN SELECT RAISE(ABORT, 'broken'); END";
    sqlx::query(broken).execute(&mut database).await.unwrap();
    let ran = program.run(&["process-notifications"]);
    assert_eq!(server.count(), 3);
    assert!(ran.code != Some(0) && ran.stderr.contains("database"), "{ran:?}");
    // The others of its batch are not sent again for it.
    let delivered = program.json(&["notification", "list", "--status", "DELIVERED"]);
    assert_eq!(delivered.as_array().unwrap().len(), 2, "{delivered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_deliverer_at_a_time_and_anybody_may_write_beside_it() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    let running = program.start();
    program.refused(&["process-notifications"], "Another engine (process");
    program.refused(&["run"], "Another engine (process");
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
    until("the mail", || server.count() == 1).await;
    running.signal("-INT");
    assert_eq!(running.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_answers_health_checks() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::new().with("ENGINE_SERVER__LISTEN", &free.to_string());
    let running = program.start();
    let mut stream = tokio::net::TcpStream::connect(free).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#"{"status":"ok"}"#), "{answer}");
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
}

/// Each connection takes a descriptor, and a shell lets a program have a thousand.
#[tokio::test]
async fn it_may_have_as_many_descriptors_as_the_system_lets_it() {
    let running = Program::new().start();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.0.id())).unwrap();
    let of_files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = of_files.split_whitespace().skip(3).collect();
    assert_eq!(numbers[0], numbers[1], "{of_files}");
}

/// Half requests without end, more than there may be connections: they are ended, and whoever asks properly gets an answer.
#[tokio::test]
async fn half_requests_take_nothing_for_long() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::new().with("ENGINE_SERVER__LISTEN", &free.to_string());
    let running = program.start();
    let mut half = Vec::new();
    for _ in 0..100 {
        let mut stream = tokio::net::TcpStream::connect(free).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: eng").await.unwrap();
        half.push(stream);
    }
    let connections = || std::fs::read_dir(format!("/proc/{}/fd", running.0.id())).unwrap().count();
    assert!(connections() < 100, "{}", connections());
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(free).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: engine\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), asked).await.expect("in time");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
}
