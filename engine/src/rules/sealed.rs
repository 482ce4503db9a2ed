//! Secrets at rest: a value is only ever kept encrypted, and bound to the place it is kept in.
//!
//! ChaCha20-Poly1305 under a key derived from the engine's own. What is authenticated beside the value are the tenant, the id, the target, the name
//! and the origins of the secret, so that whoever can write into the database can neither give one secret the value of another nor lead it
//! elsewhere.

use crate::rules::origin::Origin;
use crate::rules::tenant::Tenant;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

/// The fewest characters of a value: where a shorter one is cut out of texts, these would lose other words.
pub const MIN_VALUE: usize = 4;
/// A value of fewer characters can be guessed by a component that may send it to somebody who repeats what it is sent: the guess that is cut out was right.
pub const GUESSABLE: usize = 12;
/// The longest value of a secret, in bytes: a PEM document has a few thousand.
pub const MAX_VALUE: usize = 32 * 1024;

/// A secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Made by whoever sets it, anew each time.
    pub id: Uuid,
    /// As components name it.
    pub name: String,
    /// The target that it is for; `None`: all targets of the tenant.
    pub target: Option<Uuid>,
    /// Which key encrypted it.
    pub key_id: String,
    /// A nonce, and the encrypted value.
    pub ciphertext: Vec<u8>,
    /// The origins towards which it may be sent.
    pub origins: Vec<Origin>,
}

/// The key that encrypts secrets.
#[derive(Clone)]
pub struct SecretKey {
    id: String,
    bytes: [u8; 32],
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey({})", self.id)
    }
}

/// Why a value cannot be had: one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SealError(String);

impl SecretKey {
    /// A key of these bytes; `id` names it in what it has encrypted, and tells nothing of it.
    pub fn new(id: String, bytes: [u8; 32]) -> Self {
        SecretKey { id, bytes }
    }

    /// What names it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Encrypts a value into its place, whatever was in it. `nonce` must be random and is never used again.
    pub fn seal(
        &self,
        tenant: Tenant,
        secret: SealedSecret,
        value: &str,
        nonce: [u8; NONCE_LEN],
    ) -> Result<SealedSecret, SealError> {
        let failed = || SealError(format!("The secret `{}` cannot be encrypted: its value is too long.", secret.name));
        let mut bytes = value.as_bytes().to_vec();
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.bytes).map_err(|_| failed())?;
        let place = Aad::from(place(tenant, &secret));
        let unique = Nonce::assume_unique_for_key(nonce);
        LessSafeKey::new(key).seal_in_place_append_tag(unique, place, &mut bytes).map_err(|_| failed())?;
        let ciphertext = [&nonce[..], &bytes].concat();
        Ok(SealedSecret { key_id: self.id.clone(), ciphertext, ..secret })
    }

    /// The value of a secret that this key has encrypted.
    pub fn open(&self, tenant: Tenant, secret: &SealedSecret) -> Result<String, SealError> {
        let SealedSecret { name, key_id, ciphertext, .. } = secret;
        if *key_id != self.id {
            return Err(SealError(format!(
                "The secret `{name}` was encrypted with another key ({key_id}) than this engine's ({}): start this engine again if its key was changed since it began, name that key's file in ENGINE_KEY_FILE, or give it to `engine secret rotate --old-key-file`; if it is lost, `engine secret set {name}` sets the secret anew.",
                self.id
            )));
        }
        let damaged = || {
            SealError(format!(
                "The secret `{name}` was changed in the database: set it anew with `engine secret set {name}`."
            ))
        };
        let (nonce, sealed) = ciphertext.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.bytes).map_err(|_| damaged())?;
        let mut bytes = sealed.to_vec();
        let place = Aad::from(place(tenant, secret));
        let opened = LessSafeKey::new(key).open_in_place(Nonce::assume_unique_for_key(*nonce), place, &mut bytes);
        String::from_utf8(opened.map_err(|_| damaged())?.to_vec()).map_err(|_| damaged())
    }
}

/// The place that a value is bound to. What has no fixed length comes last, on lines, as neither names nor origins hold a line break.
fn place(tenant: Tenant, secret: &SealedSecret) -> Vec<u8> {
    let SealedSecret { id, name, target, origins, .. } = secret;
    let mut origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
    origins.sort_unstable();
    origins.dedup();
    let texts = [std::slice::from_ref(name), &origins].concat().join("\n");
    let target = target.unwrap_or_default();
    [b"secret".as_slice(), &tenant.0.to_be_bytes(), id.as_bytes(), target.as_bytes(), texts.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn key(id: &str, byte: u8) -> SecretKey {
        SecretKey::new(id.to_owned(), [byte; 32])
    }

    fn sealed(key: &SecretKey) -> SealedSecret {
        let origins = vec![Origin::parse("https://a.example").unwrap()];
        let (name, key_id) = ("token".to_owned(), String::new());
        let secret = SealedSecret { id: ID, name, target: None, key_id, ciphertext: Vec::new(), origins };
        key.seal(Tenant::DEFAULT, secret, "hush", [9; NONCE_LEN]).unwrap()
    }

    #[test]
    fn a_value_comes_back_under_its_key() {
        let key = key("a", 1);
        let secret = sealed(&key);
        assert!(!secret.ciphertext.windows(4).any(|window| window == b"hush"));
        assert_eq!(key.open(Tenant::DEFAULT, &secret).unwrap(), "hush");
    }

    #[test]
    fn another_key_is_told_in_a_sentence() {
        let why = key("b", 2).open(Tenant::DEFAULT, &sealed(&key("a", 1))).unwrap_err().to_string();
        assert!(why.contains("another key (a)") && why.contains("(b)") && why.contains("--old-key-file"), "{why}");
        assert!(!format!("{:?}", key("b", 2)).contains("2, 2"));
    }

    #[test]
    fn a_value_is_of_no_use_in_another_place() {
        let key = key("a", 1);
        let secret = sealed(&key);
        let mut changed = secret.ciphertext.clone();
        *changed.last_mut().unwrap() ^= 1;
        for moved in [
            SealedSecret { name: "other".into(), ..secret.clone() },
            SealedSecret { id: Uuid::from_u128(8), ..secret.clone() },
            SealedSecret { target: Some(ID), ..secret.clone() },
            SealedSecret { origins: vec![Origin::parse("https://evil.example").unwrap()], ..secret.clone() },
            SealedSecret { ciphertext: changed, ..secret.clone() },
            SealedSecret { ciphertext: vec![1, 2, 3], ..secret.clone() },
        ] {
            assert!(key.open(Tenant::DEFAULT, &moved).unwrap_err().to_string().contains("was changed"), "{moved:?}");
        }
        assert!(key.open(Tenant(2), &secret).is_err(), "another tenant's");
    }
}
