//! A decision in the making: the release evolves as events are recorded, and effects collect.

use jiff::{SignedDuration, Timestamp};

use super::effect::{Effect, Posting, Priority, Redelivery};
use super::event::{EVENT_VERSION, Event, Recorded};
use super::freeze::Planned;
use super::ids::{Destination, UserId};
use super::key::PostKey;
use super::notice::Notice;
use super::people::Actor;
use super::plan::ContingencyWhen;
use super::policy::{Policy, quiet_until};
use super::prompt::Prompt;
use super::refusal::{Refusal, Wanted};
use super::release::Release;
use super::reply::Reply;
use super::rollback::RollbackNotice;

/// What a decision may look at beside the release.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub now: Timestamp,
    pub actor: &'a Actor,
    /// The workspace's present policy. A release goes by its own copy, which submitting takes and changes of policy renew.
    pub policy: &'a Policy,
    /// The workspace's other open releases, where overlaps are looked for; else empty.
    pub others: &'a [Planned],
}

/// Messages of one person, release and kind of doing within [`REPORTED`].
const REPORTS: u32 = 3;
const REPORTED: SignedDuration = SignedDuration::from_mins(10);

/// A decision in the making: the release evolves as events are recorded.
#[derive(Debug)]
pub struct Work<'a> {
    pub release: Release,
    pub ctx: Context<'a>,
    events: Vec<Recorded>,
    pub(super) effects: Vec<Effect>,
}

impl<'a> Work<'a> {
    pub(in crate::domain) fn new(release: Release, ctx: Context<'a>) -> Self {
        Self { release, ctx, events: Vec::new(), effects: Vec::new() }
    }

    pub(in crate::domain) fn with(release: Release, first: Recorded, ctx: Context<'a>) -> Self {
        Self { release, ctx, events: vec![first], effects: Vec::new() }
    }

    pub(in crate::domain) fn done(mut self, reply: Reply) -> Decision {
        self.keep_quiet();
        Decision { events: self.events, effects: self.effects, reply, release: self.release }
    }

    /// In its quiet hours an audience is told without its role being called.
    fn keep_quiet(&mut self) {
        let (policy, now) = (&self.release.policy, self.ctx.now);
        for effect in &mut self.effects {
            if let Effect::Post(posting) = effect
                && let Destination::Audience(audience) = &posting.to
            {
                posting.ping &= quiet_until(policy, audience, now).is_none();
            }
        }
    }

    /// Records an event and lets the release evolve by it.
    pub(in crate::domain) fn record(&mut self, event: impl Into<Event>) {
        let recorded = recorded(self.ctx, event.into());
        self.release.evolve(&recorded);
        self.events.push(recorded);
    }

    /// Says something to a channel, once for ever under `key`; the posting may be refined by the caller.
    pub(in crate::domain) fn post(
        &mut self,
        key: impl Into<PostKey>,
        to: Destination,
        notice: impl Into<Notice>,
    ) -> &mut Posting {
        self.effects.push(Effect::Post(Box::new(Posting {
            key: key.into(),
            at_most: None,
            to,
            notice: notice.into(),
            prompt: None,
            priority: Priority::Update,
            useful_until: None,
            mention: Vec::new(),
            ping: true,
            reply_to: None,
            document: false,
        })));
        match self.effects.last_mut() {
            Some(Effect::Post(posting)) => posting,
            Some(Effect::Edit { .. } | Effect::Redeliver { .. } | Effect::Recall { .. }) | None => {
                unreachable!("a posting was pushed just now")
            }
        }
    }

    /// Reports what a person did. It goes last, and somebody who does the same again and again gets [`REPORTS`] messages in
    /// [`REPORTED`]; the last of them shows the rest.
    pub(in crate::domain) fn report(&mut self, what: &str, to: Destination, notice: impl Into<Notice>) -> &mut Posting {
        let by = self.ctx.actor.person().map_or("T-Minus", |person| person.user.0.as_str());
        let posting = self.series(&format!("{what}/{by}"), to, notice);
        posting.priority = Priority::Report;
        posting
    }

