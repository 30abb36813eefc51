//! Messages that are stored already: what the courier says of them, and what decisions and people make of them. The rules are
//! `delivery`'s, the words are not known here.

use jiff::{SignedDuration, Timestamp};

use super::unit::Unit;
use super::{Answer, Ask, EditNews, Step, Stop, speak, workspace, writer};
use crate::delivery::{
    Capabilities, ChannelState, EditEvent, Found, Key, Outcome, PostEvent, PostState, Report, Target, next_nonce,
};
use crate::domain::command::Command;
use crate::domain::delivery::{DeliveryCommand, NotPosted, Trouble};
use crate::domain::effect::Redelivery;
use crate::domain::ids::{Destination, GuildId, Place, ReleaseId, UserId};
use crate::domain::key::PostKey;
use crate::domain::people::Actor;
use crate::domain::policy::Policy;
use crate::store::{PostRow, StoreFault, to_json};
use crate::voice::Message;

/// A workspace's own message is worth sending again this long.
const OWN_USEFUL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The stored messages a request is about.
pub(super) fn about(ask: &Ask) -> Vec<i64> {
    match ask {
        Ask::Report { post } => vec![*post],
        Ask::Courier(steps) => {
            let ids = steps.iter().filter_map(|step| match step {
                Step::Post { id, .. } | Step::Edit { post: id, .. } => Some(*id),
                Step::Started => None,
            });
            ids.collect()
        }
        _ => Vec::new(),
    }
}

/// What the courier says; the answer is every message that it spoke of, as it is now.
pub(super) async fn steps(unit: &mut Unit<'_>, steps: &[Step]) -> Result<Answer, Stop> {
    let mut said = Vec::new();
    for step in steps {
        match step {
            Step::Post { id, event, payload } => said.extend(post_step(unit, *id, event, payload.as_deref()).await?),
            Step::Edit { post, event, news } => edit_step(unit, *post, event.clone(), news).await?,
            Step::Started => started(unit).await?,
        }
    }
    Ok(Answer::Posts(said))
}

async fn post_step(
    unit: &mut Unit<'_>,
    id: i64,
    event: &PostEvent,
    payload: Option<&str>,
) -> Result<Option<PostRow>, StoreFault> {
    let Some(mut row) = unit.messages(&[id]).await?.pop() else { return Ok(None) };
    let channel = unit.channel(&row.target).await?;
    let applies = match event {
        PostEvent::Due => takes(&channel, &row, unit.now),
        PostEvent::ShutOut { .. } => channel.closed.is_some_and(|closed| closed.probe_at > unit.now),
        _ => true,
    };
    if !applies {
        return Ok(None);
    }
    let before = row.post.clone();
    unit.happened(&mut row, event.clone());
    // Another process has claimed it, or it is told already.
    if matches!(event, PostEvent::Due | PostEvent::ShutOut { .. }) && row.post == before {
        return Ok(None);
    }
    if let Some(payload) = payload
        && matches!(row.post.state, PostState::Waiting { .. })
        && row.post != before
    {
        (row.plain, row.file) = (true, None);
        rewrite(&mut row, payload.to_owned());
    }
    learn_of_channel(unit, &row, event).await?;
    if row.post != before {
        unit.save_message(row.clone());
    }
    Ok(Some(row))
}

/// Whether a message may be claimed: its target takes it, or it is of no use any more.
fn takes(channel: &ChannelState, row: &PostRow, now: Timestamp) -> bool {
    let waits = matches!(row.post.state, PostState::Waiting { .. }) && !row.post.is_useless(now);
    !waits || channel.opens(row.priority) <= now
}

/// What an attempt or a look-up says of its target.
async fn learn_of_channel(unit: &mut Unit<'_>, row: &PostRow, event: &PostEvent) -> Result<(), StoreFault> {
    let now = unit.now;
    let learn = |channel: &mut ChannelState| match event {
        PostEvent::Attempted { outcome: Outcome::Sent { .. } | Outcome::Deleted, .. } => channel.took(),
        PostEvent::Attempted { outcome: Outcome::NoRoom { at }, .. } => channel.filled(row.priority, *at),
        PostEvent::Attempted { outcome: Outcome::Closed { why, gone }, .. }
        | PostEvent::LookedUp { found: Found::Closed { why, gone }, .. } => channel.refused(why.clone(), *gone, now),
        _ => {}
    };
    unit.change_channel(&row.target, learn).await
}

