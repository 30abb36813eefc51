//! Presses and answers that did not arrive, as Discord tells of them: each person is told once, in their next answer.
//!
//! Discord waits three seconds for an answer; what a resumed connection brings later can no longer be answered.
//! <https://discord.com/developers/docs/interactions/receiving-and-responding>

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::domain::ids::UserId;
use crate::voice::Message;
use crate::voice::system;

/// People of whom one is remembered.
const KEPT: usize = 1_000;

/// Something a person did not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// What they asked came too late to be answered, and was not done.
    Press,
    /// It was done or refused, and the answer came too late; its headline.
    Answer(String),
}

/// What people missed, the newest of each.
#[derive(Debug, Default)]
pub(super) struct Missed {
    by_person: Mutex<BTreeMap<UserId, (Timestamp, Miss)>>,
}

impl Missed {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<UserId, (Timestamp, Miss)>> {
        self.by_person.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what somebody missed; `at` is when they asked.
    pub(super) fn note(&self, person: &UserId, at: Timestamp, miss: Miss) {
        let mut by_person = self.lock();
        by_person.insert(person.clone(), (at, miss));
        if by_person.len() > KEPT
            && let Some(oldest) = by_person.iter().min_by_key(|(_, (at, _))| *at).map(|(person, _)| person.clone())
        {
            by_person.remove(&oldest);
        }
    }

    /// An answer with what its reader missed before it, and when that was.
    pub(super) fn with(&self, person: &UserId, message: &Message) -> (Message, Option<Timestamp>) {
        match self.lock().get(person) {
            None => (message.clone(), None),
            Some((at, Miss::Press)) => (system::press_missed(message.clone(), *at), Some(*at)),
            Some((at, Miss::Answer(headline))) => (system::answer_missed(message.clone(), *at, headline), Some(*at)),
        }
    }

    /// An answer has arrived: its reader knows what they missed at that time.
    pub(super) fn told(&self, person: &UserId, at: Option<Timestamp>) {
        let mut by_person = self.lock();
        if by_person.get(person).is_some_and(|(missed, _)| Some(*missed) == at) {
            by_person.remove(person);
        }
    }
}
