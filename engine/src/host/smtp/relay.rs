//! The relay: connections that are opened when needed, kept while they are used, and the transaction of one mail.
//!
//! lettre speaks SMTP; what is here is the order of the commands, so that each failure is known by the stage it happened at,
//! and by whether the mail may have been taken.

use super::starttls::{self, NoTls};
use super::wire::{Doing, Wire};
use crate::host::bindings::phases::Phase;
use crate::host::bindings::smtp::{Breakage, Error, Reply, Stage};
use crate::host::shares::{Shared, Sharer, Shares};
use crate::host::{HostError, Redactor, tls};
use crate::settings::{Secret, Smtp, SmtpTls};
use lettre::address::Envelope;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Noop, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// An idle connection that was used a moment ago is taken as it is; an older one is asked first whether it still lives.
const FRESH: Duration = Duration::from_secs(5);
/// How long a relay may take to answer RSET before its connection is given up. The mail's own answer waits for it.
const TAKING_BACK: Duration = Duration::from_secs(1);
/// A mail that takes longer is slow.
const SLOW: Duration = Duration::from_secs(3);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// One relay of one tenant, and the connections to it.
pub struct Relay {
    host: String,
    port: u16,
    tls: SmtpTls,
    trust: Arc<rustls::ClientConfig>,
    login: Option<(String, Secret)>,
    /// Cuts the password out of what the relay says, which may repeat it.
    redactor: Redactor,
    hello: ClientId,
    timeout: Duration,
    keep: Duration,
    shares: Arc<Shares>,
    /// How many of its connections one target's mails take at once.
    own: usize,
    idle: Mutex<Vec<Connection>>,
}

struct Connection {
    smtp: AsyncSmtpConnection,
    doing: Doing,
    used: Instant,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Relay({}:{})", self.host, self.port)
    }
}

impl Relay {
    /// The operator's relay. Nothing is connected yet.
    pub fn new(settings: &Smtp) -> Result<Self, HostError> {
        let hello = if settings.hello_name.is_empty() {
            ClientId::default()
        } else {
            ClientId::Domain(settings.hello_name.clone())
        };
        Ok(Relay {
            host: settings.host.clone(),
            port: settings.port,
            tls: settings.tls,
            trust: Arc::new(tls::client(&[])?),
            redactor: Redactor::new(settings.password.iter().map(Secret::reveal)),
            login: settings.password.clone().map(|password| (settings.username.clone(), password)),
            hello,
            timeout: settings.timeout,
            keep: settings.idle,
            shares: Shares::new(settings.connections, SLOW),
            own: settings.connections / 2,
            idle: Mutex::default(),
        })
    }

    /// The mails of one target among those of all: half of the connections at most, but for what comes with the engine.
    pub fn sharer(&self, bundled: bool) -> Sharer {
        self.shares.sharer(self.own, bundled)
    }

    /// Hands over a mail, for which there is a place, and gives back what the relay said to it. `leaves` is called right before the mail itself goes: until then it has
    /// certainly not been taken, whatever becomes of this call.
    pub async fn send(
        &self,
        _place: &Shared,
        envelope: &Envelope,
        message: &[u8],
        leaves: impl FnMut() + Send,
    ) -> Result<Reply, Error> {
        // What it says later may be the component's own words: to cut a password out of those would tell that it was guessed.
        let said = |reply: Reply| match reply.stage {
            Stage::Authentication => Reply { text: self.redactor.text(&reply.text), ..reply },
            _ => reply,
        };
        self.hand_over(envelope, message, leaves).await.map(said).map_err(|e| match e {
            Error::Refused(reply) => Error::Refused(said(reply)),
            Error::Broken(Breakage { phase, code, message }) => {
                let code = if code == LOST_IN_SENDER { LOST.to_owned() } else { code };
                Error::Broken(Breakage { phase, code, message: self.redactor.text(&message) })
            }
        })
    }

    async fn hand_over(
        &self,
        envelope: &Envelope,
        message: &[u8],
        mut leaves: impl FnMut() + Send,
    ) -> Result<Reply, Error> {
        let (mut connection, kept) = match self.take().await {
            Some(connection) => (connection, true),
            None => (self.connect().await?, false),
        };
        let mut result = self.transaction(&mut connection, envelope, message, &mut leaves).await;
        let was_closed = match &result {
            Err(Error::Broken(Breakage { phase: Phase::Write, code, .. })) => code == LOST_IN_SENDER,
            Err(Error::Refused(Reply { stage: Stage::Sender, code, .. })) => *code == CLOSING,
            _ => false,
        };
        if kept && was_closed {
            // The relay had had enough of a kept connection, which shows only now. Nothing was sent, so a new one may try.
            connection = self.connect().await?;
            result = self.transaction(&mut connection, envelope, message, &mut leaves).await;
        }
        self.give_back(connection, &result).await;
        result
    }

