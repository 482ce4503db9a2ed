//! Signatures with secrets that the component names and never sees (`wit/signing.wit` says which keys fit which algorithm).

use super::bindings::signing::{Algorithm, Host, Refusal};
use super::call::CallState;
use super::exchanges::Exchanges;
use crate::rules::grants::{self, Call, MAX_SECRET_NAME};
use crate::rules::manifest::{SecretAsked, SecretFormat};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::elliptic_curve::SecretKey;
use p256::pkcs8::spki::SubjectPublicKeyInfoRef;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, Document};
use ring::signature::{self, KeyPair, UnparsedPublicKey};
use ring::{hmac, rand};

/// The longest message that is signed or verified.
const LONGEST: usize = 1024 * 1024;

impl Host for CallState {
    fn sign(&mut self, secret: String, algorithm: Algorithm, message: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        sign(algorithm, &self.key(&secret, &message)?, &message)
    }

    fn verify(
        &mut self,
        secret: String,
        algorithm: Algorithm,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<bool, Refusal> {
        verify(algorithm, &self.key(&secret, &message)?, &message, &signature)
    }
}

impl CallState {
    fn key(&mut self, name: &str, message: &[u8]) -> Result<Key, Refusal> {
        let Exchanges { powers, kind, .. } = &*self.exchanges;
        if name.len() > MAX_SECRET_NAME {
            return Err(Refusal::NoSuchSecret);
        }
        if let Err(denial) = grants::signing(&powers.grants, *kind, name) {
            self.exchanges.denies(&denial.message);
            return Err(if *kind == Call::Send { Refusal::NoSuchSecret } else { Refusal::Denied });
        }
        if message.len() > LONGEST {
            return Err(Refusal::Denied);
        }
        let (format, secret) = powers.secrets.get(name).ok_or(Refusal::NoSuchSecret)?;
        Key::decode(*format, secret.reveal()).ok_or(Refusal::WrongKey)
    }
}

/// Whether a value is what a component expects under this name; it need not be one that fits the algorithm.
pub fn is_as_asked(asked: &SecretAsked, value: &str) -> bool {
    Key::decode(asked.format, asked.text(value)).is_some()
}

/// A secret's value, decoded.
enum Key {
    Bytes(Vec<u8>),
    Pem { label: String, der: Vec<u8> },
}

const PUBLIC: &str = "PUBLIC KEY";
const PRIVATE: &str = "PRIVATE KEY";
const PRIVATE_EC: &str = "EC PRIVATE KEY";
const PRIVATE_RSA: &str = "RSA PRIVATE KEY";

impl Key {
    fn decode(format: SecretFormat, text: &str) -> Option<Self> {
        match format {
            SecretFormat::Text => Some(Key::Bytes(text.as_bytes().to_vec())),
            SecretFormat::Base64 => {
                // Either alphabet, padded or not.
                let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
                let url_safe = text.contains(['-', '_']);
                let alphabet = if url_safe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
                GeneralPurpose::new(alphabet, config).decode(text).ok().map(Key::Bytes)
            }
            SecretFormat::Hex => {
                if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                let pairs = (0..text.len()).step_by(2);
                pairs.map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect::<Option<_>>().map(Key::Bytes)
            }
            SecretFormat::Pem => {
                let (label, document) = Document::from_pem(text).ok()?;
                Some(Key::Pem { label: label.to_owned(), der: document.as_bytes().to_vec() })
            }
        }
    }

    /// A PEM document of one of these kinds.
    fn pem(&self, labels: &[&str]) -> Result<(&str, &[u8]), Refusal> {
        match self {
            Key::Pem { label, der } if labels.contains(&label.as_str()) => Ok((label, der)),
            Key::Pem { .. } | Key::Bytes(_) => Err(Refusal::WrongKey),
        }
    }

    fn hmac(&self, algorithm: hmac::Algorithm) -> Result<hmac::Key, Refusal> {
        match self {
            Key::Bytes(bytes) if !bytes.is_empty() => Ok(hmac::Key::new(algorithm, bytes)),
            Key::Bytes(_) | Key::Pem { .. } => Err(Refusal::WrongKey),
        }
    }

