//! The life of a message that is posted once: what each attempt, look-up, start or decision of a person makes of it. After an
//! attempt of unknown outcome there is no way to another attempt but through what the target's [`Repeat`] allows.

use jiff::{SignedDuration, Timestamp};

use super::state::Outcome;
use crate::delivery::repeat::{Capability, Repeat};
use crate::delivery::state::{Doubt, Found, Post, PostEvent, PostState, Report};
use crate::delivery::times::{FRESH, LEASE, LONGEST_WAIT, backoff};
use crate::domain::delivery::Trouble;

/// Attempts that ended with the process before a message is given up.
const MAX_CRASHES: u32 = 3;
/// How long until a look-up that failed is repeated.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(10);

impl Post {
    /// A message that is due at `due`. `awaited`: its owner hears when it arrives.
    pub fn new(due: Timestamp, useful_until: Option<Timestamp>, awaited: bool) -> Self {
        Self {
            state: PostState::Waiting { at: due },
            due,
            useful_until,
            attempt: 0,
            crashes: 0,
            doubt: None,
            withdrawn: false,
            told: false,
            awaited,
            why: None,
            report: None,
        }
    }

    /// When something follows by itself; `None` once it is settled.
    pub fn next_at(&self) -> Option<Timestamp> {
        match self.state {
            PostState::Waiting { at } | PostState::Unknown { look_up_at: at } => Some(at),
            PostState::Sending { until, .. } => Some(until),
            PostState::Posted { .. }
            | PostState::Deleted
            | PostState::Held
            | PostState::Dead
            | PostState::Skipped
            | PostState::Superseded => None,
        }
    }

    /// When the first attempt began that may have had an effect.
    pub fn first_attempt(&self) -> Option<Timestamp> {
        self.doubt.and_then(|doubt| doubt.first)
    }

