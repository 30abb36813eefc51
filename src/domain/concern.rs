//! Topic: concerns. A named objection to a planned release, raised by somebody and resolved by name; while one is open, go is
//! refused. A concern outlives revisions: only a person ends it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::command::ConcernCommand;
use super::decide::{Work, reason};
use super::effect::{Destination, Priority, Reply};
use super::event::ConcernEvent;
use super::ids::UserId;
use super::notice::Notice;
use super::people::By;
use super::refusal::{Open, Refusal};
use super::release::Release;

/// The most concerns a release may have open, and one person of them.
pub const MAX_OPEN: usize = 10;
pub const MAX_OWN: usize = 3;
/// The most it keeps; the journal has all. Those resolved first go first.
const MAX_KEPT: usize = 20;
/// Within this long [`MAX_OWN`] concerns of one person have messages of their own.
const LATE: SignedDuration = SignedDuration::from_mins(10);
/// Bytes kept of a text: a full list must leave room for the rest of the state.
const MAX_TEXT: usize = 300;

/// One objection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// Counts from 1.
    pub n: u32,
    pub by: UserId,
    pub name: String,
    pub at: Timestamp,
    pub text: String,
    pub resolved: Option<Resolved>,
    /// The number of the concern whose message shows it: an earlier one of somebody who raises many; 0 for its own.
    #[serde(default)]
    pub shown: u32,
}

impl Concern {
    /// The number its message is known by.
    fn message(&self) -> u32 {
        if self.shown == 0 { self.n } else { self.shown }
    }
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub by: String,
    pub at: Timestamp,
    pub how: String,
}

/// Concerns nobody has resolved.
pub fn open(release: &Release) -> impl Iterator<Item = &Concern> {
    release.concerns.iter().filter(|concern| concern.resolved.is_none())
}

/// What stands against go.
pub(super) fn gaps(release: &Release) -> impl Iterator<Item = Open> {
    open(release).map(|concern| Open::Concern { n: concern.n, by: concern.by.clone(), text: concern.text.clone() })
}

/// The concern that is meant: by its number, or the only open one.
///
/// # Errors
/// None is open, several are, or the number is not one of them.
pub(super) fn meant(release: &Release, typed: Option<&str>) -> Result<Concern, Refusal> {
    let number = |typed: &str| typed.trim().trim_start_matches('#').parse::<u32>().ok();
    let found: Vec<&Concern> =
        open(release).filter(|concern| typed.is_none_or(|typed| number(typed) == Some(concern.n))).collect();
    match (found.as_slice(), typed) {
        ([one], _) => Ok((*one).clone()),
        ([], None) => Err(Refusal::NothingOpen { what: "concern" }),
        (_, typed) => {
            let known = open(release).map(|concern| format!("#{} {}", concern.n, concern.text)).collect();
            Err(Refusal::UnknownItem { typed: typed.unwrap_or_default().to_owned(), known })
        }
    }
}

pub(super) fn decide(work: &mut Work<'_>, command: ConcernCommand) -> Result<Reply, Refusal> {
    match command {
        ConcernCommand::Raise { text } => raise(work, &text),
        ConcernCommand::Resolve { concern, how } => resolve(work, concern.as_deref(), &how),
    }
}

fn raise(work: &mut Work<'_>, text: &str) -> Result<Reply, Refusal> {
    let text = cut(reason(text)?);
    let own = |concern: &&Concern| work.ctx.actor.person().is_some_and(|person| person.user == concern.by);
    if open(&work.release).filter(own).count() >= MAX_OWN {
        return Err(Refusal::TooMany { what: "open concerns from you", most: MAX_OWN });
    }
    if open(&work.release).count() >= MAX_OPEN {
        return Err(Refusal::TooMany { what: "open concerns", most: MAX_OPEN });
    }
    let n = work.release.concerns.iter().map(|concern| concern.n).max().unwrap_or(0) + 1;
    let reused = reused(work);
    work.record(ConcernEvent::Raised { n, text, shown: reused.unwrap_or(0) });
    let Some(shown) = reused else {
        let mention = work.owner();
        let posting = work.post(key(n), Destination::Release, Notice::Concern { n });
        posting.mention = mention;
        posting.priority = Priority::Report;
        return Ok(Reply::ConcernRaised { n });
    };
    work.edit(key(shown), Notice::Concern { n }, None);
    Ok(Reply::ConcernRaised { n })
}

