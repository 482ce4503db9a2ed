//! Which texts can be an e-mail address, and the one spelling of each. Whether the mailbox exists, the relay will say.

use email_address::{EmailAddress, Options};
use guest_sdk::Failure;

/// The most characters that a target user record's address has room for.
const LONGEST: usize = 200;

/// No `Ada <ada@…>`, since names have their own place, and no `ada@[192.0.2.1]`, which relays refuse. A domain without
/// a dot is fine: `root@localhost` reaches somebody on many machines.
const FORM: Options = Options { minimum_sub_domains: 0, allow_domain_literal: false, allow_display_text: false };

/// Trims the address and writes its domain in lower case. What stands before the `@` stays as it is: only the receiving
/// server may say whether case matters there.
pub fn normal_form(typed: &str) -> Result<String, Failure> {
    let address = typed.trim();
    if address.is_empty() {
        return Err(Failure::new("no_address", "An e-mail address is needed, as in ada@example.org."));
    }
    if address.chars().count() > LONGEST {
        return Err(Failure::new(
            "address_too_long",
            format!("An e-mail address has at most {LONGEST} characters here."),
        ));
    }
    let parsed = EmailAddress::parse_with_options(address, FORM).map_err(|error| {
        // Some of its reasons end in a full stop, others do not.
        let reason = error.to_string();
        let reason = reason.trim_end_matches('.');
        Failure::new(
            "not_an_address",
            format!("This is not an e-mail address, which looks like ada@example.org: {reason}."),
        )
    })?;
    let normal = format!("{}@{}", parsed.local_part(), parsed.domain().to_lowercase());
    // Some letters become two when they are made small.
    if normal.chars().count() > LONGEST {
        return Err(Failure::new(
            "address_too_long",
            format!("An e-mail address has at most {LONGEST} characters here."),
        ));
    }
    Ok(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_spelling_of_each_address() {
        for (typed, normal) in [
            ("ada@example.org", "ada@example.org"),
            ("  Ada.Lovelace+news@Example.ORG\n", "Ada.Lovelace+news@example.org"),
            ("user@Bücher.Example", "user@bücher.example"),
            ("грета@пример.рф", "грета@пример.рф"),
            ("root@localhost", "root@localhost"),
            ("o'brien_1@sub.example.co.uk", "o'brien_1@sub.example.co.uk"),
        ] {
            assert_eq!(normal_form(typed), Ok(normal.to_owned()), "{typed}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for (typed, code) in [
            ("", "no_address"),
            (" \t", "no_address"),
            ("ada", "not_an_address"),
            ("ada@", "not_an_address"),
            ("@example.org", "not_an_address"),
            ("ada@exa mple.org", "not_an_address"),
            ("ada@example.org, bob@example.org", "not_an_address"),
            ("Ada <ada@example.org>", "not_an_address"),
            ("ada@[192.0.2.1]", "not_an_address"),
            ("ada@example..org", "not_an_address"),
            ("ada@example.org\r\nBcc: eve@example.org", "not_an_address"),
            ("ada\u{0}@example.org", "not_an_address"),
        ] {
            assert_eq!(normal_form(typed).unwrap_err().code, code, "{typed:?}");
        }
    }

    #[test]
    fn says_why_in_one_sentence() {
        for typed in ["ada", "@example.org", "ada@example..org", "Ada <ada@example.org>"] {
            let message = normal_form(typed).unwrap_err().message;
            assert!(message.ends_with('.') && !message.ends_with(".."), "{message}");
        }
    }

    #[test]
    fn counts_characters_not_bytes() {
        let domain = format!("{}.{}.{}", "ü".repeat(20), "d".repeat(60), "d".repeat(60));
        let longest = format!("{}@{domain}", "a".repeat(57));
        assert_eq!(longest.chars().count(), LONGEST);
        assert_eq!(normal_form(&longest), Ok(longest.clone()));
        assert_eq!(normal_form(&format!("a{longest}")).unwrap_err().code, "address_too_long");
    }
}
