//! URLs that want to lead past the grant: the origin is decided by the parser that sends, and what it does not grant is denied before
//! anything happens.

use super::arena::{Arena, Cases, case};
use crate::support::http::{Answer, HttpServer};
use crate::support::program::Program;
use crate::support::{folder_with, guests};
use engine::rules::grants::Capability;
use engine::rules::tenant::Tenant;
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;

/// A server that the probe may talk to at `http://127.0.0.1:PORT`, and how an attack must end: the phase, or nothing for an answer.
async fn arena(server: &HttpServer) -> Arena {
    Arena::with("http_probe", &format!("[target.http_probe]\nbase_url = '{}'\n", server.origin())).await
}

/// Spellings of this machine that are not the granted one; another port, another scheme, another name.
#[tokio::test]
async fn spellings_of_this_machine() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let port = server.address.port();
    let other = port ^ 1;
    let mut cases = Cases::default();
    for (name, url) in [
        (case("localhost"), format!("http://localhost:{port}/")),
        (case("localhost_with_a_dot"), format!("http://localhost.:{port}/")),
        (case("localhost_below_a_name"), format!("http://x.localhost:{port}/")),
        (case("another_port"), format!("http://127.0.0.1:{other}/")),
        (case("no_port"), "http://127.0.0.1/".to_owned()),
        (case("another_scheme"), format!("https://127.0.0.1:{port}/")),
        (case("a_neighbour"), format!("http://127.0.0.2:{port}/")),
        (case("the_end_of_loopback"), format!("http://127.255.255.255:{port}/")),
        (case("any_address"), format!("http://0.0.0.0:{port}/")),
        (case("zero"), format!("http://0:{port}/")),
        (case("zero_in_hexadecimal"), format!("http://0x0:{port}/")),
        (case("loopback_6"), format!("http://[::1]:{port}/")),
        (case("loopback_6_in_full"), format!("http://[0:0:0:0:0:0:0:1]:{port}/")),
        (case("any_6"), format!("http://[::]:{port}/")),
        (case("mapped"), format!("http://[::ffff:127.0.0.1]:{port}/")),
        (case("mapped_in_hexadecimal"), format!("http://[::ffff:7f00:1]:{port}/")),
        (case("compatible"), format!("http://[::127.0.0.1]:{port}/")),
        (case("translated"), format!("http://[64:ff9b::7f00:1]:{port}/")),
        (case("six_to_four"), format!("http://[2002:7f00:1::]:{port}/")),
        (case("metadata_service"), "http://169.254.169.254/latest/meta-data/".to_owned()),
        (case("metadata_service_in_decimal"), "http://2852039166/latest/meta-data/".to_owned()),
        (case("metadata_service_in_octal"), "http://0251.0376.0251.0376/".to_owned()),
        (case("metadata_service_mapped"), "http://[::ffff:a9fe:a9fe]/".to_owned()),
        (case("metadata_service_by_name"), "http://metadata.google.internal/".to_owned()),
        (case("link_local_6"), format!("http://[fe80::1]:{port}/")),
        (case("private_10"), "http://10.0.0.1/".to_owned()),
        (case("private_172"), "http://172.16.0.1/".to_owned()),
        (case("private_192"), "http://192.168.0.1/".to_owned()),
        (case("unique_local"), "http://[fd00::1]/".to_owned()),
        (case("a_name_that_begins_like_it"), format!("http://127.0.0.1.nip.example:{port}/")),
        (case("a_name_that_ends_like_it"), format!("http://nip.example.127.0.0.1.example:{port}/")),
        (case("a_name_that_it_asked_for"), "https://provider.example/".to_owned()),
        (case("a_wildcard_that_it_asked_for"), "https://a.wild.example/".to_owned()),
    ] {
        let found = arena.reported(json!({ "method": "POST", "url": url, "body": "x" })).await;
        let asked = url.contains("//provider.example") || url.contains("//a.wild.example");
        let code = if asked { "origin_not_granted" } else { "origin_not_asked" };
        let right = found["phase"] == "denied" && found["code"] == code;
        cases.check(name, right, (url, found));
    }
    assert_eq!(server.connections.load(SeqCst), 0, "nothing has left");
}

