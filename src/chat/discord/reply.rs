//! Where an interaction's answer goes, and how handling one ends before its answer: with words for the person, or with an answer
//! that did not arrive. An answer is sent again while the person can still see it. It must not know what was asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::missed::{Miss, Missed};
use super::render;
use super::rest::{Limit, Rest, Retries, Upload};
use crate::desk::DeskFault;
use crate::domain::ids::UserId;
use crate::sending::SendFault;
use crate::store::StoreFault;
use crate::voice::{Message, system};

/// The first answer must arrive within three seconds of the press; some went by before it was heard of.
const FIRST: Duration = Duration::from_millis(2_700);
/// How long one attempt at a first answer may take, so that there is time for another.
const ATTEMPT: Duration = Duration::from_millis(1_200);
/// A token lives for fifteen minutes; one attempt may take ten seconds.
const LATER: Duration = Duration::from_secs(14 * 60);
/// Where the answer goes. Answers are for the person alone.
pub(super) struct Reply<'a> {
    rest: &'a Rest,
    missed: &'a Missed,
    asked: Asked<'a>,
    begun: Instant,
    /// "Thinking" was said: the answer replaces it.
    waiting: AtomicBool,
}

/// An interaction, as far as its answer concerns it.
pub(super) struct Asked<'a> {
    pub(super) application: String,
    pub(super) id: String,
    pub(super) token: &'a str,
    pub(super) person: UserId,
    /// When the person pressed, by Discord's clock.
    pub(super) at: Timestamp,
}

impl<'a> Reply<'a> {
    pub(super) fn new(rest: &'a Rest, missed: &'a Missed, asked: Asked<'a>) -> Self {
        Self { rest, missed, asked, begun: Instant::now(), waiting: AtomicBool::new(false) }
    }

    /// The interaction's id.
    pub(super) fn id(&self) -> &str {
        &self.asked.id
    }

    /// When the person pressed, by Discord's clock.
    pub(super) fn at(&self) -> Timestamp {
        self.asked.at
    }

    /// The first answer, as it is.
    pub(super) async fn now(&self, body: Value) -> Handled {
        let path = format!("/interactions/{}/{}/callback", self.asked.id, self.asked.token);
        let mut retries = Retries::until(self.begun + FIRST);
        loop {
            let sent = self.rest.json(Method::POST, &path, Some(&body), Limit::Exempt);
            let timed_out = |_| Err(SendFault::Unknown("timed out".to_owned()));
            match tokio::time::timeout(ATTEMPT, sent).await.unwrap_or_else(timed_out) {
                // An attempt whose answer was lost has arrived.
                Ok(_) | Err(SendFault::AlreadyDone) => return Ok(()),
                Err(fault) => retries.rest(fault).await?,
            }
        }
    }

    /// "Thinking", for work that may take longer than the three seconds an answer may. Nothing was done before: where the person cannot
    /// be answered any more, they learn that from their next answer.
    pub(super) async fn wait(&self) -> Handled {
        let waits = self.now(json!({ "type": 5, "data": { "flags": 64 } })).await;
        match &waits {
            Ok(()) => self.waiting.store(true, Ordering::Relaxed),
            Err(_) => self.missed.note(&self.asked.person, self.asked.at, Miss::Press),
        }
        waits
    }

    /// Whether "thinking" was said.
    pub(super) fn waits(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) async fn say(&self, message: &Message, prompt: Option<&str>) -> Handled {
        if self.waits() {
            return self.with(message, prompt, None).await;
        }
        let (shown, missed) = self.missed.with(&self.asked.person, message);
        let said = self.now(json!({ "type": 4, "data": render::private(&shown, prompt) })).await;
        self.note(message, missed, said)
    }

    /// After [`Reply::wait`]: the answer, with a file if there is one.
    pub(super) async fn with(&self, message: &Message, prompt: Option<&str>, file: Option<Upload>) -> Handled {
        let path = format!("/webhooks/{}/{}/messages/@original", self.asked.application, self.asked.token);
        let (shown, missed) = self.missed.with(&self.asked.person, message);
        let mut body = render::private(&shown, prompt);
        if let Some(fields) = body.as_object_mut() {
            fields.remove("flags");
            if let Some(file) = &file {
                // However often it is sent, the answer has one file.
                fields.insert("attachments".to_owned(), json!([{ "id": "0", "filename": file.name }]));
            }
        }
        let mut retries = Retries::until(self.begun + LATER);
        let said = loop {
            let sent = match &file {
                Some(file) => self.rest.upload(Method::PATCH, &path, &body, file.clone(), Limit::Exempt).await,
                None => self.rest.json(Method::PATCH, &path, Some(&body), Limit::Exempt).await,
            };
            match sent {
                Ok(_) => break Ok(()),
                Err(fault) => {
                    if let Err(fault) = retries.rest(fault).await {
                        break Err(fault.into());
                    }
                }
            }
        };
        self.note(message, missed, said)
    }

    /// Notes whether an answer arrived, with what the person had missed before, or is missed itself.
    fn note(&self, message: &Message, missed: Option<Timestamp>, said: Handled) -> Handled {
        match said {
            Ok(()) => self.missed.told(&self.asked.person, missed),
            Err(_) => {
                let miss = Miss::Answer(message.headline.words());
                self.missed.note(&self.asked.person, self.asked.at, miss);
            }
        }
        said
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
                    interaction = self.id(),
                    error = &fault as &dyn std::error::Error,
                    "command not recorded"
                );
                Ok(system::fault(self.id()))
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
