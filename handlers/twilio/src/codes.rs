//! What Twilio's error codes mean, whether they come in the answer to a request or with a message that failed. The codes
//! are explained one by one at `https://www.twilio.com/docs/api/errors`.

use guest_sdk::{Failure, Outcome, Retry, Scope};

/// Within the hour a telephone that was switched off may be on again.
const UNTIL_SWITCHED_ON: u32 = 45 * 60;

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// Nothing can be sent until somebody has done this.
    Mend(&'static str),
    /// Too much at once for the account or its sender. Nothing was taken.
    SlowDown,
    /// Again, unless this was attempt number `attempts`; after so many seconds, or the usual time.
    AFewTimes { scope: Scope, after: Option<u32>, attempts: u32 },
    /// Nobody can be reached at the address.
    DeadAddress,
    /// The person wrote STOP to this sender.
    OptedOut,
    /// Never, and it is about this message.
    Never,
}

/// What a code means; `None` if it is not known here. `words` are Twilio's own beside it.
pub fn meaning(code: u32, words: &str) -> Option<Meaning> {
    use Meaning::{AFewTimes, DeadAddress, Mend, Never, OptedOut, SlowDown};
    Some(match code {
        20_003 => Mend("check `[target.twilio] account_sid`, `api_key_sid` and the secret `twilio_auth_token`"),
        20_429 => SlowDown,
        // Not numbers at all; some of these codes are given for either side.
        21_211 | 21_217 | 21_401 if is_about_the_sender(words) => Mend(CHECK_SENDER),
        21_211 | 21_217 | 21_401 => DeadAddress,
        // The sender is malformed, missing, of another account, or a service that is not one.
        21_212 | 21_603 | 21_660 | 21_705 => Mend(CHECK_SENDER),
        // Regions that the account may not send to, and pairs of numbers that no route connects: another sender might.
        21_408 | 21_612 => Never,
        // Senders that cannot send.
        21_601 | 21_606 => Mend(CHECK_SENDER),
        21_608 => Mend("verify the number at Twilio, or upgrade the trial account"),
        21_610 => OptedOut,
        // Queues that are full, of the sender and of the service.
        21_611 | 30_001 => SlowDown,
        // Not a mobile telephone.
        21_614 | 21_635 => DeadAddress,
        30_002 => Mend("ask Twilio why the account is suspended"),
        // Out of reach.
        30_003 => AFewTimes { scope: Scope::Address, after: Some(UNTIL_SWITCHED_ON), attempts: 4 },
        // Blocked by the person or the carrier.
        30_004 => Never,
        // Unknown, and a landline or a carrier that cannot be reached.
        30_005 | 30_006 => DeadAddress,
        // Filtered for its content.
        30_007 => Never,
        // Nobody knows why.
        30_008 => AFewTimes { scope: Scope::Message, after: None, attempts: 3 },
        // Dearer than `max_price`.
        30_010 => Never,
        30_034 => Mend("register the sender for application-to-person messages (A2P 10DLC) at Twilio"),
        // About sending at a later time, which the engine does itself.
        35_114..=35_118 => Never,
        _ => return None,
    })
}

const CHECK_SENDER: &str = "check `[target.twilio] sender`, which must be able to send for this account";

/// Twilio writes the names of its parameters with a capital letter: `The 'From' number …`.
fn is_about_the_sender(words: &str) -> bool {
    let names = |wanted| words.split(|c: char| !c.is_alphanumeric()).any(|word| word == wanted);
    names("From") && !names("To")
}

impl Meaning {
    /// The outcome of attempt number `attempt`. `retry_after` is what Twilio asked for in the header of that name, in
    /// seconds.
    pub fn into_outcome(self, reason: Failure, attempt: u32, retry_after: Option<u32>) -> Outcome {
        match self {
            Self::Mend(remedy) => {
                let message = format!("{}; {remedy}.", reason.message.trim_end_matches('.'));
                Outcome::retry(Scope::Configuration, Failure { message, ..reason })
            }
            Self::SlowDown => Outcome::Retry(Retry { after: retry_after, scope: Scope::Account, reason }),
            // Attempts that came to something else count too, as the contract does not tell them apart.
            Self::AFewTimes { attempts, .. } if attempt >= attempts => Outcome::Failed(reason),
            Self::AFewTimes { scope, after, .. } => {
                Outcome::Retry(Retry { after: retry_after.or(after), scope, reason })
            }
            Self::DeadAddress => Outcome::InactiveDevice(reason),
            Self::OptedOut => Outcome::OptedOut(reason),
            Self::Never => Outcome::Failed(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What each other code becomes, the recorded answers test.

    #[test]
    fn some_never_help_whatever_the_status_beside_them() {
        for code in [21_408, 21_612, 30_004, 30_007, 30_010, 35_114, 35_115, 35_116, 35_117, 35_118] {
            assert_eq!(meaning(code, ""), Some(Meaning::Never), "{code}");
        }
    }

    #[test]
    fn an_invalid_number_may_be_our_own() {
        for (words, expected) in [
            ("The 'To' number +1 is not a valid phone number.", Meaning::DeadAddress),
            ("The 'To' number +1 cannot be reached by the 'From' number.", Meaning::DeadAddress),
            ("Not FromAGE", Meaning::DeadAddress),
            ("", Meaning::DeadAddress),
            ("The 'From' number +1 is not a valid phone number.", Meaning::Mend(CHECK_SENDER)),
            ("From: invalid", Meaning::Mend(CHECK_SENDER)),
        ] {
            for code in [21_211, 21_217, 21_401] {
                assert_eq!(meaning(code, words), Some(expected), "{code} {words}");
            }
        }
    }

    #[test]
    fn codes_beside_those_of_the_list_are_unknown() {
        for code in [0, 21_210, 30_009, 35_113, 35_119, u32::MAX] {
            assert_eq!(meaning(code, "From"), None, "{code}");
        }
    }

    #[test]
    fn some_are_tried_a_few_times_only() {
        let reason = || Failure::new("c", "It broke.");
        let outcome = |code, attempt, asked| meaning(code, "").map(|it| it.into_outcome(reason(), attempt, asked));
        let retry = |scope, after| Some(Outcome::Retry(Retry { after, scope, reason: reason() }));
        assert_eq!(outcome(30_003, 3, None), retry(Scope::Address, Some(2700)));
        assert_eq!(outcome(30_003, 3, Some(7)), retry(Scope::Address, Some(7)));
        assert_eq!(outcome(30_003, 4, Some(7)), Some(Outcome::Failed(reason())));
        assert_eq!(outcome(30_008, 2, None), retry(Scope::Message, None));
        assert_eq!(outcome(30_008, 3, None), Some(Outcome::Failed(reason())));
    }

    #[test]
    fn a_remedy_is_said_in_the_same_sentence() {
        let outcome = Meaning::Mend("do this").into_outcome(Failure::new("c", "It is broken."), 1, Some(7));
        assert_eq!(outcome, Outcome::retry(Scope::Configuration, Failure::new("c", "It is broken; do this.")));
    }
}
