//! The answer to whoever gave a command: to them alone, one or two sentences, with what comes next.

use jiff::Timestamp;

use super::imported::{channel, imported};
use super::message::{Message, Tone};
use super::text::Text;
use super::{
    alert, amend, closing, concern, decision, delivery, freeze, ladder, plan, rollback, signoff, stage, updates, words,
};
use crate::domain::ladder::LadderReply;
use crate::domain::lifecycle::PlanReply;
use crate::domain::prompt::Prompt;
use crate::domain::release::Release;
use crate::domain::reply::Reply;
use crate::domain::stage::StageReply;
use crate::voice::buttons::buttons;

/// Gives a reply its words, with the prompt its buttons or its menu lead to.
pub fn answer(reply: &Reply, release: &Release, now: Timestamp) -> (Message, Option<Prompt>) {
    match reply {
        Reply::Plan(PlanReply::Imported { revision, material }) => imported(release, now, *revision, *material),
        Reply::Plan(PlanReply::Named) => imported(release, now, release.revision, true),
        Reply::Plan(PlanReply::Submitted) if release.plan.channel.is_some() && release.plan.channel_id.is_none() => {
            (plain(reply, release).field("Channel", channel(release)), None)
        }
        Reply::Ladder(LadderReply::Received { rung }) => {
            let prompt = Prompt::Received { rung: rung.clone(), generation: release.countdown.generation };
            let mut message = plain(reply, release);
            message.buttons = buttons(release, &prompt);
            (message, Some(prompt))
        }
        Reply::Stage(StageReply::Went) | Reply::Stage(StageReply::Moved) | Reply::Stage(StageReply::Finished) => {
            let mut message = plain(reply, release);
            message.buttons = buttons(release, &Prompt::Stepped);
            message = message.field("Undo", Text::from("Within 60 s, if this was a mistake."));
            (message, Some(Prompt::Stepped))
        }
        other => (plain(other, release), None),
    }
}

fn plain(reply: &Reply, release: &Release) -> Message {
    let text = match reply {
        Reply::Plan(reply) => plan::done(reply, release),
        Reply::Signoff(reply) => signoff::done(reply, release),
        Reply::Amend(reply) => amend::done(reply),
        Reply::Concern(reply) => concern::done(reply),
        Reply::Ladder(reply) => ladder::done(reply),
        Reply::Delivery(reply) => delivery::done(reply),
        Reply::Freeze(reply) => freeze::done(reply),
        Reply::Stage(reply) => stage::done(reply, release),
        Reply::Update(reply) => updates::done(reply),
        Reply::Point(reply) => decision::done(reply),
        Reply::Alert(reply) => alert::done(reply, release),
        Reply::Rollback(reply) => rollback::done(reply),
        Reply::Closing(reply) => closing::done(reply),
        Reply::Silent => return Message::default(),
    };
    let mut message = Message::new(Tone::Good, Text::from(format!("✅ Done · {}", release.no))).body(text);
    message.footer = words::footer(release);
    message
}