    /// The platform's id of the message, if it is posted.
    pub fn message_id(&self) -> Option<&str> {
        match &self.state {
            PostState::Posted { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Whether it can go to another target that stands for its readers now: nothing of it can be in the old one. `gone`: the old
    /// one is not there any more.
    pub fn may_move(&self, gone: bool) -> bool {
        match self.state {
            PostState::Waiting { .. } => self.doubt.is_none() || gone,
            PostState::Unknown { .. } => gone,
            _ => false,
        }
    }

    /// What an event makes of it. One that does not fit the state changes nothing.
    pub fn next(&mut self, event: PostEvent, now: Timestamp, can: &Capability) {
        // A person or a decision deals with the trouble before anybody was told of it.
        let settles = matches!(
            event,
            PostEvent::Withdrawn | PostEvent::Moved | PostEvent::SentAgain { .. } | PostEvent::FoundByPerson
        );
        let pending = self.report.filter(|report| !settles || *report == Report::Arrived);
        self.report = self.follow(event, now, can).or(pending);
    }

    /// What follows from an event, and what its owner must hear.
    fn follow(&mut self, event: PostEvent, now: Timestamp, can: &Capability) -> Option<Report> {
        match event {
            PostEvent::Due => self.due(now, can),
            PostEvent::Attempted { attempt, outcome } if attempt == self.attempt => self.attempted(outcome, now, can),
            PostEvent::LookedUp { attempt, found } if attempt == self.attempt => self.looked_up(found, now, can),
            PostEvent::Attempted { .. } | PostEvent::LookedUp { .. } => None,
            PostEvent::Crashed => self.crashed(now, can),
            PostEvent::Started => self.started(now, can),
            PostEvent::ShutOut { why } => self.shut_out(why, now),
            PostEvent::Withdrawn => self.withdraw(can),
            PostEvent::SentAgain { moved, closed } => self.send_again(moved, closed, now),
            PostEvent::FoundByPerson if self.state == PostState::Held => {
                self.told = true;
                self.end(PostState::Skipped, "found in the channel by a person")
            }
            PostEvent::FoundByPerson => None,
            PostEvent::Moved => self.moved(now),
            PostEvent::EditFailed { why } => {
                self.why = Some(why);
                (!std::mem::replace(&mut self.told, true)).then(|| self.stuck(Trouble::Blocked))
            }
            PostEvent::EditShown => {
                self.told = false;
                self.arrived()
            }
        }
    }

    fn due(&mut self, now: Timestamp, can: &Capability) -> Option<Report> {
        match self.state {
            PostState::Waiting { at } if at <= now => {
                let cleared = self.doubt.is_none_or(|doubt| doubt.cleared.is_some_and(|at| at + FRESH >= now));
                let nonce_ends = self.first_attempt().zip(can.nonce()).map(|(first, nonce)| first + nonce.trusted);
                if !cleared {
                    return self.doubtful(now, "looked up again before another attempt");
                }
                if !self.is_useless(now) {
                    self.attempt += 1;
                    self.state = PostState::Sending { began: now, until: now + LEASE };
                    return None;
                }
                match nonce_ends.filter(|ends| *ends > now) {
                    // The nonce allowed a repeat, which says nothing of whether it is there.
                    Some(ends) => self.wait(ends, None),
                    None => self.give_up(PostState::Skipped, Trouble::Expired, "no longer useful"),
                }
            }
            PostState::Sending { until, .. } if until <= now => self.lost("the lease ran out", now, can),
            _ => None,
        }
    }

    /// Whether it is not worth sending any more.
    pub fn is_useless(&self, now: Timestamp) -> bool {
        self.useful_until.is_some_and(|until| until < now)
    }

    fn attempted(&mut self, outcome: Outcome, now: Timestamp, can: &Capability) -> Option<Report> {
        match (&self.state, outcome) {
            // Even late: no other attempt was made since, so it is this one's message.
            (
                PostState::Sending { .. } | PostState::Unknown { .. } | PostState::Waiting { .. } | PostState::Held,
                Outcome::Sent { message },
            ) => {
                (self.state, self.told) = (PostState::Posted { message, at: now }, false);
                self.arrived()
            }
            (PostState::Sending { began, .. }, outcome) => {
                let began = *began;
                self.failed(outcome, began, now, can)
            }
            _ => None,
        }
    }

    fn failed(&mut self, outcome: Outcome, began: Timestamp, now: Timestamp, can: &Capability) -> Option<Report> {
        match outcome {
            Outcome::Sent { .. } => None,
            Outcome::Deleted => self.end(PostState::Deleted, "posted, then deleted by someone"),
            Outcome::NoRoom { at } => {
                self.attempt -= 1;
                self.without_effect(at, None, can)
            }
            Outcome::Failed { wait, why } => {
                self.without_effect(now + wait.unwrap_or_else(|| backoff(self.attempt)), Some(why), can)
            }
            Outcome::Closed { why, .. } | Outcome::Simplified { why } => self.without_effect(now, Some(why), can),
            Outcome::Refused { why } if self.withdrawn => self.without_effect(now, Some(why), can),
            Outcome::Refused { why } => self.give_up(PostState::Dead, Trouble::Dead, &why),
            Outcome::Unknown { era, why } => self.unknown(began, era, why, now, can),
        }
    }

    /// The attempt did nothing. What is withdrawn ends, unless an earlier attempt may have arrived.
    fn without_effect(&mut self, at: Timestamp, why: Option<String>, can: &Capability) -> Option<Report> {
        if !self.withdrawn {
            return self.wait(at, why);
        }
        self.state = PostState::Waiting { at };
        self.withdraw(can)
    }

    fn unknown(
        &mut self,
        began: Timestamp,
        era: Timestamp,
        why: String,
        now: Timestamp,
        can: &Capability,
    ) -> Option<Report> {
        let (first, again) = (self.first_attempt().unwrap_or(began), now + backoff(self.attempt));
        match can.repeat {
            Repeat::LookUpFirst { nonce } => {
                self.doubt = Some(Doubt { first: Some(first), cleared: None });
                let repeats_until = nonce.filter(|_| era <= first && first <= now).map(|nonce| first + nonce.repeats);
                match repeats_until.filter(|until| again < *until && !self.withdrawn) {
                    Some(until) => {
                        self.doubt = Some(Doubt { first: Some(first), cleared: Some(until - FRESH) });
                        self.wait(again, Some(why))
                    }
                    None => self.doubtful(now + can.settle, &why),
                }
            }
            Repeat::Idempotent => self.without_effect(again, Some(why), can),
            Repeat::Never => self.give_up(PostState::Held, Trouble::Held, &why),
        }
    }

    /// Nobody hears what the attempt under way led to.
    fn lost(&mut self, why: &str, now: Timestamp, can: &Capability) -> Option<Report> {
        let PostState::Sending { began, .. } = self.state else { return None };
        match can.repeat {
            Repeat::LookUpFirst { .. } => {
                self.doubt = Some(Doubt { first: self.first_attempt().or(Some(began)), cleared: None });
                self.doubtful(now + can.settle, why)
            }
            Repeat::Idempotent if self.crashes > MAX_CRASHES => self.poisoned(),
            Repeat::Idempotent => self.without_effect(now, Some(why.to_owned()), can),
            Repeat::Never => self.give_up(PostState::Held, Trouble::Held, why),
        }
    }

    fn looked_up(&mut self, found: Found, now: Timestamp, can: &Capability) -> Option<Report> {
        if !matches!(self.state, PostState::Unknown { .. }) {
            return None;
        }
        match found {
            Found::There { message, at } => {
                self.why = Some("found in the channel".to_owned());
                (self.state, self.told) = (PostState::Posted { message, at }, false);
                self.arrived()
            }
            Found::NotThere => self.absent(now),
            Found::Unreadable { era } => match self.first_attempt() {
                // Every known attempt had a known outcome.
                None => self.absent(now),
                Some(first) => self.unreadable(first, era, now, can),
            },
            Found::Failed { wait } => self.doubtful(now + wait.unwrap_or(LOOK_AGAIN), "the look-up failed"),
            Found::Closed { .. } if self.withdrawn => self.end(PostState::Superseded, "withdrawn"),
            Found::Closed { .. } if self.is_useless(now) => {
                self.give_up(PostState::Skipped, Trouble::Expired, "no longer useful")
            }
            Found::Closed { why, .. } => self.doubtful(now, &why),
        }
    }

    fn absent(&mut self, now: Timestamp) -> Option<Report> {
        if self.withdrawn {
            return self.end(PostState::Superseded, "withdrawn");
        }
        if self.crashes > MAX_CRASHES {
            return self.poisoned();
        }
        self.doubt = self.doubt.map(|doubt| Doubt { cleared: Some(now), ..doubt });
        self.wait(now, Some("not in the channel".to_owned()))
    }

    fn poisoned(&mut self) -> Option<Report> {
        self.give_up(PostState::Dead, Trouble::Dead, "it is not in the channel, and sending it crashed too often")
    }

    /// Within the nonce's time the nonce alone prevents a duplicate; after it only a person can tell.
    fn unreadable(&mut self, first: Timestamp, era: Timestamp, now: Timestamp, can: &Capability) -> Option<Report> {
        let window = can.nonce().filter(|nonce| era <= first && (first..=first + nonce.trusted).contains(&now));
        match window {
            _ if self.withdrawn => self.end(PostState::Superseded, "withdrawn"),
            Some(nonce) => {
                self.doubt = Some(Doubt { first: Some(first), cleared: Some(first + nonce.trusted - FRESH) });
                self.wait(now, Some("cannot read the channel's history; the nonce prevents a duplicate".to_owned()))
            }
            None => self.give_up(
                PostState::Held,
                Trouble::Held,
                "T-Minus cannot read the channel's history, so it cannot tell whether it posted the message",
            ),
        }
    }

    fn crashed(&mut self, now: Timestamp, can: &Capability) -> Option<Report> {
        match self.state {
            PostState::Sending { .. } => {
                self.crashes += 1;
                self.lost("sending it crashed", now, can)
            }
            PostState::Unknown { .. } => self.doubtful(now + can.settle, "the look-up crashed"),
            _ => None,
        }
    }

    /// What was under way is lost. What is overdue is looked up: after a restored backup it may be there already.
    fn started(&mut self, now: Timestamp, can: &Capability) -> Option<Report> {
        // A look-up made by another clock clears nothing.
        self.doubt = self.doubt.map(|doubt| Doubt { cleared: None, ..doubt });
        match self.state {
            PostState::Sending { .. } => {
                self.crashes += 1;
                self.lost("interrupted while it was sent", now, can)
            }
            PostState::Waiting { .. } if self.due < now => match can.repeat {
                Repeat::LookUpFirst { .. } => self.doubtful(now, "overdue at start"),
                Repeat::Idempotent => self.wait(now, None),
                Repeat::Never => self.give_up(PostState::Held, Trouble::Held, "overdue at start"),
            },
            PostState::Waiting { at } if at > now + LONGEST_WAIT && at > self.due => self.wait(self.due.max(now), None),
            PostState::Unknown { look_up_at } if self.attempt > 0 || look_up_at > now + LONGEST_WAIT => {
                self.state = PostState::Unknown { look_up_at: now + can.settle };
                None
            }
            _ => None,
        }
    }

    /// Told once; what is of no use any more ends.
    fn shut_out(&mut self, why: String, now: Timestamp) -> Option<Report> {
        match self.state {
            PostState::Waiting { at } | PostState::Unknown { look_up_at: at } if at <= now => {}
            _ => return None,
        }
        if self.withdrawn {
            return self.end(PostState::Superseded, "withdrawn");
        }
        // What may be there is left to the look-up.
        let surely_not = self.doubt.is_none() && matches!(self.state, PostState::Waiting { .. });
        if surely_not && self.is_useless(now) {
            return self.give_up(PostState::Skipped, Trouble::Expired, "no longer useful");
        }
        self.why = Some(why);
        (!std::mem::replace(&mut self.told, true)).then(|| self.stuck(Trouble::Blocked))
    }

    /// Not sent any more. What may be there is looked up once no earlier attempt can still arrive.
    fn withdraw(&mut self, can: &Capability) -> Option<Report> {
        match self.state {
            PostState::Posted { .. } | PostState::Deleted | PostState::Skipped | PostState::Superseded => return None,
            PostState::Waiting { at } if self.doubt.is_some() => {
                let repeats = can.nonce().map_or(SignedDuration::ZERO, |nonce| nonce.repeats);
                let settled = self.first_attempt().map_or(at, |first| first + repeats + can.settle);
                self.state = PostState::Unknown { look_up_at: at.max(settled) };
            }
            PostState::Waiting { .. } | PostState::Held | PostState::Dead => self.state = PostState::Superseded,
            PostState::Sending { .. } | PostState::Unknown { .. } => {}
        }
        (self.withdrawn, self.told, self.why) = (true, true, Some("withdrawn".to_owned()));
        None
    }

    fn send_again(&mut self, moved: bool, closed: bool, now: Timestamp) -> Option<Report> {
        match self.state {
            PostState::Unknown { .. } if !(moved && closed) => {}
            PostState::Held | PostState::Dead | PostState::Waiting { .. } | PostState::Unknown { .. } => {
                // A person has looked.
                self.doubt = self.doubt.filter(|_| self.state != PostState::Held);
                self.crashes = 0;
                self.wait(now, Some("sent again by a person".to_owned()));
                if moved {
                    self.ask_new_target();
                }
            }
            PostState::Sending { .. } => {}
            PostState::Posted { .. } => {
                self.told = false;
                return None;
            }
            PostState::Deleted | PostState::Skipped | PostState::Superseded => return None,
        }
        // If it fails once more, that is news.
        (self.useful_until, self.told) = (None, false);
        None
    }

    /// Nothing that was known of the old target counts for the new one, which is asked first.
    fn moved(&mut self, now: Timestamp) -> Option<Report> {
        self.ask_new_target();
        (self.crashes, self.told) = (0, false);
        self.wait(self.due.max(now), Some("another channel is set".to_owned()))
    }

    /// Looked up there before it is sent. A look-up of the old target that is under way counts no more.
    fn ask_new_target(&mut self) {
        self.doubt = Some(Doubt { first: None, cleared: None });
        self.attempt += 1;
    }

    fn wait(&mut self, at: Timestamp, why: Option<String>) -> Option<Report> {
        (self.state, self.why) = (PostState::Waiting { at }, why);
        None
    }

    fn doubtful(&mut self, look_up_at: Timestamp, why: &str) -> Option<Report> {
        (self.state, self.why) = (PostState::Unknown { look_up_at }, Some(why.to_owned()));
        None
    }

    fn end(&mut self, state: PostState, why: &str) -> Option<Report> {
        (self.state, self.why) = (state, Some(why.to_owned()));
        None
    }

    /// It did not arrive, and people hear of it.
    fn give_up(&mut self, state: PostState, trouble: Trouble, why: &str) -> Option<Report> {
        if self.withdrawn {
            return self.end(PostState::Superseded, why);
        }
        self.end(state, why);
        self.told = true;
        Some(self.stuck(trouble))
    }

    fn stuck(&mut self, trouble: Trouble) -> Report {
        self.awaited = true;
        Report::Stuck(trouble)
    }

    fn arrived(&mut self) -> Option<Report> {
        std::mem::take(&mut self.awaited).then_some(Report::Arrived)
    }
}
