//! The rules of concerns: raised and resolved.

use jiff::{SignedDuration, Timestamp};

use super::view::{meant, open};
use super::{Concern, ConcernCommand, ConcernEvent, ConcernNotice, ConcernReply, MAX_OPEN, MAX_OWN, Resolved};
use crate::domain::effect::Priority;
use crate::domain::ids::{Destination, UserId};
use crate::domain::people::By;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::work::{Work, reason};

/// The most it keeps; the journal has all. Those resolved first go first.
const MAX_KEPT: usize = 20;
/// Within this long [`MAX_OWN`] concerns of one person have messages of their own.
const LATE: SignedDuration = SignedDuration::from_mins(10);
/// Bytes kept of a text: a full list must leave room for the rest of the state.
const MAX_TEXT: usize = 300;

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: ConcernCommand) -> Result<Reply, Refusal> {
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
        let posting = work.post(key(n), Destination::Release, ConcernNotice::State { n });
        posting.mention = mention;
        posting.priority = Priority::Report;
        return Ok(ConcernReply::Raised { n }.into());
    };
    work.edit(key(shown), ConcernNotice::State { n }, None);
    Ok(ConcernReply::Raised { n }.into())
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
    work.edit(key(concern.message()), ConcernNotice::State { n }, None);
    // Whoever raised it must not learn of its end by chance.
    let mut mention = work.owner();
    let own = work.ctx.actor.person().is_some_and(|person| person.user == concern.by);
    if !own && !mention.contains(&concern.by) {
        mention.push(concern.by.clone());
    }
    let notice = ConcernNotice::Resolved { n };
    let posting = match own {
        true => work.report("concern-resolved", Destination::Release, notice),
        // Each of those who raised one hears of its end.
        false => work.series(&format!("concern-resolved/for/{}", concern.by), Destination::Release, notice),
    };
    posting.priority = Priority::Report;
    posting.mention = mention;
    Ok(ConcernReply::Resolved { n }.into())
}

/// The messages of what is open, as things are now.
pub(in crate::domain) fn show_open(work: &mut Work<'_>) {
    let numbers: Vec<(u32, u32)> = open(&work.release).map(|concern| (concern.message(), concern.n)).collect();
    for (shown, n) in numbers {
        work.edit(key(shown), ConcernNotice::State { n }, None);
    }
}

/// Those who raised what is open while go is given, each once; their messages show that it went over them.
pub(in crate::domain) fn overridden(work: &mut Work<'_>) -> Vec<UserId> {
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

pub(in crate::domain) fn evolve(release: &mut Release, event: &ConcernEvent, at: Timestamp, by: &By) {
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