async fn edit_step(unit: &mut Unit<'_>, id: i64, event: EditEvent, news: &EditNews) -> Result<(), StoreFault> {
    let Some(mut row) = unit.messages(&[id]).await?.pop() else { return Ok(()) };
    let now = unit.now;
    row.edited(event, now);
    match news {
        EditNews::None => {}
        EditNews::TargetRefuses(until) => {
            unit.change_channel(&row.target, |channel| channel.without_edits(*until, now)).await?;
        }
        EditNews::Shown { awaited } => {
            unit.change_channel(&row.target, ChannelState::took_edit).await?;
            if *awaited {
                unit.happened(&mut row, PostEvent::EditShown);
            }
        }
        EditNews::Failed(why) => unit.happened(&mut row, PostEvent::EditFailed { why: why.clone() }),
    }
    unit.save_message(row);
    Ok(())
}

/// Only what is open is looked at.
async fn started(unit: &mut Unit<'_>) -> Result<(), StoreFault> {
    for mut row in unit.open_messages().await? {
        let before = row.clone();
        unit.happened(&mut row, PostEvent::Started);
        // An edit of a chat message may have been under way. Late edits of a status page are handled in `outside`.
        let may_settle = row.post.message_id().is_some() && row.target.channel().is_some();
        row.edited(EditEvent::Started { settle: may_settle.then_some(Capabilities::SETTLE) }, unit.now);
        if row != before {
            unit.save_message(row);
        }
    }
    for target in unit.channels().await?.keys().cloned().collect::<Vec<_>>() {
        let now = unit.now;
        unit.change_channel(&target, |channel| channel.restarted(now)).await?;
    }
    Ok(())
}

/// Its owner hears what became of a message.
pub(super) async fn report(unit: &mut Unit<'_>, id: i64) -> Result<Answer, Stop> {
    let Some(mut row) = unit.messages(&[id]).await?.pop() else { return Ok(Answer::Silent) };
    let Some(report) = row.post.report.take() else { return Ok(Answer::Silent) };
    unit.save_message(row.clone());
    let Some(place) = place(&row.target) else { return Ok(Answer::Silent) };
    let key = row.key.post.clone();
    let command = match (report, row.key.release()) {
        (Report::Arrived, None) => return Ok(Answer::Silent),
        (Report::Stuck(trouble), None) => return workspace::undelivered(unit, &row, trouble).await,
        (Report::Arrived, Some(release)) => {
            let at = match row.post.state {
                PostState::Posted { at, .. } => at,
                _ => unit.now,
            };
            (release, DeliveryCommand::Delivered { key, place, at })
        }
        (Report::Stuck(trouble), Some(release)) => {
            // Its newest rendering is not shown, but it arrived. Where people know of trouble with it already, that is not over.
            let known = unit.release(release).await?.is_some_and(|release| release.stuck.contains_key(&key));
            if let PostState::Posted { at, .. } = row.post.state
                && !known
            {
                let arrived = DeliveryCommand::Delivered { key: key.clone(), place: place.clone(), at };
                writer::quietly(unit, release, Command::Delivery(arrived), &Actor::Courier).await?;
            }
            (release, DeliveryCommand::Stuck { key, found: not_posted(&row, place, trouble) })
        }
    };
    writer::quietly(unit, command.0, Command::Delivery(command.1), &Actor::Courier).await
}

fn not_posted(row: &PostRow, place: Place, trouble: Trouble) -> NotPosted {
    let (said, why) = (speak::headline(&row.rendering.payload), row.post.why.clone().unwrap_or_default());
    NotPosted { trouble, place, to: row.to.clone(), said, why }
}

/// Where its readers find it.
fn place(target: &Target) -> Option<Place> {
    match target {
        Target::Chat { channel, .. } => Some(Place::Channel(channel.clone())),
        Target::Page { name } => Some(Place::Page(name.clone())),
        Target::Hook { .. } | Target::Lever { .. } => None,
    }
}

/// The target that stands for a place.
pub(super) fn target(guild: &GuildId, place: &Place) -> Target {
    match place {
        Place::Channel(channel) => Target::chat(guild, channel),
        Place::Page(name) => Target::Page { name: name.clone() },
    }
}

/// Another text needs another nonce.
fn rewrite(row: &mut PostRow, payload: String) {
    row.nonce = next_nonce(&row.nonce, &payload);
    row.rendering.payload = payload;
}

fn move_to(row: &mut PostRow, target: Target) {
    row.nonce = next_nonce(&row.nonce, &target.to_string());
    row.target = target;
}

/// What a decision makes of a message that may be stored.
pub(super) async fn redeliver(unit: &mut Unit<'_>, key: &Key, how: &Redelivery) -> Result<(), StoreFault> {
    let Some(mut row) = unit.message(key).await? else { return Ok(()) };
    match how {
        Redelivery::Withdraw => unit.happened(&mut row, PostEvent::Withdrawn),
        Redelivery::CallSent => unit.happened(&mut row, PostEvent::FoundByPerson),
        Redelivery::SendAgain { to } => {
            let to = to.as_ref().map(|place| target(&row.guild, place)).filter(|to| *to != row.target);
            send_again(unit, &mut row, to).await?;
            row.edited(EditEvent::Now, unit.now);
        }
    }
    unit.save_message(row);
    Ok(())
}

