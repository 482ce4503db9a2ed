//! Secrets are blotted out of what others say: a server may repeat what it was sent, and a component what it then read.

/// What stands in a secret's place.
const BLOT: &str = "•••";

/// What is shorter stands in any text, and would tear it to pieces.
const SHORTEST: usize = 4;

/// The values to blot out, the longest first, since one may hold another.
fn ordered<'a>(secrets: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut secrets: Vec<_> = secrets.filter(|secret| secret.len() >= SHORTEST).collect();
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// A text without these secrets.
pub fn text<'a>(text: String, secrets: impl Iterator<Item = &'a str>) -> String {
    ordered(secrets).into_iter().fold(
        text,
        |text, secret| {
            if text.contains(secret) { text.replace(secret, BLOT) } else { text }
        },
    )
}

/// Bytes without these secrets.
pub fn bytes<'a>(bytes: Vec<u8>, secrets: impl Iterator<Item = &'a str>) -> Vec<u8> {
    ordered(secrets).into_iter().fold(bytes, |bytes, secret| {
        let secret = secret.as_bytes();
        let mut kept = Vec::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some(at) = rest.windows(secret.len()).position(|part| part == secret) {
            kept.extend_from_slice(&rest[..at]);
            kept.extend_from_slice(BLOT.as_bytes());
            rest = &rest[at + secret.len()..];
        }
        if kept.is_empty() && rest.len() == bytes.len() {
            return bytes;
        }
        kept.extend_from_slice(rest);
        kept
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blotted_out() {
        let secrets = || ["hush", "hush-hush", "no"].into_iter();
        assert_eq!(text("say hush-hush, not hush".into(), secrets()), "say •••, not •••");
        assert_eq!(
            bytes(b"\xffhush\xfehush-hush".to_vec(), secrets()),
            [b"\xff", BLOT.as_bytes(), b"\xfe", BLOT.as_bytes()].concat()
        );
        assert_eq!(bytes(b"nothing".to_vec(), secrets()), b"nothing");
    }
}
