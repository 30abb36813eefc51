//! `say`: the root that gives each notice to its topic's words. It only matches and delegates.

use jiff::Timestamp;

use super::buttons::buttons;
use super::message::Message;
use super::{
    alert, amend, closing, concern, decision, delivery, freeze, ladder, plan, rights, rollback, signoff, stage,
    updates, words,
};
use crate::domain::notice::Notice;
use crate::domain::prompt::Prompt;
use crate::domain::release::Release;

/// Gives a notice its words. `prompt` adds its buttons.
pub fn say(notice: &Notice, release: &Release, now: Timestamp, prompt: Option<&Prompt>) -> Message {
    let mut message = match notice {
        Notice::Plan(notice) => plan::say(notice, release),
        Notice::Signoff(notice) => signoff::say(notice, release),
        Notice::Rights(notice) => rights::say(notice, release),
        Notice::Amend(notice) => amend::say(notice, release),
        Notice::Concern(notice) => concern::say(notice, release),
        Notice::Ladder(notice) => ladder::say(notice, release),
        Notice::Delivery(notice) => delivery::say(notice, release),
        Notice::Freeze(notice) => freeze::say(notice, release),
        Notice::Stage(notice) => stage::say(notice, release, now),
        Notice::Update(notice) => updates::say(notice, release, now),
        Notice::Point(notice) => decision::say(notice, release, now),
        Notice::Alert(notice) => alert::say(notice, release),
        Notice::Rollback(notice) => rollback::say(notice, release, now),
        Notice::Closing(notice) => closing::say(notice, release, now),
    };
    message.footer = words::footer(release);
    if let Some(prompt) = prompt {
        message.buttons = buttons(release, prompt);
    }
    message
}
