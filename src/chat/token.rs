//! The token a platform knows the bot by: whether it is accepted, and the file it may come from. One refusal is no proof, and a dead
//! token need not stay dead: the platform is asked, and asked again. It must not know what is sent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

use crate::redact;

/// A token. Clones share it.
#[derive(Debug, Clone)]
pub struct Token {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    value: RwLock<SecretString>,
    file: Option<PathBuf>,
    standing: Mutex<Standing>,
    changed: Notify,
}

/// What the platform says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Accepted, as far as anybody knows.
    Good,
    /// A request was refused for it; the platform has not been asked yet.
    Doubted,
    /// The platform said that it is not valid.
    Dead,
}

impl Token {
    /// A token, and the file it was read from, which may get another one.
    pub fn new(value: SecretString, file: Option<PathBuf>) -> Self {
        redact::keep_out(&value);
        let inner =
            Inner { value: RwLock::new(value), file, standing: Mutex::new(Standing::Good), changed: Notify::new() };
        Self { inner: Arc::new(inner) }
    }

    /// The token as it is now.
    pub fn value(&self) -> SecretString {
        self.inner.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.inner.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the platform says of it.
    pub fn standing(&self) -> Standing {
        *self.lock()
    }

    pub(super) fn set(&self, standing: Standing) -> Standing {
        let before = std::mem::replace(&mut *self.lock(), standing);
        self.inner.changed.notify_waiters();
        before
    }

    /// A request was refused for it: [`super::token_watch::watch`] asks the platform.
    pub fn doubt(&self) {
        let mut standing = self.lock();
        if *standing == Standing::Good {
            *standing = Standing::Doubted;
        }
        drop(standing);
        self.inner.changed.notify_waiters();
    }

    /// Waits until it is good, or is not.
    pub async fn until(&self, good: bool) {
        loop {
            let changed = self.inner.changed.notified();
            if (self.standing() == Standing::Good) == good {
                return;
            }
            changed.await;
        }
    }

    /// Reads its file again; another token there is the token from now on.
    pub(super) fn reread(&self) {
        let Some(text) = self.inner.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()) else { return };
        // Some editors begin a file with a byte order mark.
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() && text != self.value().expose_secret() {
            let value = SecretString::from(text);
            redact::keep_out(&value);
            *self.inner.value.write().unwrap_or_else(PoisonError::into_inner) = value;
            tracing::info!("token file changed, trying the new token");
        }
    }
}

impl From<SecretString> for Token {
    fn from(value: SecretString) -> Self {
        Self::new(value, None)
    }
}