/// The message that shows one more concern of somebody who raised many of late: that of their newest one that is resolved.
fn reused(work: &Work<'_>) -> Option<u32> {
    let person = work.ctx.actor.person()?;
    let late = |concern: &&Concern| concern.by == person.user && work.ctx.now < concern.at + LATE;
    let late: Vec<&Concern> = work.release.concerns.iter().filter(late).collect();
    let shown: Vec<u32> = open(&work.release).map(Concern::message).collect();
    let free = late.iter().rev().map(|concern| concern.message()).find(|message| !shown.contains(message));
    (late.len() >= MAX_OWN).then_some(free).flatten()
}

fn resolve(work: &mut Work<'_>, typed: Option<&str>, how: &str) -> Result<Reply, Refusal> {
    let how = cut(reason(how)?);
    let concern = meant(&work.release, typed)?;
    let n = concern.n;
    work.record(ConcernEvent::Resolved { n, how });
    work.edit(key(concern.message()), Notice::Concern { n }, None);
    // Whoever raised it must not learn of its end by chance.
    let mut mention = work.owner();
    let own = work.ctx.actor.person().is_some_and(|person| person.user == concern.by);
    if !own && !mention.contains(&concern.by) {
        mention.push(concern.by.clone());
    }
    let notice = Notice::ConcernResolved { n };
    let posting = match own {
        true => work.report("concern-resolved", Destination::Release, notice),
        // Each of those who raised one hears of its end.
        false => work.series(&format!("concern-resolved/for/{}", concern.by), Destination::Release, notice),
    };
    posting.priority = Priority::Report;
    posting.mention = mention;
    Ok(Reply::ConcernResolved { n })
}

/// The messages of what is open, as things are now.
pub(super) fn show_open(work: &mut Work<'_>) {
    let numbers: Vec<(u32, u32)> = open(&work.release).map(|concern| (concern.message(), concern.n)).collect();
    for (shown, n) in numbers {
        work.edit(key(shown), Notice::Concern { n }, None);
    }
}

/// Those who raised what is open while go is given, each once; their messages show that it went over them.
pub(super) fn overridden(work: &mut Work<'_>) -> Vec<UserId> {
    let mut raisers: Vec<UserId> = Vec::new();
    show_open(work);
    for concern in open(&work.release).cloned().collect::<Vec<_>>() {
        if !raisers.contains(&concern.by) && !work.crew().contains(&concern.by) {
            raisers.push(concern.by);
        }
    }
    raisers
}

/// At most [`MAX_TEXT`] bytes, at the end of a character.
fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

fn key(n: u32) -> String {
    format!("concern/{n}")
}

pub(super) fn evolve(release: &mut Release, event: &ConcernEvent, at: Timestamp, by: &By) {
    match event {
        ConcernEvent::Raised { n, text, shown } => {
            if let By::Person { user, name } = by {
                if release.concerns.len() >= MAX_KEPT
                    && let Some(old) = release.concerns.iter().position(|concern| concern.resolved.is_some())
                {
                    release.concerns.remove(old);
                }
                let (by, name, text) = (user.clone(), name.clone(), text.clone());
                release.concerns.push(Concern { n: *n, by, name, at, text, resolved: None, shown: *shown });
            }
        }
        ConcernEvent::Resolved { n, how } => {
            if let Some(concern) = release.concerns.iter_mut().find(|concern| concern.n == *n) {
                concern.resolved = Some(Resolved { by: by.to_string(), at, how: how.clone() });
            }
        }
    }
}
