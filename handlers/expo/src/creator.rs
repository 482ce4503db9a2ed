//! Which requests become push messages. Title, body and extra are stored as they were given; what could not be sent is
//! refused here.

use guest_sdk::{CreationRequest, Failure};

use crate::extra::Extra;
use crate::message::Content;

/// As many characters as a notification's title has room for.
const LONGEST_TITLE: usize = 100;

/// Whether a message can be made of the request, for each of its records.
pub fn check(request: &CreationRequest) -> Result<(), Failure> {
    let extra = Extra::parse(&request.extra)?;
    let length = request.title.chars().count();
    if length > LONGEST_TITLE {
        return Err(Failure::new(
            "title_too_long",
            format!("A title has at most {LONGEST_TITLE} characters, and this one has {length}."),
        ));
    }
    let has_data = extra.data.as_ref().is_some_and(|data| !data.is_empty());
    if request.title.trim().is_empty() && request.body.trim().is_empty() && !has_data {
        return Err(Failure::new(
            "nothing_to_show",
            "A push message needs something to show or to tell the app: give a title, a `body` or `extra.data`.",
        ));
    }
    let content = Content { title: &request.title, body: &request.body, extra: &extra, expires_at: request.expires_at };
    // Tokens have several lengths, so the message may be too large for one record and not for another.
    request.target_user_records.iter().try_for_each(|record| content.addressed_to(&record.target_user_id).map(drop))
}

#[cfg(test)]
mod tests {
    use guest_sdk::samples;

    use super::*;

    fn request(title: &str, body: &str, extra: &str) -> CreationRequest {
        samples::request(&["ExpoPushToken[a]", "ExpoPushToken[a-longer-one]"], title, body, extra)
    }

    #[test]
    fn takes_what_can_be_sent() {
        let longest = "ü".repeat(LONGEST_TITLE);
        for (title, body, extra) in [
            ("Tea", "The tea is ready.", "{}"),
            ("Tea", "", "{}"),
            ("", "The tea is ready.", "{}"),
            ("", "", r#"{"data": {"refresh": true}}"#),
            (&longest, "x", r#"{"badge": 1, "sound": "default"}"#),
        ] {
            assert_eq!(check(&request(title, body, extra)), Ok(()), "{title} {body} {extra}");
        }
    }

    #[test]
    fn refuses_what_cannot() {
        let (too_long, too_big) = ("x".repeat(LONGEST_TITLE + 1), "x".repeat(4096));
        for (title, body, extra, code) in [
            ("", "", "{}", "nothing_to_show"),
            (" ", "\n", "{}", "nothing_to_show"),
            ("", "", r#"{"data": {}, "badge": 3}"#, "nothing_to_show"),
            (&too_long, "x", "{}", "title_too_long"),
            ("Tea", &too_big, "{}", "MessageTooBig"),
            ("Tea", "x", &format!(r#"{{"data": {{"x": "{too_big}"}}}}"#), "MessageTooBig"),
            ("Tea", "x", r#"{"ttl": "3"}"#, "invalid_extra"),
            ("Tea", "x", "[]", "invalid_extra"),
        ] {
            assert_eq!(check(&request(title, body, extra)).unwrap_err().code, code, "{title:?} {body:?} {extra}");
        }
    }

    #[test]
    fn measures_what_each_record_would_get() {
        let frame = r#"{"body":"","to":"ExpoPushToken[a]"}"#.len();
        let only_the_short_token = "x".repeat(4096 - frame);
        let mut request = request("", &only_the_short_token, "{}");
        assert_eq!(check(&request).unwrap_err().code, "MessageTooBig");
        request.target_user_records.truncate(1);
        assert_eq!(check(&request), Ok(()));
        request.expires_at = Some(1_800_000_000_000);
        assert_eq!(check(&request).unwrap_err().code, "MessageTooBig");
    }
}
