//! Messages that are stored already: what decisions and people make of them. The rules are
//! `delivery`'s, the words are not known here.

use jiff::SignedDuration;

use super::unit::Unit;
use crate::delivery::{EditEvent, Key, PostEvent, PostState, Target, next_nonce};
use crate::domain::effect::Redelivery;
use crate::domain::ids::{Destination, Place, ReleaseId, UserId, WorkspaceId};
use crate::domain::key::PostKey;
use crate::domain::policy::Policy;
use crate::store::{PostRow, StoreFault, to_json};
use crate::voice::Message;

/// A workspace's own message is worth sending again this long.
const OWN_USEFUL: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The target that stands for a place.
pub(super) fn target(server: &WorkspaceId, place: &Place) -> Target {
    match place {
        Place::Channel(channel) => Target::chat(server, channel),
        Place::Page(name) => Target::Page { name: name.clone() },
    }
}

/// Another text needs another nonce.
pub(super) fn rewrite(row: &mut PostRow, payload: String) {
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
            let to = to.as_ref().map(|place| target(&row.server, place)).filter(|to| *to != row.target);
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
    server: &WorkspaceId,
    before: &Policy,
    after: &Policy,
) -> Result<(), StoreFault> {
    for mut row in unit.unposted(server).await? {
        let Some(to) = &row.to else { continue };
        let at = |policy: &Policy| policy.address(to).map(|(place, _)| target(server, &place));
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
    server: &WorkspaceId,
    to: &[(Destination, Target)],
) -> Result<(), StoreFault> {
    let (now, pages) = (unit.now, unit.workspace(server).await?.policy.pages.clone());
    for target in unit.channels().await?.keys().cloned().collect::<Vec<_>>() {
        let own = match &target {
            Target::Chat { workspace, .. } => workspace == server,
            Target::Page { name } => pages.contains(name),
            Target::Hook { .. } | Target::Lever { .. } => false,
        };
        if own {
            unit.change_channel(&target, |channel| channel.probed(now)).await?;
        }
    }
    for mut row in unit.unposted(server).await? {
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
