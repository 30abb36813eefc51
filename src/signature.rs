//! Standard Webhooks: HMAC-SHA256 over id, timestamp and raw body, for what comes in and what goes out.
//! <https://github.com/standard-webhooks/standard-webhooks>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The key behind a secret: `whsec_` and base64, or plain bytes. Empty if it does not decode.
fn key(secret: &str) -> Vec<u8> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => BASE64.decode(encoded).unwrap_or_default(),
        None => secret.as_bytes().to_vec(),
    }
}

/// How many bytes the key behind a secret has; 0 where it does not decode.
pub fn key_length(secret: &str) -> usize {
    key(secret).len()
}

fn mac(secret: &str, id: &str, stamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let key = key(secret);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok().filter(|_| !key.is_empty())?;
    for part in [id.as_bytes(), b".", stamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Some(mac)
}

/// Whether one of the space-separated signatures is right; compared in constant time.
pub fn verify(secret: &str, id: &str, stamp: &str, body: &[u8], signatures: &str) -> bool {
    let given = signatures.split(' ').filter_map(|s| s.strip_prefix("v1,")).filter_map(|s| BASE64.decode(s).ok());
    given.into_iter().any(|given| mac(secret, id, stamp, body).is_some_and(|mac| mac.verify_slice(&given).is_ok()))
}

/// The signature of a message; `None` where the secret is no key.
pub fn sign(secret: &str, id: &str, stamp: &str, body: &[u8]) -> Option<String> {
    Some(format!("v1,{}", BASE64.encode(mac(secret, id, stamp, body)?.finalize().into_bytes())))
}
