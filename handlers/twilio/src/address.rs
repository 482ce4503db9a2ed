//! Which texts can be an address at Twilio, and the one spelling of each. Whether anybody answers there, sending will
//! show.

use guest_sdk::Failure;

/// What stands before a number that is reached by WhatsApp.
const WHATSAPP: &str = "whatsapp:";

/// A number in E.164 has at most 15 digits. The shortest in use that are not of an emergency or a service have 8 with
/// their country.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Takes out what people put between digits, and writes `whatsapp:` in lower case.
pub fn normal_form(typed: &str) -> Result<String, Failure> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(Failure::new("no_address", "A telephone number is needed, as in +15550100123."));
    }
    let (channel, number) = match typed.get(..WHATSAPP.len()) {
        Some(start) if start.eq_ignore_ascii_case(WHATSAPP) => (WHATSAPP, &typed[WHATSAPP.len()..]),
        _ => ("", typed),
    };
    // Whether that zero is dialled depends on the country; with the country's code before it, usually not.
    if number.contains("(0)") {
        return Err(Failure::new(
            "not_a_number",
            "A telephone number is written without a zero in brackets, as in +15550100123: write only what is dialled from abroad.",
        ));
    }
    let dense: String = number.chars().filter(|c| !is_between_digits(*c)).collect();
    let is_number = dense.strip_prefix('+').is_some_and(|digits| {
        DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
    });
    if !is_number {
        return Err(Failure::new(
            "not_a_number",
            "A telephone number is written with + and its country's code, 8 to 15 digits in all, as in +15550100123.",
        ));
    }
    Ok(format!("{channel}{dense}"))
}

fn is_between_digits(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}' | '\u{2009}' | '\u{2010}' | '\u{2011}' | '\u{202f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_spelling_of_each_address() {
        for (typed, normal) in [
            ("+15550100123", "+15550100123"),
            (" +1 (555) 010-0123\n", "+15550100123"),
            ("+1.555/010\u{a0}0123", "+15550100123"),
            ("+12345678", "+12345678"),
            ("+123456789012345", "+123456789012345"),
            ("whatsapp:+15550100123", "whatsapp:+15550100123"),
            ("WhatsApp: +1 555 010 0123", "whatsapp:+15550100123"),
        ] {
            assert_eq!(normal_form(typed), Ok(normal.to_owned()), "{typed}");
            assert_eq!(normal_form(normal), Ok(normal.to_owned()), "{normal}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        let endless = format!("+1{}", " ".repeat(100_000));
        for (typed, code) in [
            ("", "no_address"),
            (" \t", "no_address"),
            ("15550100123", "not_a_number"),
            // From where? In some countries one dials 011 instead.
            ("0015550100123", "not_a_number"),
            ("+0155501001", "not_a_number"),
            ("+1234567", "not_a_number"),
            ("+1234567890123456", "not_a_number"),
            ("+43 (0)1 234567", "not_a_number"),
            ("+1555o100123", "not_a_number"),
            ("+1555010٠123", "not_a_number"),
            ("++15550100123", "not_a_number"),
            ("+15550100123,+15550100124", "not_a_number"),
            ("+15550\r\n100123", "not_a_number"),
            ("+15550100123\u{0}", "not_a_number"),
            ("whatsapp:", "not_a_number"),
            ("whatsapp:15550100123", "not_a_number"),
            ("whatsapp:whatsapp:+15550100123", "not_a_number"),
            ("messenger:15550100123", "not_a_number"),
            ("whatsäpp:+15550100123", "not_a_number"),
            ("ada@example.org", "not_a_number"),
            (&endless, "not_a_number"),
        ] {
            assert_eq!(normal_form(typed).unwrap_err().code, code, "{typed:?}");
        }
    }
}
