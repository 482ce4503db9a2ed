//! What the relay's answers mean, after RFC 5321 (the three digits), RFC 3463 and its registry (the enhanced codes),
//! and after what relays really say. The three digits decide first; a code that is not known counts as its class does:
//! 4 not now, 5 never.

use guest_sdk::smtp::{Breakage, Error, Mail, Mailbox, Phase, Reply, Stage};
use guest_sdk::{Failure, Outcome, Receipt, Scope};

/// Enhanced codes of a recipient that does not exist, and never will under this address: unknown mailbox, unknown
/// domain, bad syntax, moved away, mailbox disabled, a domain that takes no mail.
const DEAD_ADDRESS: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.2.1", "5.1.10"];

/// The three digits that may come with those. A 554, say, is about the transaction or its sender, whatever its enhanced
/// code.
const ABOUT_THE_RECIPIENT: [u16; 4] = [550, 551, 553, 556];

/// The engine's code for a sender, out of `extra.from_email`, that is not this target's to use. All else that is denied
/// is about the target, and pauses it.
const SENDER_NOT_GRANTED: &str = "sender_not_granted";

/// What of a mail decides whom a refusal of it concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct About {
    /// A relay may refuse what it is told first about this mail, and take others: it has a sender of its own, or an address in another script, which is
    /// announced there (SMTPUTF8).
    is_unlike_others: bool,
    /// It goes to others beside the record's address, so that nobody can say which of them a relay means.
    has_others: bool,
}

impl About {
    pub fn of(mail: &Mail) -> Self {
        let Mail { sender, recipients, cc, bcc, .. } = mail;
        let local_part = |mailbox: &Mailbox| mailbox.address.rsplit_once('@').map_or("", |(local, _)| local).to_owned();
        let mut all = recipients.iter().chain(cc).chain(bcc).chain([sender]).map(local_part);
        About {
            is_unlike_others: !sender.address.is_empty() || all.any(|local| !local.is_ascii()),
            has_others: recipients.len() + cc.len() + bcc.len() > 1,
        }
    }
}

/// What came of handing such a mail to the relay.
pub fn outcome(result: Result<Reply, Error>, about: About) -> Outcome {
    match result {
        Ok(reply) => Outcome::Delivered(Receipt::new(queue_id(&reply.text), "Email Successfully Sent")),
        Err(Error::Refused(reply)) => refused(&reply, about),
        Err(Error::Broken(breakage)) => broken(breakage),
    }
}

/// The name that the relay's own log has for the mail, if it says so in one of the two usual ways: `queued as NAME`,
/// `id=NAME`.
fn queue_id(text: &str) -> &str {
    let after = |mark: &str| text.split_once(mark).and_then(|(_, rest)| rest.split_whitespace().next());
    after("queued as ").or_else(|| after("id=")).unwrap_or_default().trim_end_matches(['.', ',', ';'])
}

fn refused(reply: &Reply, about: About) -> Outcome {
    let reason = failure(reply, about);
    match reply.code {
        400..=499 => Outcome::retry(scope_of_delay(reply), reason),
        500..=599 if concerns_configuration(reply, about) => Outcome::retry(Scope::Configuration, reason),
        500..=599 if is_dead_address(reply) && !about.has_others => Outcome::InactiveDevice(reason),
        500..=599 => Outcome::Failed(reason),
        // A server that answers with something else than RFC 5321 has room for. Nothing was taken.
        _ => Outcome::retry(Scope::Message, reason),
    }
}

/// Who has to wait for a server that says `not now`.
fn scope_of_delay(reply: &Reply) -> Scope {
    match (reply.code, reply.stage) {
        // The server is closing its doors, or has not opened them: that is not about this mail.
        (421, _) | (_, Stage::Greeting | Stage::Hello | Stage::Authentication) => Scope::Account,
        // Policies that ask a sender to slow down. What is said later is said of this recipient, or of this message: greylisting, most often.
        (_, Stage::Sender) if reply.enhanced.starts_with("4.7.") => Scope::Account,
        // The mailbox is full, or for now does not take mail.
        _ if matches!(reply.enhanced.as_str(), "4.2.1" | "4.2.2") => Scope::Address,
        _ => Scope::Message,
    }
}

