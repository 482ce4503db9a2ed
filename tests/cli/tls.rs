//! Encryption, against servers that are not ours, with certificates that this machine trusts, or does not.

use crate::support::guests;
use crate::support::peer::Peer;
use crate::support::program::Program;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate for `localhost`, signed by an authority that only this test knows.
struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap();
        for (name, pem) in
            [("authority", authority_pem), ("certificate", certificate.pem()), ("key", key.serialize_pem())]
        {
            std::fs::write(folder.path().join(name), pem).unwrap();
        }
        Certificate { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server that shows this certificate.
    fn peer(&self, script: &str, mode: &[&str]) -> Peer {
        let files = [self.file("certificate"), self.file("key")];
        let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
        Peer::start(script, &[mode, &files].concat())
    }

    /// What shows it to whoever connects, and speaks these protocols.
    fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let chain = vec![CertificateDer::from_pem_file(self.file("certificate")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.file("key")).unwrap();
        let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The program on a machine that trusts the authority.
    fn trusted(&self) -> Program {
        Program::new().with("SSL_CERT_FILE", self.file("authority").to_str().unwrap())
    }
}

fn mailing(program: Program, server: &Peer, host: &str, tls: &str) -> Program {
    let password = program.folder.path().join("password");
    std::fs::write(&password, "secret\n").unwrap();
    program
        .with("ENGINE_SMTP__HOST", host)
        .with("ENGINE_SMTP__PORT", &server.address.port().to_string())
        .with("ENGINE_SMTP__TLS", tls)
        .with("ENGINE_SMTP__USERNAME", "ada")
        .with("ENGINE_SMTP__PASSWORD_FILE", password.to_str().unwrap())
}

/// Sends one notification, and gives its status and what its attempt says.
fn sent(program: &Program, target: &str, extra: &str) -> (String, String) {
    program.ok(&["notify", "--user", "ada", "--target", target, "--title", "T", "--body", "B", "--extra", extra]);
    program.run(&["process-notifications"]);
    let listed = program.json(&["notification", "list"]);
    let id = listed[0]["id"].as_str().unwrap();
    let shown: Value = program.json(&["notification", "show", id]);
    let attempt = &shown["attempts"][0];
    (listed[0]["status"].as_str().unwrap().to_owned(), attempt.to_string())
}

/// What helps where nobody knows who signed a certificate.
const UNKNOWN: &str = "nobody whom this machine trusts has signed its certificate; the operator adds who has to the system's authorities, or names their file in SSL_CERT_FILE (";

#[test]
fn mails_go_encrypted_and_the_login_with_them() {
    let certificate = Certificate::new();
    for mode in ["starttls", "tls"] {
        let server = certificate.peer("aiosmtpd_sink.py", &[mode]);
        let program = mailing(certificate.trusted(), &server, "localhost", mode);
        program.ada();
        let (status, attempt) = sent(&program, "email", "{}");
        assert_eq!(status, "DELIVERED", "{mode}: {attempt}");
        assert_eq!(server.seen().len(), 1, "{mode}");
    }
}

#[test]
fn a_relay_that_cannot_prove_itself_gets_nothing() {
    let certificate = Certificate::new();
    for mode in ["starttls", "tls"] {
        for (what, program, host) in [
            ("an unknown authority", Program::new(), "localhost"),
            ("another name", certificate.trusted(), "127.0.0.1"),
        ] {
            let server = certificate.peer("aiosmtpd_sink.py", &[mode]);
            let program = mailing(program, &server, host, mode);
            program.ada();
            let (status, attempt) = sent(&program, "email", "{}");
            assert_eq!(status, "RETRY", "{mode}, {what}: {attempt}");
            assert!(attempt.contains("\"tls\""), "{mode}, {what}: {attempt}");
            assert_eq!(attempt.contains(UNKNOWN), what == "an unknown authority", "{mode}, {what}: {attempt}");
            assert_eq!(server.seen(), Vec::<String>::new(), "{mode}, {what}");
        }
    }
}

#[test]
fn a_relay_without_starttls_gets_nothing() {
    let server = Peer::start("aiosmtpd_sink.py", &[]);
    let program = mailing(Program::new(), &server, "localhost", "starttls");
    program.ada();
    let (status, attempt) = sent(&program, "email", "{}");
    assert_eq!(status, "RETRY");
    assert!(attempt.contains("does not offer STARTTLS"), "{attempt}");
    assert_eq!(server.seen(), Vec::<String>::new());
}

fn probing(program: Program, origin: &str) -> Program {
    let program = program
        .with("ENGINE_TARGETS__PATHS", guests().to_str().unwrap())
        .with("ENGINE_TARGET__HTTP_PROBE__BASE_URL", origin);
    program.ok(&["user", "add", "--username", "ada", "--email", "ada@example.org"]);
    program.ok(&["target", "add", "--name", "Probe", "--module", "http_probe"]);
    program.ok(&["record", "add", "--user", "ada", "--target", "Probe", "--target-user-id", "x"]);
    program
}

#[test]
fn https_is_encrypted_and_its_certificate_is_judged() {
    let certificate = Certificate::new();
    let server = certificate.peer("https_server.py", &[]);
    let origin = format!("https://localhost:{}", server.address.port());
    let extra = format!("{{\"url\": \"{origin}/\"}}");
    let (_, attempt) = sent(&probing(certificate.trusted(), &origin), "Probe", &extra);
    assert!(attempt.contains("encrypted"), "{attempt}");
    let (_, attempt) = sent(&probing(Program::new(), &origin), "Probe", &extra);
    assert!(attempt.contains(UNKNOWN) && !attempt.contains("encrypted"), "{attempt}");
    let at_another_name = format!("https://127.0.0.1:{}", server.address.port());
    let extra = format!("{{\"url\": \"{at_another_name}/\"}}");
    let (_, attempt) = sent(&probing(certificate.trusted(), &at_another_name), "Probe", &extra);
    assert!(attempt.contains("failed: its certificate is for localhost, and not for 127.0.0.1."), "{attempt}");
    let without_tls = format!("http://127.0.0.1:{}", server.address.port());
    let extra = format!("{{\"url\": \"{without_tls}/\"}}");
    let (_, attempt) = sent(&probing(Program::new(), &without_tls), "Probe", &extra);
    assert!(attempt.contains("; if TLS is spoken there, the URL has to begin with https://."), "{attempt}");
    let plain = Peer::start("aiosmtpd_sink.py", &[]);
    let origin = format!("https://localhost:{}", plain.address.port());
    let extra = format!("{{\"url\": \"{origin}/\"}}");
    let (_, attempt) = sent(&probing(Program::new(), &origin), "Probe", &extra);
    assert!(attempt.contains("failed: what answers there does not speak TLS; is it another port?"), "{attempt}");
}

/// A server of HTTP/2 that refuses the first requests, having done nothing with them, and then answers.
struct Http2 {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Http2 {
    async fn refusing(many: usize, certificate: &Certificate) -> Self {
        let acceptor = certificate.acceptor(&["h2"]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let counted = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Self::serve(acceptor.clone(), stream, counted.clone(), many));
            }
        });
        Http2 { address, asked }
    }

    async fn serve(acceptor: TlsAcceptor, stream: TcpStream, asked: Arc<AtomicUsize>, refused: usize) {
        let Ok(stream) = acceptor.accept(stream).await else { return };
        let mut connection = h2::server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut answer))) = connection.accept().await {
            if asked.fetch_add(1, SeqCst) < refused {
                answer.send_reset(h2::Reason::REFUSED_STREAM);
            } else {
                let mut body = answer.send_response(http::Response::new(()), false).unwrap();
                body.send_data("in one of many streams".into(), true).unwrap();
            }
        }
    }
}