    /// Posts the present state: [`REPORTS`] messages in [`REPORTED`]; the last one shows later changes.
    pub(in crate::domain) fn series(&mut self, what: &str, to: Destination, notice: impl Into<Notice>) -> &mut Posting {
        let slot = self.ctx.now.as_second().div_euclid(REPORTED.as_secs());
        let posting = self.post(format!("{what}/{slot}"), to, notice);
        posting.at_most = Some(REPORTS);
        posting
    }

    /// Renders the message under `key` anew.
    pub(in crate::domain) fn edit(
        &mut self,
        key: impl Into<PostKey>,
        notice: impl Into<Notice>,
        prompt: Option<Prompt>,
    ) {
        self.effects.push(Effect::Edit { key: key.into(), notice: Box::new(notice.into()), prompt });
    }

    /// What the courier is to do with the message under `key`.
    pub(in crate::domain) fn redeliver(&mut self, key: &PostKey, how: Redelivery) {
        self.effects.push(Effect::Redeliver { key: key.clone(), how });
    }

    /// What is not in its channel yet calls whoever has a part now. Comes before the post that tells of it, which calls both by itself.
    pub(in crate::domain) fn recall(&mut self, from: UserId, to: UserId) {
        self.effects.push(Effect::Recall { from, to });
    }

    /// A key nobody used before: the count of the release's events goes with it, because two people may act in one instant.
    /// A decision that has recorded nothing yet counts its first event already: the last decision used the present count.
    pub(in crate::domain) fn unique(&self, what: &str) -> String {
        format!("{what}/{}", self.release.seq + u64::from(self.events.is_empty()))
    }

    /// The actor's name for the record.
    pub(in crate::domain) fn by(&self) -> String {
        self.ctx.actor.by().to_string()
    }

    pub(in crate::domain) fn owner(&self) -> Vec<UserId> {
        self.release.plan.owner_user().into_iter().cloned().collect()
    }

    /// Owner and on-call.
    pub(in crate::domain) fn crew(&self) -> Vec<UserId> {
        let mut people = self.owner();
        people.extend(self.release.plan.on_call_user().filter(|user| !people.contains(user)).cloned());
        people
    }

    /// Owner, then on-call, then the escalation path, each person once: as many as `level` climbs (0 = owner alone). Whoever
    /// has two parts takes one step, so that no step calls nobody new.
    pub(in crate::domain) fn climb(&self, level: u8) -> Vec<UserId> {
        let path = self.release.plan.escalation.iter().filter_map(|contact| contact.user.clone());
        let mut people = self.crew();
        for user in path {
            if !people.contains(&user) {
                people.push(user);
            }
        }
        people.truncate(usize::from(level) + 1);
        people
    }

    /// Shows the plan's contingency for a condition, once.
    pub(in crate::domain) fn contingency(&mut self, when: ContingencyWhen) {
        let texts: Vec<String> =
            self.release.plan.contingency.iter().filter(|c| c.when == when).map(|c| c.text.clone()).collect();
        let mention = self.crew();
        for (n, text) in texts.into_iter().enumerate() {
            let posting = self.post(
                format!("contingency/{when}/{n}"),
                Destination::Release,
                RollbackNotice::Contingency { when, text },
            );
            posting.mention.clone_from(&mention);
            posting.priority = Priority::Prompt;
        }
    }

    pub(in crate::domain) fn wrong_phase<T>(&self, wanted: Wanted) -> Result<T, Refusal> {
        Err(Refusal::WrongPhase { phase: self.release.phase.name(), wanted })
    }
}

pub(in crate::domain) fn recorded(ctx: Context<'_>, event: Event) -> Recorded {
    Recorded { v: EVENT_VERSION, at: ctx.now, by: ctx.actor.by(), event }
}

/// A reason must have words.
pub(in crate::domain) fn reason(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() { Err(Refusal::ReasonNeeded) } else { Ok(text.chars().take(500).collect()) }
}

/// What a command led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub events: Vec<Recorded>,
    pub effects: Vec<Effect>,
    pub reply: Reply,
    /// The release after the events.
    pub release: Release,
}
