//! The newest rendering of a posted message: the latest wins, whenever an earlier one takes effect, and edits of one message keep
//! apart.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::delivery::times::LONGEST_WAIT;

/// What a message is to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendering {
    /// The platform-neutral message as JSON.
    pub payload: String,
    /// What its buttons lead to.
    pub prompt: Option<String>,
}

/// The edits of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What it is to show.
    pub rendering: Rendering,
    /// Renderings wanted so far, and the last of them that is shown.
    pub wanted: u64,
    pub done: u64,
    /// The next attempt, while the wanted one is not shown.
    pub at: Timestamp,
    /// An earlier attempt of unknown outcome may take effect until then: the newest rendering is sent once more.
    pub again: Option<Timestamp>,
    pub attempt: u32,
    pub shown_at: Option<Timestamp>,
    /// What the message shows, in short; `None` where nobody knows.
    pub shown: Option<String>,
}

/// What happens to the edits of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditEvent {
    /// Another rendering is wanted, this long after the last at the soonest.
    Wanted { rendering: Rendering, apart: SignedDuration },
    /// The `n`th rendering, sent at `began`, is shown; or never will be.
    Done { n: u64, began: Timestamp, shows: Option<String> },
    /// Not shown yet, tried again at `at`; `unsure_until`: an attempt may still take effect until then.
    Failed { at: Timestamp, unsure_until: Option<Timestamp> },
    /// A person has it tried now.
    Now,
    /// The process started, or its clock jumped. `settle` is how long a request that was under way may take to show, if one may have been.
    Started { settle: Option<SignedDuration> },
}

impl Edit {
    /// The edits of a message that shows what it was posted with.
    pub fn none(posted: Rendering, now: Timestamp) -> Self {
        Self { rendering: posted, wanted: 0, done: 0, at: now, again: None, attempt: 0, shown_at: None, shown: None }
    }

    /// What an event makes of the edits of a message that was posted so: they begin with the first other rendering.
    pub fn follow(edit: &mut Option<Self>, posted: &Rendering, event: EditEvent, now: Timestamp) {
        if let (None, EditEvent::Wanted { rendering, .. }) = (&edit, &event)
            && rendering != posted
        {
            *edit = Some(Self::none(posted.clone(), now));
        }
        if let Some(edit) = edit {
            edit.next(event, now);
        }
    }

    /// When it is due; `None` once the message shows what is wanted.
    pub fn next_at(&self) -> Option<Timestamp> {
        if self.done < self.wanted { Some(self.at) } else { self.again }
    }

    /// What an event makes of it.
    pub fn next(&mut self, event: EditEvent, now: Timestamp) {
        match event {
            EditEvent::Wanted { rendering, .. } if rendering == self.rendering => {}
            EditEvent::Wanted { rendering, apart } => {
                if self.done >= self.wanted {
                    self.at = self.shown_at.map_or(now, |shown| now.max(shown + apart));
                }
                self.rendering = rendering;
                self.wanted += 1;
                self.attempt = 0;
            }
            EditEvent::Done { n, began, shows } => {
                self.done = self.done.max(n);
                (self.shown_at, self.attempt) = (Some(now), 0);
                self.shown = shows.or(self.shown.take());
                self.again = self.again.filter(|again| *again > began);
            }
            EditEvent::Failed { at, unsure_until } => {
                self.at = at;
                self.attempt += 1;
                self.again = unsure_until.or(self.again.map(|again| again.max(at)));
            }
            EditEvent::Now => self.at = now,
            EditEvent::Started { settle } => {
                let longest = now + LONGEST_WAIT;
                self.again = self.again.map(|again| again.min(longest));
                if let Some(settle) = settle.filter(|_| self.done < self.wanted && self.at <= now) {
                    self.again = Some(now + settle);
                }
                if self.at > longest {
                    self.at = now;
                }
            }
        }
    }
}