/// Whether a `never` is about us, and so would be said of any other mail too.
fn concerns_configuration(reply: &Reply, about: About) -> bool {
    let wants_login = matches!(reply.code, 530 | 534 | 535 | 538) || reply.enhanced == "5.7.8";
    match reply.stage {
        Stage::Greeting | Stage::Hello | Stage::Authentication => true,
        Stage::Sender if wants_login => true,
        // The target's sender is not welcome; unless the mail itself is, as its size or characters are announced at
        // this stage.
        Stage::Sender => {
            !about.is_unlike_others
                && reply.code != 552
                && !matches!(reply.enhanced.as_str(), "5.2.3" | "5.3.4" | "5.6.7" | "5.6.9")
        }
        // Relays that want a login for all say so before; here, for where this one goes.
        Stage::Recipient | Stage::Data | Stage::Content => false,
    }
}

fn is_dead_address(reply: &Reply) -> bool {
    reply.stage == Stage::Recipient
        && ABOUT_THE_RECIPIENT.contains(&reply.code)
        && DEAD_ADDRESS.contains(&reply.enhanced.as_str())
}

/// No answer: only a mail that had left whole may have been taken.
fn broken(breakage: Breakage) -> Outcome {
    let Breakage { phase, code, message } = breakage;
    let reason = Failure::new(code, sentence(&message));
    match phase {
        Phase::Invalid => Outcome::Failed(reason),
        // One notification asked for a sender that the target may not use: the others can go on.
        Phase::Denied if reason.code == SENDER_NOT_GRANTED => Outcome::Failed(reason),
        Phase::Denied => Outcome::retry(Scope::Configuration, reason),
        Phase::Resolve | Phase::Connect | Phase::Tls | Phase::Write => Outcome::retry(Scope::Message, reason),
        Phase::Wait | Phase::Read => Outcome::Unknown(reason),
    }
}

fn failure(reply: &Reply, about: About) -> Failure {
    let at = match reply.stage {
        Stage::Greeting => "in its greeting",
        Stage::Hello => "to our hello",
        Stage::Authentication => "to our login",
        Stage::Sender => "about the sender",
        Stage::Recipient if about.has_others => "about one of its recipients, those of cc and bcc included",
        Stage::Recipient => "about the recipient",
        Stage::Data => "before the message",
        Stage::Content => "about the message",
    };
    let said = [reply.code.to_string(), reply.enhanced.clone(), reply.text.clone()];
    let said = said.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ");
    let code = [reply.code.to_string(), reply.enhanced.clone()].join(" ");
    Failure::new(code.trim_end(), sentence(&format!("the server said {at}: {said}")))
}

