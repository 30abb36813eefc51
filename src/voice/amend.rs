//! Words of amendments: a plan changed while its release runs.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::Text;
use super::words;
use crate::domain::amend::AmendNotice;
use crate::domain::amend::AmendmentEnd;
use crate::domain::amend::view::missing;
use crate::domain::ids::UserId;
use crate::domain::notice::Notice;
use crate::domain::release::Release;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
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
        _ => Message::default(),
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
