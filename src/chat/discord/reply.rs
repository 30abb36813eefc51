//! Where an interaction's answer goes, and how handling one ends before its answer: with words for the person, or with an answer
//! that did not arrive. It must not know what was asked.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use super::render;
use super::rest::{Limit, Rest, Upload};
use crate::chat::SendFault;
use crate::desk::DeskFault;
use crate::store::StoreFault;
use crate::voice::{Message, system};

/// Where the answer goes. Answers are for the person alone.
pub(super) struct Reply<'a> {
    rest: &'a Rest,
    application: String,
    pub(super) id: String,
    token: &'a str,
    /// "Thinking" was said: the answer replaces it.
    waiting: AtomicBool,
}

impl<'a> Reply<'a> {
    pub(super) fn new(rest: &'a Rest, application: impl ToString, id: impl ToString, token: &'a str) -> Self {
        let (application, id) = (application.to_string(), id.to_string());
        Self { rest, application, id, token, waiting: AtomicBool::new(false) }
    }

    /// The first answer, as it is.
    pub(super) async fn now(&self, body: Value) -> Handled {
        let path = format!("/interactions/{}/{}/callback", self.id, self.token);
        self.rest.json(Method::POST, &path, Some(&body), Limit::Exempt).await?;
        Ok(())
    }

    /// "Thinking", for work that may take longer than the three seconds an answer may.
    pub(super) async fn wait(&self) -> Handled {
        self.waiting.store(true, Ordering::Relaxed);
        self.now(json!({ "type": 5, "data": { "flags": 64 } })).await
    }

    pub(super) async fn say(&self, message: &Message, prompt: Option<&str>) -> Handled {
        if self.waiting.load(Ordering::Relaxed) {
            return self.with(message, prompt, None).await;
        }
        self.now(json!({ "type": 4, "data": render::private(message, prompt) })).await
    }

    /// After [`Reply::wait`]: the answer, with a file if there is one.
    pub(super) async fn with(&self, message: &Message, prompt: Option<&str>, file: Option<Upload>) -> Handled {
        let path = format!("/webhooks/{}/{}/messages/@original", self.application, self.token);
        let mut body = render::private(message, prompt);
        if let Some(fields) = body.as_object_mut() {
            fields.remove("flags");
        }
        match file {
            Some(file) => self.rest.upload(Method::PATCH, &path, &body, file, Limit::Exempt).await?,
            None => self.rest.json(Method::PATCH, &path, Some(&body), Limit::Exempt).await?,
        };
        Ok(())
    }

    /// What to say to the person who is not answered otherwise.
    ///
    /// # Errors
    /// The answer did not arrive, and another would not either.
    pub(super) fn words(&self, stop: Stop) -> Result<Message, SendFault> {
        match stop {
            Stop::Say(message) => Ok(*message),
            Stop::Fault(fault) => {
                tracing::error!(
                    interaction = self.id,
                    error = &fault as &dyn std::error::Error,
                    "command not recorded"
                );
                Ok(system::fault(&self.id))
            }
            Stop::Unsent(fault) => Err(fault),
        }
    }
}

/// Why handling ends without an answer of its own.
#[derive(Debug)]
pub(super) enum Stop {
    /// The person is told this.
    Say(Box<Message>),
    /// What was asked could not be read or recorded.
    Fault(DeskFault),
    /// The answer did not reach the person: what was recorded stands.
    Unsent(SendFault),
}

pub(super) type Handled<T = ()> = Result<T, Stop>;

impl Stop {
    /// A sentence for the person.
    pub(super) fn sorry(sentence: &str) -> Self {
        system::sorry(sentence).into()
    }
}

impl From<Message> for Stop {
    fn from(message: Message) -> Self {
        Self::Say(Box::new(message))
    }
}

/// What could not be read of what was typed, as a sentence for the person.
impl From<String> for Stop {
    fn from(sentence: String) -> Self {
        Self::sorry(&sentence)
    }
}

impl From<SendFault> for Stop {
    fn from(fault: SendFault) -> Self {
        Self::Unsent(fault)
    }
}

impl From<DeskFault> for Stop {
    fn from(fault: DeskFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreFault> for Stop {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(DeskFault::NotRecorded(fault.to_string()))
    }
}
