//! Which texts can be an Expo push token, and the one spelling of each. Whether a device still has it, Expo will say.

use guest_sdk::Failure;

/// The most characters that a target user record's address has room for.
const LONGEST: usize = 200;

/// What a token in brackets begins with. The first is the older one; Expo takes both for good.
const OPENINGS: [&str; 2] = ["ExponentPushToken[", "ExpoPushToken["];

/// How many hexadecimal digits the groups of a UUID have.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Trims the token, and writes one that is a UUID in lower case. The two forms in brackets stay as they are: case counts
/// there, and nothing says that both names lead to the same device.
pub fn normal_form(typed: &str) -> Result<String, Failure> {
    let token = typed.trim();
    if token.is_empty() {
        return Err(Failure::new(
            "no_address",
            "A push token is needed, as in ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx].",
        ));
    }
    if token.chars().count() > LONGEST {
        return Err(Failure::new("address_too_long", format!("A push token has at most {LONGEST} characters here.")));
    }
    if is_uuid(token) {
        return Ok(token.to_ascii_lowercase());
    }
    if is_bracketed(token) {
        return Ok(token.to_owned());
    }
    Err(Failure::new(
        "not_a_push_token",
        "This is not an Expo push token: give the text that the app got from `getExpoPushTokenAsync`, which looks like ExponentPushToken[…], ExpoPushToken[…] or a UUID.",
    ))
}

fn is_bracketed(token: &str) -> bool {
    let inner = OPENINGS.iter().find_map(|opening| token.strip_prefix(opening)?.strip_suffix(']'));
    inner.is_some_and(|inner| {
        !inner.is_empty() && inner.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '[' | ']' | '"' | '\\'))
    })
}

fn is_uuid(token: &str) -> bool {
    let groups = || token.split('-');
    groups().map(str::len).eq(UUID) && groups().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_spelling_of_each_token() {
        for (typed, normal) in [
            ("ExponentPushToken[Ab-_0123456789xyzABCDE]", "ExponentPushToken[Ab-_0123456789xyzABCDE]"),
            ("  ExpoPushToken[abc]\n", "ExpoPushToken[abc]"),
            ("F5741A13-BCDA-434B-A316-5DC0E6FFA94F", "f5741a13-bcda-434b-a316-5dc0e6ffa94f"),
        ] {
            assert_eq!(normal_form(typed), Ok(normal.to_owned()), "{typed}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for (typed, code) in [
            ("", "no_address"),
            (" \t", "no_address"),
            ("ada@example.org", "not_a_push_token"),
            ("ExponentPushToken[]", "not_a_push_token"),
            ("ExponentPushToken[abc", "not_a_push_token"),
            ("ExponentPushToken", "not_a_push_token"),
            ("exponentpushtoken[abc]", "not_a_push_token"),
            ("ExpoPushToken[a]b]", "not_a_push_token"),
            ("ExpoPushToken[a[b]", "not_a_push_token"),
            ("ExpoPushToken[a b]", "not_a_push_token"),
            ("ExpoPushToken[ü]", "not_a_push_token"),
            ("ExpoPushToken[a\u{0}b]", "not_a_push_token"),
            ("ExpoPushToken[a],ExpoPushToken[b]", "not_a_push_token"),
            ("f5741a13-bcda-434b-a316-5dc0e6ffa94", "not_a_push_token"),
            ("f5741a13bcda434ba3165dc0e6ffa94f", "not_a_push_token"),
            ("g5741a13-bcda-434b-a316-5dc0e6ffa94f", "not_a_push_token"),
            ("f5741a13-bcda-434b-a316-5dc0e6ffa94f-0", "not_a_push_token"),
        ] {
            assert_eq!(normal_form(typed).unwrap_err().code, code, "{typed:?}");
        }
    }

    #[test]
    fn has_a_longest() {
        let longest = format!("ExpoPushToken[{}]", "x".repeat(LONGEST - 15));
        assert_eq!(longest.len(), LONGEST);
        assert_eq!(normal_form(&longest), Ok(longest.clone()));
        assert_eq!(normal_form(&longest.replace('[', "[x")).unwrap_err().code, "address_too_long");
    }
}
