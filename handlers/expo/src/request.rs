//! How messages become a request.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use guest_sdk::http::Request;

use crate::message::Message;

/// Where messages go, below the origin.
const PATH: &str = "/--/api/v2/push/send";

/// Up to here a body is sent as it is; Expo's own client draws the line there too.
const NOT_WORTH_PACKING: usize = 1024;

/// One request for all of these messages, in this order, with the secret of this name as its bearer token.
pub fn push(base_url: &str, access_token: Option<&str>, messages: &[&Message]) -> Request {
    let messages_json = messages.iter().map(|message| message.json.as_str()).collect::<Vec<_>>();
    let plain = format!("[{}]", messages_json.join(",")).into_bytes();
    let url = format!("{}{PATH}", base_url.trim_end_matches('/'));
    let request = Request::post(url).header("accept", "application/json");
    let request = match packed(&plain) {
        Some(packed) => request.header("content-encoding", "gzip").body("application/json", packed),
        None => request.body("application/json", plain),
    };
    let request = access_token.into_iter().fold(request, Request::bearer);
    messages.iter().fold(request, |request, message| request.about(&message.notification_id))
}

/// The body in gzip, where that is worth it. Fast rather than small: a full batch has 400 KB, and the time to compute is
/// short.
fn packed(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.len() <= NOT_WORTH_PACKING {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail; if it ever did, the plain body would do.
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().filter(|packed| packed.len() < plain.len())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use guest_sdk::http::Credential;

    use super::*;

    fn message(id: &str, json: impl Into<String>) -> Message {
        Message { notification_id: id.into(), token: "t".into(), json: json.into() }
    }

    fn headers(request: &Request) -> Vec<(&str, &str)> {
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn unpacked(body: &[u8]) -> String {
        let mut text = String::new();
        GzDecoder::new(body).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_small_one_is_sent_as_it_is() {
        let (one, two) = (message("n1", r#"{"to":"a"}"#), message("n2", r#"{"to":"b"}"#));
        let request = push("https://exp.host", None, &[&one, &two]);
        assert_eq!(
            request,
            Request::post("https://exp.host/--/api/v2/push/send")
                .header("accept", "application/json")
                .body("application/json", r#"[{"to":"a"},{"to":"b"}]"#)
                .about("n1")
                .about("n2")
        );
    }

    #[test]
    fn a_single_message_is_a_list_too() {
        assert_eq!(push("https://exp.host", None, &[&message("n1", "{}")]).body, b"[{}]");
    }

    #[test]
    fn a_large_one_is_packed() {
        // With the brackets one byte too many, and just not.
        let large = message("n1", format!("\"{}\"", "x".repeat(NOT_WORTH_PACKING - 3)));
        let request = push("https://exp.host", None, &[&large]);
        assert_eq!(
            headers(&request),
            [("accept", "application/json"), ("content-encoding", "gzip"), ("content-type", "application/json")]
        );
        assert_eq!(unpacked(&request.body), format!("[{}]", large.json));
        assert!(request.body.len() < 100);
        let small = message("n1", format!("\"{}\"", "x".repeat(NOT_WORTH_PACKING - 4)));
        assert_eq!(push("https://exp.host", None, &[&small]).body, format!("[{}]", small.json).into_bytes());
    }

    #[test]
    fn what_packing_would_not_shrink_is_sent_as_it_is() {
        // Numbers that do not repeat: xorshift, as bytes that are no text, which `packed` does not mind.
        let mut state = 0x9e37_79b9_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .take(2000)
        .collect();
        assert_eq!(packed(&noise), None);
        assert!(packed(&[b'x'; 2000]).is_some());
    }

    #[test]
    fn the_token_is_sent_where_there_is_one() {
        let one = message("n1", "{}");
        let credentials = |token| push("https://exp.host", token, &[&one]).credentials;
        assert_eq!(credentials(None), []);
        assert_eq!(credentials(Some("expo_access_token")), [Credential::Bearer("expo_access_token".into())]);
    }

    #[test]
    fn the_operator_may_say_where_to() {
        for base_url in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/"] {
            assert_eq!(push(base_url, None, &[]).url, "http://127.0.0.1:8080/--/api/v2/push/send");
        }
    }
}
