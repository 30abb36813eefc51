//! The rules of messages that could not be delivered.

use super::{DeliveryCommand, DeliveryEvent, DeliveryNotice, DeliveryReply, NotPosted, Settled, Stuck, Trouble};
use crate::domain::effect::{Priority, Redelivery};
use crate::domain::ids::{Destination, Place};
use crate::domain::key::PostKey;
use crate::domain::ladder;
use crate::domain::prompt::Prompt;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::work::Work;

/// Messages that cannot be delivered at once, beyond which only the log tells of more.
const MAX_STUCK: usize = 20;
/// A message about a message is worth sending this long.
const USEFUL: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

pub(in crate::domain) fn decide(work: &mut Work<'_>, command: DeliveryCommand) -> Result<Reply, Refusal> {
    match command {
        DeliveryCommand::Delivered { key, place, at } => {
            ladder::rules::delivered(work, &key, at);
            // Another channel may have been set for its readers meanwhile.
            settle_in(work, &key, Some(place), Settled::Posted);
            Ok(Reply::Silent)
        }
        DeliveryCommand::Stuck { key, found } => {
            stuck(work, &key, found);
            Ok(Reply::Silent)
        }
        DeliveryCommand::SendAgain { key } => {
            let stuck = open(&work.release, &key)?;
            // Its channel may be gone, and another be set since; what is over no longer hears of rules.
            let now = stuck.to.as_ref().and_then(|to| work.ctx.policy.address(to)).map(|(place, _)| place);
            let to = now.filter(|place| *place != stuck.place);
            work.redeliver(&key, Redelivery::SendAgain { to: to.clone() });
            let by = work.by();
            work.record(DeliveryEvent::SentAgain { key: key.clone(), by, to: to.clone() });
            if let Some(stuck) = work.release.stuck.get(&key).cloned() {
                work.edit(stuck.post.clone(), DeliveryNotice::Stuck { key, stuck, settled: None }, None);
            }
            Ok(DeliveryReply::SentAgain { to: to.and_then(|place| place.channel().cloned()) }.into())
        }
        DeliveryCommand::CallSent { key } => {
            if open(&work.release, &key)?.trouble != Trouble::Held {
                return Err(Refusal::NothingOpen { what: "question about this message" });
            }
            work.redeliver(&key, Redelivery::CallSent);
            ladder::rules::delivered(work, &key, work.ctx.now);
            let by = work.by();
            settle(work, &key, Settled::CalledSent { by });
            Ok(DeliveryReply::CalledSent.into())
        }
    }
}

fn open<'r>(release: &'r Release, key: &PostKey) -> Result<&'r Stuck, Refusal> {
    release
        .stuck
        .get(key)
        .filter(|stuck| stuck.trouble != Trouble::Expired && stuck.again.is_none())
        .ok_or(Refusal::NothingOpen { what: "problem with this message" })
}

fn stuck(work: &mut Work<'_>, key: &PostKey, found: NotPosted) {
    let NotPosted { trouble, place, to, said, why } = found;
    if trouble == Trouble::Expired {
        ladder::rules::expired(work, key);
    }
    let release = &work.release;
    let known = release.stuck.get(key).cloned();
    let same = |known: &Stuck| known.trouble == trouble && known.place == place && known.again.is_none();
    let news = !known.as_ref().is_some_and(same);
    if key.is_about_a_message() {
        return nobody_hears(work, trouble, place, &why);
    }
    if !news || (known.is_none() && release.stuck.len() >= MAX_STUCK) {
        return;
    }
    let cut = |text: String| text.chars().take(200).collect::<String>();
    let post = known.as_ref().map_or_else(|| work.unique("stuck"), |known| known.post.clone());
    let stuck = Stuck { trouble, place, to, said: cut(said), why: cut(why), post, again: None };
    work.record(DeliveryEvent::Stuck { key: key.clone(), stuck: stuck.clone() });
    if let PostKey::Page { .. } = key {
        ladder::rules::show_page_rung(work);
    }
    let notice = DeliveryNotice::Stuck { key: key.clone(), stuck: stuck.clone(), settled: None };
    let prompt = (trouble != Trouble::Expired).then(|| Prompt::Stuck { key: key.clone() });
    if known.is_some() {
        work.edit(stuck.post, notice, prompt);
        return;
    }
    let (mention, useful_until) = (work.owner(), work.ctx.now + USEFUL);
    let posting = work.post(stuck.post, Destination::Ops, notice);
    posting.mention = mention;
    posting.prompt = prompt;
    posting.priority = Priority::Prompt;
    posting.useful_until = Some(useful_until);
}

/// The ops channel takes no message either: the release channel is told, once for each such channel.
fn nobody_hears(work: &mut Work<'_>, trouble: Trouble, place: Place, why: &str) {
    let Place::Channel(channel) = place else { return };
    let (release, mention) = (work.release.policy.release_channel.clone(), work.owner());
    if trouble == Trouble::Held || release.is_none_or(|release| release == channel) {
        return;
    }
    let (key, why) = (format!("ops-gone/{channel}"), why.chars().take(200).collect());
    let posting = work.post(key, Destination::Release, DeliveryNotice::OpsGone { channel, why });
    posting.mention = mention;
    posting.priority = Priority::Prompt;
}

/// The trouble is over: the record says how, and the message about it shows it.
fn settle(work: &mut Work<'_>, key: &PostKey, settled: Settled) {
    settle_in(work, key, None, settled);
}

/// The same, with the place it is in.
fn settle_in(work: &mut Work<'_>, key: &PostKey, place: Option<Place>, settled: Settled) {
    let Some(mut stuck) = work.release.stuck.get(key).cloned() else { return };
    stuck.place = place.unwrap_or(stuck.place);
    let key = key.clone();
    work.record(match settled {
        Settled::Posted => DeliveryEvent::Freed { key: key.clone() },
        Settled::CalledSent { .. } => DeliveryEvent::CalledSent { key: key.clone() },
        Settled::Overtaken => DeliveryEvent::Dropped { key: key.clone() },
    });
    if let PostKey::Page { .. } = key {
        ladder::rules::show_page_rung(work);
    }
    work.edit(stuck.post.clone(), DeliveryNotice::Stuck { key, stuck, settled: Some(settled) }, None);
}

/// A message that was not sent is not sent any more: nothing is open about it.
pub(in crate::domain) fn overtaken(work: &mut Work<'_>, key: &PostKey) {
    settle(work, key, Settled::Overtaken);
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &DeliveryEvent) {
    match event {
        // It will never be posted, so nothing is open about it any more.
        DeliveryEvent::Stuck { key, stuck } if stuck.trouble == Trouble::Expired => {
            release.stuck.remove(key);
        }
        DeliveryEvent::Stuck { key, stuck } => {
            release.stuck.insert(key.clone(), stuck.clone());
        }
        DeliveryEvent::SentAgain { key, by, to } => {
            if let Some(stuck) = release.stuck.get_mut(key) {
                stuck.place = to.clone().unwrap_or_else(|| stuck.place.clone());
                stuck.again = Some(by.clone());
            }
        }
        DeliveryEvent::Freed { key } | DeliveryEvent::CalledSent { key } | DeliveryEvent::Dropped { key } => {
            release.stuck.remove(key);
        }
    }
}

/// A message that is not in its channel yet is not sent any more, and nobody is asked about it.
pub(in crate::domain) fn drop_unsent(work: &mut Work<'_>, key: &PostKey) {
    work.redeliver(key, Redelivery::Withdraw);
    overtaken(work, key);
}
