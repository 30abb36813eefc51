//! Configured secrets by value: whatever is logged, stored or said of what others answer goes through here first. It must not know
//! where a secret is used.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

/// What stands in a secret's place.
const REDACTED: &str = "(secret)";
/// Shorter texts are words; the configuration takes no shorter secret but a token that cannot be one.
const SHORTEST: usize = 8;

static SECRETS: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());

/// Keeps a secret out from now on, with its prefix and without, and as JSON writes it.
pub fn keep_out(secret: &SecretString) {
    let text = secret.expose_secret();
    let mut secrets = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    for text in [Some(text), text.strip_prefix("whsec_"), Some(&escaped)].into_iter().flatten() {
        if text.len() >= SHORTEST && !secrets.iter().any(|known| known.expose_secret() == text) {
            secrets.push(SecretString::from(text));
        }
    }
    // The longest first: one may hold another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
}

/// A text without any secret.
pub fn clean(text: &str) -> Cow<'_, str> {
    let secrets = SECRETS.read().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    for secret in secrets.iter() {
        if text.contains(secret.expose_secret()) {
            text = Cow::Owned(text.replace(secret.expose_secret(), REDACTED));
        }
    }
    text
}

/// A writer of whole lines that lets no secret through.
#[derive(Debug)]
pub struct Clean<W>(pub W);

impl<W: Write> Write for Clean<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(clean(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_passes_in_any_form_it_is_configured_in() {
        for secret in ["whsec_S2VlcCBtZSBvdXQ=", "a-canary-of-this-test", "a-canary-of-this-test-and-more"] {
            keep_out(&SecretString::from(secret));
        }
        keep_out(&SecretString::from("short"));
        let cleaned = clean("key a-canary-of-this-test-and-more, S2VlcCBtZSBvdXQ=, in short a-canary-of-this-test.");
        assert_eq!(cleaned, "key (secret), (secret), in short (secret).");
        let mut written = Vec::new();
        Clean(&mut written).write_all(b"Bearer a-canary-of-this-test\n").unwrap();
        assert_eq!(written, b"Bearer (secret)\n");
    }
}
