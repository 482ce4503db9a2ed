//! Names that are granted and lead where nobody may go. (Their resolution is the test's own; no name leaves this machine.)

use super::arena::{Cases, case};
use super::probe::Probe;
use crate::support::http::{Answer, HttpServer};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};

/// Nobody has it, and no route leads there: what is dialled here cannot be reached.
const NOWHERE: &str = "3ffe:ffff::1";

#[tokio::test]
async fn a_granted_name_that_leads_inside() {
    let probe = Probe::new().await;
    let mut cases = Cases::default();
    for (name, address) in [
        (case("this_network"), "0.0.0.0"),
        (case("this_network_too"), "0.1.2.3"),
        (case("loopback"), "127.0.0.1"),
        (case("the_end_of_loopback"), "127.255.255.254"),
        (case("private_10"), "10.1.2.3"),
        (case("private_172"), "172.16.0.1"),
        (case("the_end_of_private_172"), "172.31.255.255"),
        (case("private_192"), "192.168.1.1"),
        (case("carrier_grade_nat"), "100.64.0.1"),
        (case("link_local"), "169.254.1.1"),
        (case("metadata_service"), "169.254.169.254"),
        (case("metadata_service_of_another_cloud"), "100.100.100.200"),
        (case("protocol_assignments"), "192.0.0.192"),
        (case("documentation"), "192.0.2.1"),
        (case("benchmarks"), "198.18.0.1"),
        (case("multicast"), "224.0.0.1"),
        (case("reserved"), "240.0.0.1"),
        (case("broadcast"), "255.255.255.255"),
        (case("unspecified_6"), "::"),
        (case("loopback_6"), "::1"),
        (case("mapped_loopback"), "::ffff:127.0.0.1"),
        (case("mapped_private"), "::ffff:10.0.0.1"),
        (case("mapped_metadata_service"), "::ffff:169.254.169.254"),
        (case("compatible_loopback"), "::127.0.0.1"),
        (case("translated_loopback"), "::ffff:0:127.0.0.1"),
        (case("nat64_loopback"), "64:ff9b::127.0.0.1"),
        (case("nat64_metadata_service"), "64:ff9b::169.254.169.254"),
        (case("local_nat64"), "64:ff9b:1::1"),
        (case("six_to_four_loopback"), "2002:7f00:1::"),
        (case("six_to_four_private"), "2002:a00:1::"),
        (case("teredo"), "2001::1"),
        (case("discard"), "100::1"),
        (case("documentation_6"), "2001:db8::1"),
        (case("unique_local"), "fc00::1"),
        (case("unique_local_too"), "fd00:ec2::254"),
        (case("link_local_6"), "fe80::1"),
        (case("site_local"), "fec0::1"),
        (case("multicast_6"), "ff02::1"),
    ] {
        // Alone, and behind one that would do: the name is refused whole.
        for answer in [vec![address], vec![NOWHERE, address], vec![address, NOWHERE]] {
            probe.names.answer(&[&answer]);
            let found = probe.tried(&Arc::new(probe.powers(None)), json!({ "url": "https://provider.example/" })).await;
            let right = found["phase"] == "denied" && found["code"] == "address_not_public";
            cases.check(name, right, (answer, found));
        }
    }
}

/// The operator's word opens an address to the operator's host, and to no other.
#[tokio::test]
async fn another_name_for_the_operators_host() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let probe = Probe::new().await;
    let powers = Arc::new(probe.powers(Some(&server.origin())));
    probe.names.answer(&[&["127.0.0.1"]]);
    let found = probe.tried(&powers, json!({ "url": "https://a.wild.example/" })).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("denied"), &json!("address_not_public")), "{found}");
    assert_eq!(server.connections.load(SeqCst), 0);
    assert_eq!(probe.tried(&powers, json!({ "url": server.origin() })).await["status"], 200, "its own is open");
}

