//! `decide`: a command against a release gives events and effects, or a refusal. This root only matches and delegates;
//! each topic's module knows its own rules.

#![deny(clippy::wildcard_enum_match_arm, reason = "a new command, event or mark must break the root that delegates it")]

use jiff::{SignedDuration, Timestamp};

use super::agenda::{self, MarkKind};
use super::all_clear;
use super::command::Command;
use super::effect::{Decision, Destination, Effect, Posting, Priority, Prompt, Redelivery, Reply};
use super::event::{EVENT_VERSION, Event, Recorded};
use super::freeze::Planned;
use super::go_no_go;
use super::ids::{GuildId, ReleaseId, UserId};
use super::key::PostKey;
use super::lateness::{Away, Late};
use super::may::{Action, Grant, may};
use super::notice::Notice;
use super::people::Actor;
use super::plan::ContingencyWhen;
use super::policy::Policy;
use super::refusal::{Refusal, Wanted};
use super::release::Release;
use super::{
    alert, closing, concern, decision, delivery, evidence, freeze, ladder, lifecycle, rights, rollback, signoff, stage,
    updates,
};

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

/// The most marks one tick may fire; more means a mark does not leave the agenda.
const MAX_MARKS_A_TICK: usize = 500;

/// Opens a release from its first import.
///
/// # Errors
/// A refusal if the actor may not import.
pub fn open(
    id: ReleaseId,
    guild: GuildId,
    command: Command,
    ctx: Context<'_>,
    open: usize,
) -> Result<Decision, Refusal> {
    lifecycle::open(id, guild, command, ctx, open)
}

/// Decides a command.
///
/// # Errors
/// A [`Refusal`]: nothing is to be stored or said, but the refusal to the actor.
pub fn decide(release: &Release, command: Command, ctx: Context<'_>) -> Result<Decision, Refusal> {
    let action = Action::of(&command, release, ctx.now)?;
    let grant = may(ctx.actor, &action, ctx.policy, Some(release))?;
    let mut work = Work::new(release.clone(), ctx);
    if grant == Grant::Bypass {
        rights::bypass(&mut work, &action);
    }
    let reply = match command {
        Command::Plan(command) => lifecycle::decide(&mut work, command),
        Command::Signoff(command) => signoff::decide(&mut work, command),
        Command::Notice(command) => ladder::decide(&mut work, command),
        Command::Delivery(command) => delivery::decide(&mut work, command),
        Command::Stage(command) => stage::decide(&mut work, command),
        Command::Update { text, values } => updates::decide(&mut work, text, values),
        Command::Decide { point, verdict, reason } => decision::decide(&mut work, point, verdict, reason),
        Command::Alert(command) => alert::decide(&mut work, command),
        Command::Rollback(command) => rollback::decide(&mut work, command),
        Command::Closing(command) => closing::decide(&mut work, command),
        Command::Concern(command) => concern::decide(&mut work, command),
        Command::Except(exception) => freeze::except(&mut work, exception),
        Command::Tick { away } => {
            tick(&mut work, away);
            Ok(Reply::Silent)
        }
    }?;
    Ok(work.done(reply))
}

fn tick(work: &mut Work<'_>, away: Option<Away>) {
    for _ in 0..MAX_MARKS_A_TICK {
        let due = agenda::agenda(&work.release).into_iter().filter(|mark| mark.at <= work.ctx.now).min_by_key(|m| m.at);
        let Some(mark) = due else { return };
        let (kind, before) = (mark.kind.clone(), work.effects.len());
        match mark.kind {
            MarkKind::Draft => lifecycle::remind_draft(work),
            MarkKind::T0 { .. } => go_no_go::ask(work),
            MarkKind::SignoffReminder { .. } | MarkKind::BreakGlassFollowUp { .. } => signoff::remind(work),
            MarkKind::SignoffExpires => signoff::expire(work),
            MarkKind::Rung { rung } => ladder::due(work, &rung, away),
            MarkKind::SoakEnds => stage::soak_ended(work),
            MarkKind::LongHold => stage::long_hold(work),
            MarkKind::Update => updates::due(work),
            MarkKind::Point { after_min } | MarkKind::PointReminder { after_min } => {
                decision::due(work, after_min, away);
            }
            MarkKind::AlertBelieved { key } => alert::believed(work, &key),
            MarkKind::AlertReminder => alert::remind(work),
            MarkKind::Trigger { trigger } => {
                evidence::trigger_due(work, trigger, Late::of(mark.at, work.ctx.now, away))
            }
            MarkKind::CaseReminder | MarkKind::RollbackReminder => rollback::remind(work),
            MarkKind::Postmortem { .. } => closing::remind_postmortem(work),
            MarkKind::AllClear => all_clear::ask_clear(work),
            MarkKind::ActionOver { .. } => closing::action_over(work),
            MarkKind::Actions { .. } => closing::remind_actions(work),
            MarkKind::QuietOver { rung } => ladder::quiet_over(work, &rung),
        }
        // Reminders missed together are one message: the newest.
        let now = work.ctx.now;
        let again = |mark: &agenda::Mark| mark.at <= now && mark.kind.follows(&kind);
        if agenda::agenda(&work.release).iter().any(again) {
            work.effects.truncate(before);
        }
    }
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
    effects: Vec<Effect>,
}

