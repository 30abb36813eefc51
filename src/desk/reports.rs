//! What the courier says of stored messages, and what their releases hear of it. The rules are `delivery`'s.

use jiff::Timestamp;

use super::{speak, workspace};
use crate::delivery::{Capabilities, ChannelState, EditEvent, Found, Outcome, PostEvent, PostState, Report, Target};
use crate::desk::commands::quietly;
use crate::desk::door::{Answer, Ask, EditNews, Step, Stop};
use crate::desk::messages::rewrite;
use crate::desk::unit::Unit;
use crate::domain::command::Command;
use crate::domain::delivery::{DeliveryCommand, NotPosted, Trouble};
use crate::domain::ids::Place;
use crate::domain::people::Actor;
use crate::store::{PostRow, StoreFault};

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
                quietly(unit, release, Command::Delivery(arrived), &Actor::Courier).await?;
            }
            (release, DeliveryCommand::Stuck { key, found: not_posted(&row, place, trouble) })
        }
    };
    quietly(unit, command.0, Command::Delivery(command.1), &Actor::Courier).await
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