/// What a server says that it did nothing with is sent once more; and if it says so again and again, it certainly has not left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_of_http_2_refuses_is_sent_once_more() {
    let certificate = Certificate::new();
    for (refused, asked, part) in [(2, 3, "in one of many streams"), (3, 3, "\\\"phase\\\":\\\"connect\\\"")] {
        let server = Http2::refusing(refused, &certificate).await;
        let origin = format!("https://localhost:{}", server.address.port());
        let extra = format!("{{\"url\": \"{origin}/\"}}");
        let (_, attempt) = sent(&probing(certificate.trusted(), &origin), "Probe", &extra);
        assert!(attempt.contains(part), "{attempt}");
        assert_eq!(server.asked.load(SeqCst), asked);
    }
}

/// What breaks once a request has been taken has left, also where it is TLS that breaks: nobody may take it for one that has not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_after_the_request_may_have_left() {
    let certificate = Certificate::new();
    let acceptor = certificate.acceptor(&[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 1000]).await;
            let _ = stream.get_mut().0.write_all(b"220 mail.example ESMTP\r\n").await;
            let _ = stream.get_mut().0.shutdown().await;
        }
    });
    let extra = format!("{{\"url\": \"{origin}/\"}}");
    let (_, attempt) = sent(&probing(certificate.trusted(), &origin), "Probe", &extra);
    assert!(attempt.contains("\\\"phase\\\":\\\"wait\\\"") && attempt.contains("does not speak TLS"), "{attempt}");
}