impl<'a> Work<'a> {
    pub(super) fn new(release: Release, ctx: Context<'a>) -> Self {
        Self { release, ctx, events: Vec::new(), effects: Vec::new() }
    }

    pub(super) fn with(release: Release, first: Recorded, ctx: Context<'a>) -> Self {
        Self { release, ctx, events: vec![first], effects: Vec::new() }
    }

    pub(super) fn done(self, reply: Reply) -> Decision {
        Decision { events: self.events, effects: self.effects, reply, release: self.release }
    }

    /// Records an event and lets the release evolve by it.
    pub(super) fn record(&mut self, event: impl Into<Event>) {
        let recorded = recorded(self.ctx, event.into());
        self.release.evolve(&recorded);
        self.events.push(recorded);
    }

    /// Says something to a channel, once for ever under `key`; the posting may be refined by the caller.
    pub(super) fn post(&mut self, key: impl Into<PostKey>, to: Destination, notice: Notice) -> &mut Posting {
        self.effects.push(Effect::Post(Box::new(Posting {
            key: key.into(),
            at_most: None,
            to,
            notice,
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
    pub(super) fn report(&mut self, what: &str, to: Destination, notice: Notice) -> &mut Posting {
        let by = self.ctx.actor.person().map_or("T-Minus", |person| person.user.0.as_str());
        let posting = self.series(&format!("{what}/{by}"), to, notice);
        posting.priority = Priority::Report;
        posting
    }

    /// Posts the present state: [`REPORTS`] messages in [`REPORTED`]; the last one shows later changes.
    pub(super) fn series(&mut self, what: &str, to: Destination, notice: Notice) -> &mut Posting {
        let slot = self.ctx.now.as_second().div_euclid(REPORTED.as_secs());
        let posting = self.post(format!("{what}/{slot}"), to, notice);
        posting.at_most = Some(REPORTS);
        posting
    }

    /// Renders the message under `key` anew.
    pub(super) fn edit(&mut self, key: impl Into<PostKey>, notice: Notice, prompt: Option<Prompt>) {
        self.effects.push(Effect::Edit { key: key.into(), notice: Box::new(notice), prompt });
    }

    /// What the courier is to do with the message under `key`.
    pub(super) fn redeliver(&mut self, key: &PostKey, how: Redelivery) {
        self.effects.push(Effect::Redeliver { key: key.clone(), how });
    }

    /// What is not in its channel yet calls whoever has a part now. Comes before the post that tells of it, which calls both by itself.
    pub(super) fn recall(&mut self, from: UserId, to: UserId) {
        self.effects.push(Effect::Recall { from, to });
    }

    /// A key nobody used before: the count of the release's events goes with it, because two people may act in one instant.
    /// A decision that has recorded nothing yet counts its first event already: the last decision used the present count.
    pub(super) fn unique(&self, what: &str) -> String {
        format!("{what}/{}", self.release.seq + u64::from(self.events.is_empty()))
    }

    /// The actor's name for the record.
    pub(super) fn by(&self) -> String {
        self.ctx.actor.by().to_string()
    }

    pub(super) fn owner(&self) -> Vec<UserId> {
        self.release.plan.owner_user().into_iter().cloned().collect()
    }

    /// Owner and on-call.
    pub(super) fn crew(&self) -> Vec<UserId> {
        let mut people = self.owner();
        people.extend(self.release.plan.on_call_user().filter(|user| !people.contains(user)).cloned());
        people
    }

    /// Owner, then on-call, then the escalation path, each person once: as many as `level` climbs (0 = owner alone). Whoever
    /// has two parts takes one step, so that no step calls nobody new.
    pub(super) fn climb(&self, level: u8) -> Vec<UserId> {
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
    pub(super) fn contingency(&mut self, when: ContingencyWhen) {
        let texts: Vec<String> =
            self.release.plan.contingency.iter().filter(|c| c.when == when).map(|c| c.text.clone()).collect();
        let mention = self.crew();
        for (n, text) in texts.into_iter().enumerate() {
            let posting =
                self.post(format!("contingency/{when}/{n}"), Destination::Release, Notice::Contingency { when, text });
            posting.mention.clone_from(&mention);
            posting.priority = Priority::Prompt;
        }
    }

    pub(super) fn wrong_phase<T>(&self, wanted: Wanted) -> Result<T, Refusal> {
        Err(Refusal::WrongPhase { phase: self.release.phase.name(), wanted })
    }
}

pub(super) fn recorded(ctx: Context<'_>, event: Event) -> Recorded {
    Recorded { v: EVENT_VERSION, at: ctx.now, by: ctx.actor.by(), event }
}

/// A reason must have words.
pub(super) fn reason(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() { Err(Refusal::ReasonNeeded) } else { Ok(text.chars().take(500).collect()) }
}
