//! Signs `extra.message` with `extra.secret` by `extra.algorithm`, or verifies `extra.signature` (hexadecimal), and
//! reports `{"signature"}` in hexadecimal, `{"verified"}`, or `{"refusal"}`.

use guest_sdk::signing::{Algorithm, Refusal, sign, verify};
use guest_sdk::{Format, Manifest, Notification, Outcome, Secret};
use serde_json::{Value, json};
use test_guests::{extra, hex, report, text, unhex};

fn manifest() -> Manifest {
    let secret = |name, format| Secret::new(name, "Signs what the test says.").format(format).optional();
    test_guests::manifest("Sign probe")
        .declare(secret("text_key", Format::Text))
        .declare(secret("base64_key", Format::Base64).prefix("whsec_"))
        .declare(secret("hex_key", Format::Hex))
        .declare(secret("pem_key", Format::Pem))
}

fn send(batch: Vec<Notification>) -> Vec<Outcome> {
    batch.iter().map(|notification| report(&probe(&extra(notification)))).collect()
}

fn probe(wish: &Value) -> Value {
    let algorithm = match wish["algorithm"].as_str() {
        Some("hmac-sha1") => Algorithm::HmacSha1,
        Some("hmac-sha256") => Algorithm::HmacSha256,
        Some("ed25519") => Algorithm::Ed25519,
        Some("rsa-pkcs1-sha256") => Algorithm::RsaPkcs1Sha256,
        Some("ecdsa-p256-sha256") => Algorithm::EcdsaP256Sha256,
        _ => return json!({ "mistake": "extra.algorithm is none" }),
    };
    let (secret, message) = (text(wish, "secret"), text(wish, "message"));
    let found = match wish["signature"].as_str() {
        Some(signature) => verify(&secret, algorithm, message.as_bytes(), &unhex(signature))
            .map(|verified| json!({ "verified": verified })),
        None => sign(&secret, algorithm, message.as_bytes()).map(|signature| json!({ "signature": hex(&signature) })),
    };
    found.unwrap_or_else(|refusal| {
        let refusal = match refusal {
            Refusal::Denied => "denied",
            Refusal::NoSuchSecret => "no-such-secret",
            Refusal::WrongKey => "wrong-key",
        };
        json!({ "refusal": refusal })
    })
}

test_guests::guest!(manifest(), send);
