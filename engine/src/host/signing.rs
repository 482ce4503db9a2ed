//! Signatures with secrets that the component names and never sees.

use super::bindings::signing::{Algorithm, Host, Refusal};
use super::call::CallState;
use crate::rules::grants;
use crate::rules::manifest::SecretFormat;
use base64::Engine as _;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::pkcs8::DecodePrivateKey;
use ring::signature::KeyPair;
use ring::{hmac, rand, signature};

impl Host for CallState {
    fn sign(&mut self, secret: String, algorithm: Algorithm, message: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        sign(algorithm, &self.key(&secret)?, &message)
    }

    fn verify(
        &mut self,
        secret: String,
        algorithm: Algorithm,
        message: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<bool, Refusal> {
        verify(algorithm, &self.key(&secret)?, &message, &signature)
    }
}

impl CallState {
    /// A secret's key, decoded as the manifest says.
    fn key(&mut self, name: &str) -> Result<Vec<u8>, Refusal> {
        if let Err(denial) = grants::signing(&self.powers.grants, self.kind, name) {
            self.log.add("warn", &denial.message);
            return Err(Refusal::Denied);
        }
        let (asked, secret) = self.powers.secrets.get(name).ok_or(Refusal::NoSuchSecret)?;
        let text = secret.reveal();
        decode(asked.format, text.strip_prefix(asked.prefix.as_str()).unwrap_or(text)).ok_or(Refusal::WrongKey)
    }
}

fn decode(format: SecretFormat, text: &str) -> Option<Vec<u8>> {
    match format {
        SecretFormat::Text => Some(text.as_bytes().to_vec()),
        SecretFormat::Base64 => base64::engine::general_purpose::STANDARD.decode(text.trim()).ok(),
        SecretFormat::Hex => {
            let text = text.trim();
            (text.len() % 2 == 0 && text.is_ascii())
                .then(|| (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect())
                .flatten()
        }
        SecretFormat::Pem => {
            let body: String =
                text.lines().filter(|line| !line.starts_with("-----")).flat_map(|line| line.trim().chars()).collect();
            base64::engine::general_purpose::STANDARD.decode(body).ok()
        }
    }
}

fn hmac_key(algorithm: hmac::Algorithm, key: &[u8]) -> Result<hmac::Key, Refusal> {
    if key.is_empty() { Err(Refusal::WrongKey) } else { Ok(hmac::Key::new(algorithm, key)) }
}

fn ed25519(key: &[u8]) -> Result<signature::Ed25519KeyPair, Refusal> {
    match key.len() {
        32 => signature::Ed25519KeyPair::from_seed_unchecked(key),
        64 => signature::Ed25519KeyPair::from_seed_unchecked(&key[..32]),
        _ => signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(key),
    }
    .map_err(|_| Refusal::WrongKey)
}

fn rsa(key: &[u8]) -> Result<signature::RsaKeyPair, Refusal> {
    signature::RsaKeyPair::from_pkcs8(key)
        .or_else(|_| signature::RsaKeyPair::from_der(key))
        .map_err(|_| Refusal::WrongKey)
}

fn p256(key: &[u8]) -> Result<p256::ecdsa::SigningKey, Refusal> {
    p256::ecdsa::SigningKey::from_pkcs8_der(key).map_err(|_| Refusal::WrongKey)
}

fn sign(algorithm: Algorithm, key: &[u8], message: &[u8]) -> Result<Vec<u8>, Refusal> {
    match algorithm {
        Algorithm::HmacSha1 => {
            Ok(hmac::sign(&hmac_key(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)?, message).as_ref().to_vec())
        }
        Algorithm::HmacSha256 => Ok(hmac::sign(&hmac_key(hmac::HMAC_SHA256, key)?, message).as_ref().to_vec()),
        Algorithm::Ed25519 => Ok(ed25519(key)?.sign(message).as_ref().to_vec()),
        Algorithm::RsaPkcs1Sha256 => {
            let key = rsa(key)?;
            let mut signed = vec![0; key.public().modulus_len()];
            key.sign(&signature::RSA_PKCS1_SHA256, &rand::SystemRandom::new(), message, &mut signed)
                .map_err(|_| Refusal::WrongKey)?;
            Ok(signed)
        }
        Algorithm::EcdsaP256Sha256 => {
            let signed: p256::ecdsa::Signature = p256(key)?.sign(message);
            Ok(signed.to_bytes().to_vec())
        }
    }
}

fn verify(algorithm: Algorithm, key: &[u8], message: &[u8], signed: &[u8]) -> Result<bool, Refusal> {
    match algorithm {
        Algorithm::HmacSha1 => {
            Ok(hmac::verify(&hmac_key(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key)?, message, signed).is_ok())
        }
        Algorithm::HmacSha256 => Ok(hmac::verify(&hmac_key(hmac::HMAC_SHA256, key)?, message, signed).is_ok()),
        Algorithm::Ed25519 => {
            let public = ed25519(key)?.public_key().as_ref().to_vec();
            Ok(signature::UnparsedPublicKey::new(&signature::ED25519, public).verify(message, signed).is_ok())
        }
        Algorithm::RsaPkcs1Sha256 => {
            let public = rsa(key)?.public_key().as_ref().to_vec();
            Ok(signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public)
                .verify(message, signed)
                .is_ok())
        }
        Algorithm::EcdsaP256Sha256 => {
            let key = p256(key)?;
            let Ok(signed) = p256::ecdsa::Signature::from_slice(signed) else { return Ok(false) };
            Ok(p256::ecdsa::VerifyingKey::from(&key).verify(message, &signed).is_ok())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector that Twilio's libraries share.
    #[test]
    fn twilios_vector() {
        let message = "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+12349013030Digits1234From+12349013030To+18005551212";
        let signed = sign(Algorithm::HmacSha1, b"12345", message.as_bytes()).unwrap();
        assert_eq!(base64::engine::general_purpose::STANDARD.encode(&signed), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=");
        assert_eq!(verify(Algorithm::HmacSha1, b"12345", message.as_bytes(), &signed), Ok(true));
        assert_eq!(verify(Algorithm::HmacSha1, b"12346", message.as_bytes(), &signed), Ok(false));
    }

    #[test]
    fn ecdsa_is_deterministic_and_raw() {
        use p256::pkcs8::EncodePrivateKey;
        let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        let pem = key.to_pkcs8_pem(Default::default()).unwrap();
        let der = decode(SecretFormat::Pem, &pem).unwrap();
        let first = sign(Algorithm::EcdsaP256Sha256, &der, b"claims").unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(first, sign(Algorithm::EcdsaP256Sha256, &der, b"claims").unwrap());
        assert_eq!(verify(Algorithm::EcdsaP256Sha256, &der, b"claims", &first), Ok(true));
        assert_eq!(verify(Algorithm::EcdsaP256Sha256, &der, b"other", &first), Ok(false));
        assert_eq!(verify(Algorithm::EcdsaP256Sha256, &der, b"claims", b"short"), Ok(false));
    }

    #[test]
    fn ed25519_signs_and_verifies() {
        let signed = sign(Algorithm::Ed25519, &[9; 32], b"m").unwrap();
        assert_eq!(verify(Algorithm::Ed25519, &[9; 32], b"m", &signed), Ok(true));
        assert_eq!(verify(Algorithm::Ed25519, &[8; 32], b"m", &signed), Ok(false));
    }

    #[test]
    fn wrong_keys_are_refused() {
        for algorithm in
            [Algorithm::Ed25519, Algorithm::RsaPkcs1Sha256, Algorithm::EcdsaP256Sha256, Algorithm::HmacSha1]
        {
            assert_eq!(sign(algorithm, b"", b"m"), Err(Refusal::WrongKey));
        }
        assert_eq!(decode(SecretFormat::Hex, "00ff").unwrap(), [0, 255]);
        for text in ["0", "zz", "é1"] {
            assert!(decode(SecretFormat::Hex, text).is_none());
        }
        assert_eq!(decode(SecretFormat::Base64, "AP8=\n").unwrap(), [0, 255]);
    }
}