/// The sentence that people know from the predecessor.
fn sentence(reason: &str) -> String {
    format!("Email could not be sent: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(stage: Stage, code: u16, enhanced: &str) -> Reply {
        Reply { stage, code, enhanced: enhanced.into(), text: "words".into() }
    }

    /// An outcome's name and scope, short enough for a table.
    fn short(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Delivered(_) => "delivered",
            Outcome::Accepted(_) => "accepted",
            Outcome::Failed(_) => "failed",
            Outcome::InactiveDevice(_) => "inactive device",
            Outcome::OptedOut(_) => "opted out",
            Outcome::Unknown(_) => "unknown",
            Outcome::Retry(retry) => match retry.scope {
                Scope::Message => "retry message",
                Scope::Address => "retry address",
                Scope::Account => "retry account",
                Scope::Configuration => "retry configuration",
            },
        }
    }

    fn outcome(result: Result<Reply, Error>) -> Outcome {
        super::outcome(result, About::default())
    }

    /// A sender that one notification asked for, or an address that few relays take, is refused without a word of all other mails.
    #[test]
    fn what_is_said_of_one_mail_stops_no_other() {
        let mailbox = |address: &str| Mailbox { name: String::new(), address: address.to_owned() };
        let to = |address: &str| Mail::new("", mailbox(address), "Hello");
        for (mail, is_unlike_others) in [
            (to("ada@example.org"), false),
            (to("ada@bücher.example"), false),
            (to("böb@example.org"), true),
            (Mail { cc: vec![mailbox("böb@example.org")], ..to("ada@example.org") }, true),
            (Mail { sender: mailbox("news@example.org"), ..to("ada@example.org") }, true),
        ] {
            assert_eq!(About::of(&mail).is_unlike_others, is_unlike_others, "{mail:?}");
        }
        let unlike = About { is_unlike_others: true, has_others: false };
        let of = |stage, code| short(&super::outcome(Err(Error::Refused(reply(stage, code, ""))), unlike)).to_owned();
        assert_eq!(of(Stage::Sender, 553), "failed");
        assert_eq!(of(Stage::Sender, 530), "retry configuration", "a login is missing for all");
        assert_eq!(of(Stage::Hello, 550), "retry configuration");
    }

    /// The record is of one of them, and its user may well be there.
    #[test]
    fn a_dead_address_among_others_is_nobodys_record() {
        let mailbox = |address: &str| Mailbox { name: String::new(), address: address.to_owned() };
        let alone = Mail::new("", mailbox("ada@example.org"), "Hello");
        let archived = Mail { bcc: vec![mailbox("ghost@archive.example")], ..alone.clone() };
        let dead = || Err(Error::Refused(reply(Stage::Recipient, 550, "5.1.1")));
        assert_eq!(short(&super::outcome(dead(), About::of(&alone))), "inactive device");
        let Outcome::Failed(reason) = super::outcome(dead(), About::of(&archived)) else { unreachable!() };
        assert!(
            reason.message.contains("about one of its recipients, those of cc and bcc included: 550"),
            "{reason:?}"
        );
    }

    #[test]
    fn refusals() {
        use Stage::{Authentication, Content, Data, Greeting, Hello, Recipient, Sender};
        for (stage, code, enhanced, expected) in [
            // Not now.
            (Greeting, 421, "", "retry account"),
            (Greeting, 450, "4.3.2", "retry account"),
            (Hello, 454, "4.7.0", "retry account"),
            (Authentication, 454, "4.7.0", "retry account"),
            (Authentication, 432, "4.7.12", "retry account"),
            (Sender, 421, "4.3.2", "retry account"),
            (Sender, 451, "", "retry message"),
            (Sender, 452, "4.3.1", "retry message"),
            (Recipient, 421, "4.7.0", "retry account"),
            (Recipient, 454, "4.7.1", "retry message"),
            (Sender, 451, "4.7.1", "retry account"),
            (Content, 451, "4.7.1", "retry message"),
            (Recipient, 432, "4.3.2", "retry message"),
            (Recipient, 450, "", "retry message"),
            (Recipient, 450, "4.1.1", "retry message"),
            (Recipient, 450, "4.2.1", "retry address"),
            (Recipient, 450, "4.7.1", "retry message"),
            (Recipient, 451, "4.7.1", "retry message"),
            (Recipient, 451, "4.3.0", "retry message"),
            (Recipient, 452, "4.2.2", "retry address"),
            (Recipient, 452, "4.5.3", "retry message"),
            (Recipient, 450, "5.1.1", "retry message"),
            (Recipient, 499, "4.99.99", "retry message"),
            (Data, 451, "", "retry message"),
            (Content, 421, "4.4.2", "retry account"),
            (Content, 450, "4.7.32", "retry message"),
            (Content, 452, "4.3.1", "retry message"),
            // Never, and it is about us.
            (Greeting, 554, "", "retry configuration"),
            (Greeting, 503, "", "retry configuration"),
            (Hello, 502, "", "retry configuration"),
            (Hello, 550, "5.7.1", "retry configuration"),
            (Authentication, 535, "5.7.8", "retry configuration"),
            (Authentication, 534, "5.7.9", "retry configuration"),
            (Authentication, 504, "5.5.4", "retry configuration"),
            (Authentication, 500, "", "retry configuration"),
            (Sender, 530, "5.7.0", "retry configuration"),
            (Sender, 530, "", "retry configuration"),
            (Sender, 538, "5.7.11", "retry configuration"),
            (Sender, 553, "5.7.1", "retry configuration"),
            (Sender, 550, "5.1.8", "retry configuration"),
            (Sender, 501, "5.1.7", "retry configuration"),
            (Sender, 550, "", "retry configuration"),
            (Recipient, 530, "5.7.1", "failed"),
            (Recipient, 550, "5.7.8", "failed"),
            (Content, 535, "", "failed"),
            // Never, and it is about the address.
            (Recipient, 550, "5.1.1", "inactive device"),
            (Recipient, 551, "5.1.6", "inactive device"),
            (Recipient, 553, "5.1.3", "inactive device"),
            (Recipient, 550, "5.1.2", "inactive device"),
            (Recipient, 550, "5.2.1", "inactive device"),
            (Recipient, 556, "5.1.10", "inactive device"),
            // Never, and it is about this mail; or nobody can say.
            (Sender, 552, "", "failed"),
            (Sender, 552, "5.3.4", "failed"),
            (Sender, 554, "5.3.4", "failed"),
            (Sender, 553, "5.6.7", "failed"),
            (Recipient, 550, "", "failed"),
            (Recipient, 550, "4.1.1", "failed"),
            (Recipient, 554, "5.1.1", "failed"),
            (Recipient, 554, "5.7.1", "failed"),
            (Recipient, 550, "5.7.1", "failed"),
            (Recipient, 552, "5.2.2", "failed"),
            (Recipient, 550, "5.1.0", "failed"),
            (Recipient, 550, "5.1.100", "failed"),
            (Data, 503, "5.5.1", "failed"),
            (Data, 554, "", "failed"),
            (Content, 550, "5.1.1", "failed"),
            (Content, 552, "5.2.3", "failed"),
            (Content, 554, "5.7.1", "failed"),
            (Content, 554, "5.6.0", "failed"),
            // Against RFC 5321.
            (Content, 354, "", "retry message"),
            (Recipient, 0, "", "retry message"),
            (Recipient, 600, "", "retry message"),
        ] {
            let outcome = outcome(Err(Error::Refused(reply(stage, code, enhanced))));
            assert_eq!(short(&outcome), expected, "{stage:?} {code} {enhanced}");
        }
    }

    #[test]
    fn breakages() {
        for (phase, expected) in [
            (Phase::Invalid, "failed"),
            (Phase::Denied, "retry configuration"),
            (Phase::Resolve, "retry message"),
            (Phase::Connect, "retry message"),
            (Phase::Tls, "retry message"),
            (Phase::Write, "retry message"),
            (Phase::Wait, "unknown"),
            (Phase::Read, "unknown"),
        ] {
            let breakage = Breakage { phase, code: "timeout".into(), message: "The relay did not answer.".into() };
            assert_eq!(short(&outcome(Err(Error::Broken(breakage)))), expected, "{phase:?}");
        }
    }

    #[test]
    fn a_sender_of_its_own_that_is_denied_stops_no_other_mail() {
        let denied = |code: &str| Breakage { phase: Phase::Denied, code: code.into(), message: "No.".into() };
        for (code, expected) in [("sender_not_granted", "failed"), ("smtp_not_granted", "retry configuration")] {
            assert_eq!(short(&outcome(Err(Error::Broken(denied(code))))), expected, "{code}");
        }
    }

    #[test]
    fn success_keeps_the_relays_name_for_the_mail() {
        for (text, id) in [
            ("Ok: queued as 4bXyZ1", "4bXyZ1"),
            ("2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 9C1, bye", "9C1"),
            ("OK id=1rABCD-0001xy-2Z", "1rABCD-0001xy-2Z"),
            ("Message accepted for delivery", ""),
            ("queued as ", ""),
        ] {
            let taken = Reply { text: text.into(), ..reply(Stage::Content, 250, "2.0.0") };
            assert_eq!(outcome(Ok(taken)), Outcome::Delivered(Receipt::new(id, "Email Successfully Sent")), "{text}");
        }
    }

    #[test]
    fn reasons_are_readable() {
        let Outcome::Failed(failure) = outcome(Err(Error::Refused(reply(Stage::Recipient, 550, "")))) else {
            unreachable!()
        };
        assert_eq!(
            failure,
            Failure::new("550", "Email could not be sent: the server said about the recipient: 550 words")
        );
        let Outcome::InactiveDevice(failure) = outcome(Err(Error::Refused(reply(Stage::Recipient, 550, "5.1.1"))))
        else {
            unreachable!()
        };
        assert_eq!(
            failure,
            Failure::new("550 5.1.1", "Email could not be sent: the server said about the recipient: 550 5.1.1 words")
        );
        let breakage = Breakage {
            phase: Phase::Connect,
            code: "refused".into(),
            message: "The relay refused the connection.".into(),
        };
        let Outcome::Retry(retry) = outcome(Err(Error::Broken(breakage))) else { unreachable!() };
        assert_eq!(retry.reason, Failure::new("refused", "Email could not be sent: The relay refused the connection."));
    }
}