    fn ed25519(&self) -> Result<signature::Ed25519KeyPair, Refusal> {
        match self {
            Key::Bytes(bytes) if matches!(bytes.len(), 32 | 64) => {
                signature::Ed25519KeyPair::from_seed_unchecked(&bytes[..32]).map_err(wrong)
            }
            Key::Bytes(_) => Err(Refusal::WrongKey),
            Key::Pem { .. } => {
                signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(self.pem(&[PRIVATE])?.1).map_err(wrong)
            }
        }
    }

    fn ed25519_public(&self) -> Result<Vec<u8>, Refusal> {
        match self {
            Key::Bytes(bytes) => match bytes.len() {
                32 => Ok(bytes.clone()),
                64 => Ok(bytes[32..].to_vec()),
                _ => Err(Refusal::WrongKey),
            },
            Key::Pem { label, der } if label == PUBLIC => public_bits(der),
            Key::Pem { .. } => Ok(self.ed25519()?.public_key().as_ref().to_vec()),
        }
    }

    fn rsa(&self) -> Result<signature::RsaKeyPair, Refusal> {
        match self.pem(&[PRIVATE, PRIVATE_RSA])? {
            (PRIVATE, der) => signature::RsaKeyPair::from_pkcs8(der).map_err(wrong),
            (_, der) => signature::RsaKeyPair::from_der(der).map_err(wrong),
        }
    }

    fn rsa_public(&self) -> Result<Vec<u8>, Refusal> {
        match self.pem(&[PUBLIC, PRIVATE, PRIVATE_RSA])? {
            (PUBLIC, der) => public_bits(der),
            _ => Ok(self.rsa()?.public_key().as_ref().to_vec()),
        }
    }

    fn p256(&self) -> Result<p256::ecdsa::SigningKey, Refusal> {
        match self.pem(&[PRIVATE, PRIVATE_EC])? {
            (PRIVATE, der) => p256::ecdsa::SigningKey::from_pkcs8_der(der).map_err(wrong),
            (_, der) => SecretKey::from_sec1_der(der).map(p256::ecdsa::SigningKey::from).map_err(wrong),
        }
    }

    fn p256_public(&self) -> Result<p256::ecdsa::VerifyingKey, Refusal> {
        match self.pem(&[PUBLIC, PRIVATE, PRIVATE_EC])? {
            (PUBLIC, der) => p256::ecdsa::VerifyingKey::from_public_key_der(der).map_err(wrong),
            _ => Ok(p256::ecdsa::VerifyingKey::from(&self.p256()?)),
        }
    }
}

fn wrong<E>(_: E) -> Refusal {
    Refusal::WrongKey
}

/// The key inside of a SubjectPublicKeyInfo.
fn public_bits(der: &[u8]) -> Result<Vec<u8>, Refusal> {
    let info = SubjectPublicKeyInfoRef::try_from(der).map_err(wrong)?;
    Ok(info.subject_public_key.raw_bytes().to_vec())
}

fn sign(algorithm: Algorithm, key: &Key, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    match algorithm {
        Algorithm::HmacSha1 => {
            Ok(hmac::sign(&key.hmac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)?, message).as_ref().to_vec())
        }
        Algorithm::HmacSha256 => Ok(hmac::sign(&key.hmac(hmac::HMAC_SHA256)?, message).as_ref().to_vec()),
        Algorithm::Ed25519 => Ok(key.ed25519()?.sign(message).as_ref().to_vec()),
        Algorithm::RsaPkcs1Sha256 => {
            let key = key.rsa()?;
            let mut signed = vec![0; key.public().modulus_len()];
            // PKCS #1 v1.5 needs no randomness; ring uses it to blind the computation.
            key.sign(&signature::RSA_PKCS1_SHA256, &rand::SystemRandom::new(), message, &mut signed).map_err(wrong)?;
            Ok(signed)
        }
        Algorithm::EcdsaP256Sha256 => {
            let signed: p256::ecdsa::Signature = key.p256()?.sign(message);
            Ok(signed.to_bytes().to_vec())
        }
    }
}

