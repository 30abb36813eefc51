//! A server's freezes and trains, as lists.

use jiff::Timestamp;

use crate::domain::freeze::holding;
use crate::domain::policy::Policy;
use crate::domain::workspace::Workspace;
use crate::voice::message::{Message, Tone};
use crate::voice::text::{Stamp, Text};
use crate::voice::workspace::window;

/// `/tminus freeze list`.
pub fn freezes(policy: &Policy, now: Timestamp) -> Message {
    let held: Vec<(String, Timestamp)> =
        holding(&policy.freezes, now).map(|(freeze, until)| (freeze.name.clone(), until)).collect();
    let lines = policy.freezes.iter().map(|freeze| {
        let line = Text::from("• ").b(&freeze.name).t(": ").and(window(freeze));
        match held.iter().find(|(name, _)| *name == freeze.name) {
            Some((_, until)) => line.t("; 🧊 active until ").time(*until, Stamp::Full),
            None => freeze
                .next_start(now)
                .map_or_else(|| line.clone().t("; ended"), |at| line.clone().t("; next ").time(at, Stamp::Full)),
        }
    });
    let body = if policy.freezes.is_empty() {
        Text::from("None. Add one with ").code("/tminus freeze add").t(".")
    } else {
        Text::lines(lines)
    };
    Message::new(Tone::Plain, Text::from("🧊 Freezes")).body(body)
}

/// How many of a train's times are shown.
const SHOWN_FIRINGS: usize = 5;

/// `/tminus train list`.
pub fn trains(workspace: &Workspace) -> Message {
    let lines = workspace.trains.iter().map(|(name, train)| {
        let line = Text::from("• ")
            .b(name)
            .t(": ")
            .code(train.rule.text())
            .t(format!(" ({}), drafted {} d ahead by {}; next ", train.zone, train.days_ahead, train.author_name));
        let next = train.next(SHOWN_FIRINGS);
        match next.split_first() {
            Some((first, later)) => {
                let line = line.time(*first, Stamp::Full);
                later.iter().fold(line, |line, at| line.t(", then ").time(*at, Stamp::Full))
            }
            None => line.t("never"),
        }
    });
    let body = if workspace.trains.is_empty() {
        Text::from("None. Set one up with ").code("/tminus train add").t(".")
    } else {
        Text::lines(lines)
    };
    Message::new(Tone::Plain, Text::from("🚆 Trains")).body(body)
}