/// Spellings of what is granted lead there, and nowhere else: what was judged is what is sent.
#[tokio::test]
async fn spellings_of_the_grant() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let port = server.address.port();
    let mut cases = Cases::default();
    let authority = format!("host: 127.0.0.1:{port}");
    for (name, url) in [
        (case("decimal"), format!("http://2130706433:{port}/")),
        (case("octal"), format!("http://0177.0.0.1:{port}/")),
        (case("hexadecimal"), format!("http://0x7f000001:{port}/")),
        (case("short"), format!("http://127.1:{port}/")),
        (case("mixed"), format!("http://0x7f.0.1:{port}/")),
        (case("trailing_dot"), format!("http://127.0.0.1.:{port}/")),
        (case("wide_digits"), format!("http://１２７.０.０.１:{port}/")),
        (case("circled_digits"), format!("http://①②⑦.⓪.⓪.①:{port}/")),
        (case("escaped_digits"), format!("http://%31%32%37.0.0.1:{port}/")),
        (case("ideographic_dots"), format!("http://127。0。0。1:{port}/")),
        (case("capitals"), format!("HTTP://127.0.0.1:{port}/")),
        (case("backslashes"), format!("http:\\\\127.0.0.1:{port}\\@evil.example/")),
        (case("one_slash"), format!("http:/127.0.0.1:{port}/")),
        (case("many_slashes"), format!("http:////127.0.0.1:{port}/")),
        (case("tabs_and_line_breaks"), format!("ht\ttp://127.0\r.0.1:\n{port}/")),
        (case("spaces_around"), format!("  http://127.0.0.1:{port}/  ")),
        (case("another_host_in_the_fragment"), format!("http://127.0.0.1:{port}/#@evil.example/")),
        (case("another_host_in_the_query"), format!("http://127.0.0.1:{port}?@evil.example/")),
        (case("another_host_in_the_path"), format!("http://127.0.0.1:{port}//evil.example/")),
        (case("a_request_in_the_path"), format!("http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")),
    ] {
        server.answers(Answer::status(200, "", ""));
        let found = arena.reported(json!({ "url": url })).await;
        let asked = server.requests.lock().unwrap().concat().to_lowercase();
        let once = asked.lines().filter(|line| line.starts_with("host:")).eq([authority.as_str()]);
        cases.check(name, found["status"] == 200 && once, (url, found, asked));
    }
}

/// What is no URL of an origin at all.
#[tokio::test]
async fn urls_that_are_none() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let arena = arena(&server).await;
    let at = server.address;
    let mut cases = Cases::default();
    for (name, url) in [
        (case("a_user"), format!("http://user@{at}/")),
        (case("a_user_and_a_password"), format!("http://user:password@{at}/")),
        (case("an_empty_password"), format!("http://:password@{at}/")),
        (case("the_grant_as_a_user"), format!("http://{at}@evil.example/")),
        (case("the_grant_as_a_user_and_a_password"), format!("http://provider.example:x@{at}/")),
        (case("file"), "file:///etc/passwd".to_owned()),
        (case("ftp"), format!("ftp://{at}/")),
        (case("gopher"), format!("gopher://{at}/_GET / HTTP/1.1")),
        (case("websocket"), format!("ws://{at}/")),
        (case("unix_socket"), "unix:///run/docker.sock".to_owned()),
        (case("data"), "data:text/plain,hello".to_owned()),
        (case("javascript"), "javascript:alert(1)".to_owned()),
        (case("blob"), format!("blob:http://{at}/x")),
        (case("view_source"), format!("view-source:http://{at}/")),
        (case("nothing"), String::new()),
        (case("a_path"), "/etc/passwd".to_owned()),
        (case("no_scheme"), format!("//{at}/")),
        (case("no_host"), "http://".to_owned()),
        (case("a_port_too_large"), "http://127.0.0.1:99999/".to_owned()),
        (case("an_address_too_large"), "http://256.256.256.256/".to_owned()),
        (case("a_zone"), "http://[fe80::1%25eth0]/".to_owned()),
        (case("a_space_in_the_host"), "http://127.0.0.1 .example/".to_owned()),
        (case("a_null_in_the_host"), "http://127.0.0.1%00.example/".to_owned()),
        (case("a_bracket"), "http://[::1/".to_owned()),
    ] {
        let found = arena.reported(json!({ "url": url })).await;
        cases.check(name, found["phase"] == "invalid" && found["code"] == "invalid_url", (url, found));
    }
    assert_eq!(server.connections.load(SeqCst), 0, "nothing has left");
}

