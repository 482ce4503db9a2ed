//! The program under fire: killed, stopped, started twice.

use crate::support::program::{Program, Running};
use crate::support::smtp::{Answer, SmtpServer};
use crate::support::{folder_with, guests};
use std::collections::HashMap;
use std::io::Read;
use std::process::Stdio;
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
async fn told_to_stop_it_finishes_what_it_sends_and_doubles_nothing() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    backlog(&program, 500).await;
    let running = program.start();
    until("some mails", || server.count() >= 50).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    let first = server.count();
    assert!(first < 500, "it was to be stopped in the middle");
    let list = program.json(&["notification", "list", "--status", "DELIVERED"]);
    assert_eq!(list.as_array().unwrap().len(), first, "what was sent is known to be sent");
    program.ok(&["process-notifications"]);
    assert_eq!((server.count(), by_message_id(&server).len()), (500, 500));
}

/// A pager that shows the first page, a log that nobody takes any more: what is due is delivered all the same, and two signals are enough.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_stops_nothing() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address).with("ENGINE_LOG__LEVEL", "info");
    program.ada();
    backlog(&program, 1500).await;
    let mut command = program.command(&["process-notifications"]);
    let running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    until("all mails", || server.count() == 1500).await;
    let is_free = || program.run(&["process-notifications"]).code == Some(0);
    until("the next run may begin", is_free).await;
    running.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));

    let mut command = program.command(&["run"]);
    let running = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    backlog(&program, 1500).await;
    until("all mails again", || server.count() == 3000).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));

    // Nor does who is slow.
    let mut command = program.command(&["run"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = child.stderr.take().unwrap();
    let running = Running(child);
    std::thread::spawn(move || {
        let mut page = [0; 4096];
        while log.read(&mut page).is_ok_and(|read| read > 0) {
            std::thread::sleep(Duration::from_millis(150));
        }
    });
    let began = Instant::now();
    backlog(&program, 3000).await;
    until("all mails once more", || server.count() == 6000).await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
}

/// The code is that of what was done, and not of how far somebody has read.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_enough_hides_no_failure() {
    let server = SmtpServer::start(&[]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&[
        "notify",
        "--user",
        "ada",
        "--target",
        "email",
        "--title",
        "Title",
        "--body",
        "Body",
        "--max-retries",
        "0",
    ]);
    server.script.lock().unwrap().insert("DOT", Answer::Says("554 5.7.1 No."));
    let mut child = program.command(&["process-notifications"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = program.command(&["process-notifications", "--output", "json"]).stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.code() == Some(1) && said.contains("the results could not be printed"), "{said}");
}

/// `timeout` signals its child, and then the group that it is in.
#[tokio::test(flavor = "multi_thread")]
async fn signals_at_once_are_one() {
    let program = Program::new().with("ENGINE_TARGETS__PATHS", guests().to_str().unwrap());
    program.ada();
    program.ok(&["target", "add", "--name", "Sleeper", "--module", "sleeper"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "sleeper", "--target-user-id", "anything"]);
    let extra = r#"{"milliseconds":2000}"#;
    program.ok(&[
        "notify", "--user", "ada", "--target", "sleeper", "--title", "Title", "--body", "Body", "--extra", extra,
    ]);
    let running = program.start();
    tokio::time::sleep(Duration::from_millis(1000)).await;
    running.signal("-TERM");
    running.signal("-TERM");
    running.signal("-HUP");
    assert_eq!(running.ended(), Some(0));
    let list = program.json(&["notification", "list", "--status", "DELIVERED"]);
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_cuts_calls_off() {
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
    let running = program.start();
    until("the mail", || server.count() == 1).await;
    running.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(1));
    // What it was sending is found as unknown, and by default sent again.
    server.script.lock().unwrap().clear();
    let running = program.start();
    until("the mail again", || server.count() == 2).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(0));
    let list = program.json(&["notification", "list"]);
    let shown = program.json(&["notification", "show", list[0]["id"].as_str().unwrap()]);
    assert_eq!(shown["attempts"][0]["outcome"], "unknown", "{shown}");
    assert_eq!(shown["attempts"][0]["code"], "engine_died");
    assert_eq!(shown["status"], "DELIVERED");
}

