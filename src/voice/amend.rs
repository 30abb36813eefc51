//! Words of amendments: a plan changed while its release runs.

use crate::domain::amend::view::missing;
use crate::domain::amend::{AmendNotice, AmendRefusal, AmendReply, AmendmentEnd};
use crate::domain::ids::UserId;
use crate::domain::release::Release;
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::text::Text;
use crate::voice::words;

pub(super) fn say(notice: &AmendNotice, release: &Release) -> Message {
    let name = words::name(release);
    match notice {
        AmendNotice::Ask { n, by, changes, ended } => {
            let (tone, icon, what) = match ended {
                None => (Tone::Wait, "📝", "proposed"),
                Some(AmendmentEnd::Agreed) => (Tone::Good, "✅", "agreed"),
                Some(AmendmentEnd::Declined { .. }) => (Tone::Plain, "⛔", "declined"),
                Some(AmendmentEnd::Overtaken) => (Tone::Plain, "▫️", "superseded by a later amendment"),
                Some(AmendmentEnd::Lapsed) => (Tone::Plain, "▫️", "lapsed: the rollout has ended"),
            };
            let message = Message::new(tone, Text::from(format!("{icon} Amendment #{n} {what} · {name}")))
                .body(Text::new().user(by).t(" proposed this change to the running release."))
                .field("Changes", words::changes(changes, 12));
            match ended {
                None => message.field("Agreed", agreed(release)).field(WHAT_NOW, what_now(release)),
                Some(AmendmentEnd::Declined { by, reason }) => {
                    message.field("Declined", Text::from(format!("{by}: “{reason}”. The plan does not change.")))
                }
                Some(AmendmentEnd::Agreed | AmendmentEnd::Overtaken | AmendmentEnd::Lapsed) => message,
            }
        }
        AmendNotice::Amended { changes, by } => {
            let body = listed(by).t(" agreed. The amended plan is now in effect.");
            Message::new(Tone::Wait, Text::from(format!("📝 Plan amended · {name}")))
                .body(body)
                .field("Changes", words::changes(changes, 12))
        }
    }
}

fn agreed(release: &Release) -> Text {
    release.amendment.as_ref().map_or_else(Text::new, |open| listed(&open.agreed))
}

fn what_now(release: &Release) -> Text {
    let Some(open) = &release.amendment else { return Text::new() };
    let mut text = Text::from("Not in effect yet. Waiting for ");
    for (n, part) in missing(release, open).iter().enumerate() {
        if n > 0 {
            text = text.t(" and ");
        }
        text = match part {
            Some(user) => text.user(user),
            None => text.t("a release manager, because one person is both owner and on-call"),
        };
    }
    text.t(".")
}

fn listed(users: &[UserId]) -> Text {
    let mut text = Text::new();
    for (n, user) in users.iter().enumerate() {
        if n > 0 {
            text = text.t(" and ");
        }
        text = text.user(user);
    }
    text
}

/// The answer to whoever asked.
pub(super) fn done(reply: &AmendReply) -> Text {
    match reply {
        AmendReply::Proposed { n } => {
            Text::from(format!("Amendment #{n} proposed. It takes effect once both owner and on-call agree."))
        }
        AmendReply::Agreed { n } => {
            Text::from(format!("You agreed to amendment #{n}. It takes effect once the other role agrees."))
        }
        AmendReply::Declined { n } => Text::from(format!("Amendment #{n} declined. The plan does not change.")),
        AmendReply::Amended { n } => Text::from(format!("Amendment #{n} is now in effect. T-Minus announces it.")),
    }
}

/// Why not, and what to do instead.
pub(super) fn refuse(refusal: &AmendRefusal) -> Text {
    match refusal {
        AmendRefusal::NotAmendable { what } => Text::from(format!(
            "You can't change this while the release runs: {}. Restore it in the document. If a proposal is open, decline it and propose again.",
            what.join("; ")
        )),
    }
}