/// What else that host has is not opened by it: another port, or TLS.
#[tokio::test]
async fn another_origin_of_the_operators_host() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let probe = Probe::new().await;
    let origin = format!("http://provider.example:{}", server.address.port());
    let powers = Arc::new(probe.powers(Some(&origin)));
    probe.names.answer(&[&["127.0.0.1"]]);
    let found = probe.tried(&powers, json!({ "url": "https://provider.example/" })).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("denied"), &json!("address_not_public")), "{found}");
    assert_eq!(probe.tried(&powers, json!({ "url": origin })).await["status"], 200, "its own is open");
}

/// A name that is public when it is judged and inside when it is dialled: it is asked once, and what was judged is dialled.
#[tokio::test]
async fn a_name_that_changes_its_answer() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let probe = Probe::new().await;
    probe.names.answer(&[&[NOWHERE], &["127.0.0.1"]]);
    let url = format!("https://provider.example:{}/", server.address.port());
    let powers = Arc::new(probe.powers(Some(&format!("https://other.example:{}", server.address.port()))));
    let found = probe.tried(&powers, json!({ "url": url })).await;
    assert_eq!(found["code"], "origin_not_asked", "another port is another origin: {found}");
    let found = probe.tried(&powers, json!({ "url": "https://provider.example/" })).await;
    assert_eq!((&found["phase"], probe.names.asked.load(SeqCst)), (&json!("connect"), 1), "{found}");
    let found = probe.tried(&powers, json!({ "url": "https://provider.example/" })).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("denied"), &json!("address_not_public")), "{found}");
    assert_eq!(server.connections.load(SeqCst), 0);
}

/// A user's own address, in a target that goes where its records' addresses are. That is not for who set the target up, as all else is.
#[tokio::test]
async fn a_record_that_leads_inside() {
    let probe = Probe::new().await;
    let powers = Arc::new(probe.powers(None));
    for (address, leads_to) in [("https://ada.example/hook", "10.0.0.1"), ("https://127.0.0.1/hook", "1.1.1.1")] {
        probe.names.answer(&[&[leads_to]]);
        let found = probe.tried(&powers, json!({ "url": address, "record": address })).await;
        assert_eq!((&found["phase"], &found["code"]), (&json!("denied"), &json!("record_not_allowed")), "{found}");
    }
}

/// A user's own address at somebody who is not to have the target's secret, where the component sends it along with each.
#[tokio::test]
async fn a_record_to_which_a_secret_may_not_go() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let probe = Probe::new().await;
    let powers = Arc::new(probe.powers(Some(&server.origin())));
    let bearer = json!([{ "bearer": "token" }]);
    let sent = |record: &str| json!({ "url": record, "record": record, "credentials": bearer });
    let found = probe.tried(&powers, sent("https://mallory.example/hook")).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("denied"), &json!("record_not_allowed")), "{found}");
    assert!(!found["message"].as_str().unwrap().contains("grant"), "nobody is told to send it there: {found}");
    assert_eq!(probe.tried(&powers, sent(&server.origin())).await["status"], 200, "where it may go");
}

#[tokio::test]
async fn a_name_that_leads_nowhere() {
    let probe = Probe::new().await;
    let powers = Arc::new(probe.powers(None));
    probe.names.answer(&[&[]]);
    let found = probe.tried(&powers, json!({ "url": "https://provider.example/" })).await;
    assert_eq!((&found["phase"], &found["code"]), (&json!("resolve"), &json!("unknown_host")), "{found}");
}

/// A name whose first address takes no connection and says nothing: of the time to connect, each address has its part.
#[tokio::test]
async fn a_name_whose_first_address_is_silent() {
    let server = HttpServer::start(Answer::status(200, "", "")).await;
    let port = server.address.port();
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind(([127, 0, 0, 2], port).into()).unwrap();
    let silent = silent.listen(1).unwrap();
    // Whoever comes once its queue is full hears nothing.
    let mut queue = Vec::new();
    let mut knock = async || {
        let knocked = TcpStream::connect(silent.local_addr().unwrap());
        tokio::time::timeout(Duration::from_millis(300), knocked)
            .await
            .map(|knocked| queue.push(knocked.unwrap()))
            .is_ok()
    };
    while knock().await {}
    let probe = Probe::new().await;
    probe.names.answer(&[&["127.0.0.2", "127.0.0.1"]]);
    let origin = format!("http://silent.example:{port}");
    let found = probe.tried(&Arc::new(probe.powers(Some(&origin))), json!({ "url": origin })).await;
    assert_eq!(found["status"], 200, "{found}");
}