    /// Ends the kept connections with QUIT.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for mut connection in idle {
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.smtp.command(Quit)).await;
        }
    }

    async fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            let age = connection.used.elapsed();
            if age < FRESH {
                return Some(connection);
            }
            if age < self.keep
                && matches!(tokio::time::timeout(CONNECT, connection.smtp.command(Noop)).await, Ok(Ok(_)))
            {
                return Some(connection);
            }
        }
    }

    async fn give_back(&self, mut connection: Connection, result: &Result<Reply, Error>) {
        let usable = match result {
            Ok(_) => true,
            // Or it waits for the transaction to be taken back.
            Err(Error::Refused(reply)) => {
                reply.code != CLOSING
                    && matches!(tokio::time::timeout(TAKING_BACK, connection.smtp.command(Rset)).await, Ok(Ok(_)))
            }
            Err(Error::Broken(b)) => matches!(b.phase, Phase::Invalid),
        };
        if usable {
            connection.used = Instant::now();
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let server = format!("{}:{}", self.host, self.port);
        let addresses: Vec<_> =
            match tokio::time::timeout(CONNECT, tokio::net::lookup_host((self.host.as_str(), self.port))).await {
                Ok(Ok(addresses)) => addresses.collect(),
                Ok(Err(e)) => {
                    return Err(broken(
                        Phase::Resolve,
                        "unknown_host",
                        format!("The relay {server} was not found: {e}."),
                    ));
                }
                Err(_) => {
                    return Err(broken(
                        Phase::Resolve,
                        "timeout",
                        format!("The relay {server} was not found in time."),
                    ));
                }
            };
        let mut stream = match tokio::time::timeout(CONNECT, TcpStream::connect(&addresses[..])).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => {
                return Err(broken(
                    Phase::Connect,
                    "no_connection",
                    format!("The relay {server} cannot be reached: {e}; where it is, `[smtp] host` and `port` say."),
                ));
            }
            Err(_) => {
                return Err(broken(Phase::Connect, "timeout", format!("The relay {server} did not answer in time.")));
            }
        };
        let _ = stream.set_nodelay(true);
        let doing = Doing::default();
        let wire = match self.tls {
            SmtpTls::None => Wire::plain(stream, &doing),
            SmtpTls::Starttls => {
                self.ask_for_tls(&mut stream, &server).await?;
                Wire::encrypted_later(self.encrypt(stream, &server).await?, &doing)
            }
            SmtpTls::Tls => Wire::encrypted(self.encrypt(stream, &server).await?, &doing),
        };
        let opened = self.step(
            Stage::Greeting,
            &doing,
            AsyncSmtpConnection::connect_with_transport(Box::new(wire), &self.hello),
        );
        let mut smtp = opened.await.map_err(|e| match e {
            Error::Broken(b) => Error::Broken(Breakage { phase: Phase::Connect, ..b }),
            refused => refused,
        })?;
        if let Some((user, password)) = &self.login {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            if smtp.server_info().get_auth_mechanism(&mechanisms).is_none() {
                return Err(Error::Refused(Reply {
                    stage: Stage::Authentication,
                    code: 504,
                    enhanced: "5.7.4".into(),
                    text: format!("The relay {server} offers no login by PLAIN or LOGIN."),
                }));
            }
            self.step(Stage::Authentication, &doing, smtp.auth(&mechanisms, &credentials)).await?;
        }
        Ok(Connection { smtp, doing, used: Instant::now() })
    }

    async fn ask_for_tls(&self, stream: &mut TcpStream, server: &str) -> Result<(), Error> {
        Err(match tokio::time::timeout(self.timeout, starttls::ask(stream, &self.hello)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(NoTls::NotOffered)) => {
                broken(Phase::Tls, "no_starttls", format!("The relay {server} does not offer STARTTLS."))
            }
            Ok(Err(NoTls::Refused(response))) => Error::Refused(reply_of(Stage::Hello, &response)),
            Ok(Err(NoTls::Broken(e))) => {
                broken(Phase::Connect, LOST, format!("The connection to the relay {server} broke: {e}."))
            }
            Err(_) => broken(Phase::Connect, "timeout", format!("The relay {server} did not answer in time.")),
        })
    }

    async fn encrypt(
        &self,
        stream: TcpStream,
        server: &str,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Error> {
        let failed = |why: String| broken(Phase::Tls, "tls", format!("TLS to {server} failed: {why}."));
        let name = rustls::pki_types::ServerName::try_from(self.host.clone()).map_err(|e| failed(e.to_string()))?;
        match tokio::time::timeout(CONNECT, tokio_rustls::TlsConnector::from(self.trust.clone()).connect(name, stream))
            .await
        {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(e)) => Err(failed(tls::failure(&e).unwrap_or_else(|| e.to_string()))),
            Err(_) => Err(failed("no answer in time".into())),
        }
    }

    async fn transaction(
        &self,
        connection: &mut Connection,
        envelope: &Envelope,
        message: &[u8],
        leaves: &mut (impl FnMut() + Send),
    ) -> Result<Reply, Error> {
        let Connection { smtp, doing, .. } = connection;
        let mut parameters = Vec::new();
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if addresses.any(|address| !address.user().is_ascii()) {
            if !smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(broken(
                    Phase::Invalid,
                    "no_smtputf8",
                    "The relay takes no addresses in other scripts (SMTPUTF8).".into(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        self.step(Stage::Sender, doing, smtp.command(Mail::new(envelope.from().cloned(), parameters))).await?;
        for recipient in envelope.to() {
            self.step(Stage::Recipient, doing, smtp.command(Rcpt::new(recipient.clone(), Vec::new()))).await?;
        }
        let unexpected = |phase, what: &str, response: &Response| {
            broken(
                phase,
                "unexpected_answer",
                format!("The relay {} answered {what} with {}.", self.host, response.code()),
            )
        };
        let response = self.step(Stage::Data, doing, smtp.command(Data)).await?;
        if response.code().severity != Severity::PositiveIntermediate {
            // It does not wait for a mail, so that the lines of one would be commands.
            return Err(unexpected(Phase::Write, "DATA", &response));
        }
        leaves();
        let response = self.step(Stage::Content, doing, smtp.message(message)).await?;
        if response.code().severity != Severity::PositiveCompletion {
            // 3xx asks for more where nothing is left to say: whether the mail was taken, only the relay knows.
            return Err(unexpected(Phase::Wait, "a whole mail", &response));
        }
        Ok(reply_of(Stage::Content, &response))
    }

    /// Does one step in bounded time, and names its failure by the stage.
    async fn step<T: Send>(
        &self,
        stage: Stage,
        doing: &Doing,
        step: impl Future<Output = Result<T, smtp::Error>>,
    ) -> Result<T, Error> {
        let failed = match tokio::time::timeout(self.timeout, step).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(e)) => e,
            Err(_) => {
                let phase = if stage == Stage::Content && doing.waits() { Phase::Wait } else { Phase::Write };
                return Err(broken(phase, "timeout", format!("The relay {} did not answer in time.", self.host)));
            }
        };
        let words = std::error::Error::source(&failed).map(ToString::to_string).unwrap_or_default();
        if let Some(code) = failed.status() {
            return Err(Error::Refused(reply(stage, code.into(), &words)));
        }
        let (phase, code) = match stage {
            Stage::Content if doing.waits() => (Phase::Wait, LOST),
            Stage::Sender => (Phase::Write, LOST_IN_SENDER),
            _ => (Phase::Write, LOST),
        };
        let causes = std::iter::successors(Some(&failed as &dyn std::error::Error), |cause| cause.source());
        let why = causes.into_iter().find_map(tls::failure).unwrap_or_else(|| failed.to_string());
        Err(broken(phase, code, format!("The connection to the relay {} broke: {why}.", self.host)))
    }
}

/// The relay is about to close the connection (RFC 5321, 3.8).
const CLOSING: u16 = 421;
/// The connection broke.
const LOST: &str = "connection_lost";
/// It broke at a mail's first command; where it was a kept one, it had been closed before.
const LOST_IN_SENDER: &str = "connection_lost_at_first_command";

fn broken(phase: Phase, code: &str, message: String) -> Error {
    Error::Broken(Breakage { phase, code: code.to_owned(), message })
}

fn reply_of(stage: Stage, response: &Response) -> Reply {
    reply(stage, response.code().into(), &response.message().collect::<Vec<_>>().join(" "))
}

/// A server's answer, its enhanced status code (RFC 3463) taken out of its words.
fn reply(stage: Stage, code: u16, words: &str) -> Reply {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let (first, rest) = words.split_once(' ').unwrap_or((&words, ""));
    let is_enhanced = |text: &str| {
        let parts: Vec<_> = text.split('.').collect();
        parts.len() == 3
            && matches!(parts[0], "2" | "4" | "5")
            && parts[1..].iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    if is_enhanced(first) {
        // Each line of a long answer repeats the code; one is enough.
        let text = rest.split(' ').filter(|word| *word != first).collect::<Vec<_>>().join(" ");
        Reply { stage, code, enhanced: first.to_owned(), text }
    } else {
        Reply { stage, code, enhanced: String::new(), text: words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_taken_apart() {
        for (words, enhanced, text) in [
            ("5.1.1 No such user", "5.1.1", "No such user"),
            ("5.7.1 Too many\r\n 5.7.1 complaints", "5.7.1", "Too many complaints"),
            ("OK queued as 123", "", "OK queued as 123"),
            ("2.0.0", "2.0.0", ""),
            ("1.2.3.4 is listed", "", "1.2.3.4 is listed"),
            ("", "", ""),
        ] {
            let reply = reply(Stage::Content, 550, words);
            assert_eq!((reply.enhanced.as_str(), reply.text.as_str()), (enhanced, text), "{words}");
        }
    }
}
