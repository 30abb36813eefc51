//! Words of amendments: a plan changed while its release runs.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::Text;
use super::words;
use crate::domain::amend::missing;
use crate::domain::ids::UserId;
use crate::domain::notice::{AmendmentEnd, Notice};
use crate::domain::release::Release;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    let name = words::name(release);
    match notice {
        Notice::AmendmentAsk { n, by, changes, ended } => {
            let (tone, icon, what) = match ended {
                None => (Tone::Wait, "📝", "proposed"),
                Some(AmendmentEnd::Agreed) => (Tone::Good, "✅", "agreed"),
                Some(AmendmentEnd::Declined { .. }) => (Tone::Plain, "⛔", "declined"),
                Some(AmendmentEnd::Overtaken) => (Tone::Plain, "▫️", "overtaken by a later one"),
                Some(AmendmentEnd::Lapsed) => (Tone::Plain, "▫️", "lapsed: the release is over"),
            };
            let message = Message::new(tone, Text::from(format!("{icon} Amendment #{n} {what} · {name}")))
                .body(Text::from("Proposed by ").user(by).t(" for the release that runs."))
                .field("What changes", words::changes(changes, 12));
            match ended {
                None => message.field("Agreed", agreed(release)).field(WHAT_NOW, what_now(release)),
                Some(AmendmentEnd::Declined { by, reason }) => {
                    message.field("Declined", Text::from(format!("{by}: “{reason}”. The plan stays as it was.")))
                }
                Some(AmendmentEnd::Agreed | AmendmentEnd::Overtaken | AmendmentEnd::Lapsed) => message,
            }
        }
        Notice::Amended { changes, by } => {
            let body = Text::from("Agreed by ").and(listed(by)).t(". It holds from now on.");
            Message::new(Tone::Wait, Text::from(format!("📝 Plan amended · {name}")))
                .body(body)
                .field("What changed", words::changes(changes, 12))
        }
        _ => Message::default(),
    }
}

fn agreed(release: &Release) -> Text {
    release.amendment.as_ref().map_or_else(Text::new, |open| listed(&open.agreed))
}

fn what_now(release: &Release) -> Text {
    let Some(open) = &release.amendment else { return Text::new() };
    let mut text = Text::from("Nothing of it holds yet. It waits for ");
    for (n, part) in missing(release, open).iter().enumerate() {
        if n > 0 {
            text = text.t(" and ");
        }
        text = match part {
            Some(user) => text.user(user),
            None => text.t("a release manager, because owner and on-call are one person"),
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