/// Spellings of granted names that must not pass for others.
#[tokio::test]
async fn names_that_look_like_the_grant() {
    let probe = Probe::new().await;
    let powers = Arc::new(probe.powers(None));
    probe.names.answer(&[&[NOWHERE]]);
    let mut cases = Cases::default();
    for (name, url, code) in [
        (case("a_longer_name"), "https://provider.example.evil.example/", "origin_not_asked"),
        (case("a_name_that_ends_so"), "https://evilprovider.example/", "origin_not_asked"),
        (case("a_name_below_it"), "https://evil.provider.example/", "origin_not_asked"),
        (case("the_bare_wildcard"), "https://wild.example/", "origin_not_asked"),
        (case("a_name_that_ends_like_the_wildcard"), "https://evilwild.example/", "origin_not_asked"),
        (case("another_port"), "https://provider.example:8443/", "origin_not_asked"),
        (case("plain_http"), "http://provider.example/", "origin_not_asked"),
        (case("plain_http_at_its_port"), "http://provider.example:443/", "origin_not_asked"),
        (case("letters_of_another_script"), "https://рrovider.example/", "origin_not_asked"),
        (case("a_soft_hyphen"), "https://prov\u{ad}ider.example/", "no_connection"),
        (case("capitals_and_a_dot"), "https://PROVIDER.Example./", "no_connection"),
        (case("wide_letters"), "https://ｐｒｏｖｉｄｅｒ.example/", "no_connection"),
        (case("the_grant_as_a_user"), "https://provider.example@evil.example/", "invalid_url"),
        (case("a_backslash_before_a_user"), "https://evil.example\\@provider.example/", "origin_not_asked"),
        (case("the_grant_as_a_password"), "https://x:provider.example@evil.example/", "invalid_url"),
        (case("an_address"), "https://127.0.0.1/", "origin_not_asked"),
    ] {
        let found = probe.tried(&powers, json!({ "url": url })).await;
        // Nowhere is unreachable at once, or in time.
        let dialled = code == "no_connection" && found["phase"] == "connect";
        cases.check(name, found["code"] == code || dialled, (url, found));
    }
}

/// A connection that was opened under a grant does not outlive it, and is nobody else's.
#[tokio::test]
async fn kept_connections() {
    let server = HttpServer::start(Answer::Keeps(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let probe = Probe::new().await;
    let granted = probe.of_stranger(&server.origin(), &[]);
    let (client, granted) = (granted.http.clone(), Arc::new(granted));
    let ask = json!({ "url": server.origin(), "times": 2 });
    assert_eq!(probe.tried(&granted, ask.clone()).await["status"], 200);
    assert_eq!((server.count(), server.connections.load(SeqCst)), (2, 1), "it is kept");

    let mut cases = Cases::default();
    let mut revoked = probe.powers(None);
    revoked.http = client;
    let found = probe.tried(&Arc::new(revoked), ask.clone()).await;
    let counts = (server.count(), server.connections.load(SeqCst));
    cases.check(case("past_a_revoked_grant"), found["code"] == "origin_not_asked" && counts == (2, 1), found);

    let found = probe.tried(&Arc::new(probe.of_stranger(&server.origin(), &[])), ask.clone()).await;
    let counts = (server.count(), server.connections.load(SeqCst));
    cases.check(case("of_another_target"), found["status"] == 200 && counts == (4, 2), (found, counts));

    // Where there may be any number of hosts, each would hold a descriptor.
    let found = probe.tried(&Arc::new(probe.powers(Some(&server.origin()))), ask).await;
    let counts = (server.count(), server.connections.load(SeqCst));
    cases.check(case("to_any_number_of_hosts"), found["status"] == 200 && counts == (6, 4), (found, counts));
}