/// One that was started by cron, or by hand, hears a signal as well: it does not wait for calls longer than the settings say.
#[tokio::test(flavor = "multi_thread")]
async fn process_notifications_stops_when_it_is_told_to() {
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let program = Program::new().relay(server.address);
    program.ada();
    for (i, (most, signal, signals)) in [("300ms", "-TERM", 1), ("1m", "-HUP", 2)].into_iter().enumerate() {
        program.ok(&["notify", "--user", "ada", "--target", "email", "--title", "Title", "--body", "Body"]);
        let began = Instant::now();
        let mut command = program.command(&["process-notifications"]);
        let running = Running(command.env("ENGINE_DELIVERY__STOP_TIMEOUT", most).spawn().unwrap());
        until("the mail", || server.count() > i).await;
        for _ in 0..signals {
            running.signal(signal);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        assert_eq!(running.ended(), Some(1));
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
}

/// What a run leaves since it was told to stop is no success. A terminal that closes tells it so, unless `nohup` keeps that from it.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_stop_says_that_there_is_more() {
    let folder = folder_with(&["sleeper"]);
    let paths = folder.path().to_str().unwrap();
    let program =
        Program::new().with("ENGINE_TARGETS__PATHS", paths).with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "1");
    program.ada();
    program.ok(&["target", "add", "--name", "Pigeon", "--module", "sleeper"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Pigeon", "--target-user-id", "coop 7"]);
    let many = |count: usize| {
        for i in 0..count {
            let title = format!("Title {i}");
            let extra = ["--extra", "{\"milliseconds\": 500}"];
            program.ok(&[
                &["notify", "--user", "ada", "--target", "Pigeon", "--title", &title, "--body", "B"],
                &extra[..],
            ]
            .concat());
        }
    };
    let delivered = || program.json(&["notification", "list", "--status", "DELIVERED"]).as_array().unwrap().len();
    many(6);
    let said = folder.path().join("said");
    let mut command = program.command(&["process-notifications"]);
    let running = Running(command.stderr(std::fs::File::create(&said).unwrap()).spawn().unwrap());
    until("the first", || delivered() > 0).await;
    running.signal("-HUP");
    assert_eq!(running.ended(), Some(1));
    let said = std::fs::read_to_string(said).unwrap();
    assert!(said.contains("before all that was due was handled"), "{said}");
    assert!((1..6).contains(&delivered()));

    let mut command = std::process::Command::new("nohup");
    let through = program.command(&["process-notifications"]);
    command.arg(through.get_program()).args(through.get_args());
    for (name, value) in through.get_envs() {
        value.map(|value| command.env(name, value));
    }
    let nowhere = Stdio::null;
    command.current_dir(program.folder.path()).stdout(nowhere()).stderr(nowhere());
    let before = delivered();
    let running = Running(command.spawn().unwrap());
    until("the next", || delivered() > before).await;
    running.signal("-HUP");
    assert_eq!(running.ended(), Some(0));
    assert_eq!(delivered(), 6);
}

/// What had only waited for its turn was not sent, and nobody wonders whether it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_not_begun_is_given_back_when_calls_are_cut_off() {
    let server = SmtpServer::start(&[("DOT", Answer::Hangs)]).await;
    let program = Program::new().relay(server.address).with("ENGINE_DELIVERY__CONCURRENCY_PER_TARGET", "2");
    program.ada();
    backlog(&program, 20).await;
    let running = program.start();
    until("two mails", || server.count() == 2).await;
    running.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    running.signal("-TERM");
    assert_eq!(running.ended(), Some(1));
    server.script.lock().unwrap().clear();
    program.ok(&["process-notifications"]);
    let list = program.json(&["notification", "list"]);
    let attempts = list.as_array().unwrap().iter().map(|listed| {
        program.json(&["notification", "show", listed["id"].as_str().unwrap()])["attempts"].as_array().unwrap().len()
    });
    assert_eq!(attempts.filter(|attempts| *attempts == 2).count(), 2);
    assert_eq!(server.count(), 22);
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