/// Sends a message again now, perhaps to another target, and probes where it goes.
async fn send_again(unit: &mut Unit<'_>, row: &mut PostRow, to: Option<Target>) -> Result<(), StoreFault> {
    let (now, closed) = (unit.now, unit.channel(&row.target).await?.closed.is_some());
    unit.change_channel(&row.target, |channel| channel.probed(now)).await?;
    unit.happened(row, PostEvent::SentAgain { moved: to.is_some(), closed });
    if let Some(to) = to.filter(|_| matches!(row.post.state, PostState::Waiting { .. })) {
        unit.change_channel(&to, |channel| channel.probed(now)).await?;
        move_to(row, to);
    }
    Ok(())
}

/// Another person has a part now: what a release has waiting and surely never sent mentions them as well.
pub(super) async fn recall(
    unit: &mut Unit<'_>,
    release: ReleaseId,
    from: &UserId,
    to: &UserId,
) -> Result<(), StoreFault> {
    for mut row in unit.open_messages_of(release).await? {
        let waits = matches!(row.post.state, PostState::Waiting { .. }) && row.post.doubt.is_none();
        let Ok(mut message) = serde_json::from_str::<Message>(&row.rendering.payload) else { continue };
        if !waits || !message.call_users.contains(from) || message.call_users.contains(to) {
            continue;
        }
        message.call_users.push(to.clone());
        rewrite(&mut row, to_json(&message, "outbox")?);
        unit.save_message(row);
    }
    Ok(())
}

/// Other channels may be set: what waits for readers goes to the channel that stands for them now. What may be in the old one stays,
/// unless that is gone with all that was in it.
pub(super) async fn readdress(
    unit: &mut Unit<'_>,
    guild: &GuildId,
    before: &Policy,
    after: &Policy,
) -> Result<(), StoreFault> {
    for mut row in unit.unposted(guild).await? {
        let Some(to) = &row.to else { continue };
        let at = |policy: &Policy| policy.address(to).map(|(place, _)| target(guild, &place));
        let (stood, stands) = (at(before), at(after));
        let Some(new) = stands.filter(|new| *new != row.target && stood.as_ref() == Some(&row.target)) else {
            continue;
        };
        let gone = unit.channel(&row.target).await?.closed.is_some_and(|closed| closed.gone);
        if row.post.may_move(gone) {
            unit.happened(&mut row, PostEvent::Moved);
            move_to(&mut row, new);
            unit.save_message(row);
        }
    }
    Ok(())
}

/// Sends a workspace's own stuck messages of the last week again, as far as they are still useful, and probes its closed targets. Held
/// messages stay: nobody has checked whether they are there. `to` is the present target of each destination.
pub(super) async fn send_own_again(
    unit: &mut Unit<'_>,
    guild: &GuildId,
    to: &[(Destination, Target)],
) -> Result<(), StoreFault> {
    let (now, pages) = (unit.now, unit.workspace(guild).await?.policy.pages.clone());
    for target in unit.channels().await?.keys().cloned().collect::<Vec<_>>() {
        let own = match &target {
            Target::Chat { workspace, .. } => workspace == guild,
            Target::Page { name } => pages.contains(name),
            Target::Hook { .. } | Target::Lever { .. } => false,
        };
        if own {
            unit.change_channel(&target, |channel| channel.probed(now)).await?;
        }
    }
    for mut row in unit.unposted(guild).await? {
        let own = row.key.release().is_none() && !matches!(row.key.post, PostKey::Undelivered { .. });
        let useful = row.post.due >= now - OWN_USEFUL && row.post.useful_until.is_none_or(|until| until >= now);
        let stuck = match row.post.state {
            PostState::Dead => true,
            PostState::Waiting { at } | PostState::Unknown { look_up_at: at } => {
                at <= now && unit.channel(&row.target).await?.closed.is_some()
            }
            _ => false,
        };
        if !(own && useful && stuck) {
            continue;
        }
        let new = to.iter().find(|(whom, _)| row.to.as_ref() == Some(whom)).map(|(_, target)| target.clone());
        let useful_until = row.post.useful_until;
        let new = new.filter(|new| *new != row.target);
        send_again(unit, &mut row, new).await?;
        row.post.useful_until = useful_until;
        unit.save_message(row);
    }
    Ok(())
}