fn verify(algorithm: Algorithm, key: &Key, message: &[u8], signed: &[u8]) -> Result<bool, Refusal> {
    match algorithm {
        Algorithm::HmacSha1 => {
            Ok(hmac::verify(&key.hmac(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)?, message, signed).is_ok())
        }
        Algorithm::HmacSha256 => Ok(hmac::verify(&key.hmac(hmac::HMAC_SHA256)?, message, signed).is_ok()),
        Algorithm::Ed25519 => {
            let public = UnparsedPublicKey::new(&signature::ED25519, key.ed25519_public()?);
            Ok(public.verify(message, signed).is_ok())
        }
        Algorithm::RsaPkcs1Sha256 => {
            let public = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, key.rsa_public()?);
            Ok(public.verify(message, signed).is_ok())
        }
        Algorithm::EcdsaP256Sha256 => {
            let public = key.p256_public()?;
            let Ok(signed) = p256::ecdsa::Signature::from_slice(signed) else { return Ok(false) };
            Ok(public.verify(message, &signed).is_ok())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::pkcs8::{EncodePrivateKey, EncodePublicKey};

    fn text(text: &str) -> Key {
        Key::decode(SecretFormat::Text, text).unwrap()
    }

    /// The test vector that Twilio's libraries share.
    #[test]
    fn hmac_sha1_by_a_known_vector() {
        let message = "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+12349013030Digits1234From+12349013030To+18005551212";
        let signed = sign(Algorithm::HmacSha1, &text("12345"), message.as_bytes()).unwrap();
        assert_eq!(base64::engine::general_purpose::STANDARD.encode(&signed), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
        assert_eq!(verify(Algorithm::HmacSha1, &text("12345"), message.as_bytes(), &signed), Ok(true));
        assert_eq!(verify(Algorithm::HmacSha1, &text("12346"), message.as_bytes(), &signed), Ok(false));
    }

    #[test]
    fn ecdsa_is_deterministic_and_raw_and_verified_by_either_key() {
        let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let pem = |text: &str| Key::decode(SecretFormat::Pem, text).unwrap();
        let private = pem(&key.to_pkcs8_pem(Default::default()).unwrap());
        let public = pem(&key.verifying_key().to_public_key_pem(Default::default()).unwrap());
        let first = sign(Algorithm::EcdsaP256Sha256, &private, b"claims").unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(first, sign(Algorithm::EcdsaP256Sha256, &private, b"claims").unwrap());
        for key in [&private, &public] {
            assert_eq!(verify(Algorithm::EcdsaP256Sha256, key, b"claims", &first), Ok(true));
            assert_eq!(verify(Algorithm::EcdsaP256Sha256, key, b"other", &first), Ok(false));
            assert_eq!(verify(Algorithm::EcdsaP256Sha256, key, b"claims", b"short"), Ok(false));
        }
        assert_eq!(sign(Algorithm::EcdsaP256Sha256, &public, b"claims"), Err(Refusal::WrongKey));
    }

    #[test]
    fn ed25519_signs_with_a_seed_and_verifies_with_a_public_key() {
        let seed = Key::Bytes(vec![9; 32]);
        let signed = sign(Algorithm::Ed25519, &seed, b"m").unwrap();
        let public = seed.ed25519().unwrap().public_key().as_ref().to_vec();
        let pair = Key::Bytes([vec![9; 32], public.clone()].concat());
        for key in [&Key::Bytes(public), &pair] {
            assert_eq!(verify(Algorithm::Ed25519, key, b"m", &signed), Ok(true));
            assert_eq!(verify(Algorithm::Ed25519, key, b"n", &signed), Ok(false));
        }
        assert_eq!(sign(Algorithm::Ed25519, &pair, b"m").unwrap(), signed);
    }

    #[test]
    fn wrong_keys_are_refused() {
        for algorithm in
            [Algorithm::Ed25519, Algorithm::RsaPkcs1Sha256, Algorithm::EcdsaP256Sha256, Algorithm::HmacSha1]
        {
            assert_eq!(sign(algorithm, &text(""), b"m"), Err(Refusal::WrongKey));
        }
        let bytes = |format, text| match Key::decode(format, text) {
            Some(Key::Bytes(bytes)) => Some(bytes),
            _ => None,
        };
        assert_eq!(bytes(SecretFormat::Hex, "00fF").unwrap(), [0, 255]);
        for wrong in ["0", "zz", "é1", "+1"] {
            assert!(bytes(SecretFormat::Hex, wrong).is_none(), "{wrong}");
        }
        for right in ["-_8=", "-_8", "+/8=", "+/8"] {
            assert_eq!(bytes(SecretFormat::Base64, right).unwrap(), [0xfb, 0xff], "{right}");
        }
        assert!(Key::decode(SecretFormat::Pem, "nonsense").is_none());
    }
}