/// A redirect is an answer; what it leads to is for the component to ask for, and for the grant to decide.
#[tokio::test]
async fn redirects() {
    let other = HttpServer::start(Answer::status(200, "", "")).await;
    let server = HttpServer::start(Answer::Closes).await;
    let arena = arena(&server).await;
    let mut cases = Cases::default();
    for (name, status, header) in [
        (case("moved"), 301, "location"),
        (case("found"), 302, "location"),
        (case("see_other"), 303, "location"),
        (case("temporary"), 307, "location"),
        (case("permanent"), 308, "location"),
        (case("refresh"), 200, "refresh"),
        (case("created_elsewhere"), 201, "location"),
        (case("use_proxy"), 305, "location"),
        (case("alternative_service"), 200, "alt-svc"),
    ] {
        let to =
            if header == "refresh" { format!("0; url={}/", other.origin()) } else { format!("{}/", other.origin()) };
        server.answers(Answer::status(status, &format!("{header}: {to}\r\n"), ""));
        let found = arena.reported(json!({ "url": server.origin() })).await;
        cases.check(name, found["status"] == status && server.count() == 1, found);
    }
    assert_eq!(other.connections.load(SeqCst), 0, "nobody has followed");
}

/// The variables that would lead other programs through a proxy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_variables() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let proxy = HttpServer::start(Answer::status(200, "", "")).await;
    let folder = folder_with(&["http_probe", "noop"]);
    let mut program = Program::new()
        .with("ENGINE_TARGETS__PATHS", &folder.path().display().to_string())
        .with("ENGINE_TARGET__HTTP_PROBE__BASE_URL", &server.origin());
    for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        program = program.with(variable, &proxy.origin());
    }
    program.ok(&["user", "add", "--username", "ada"]);
    let extra = json!({ "url": server.origin() }).to_string();
    for (name, module) in [("Probe", "http_probe"), ("Noop", "noop")] {
        program.ok(&["target", "add", "--name", name, "--module", module]);
        program.ok(&["record", "add", "--user", "ada", "--target", module, "--target-user-id", "anything"]);
        program.ok(&[
            "notify", "--user", "ada", "--target", module, "--title", "Title", "--body", "Body", "--extra", &extra,
        ]);
    }
    let ran = program.ok(&["process-notifications"]);
    assert_eq!((server.count(), proxy.connections.load(SeqCst)), (1, 0), "{ran:?}");
    assert!(guests().is_dir());
}

/// A target whose addresses are URLs goes, for each notification, to its own address and to no other's.
#[tokio::test]
async fn the_address_of_another_notification() {
    let (mine, other) =
        (HttpServer::start(Answer::status(200, "", "")).await, HttpServer::start(Answer::status(200, "", "")).await);
    let settings =
        format!("[sandbox]\nnetworks = ['127.0.0.0/8']\nplain_http = ['{}', '{}']\n", mine.origin(), other.origin());
    let arena = Arena::with("http_probe", &settings).await;
    let target = arena.engine.record("http_probe", &format!("{}/hook", mine.origin())).await.target;
    arena.engine.record("http_probe", &format!("{}/hook", other.origin())).await;
    let engine = &arena.engine;
    engine.store.grant(Tenant::DEFAULT, target, &[Capability::RecordAddress], engine.clock.now()).await.unwrap();
    let ids = engine.create(&engine.request("http_probe", "Title", json!({ "url": other.origin() }))).await.unwrap();
    engine.deliver().await;
    let mut told = Vec::new();
    for id in ids {
        let shown = engine.show(id).await;
        let found: Value = serde_json::from_str(&shown.attempts[0].message).unwrap();
        told.push((shown.listed.target_user_id, found["code"].as_str().unwrap_or("sent").to_owned()));
    }
    told.sort();
    assert_eq!(told.iter().filter(|(_, code)| code == "sent").count(), 1, "{told:#?}");
    assert!(told.contains(&(format!("{}/hook", other.origin()), "sent".to_owned())), "{told:#?}");
    assert_eq!((mine.count(), other.count()), (0, 1));
    arena.serves().await;
}
