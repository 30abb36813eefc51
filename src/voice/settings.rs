//! A server's settings in words: what is set, what another set of rules has in its place, and the record of who changed them. It
//! must not decide what may be set.

use std::collections::{BTreeMap, BTreeSet};

use super::message::{Message, Tone, WHAT_NOW};
use super::plain::spans;
use super::text::{Span, Stamp, Text};
use super::{words, workspace};
use crate::domain::ids::{Audience, ChannelId, RoleId};
use crate::domain::plan::{RungPlan, SignoffRole, ladder_line};
use crate::domain::policy::{Policy, Route, SignoffRule};
use crate::domain::workspace::{Noted, WorkspaceEvent};
use crate::voice::rights;

/// Changes that are named of one entry.
const NAMED: usize = 8;
/// Parts of an entry in a line of the answer.
const IN_A_LINE: usize = 3;
/// Entries in the answer; all of them are in the file beside it.
const SHOWN: usize = 10;

/// Every setting with its value, in the order people read them; what is not set has none.
fn values(policy: &Policy) -> Vec<(String, Option<Text>)> {
    // Every field by its name, so that none can be left out.
    let Policy {
        release_channel,
        ops_channel,
        zone,
        signers,
        release_managers,
        audiences,
        self_approval,
        administrator_bypass,
        on_behalf,
        waive_high,
        break_glass,
        signoff_hours,
        digest,
        no_digest,
        rules,
        pages,
        sources,
        ladder,
        freezes,
    } = policy;
    let channel = |id: &Option<ChannelId>| id.clone().map(|id| Text(vec![Span::Channel(id)]));
    let roles = |roles: &[RoleId]| {
        let named = roles
            .iter()
            .enumerate()
            .fold(Text::new(), |text, (n, role)| if n > 0 { text.t(", ").role(role) } else { text.role(role) });
        (!roles.is_empty()).then_some(named)
    };
    let switch = |on: bool| Some(Text::from(if on { "on" } else { "off" }));
    let named = |name: &str, value| (name.to_owned(), value);
    let mut values = vec![
        named("release channel", channel(release_channel)),
        named("ops channel", channel(ops_channel)),
        named("zone", zone.as_deref().map(Text::from)),
        named("release managers", roles(release_managers)),
    ];
    values.extend(
        SignoffRole::ALL
            .iter()
            .map(|role| (format!("{role} signers"), roles(signers.get(role).map_or(&[], Vec::as_slice)))),
    );
    values.push(named("break-glass", roles(break_glass)));
    values.extend(
        audiences
            .iter()
            .filter(|(_, route)| **route != Route::default())
            .map(|(audience, route)| (words::audience(audience), Some(workspace::route(route)))),
    );
    let expiry = signoff_hours.map(|hours| Text::from(format!("after {hours} h")));
    let weekly = match (digest, no_digest) {
        (_, true) => Text::from("off"),
        (Some(rule), _) => Text::new().code(rule.text()),
        (None, _) => Text::new().code("Mon 09:00"),
    };
    values.extend([
        named("self-approval at Low risk", switch(*self_approval)),
        named("administrator override", switch(*administrator_bypass)),
        named("sign-offs for people outside the chat", switch(*on_behalf)),
        named("waivers at High risk", switch(*waive_high)),
        named("sign-offs expire", expiry),
        named("weekly digest", Some(weekly)),
    ]);
    values.extend(rules.iter().map(|rule| (format!("rule “{}”", rule.name), Some(Text::from(workspace::rule(rule))))));
    let line = |rungs: &Vec<RungPlan>| Text::from(ladder_line(rungs));
    values.push(named("notices for plans that list none", ladder.as_ref().map(line)));
    values.push(named("status pages", (!pages.is_empty()).then(|| Text::from(pages.join(", ")))));
    values.push(named("alert sources", (!sources.is_empty()).then(|| Text::from(sources.join(", ")))));
    values.extend(freezes.iter().map(|freeze| (format!("freeze “{}”", freeze.name), Some(workspace::window(freeze)))));
    values
}

/// What is another value now, each in a line.
pub fn changes(before: &Policy, after: &Policy) -> Vec<Text> {
    let (old, new) = (values(before), values(after));
    let of = |values: &[(String, Option<Text>)], name: &str| {
        values.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.clone())
    };
    let mut seen = BTreeSet::new();
    let names = new.iter().chain(&old).map(|(name, _)| name).filter(|name| seen.insert((*name).clone()));
    names
        .filter_map(|name| {
            let (was, is) = (of(&old, name), of(&new, name));
            let shown = |value: Option<Text>| value.unwrap_or_else(|| Text::from("not set"));
            (was != is).then(|| Text::from(format!("{name}: ")).and(shown(was)).t(" → ").and(shown(is)))
        })
        .collect()
}

/// Whether something that guards a go is off now that was not: a switch, a rule, an expiry, a receipt that go waited for.
fn weaker(before: &Policy, after: &Policy) -> bool {
    let switches = |p: &Policy| [p.self_approval, p.administrator_bypass, p.on_behalf, p.waive_high];
    let gone = |was: &SignoffRule| !after.rules.iter().any(|is| is == was);
    let confirmed = |p: &Policy| p.audiences.iter().filter(|(_, r)| r.must_confirm).map(|(a, _)| a.clone()).collect();
    let (were, are): (BTreeSet<Audience>, BTreeSet<Audience>) = (confirmed(before), confirmed(after));
    switches(before).iter().zip(switches(after)).any(|(was, is)| is && !was)
        || before.rules.iter().any(gone)
        || before.signoff_hours.is_some() && after.signoff_hours.is_none()
        || !were.is_subset(&are)
}

/// Said where T-Minus speaks of itself, whenever people or the configuration file set something else.
pub(super) fn changed(by: &str, before: &Policy, after: &Policy) -> Message {
    let (headline, tone) = if weaker(before, after) {
        ("⚠️ Settings changed: a safeguard is off", Tone::Bad)
    } else {
        ("⚙️ Settings changed", Tone::Plain)
    };
    let message = Message::new(tone, Text::from(headline)).body(named(&changes(before, after)));
    message.field("By", Text::from(by)).field(
        WHAT_NOW,
        Text::from("No action needed if intended. Who changed what, and when: ").code("/tminus history").t("."),
    )
}

fn named(changes: &[Text]) -> Text {
    let lines = changes.iter().take(NAMED).map(|line| Text::from("• ").and(line.clone()));
    let more = (changes.len() > NAMED).then(|| Text::from(format!("and {} more", changes.len() - NAMED)));
    Text::lines(lines.chain(more))
}

/// The record of a server's own as lines, oldest first: who, when, what. What only counts or happens by itself is left out. Where
/// it does not begin with the first entry, the settings that are found first only say what the next ones replace.
pub fn record(noted: &[Noted], whole: bool) -> Vec<(Text, String)> {
    let none = Policy::default();
    let mut known: Option<&Policy> = whole.then_some(&none);
    let mut lines = Vec::new();
    for Noted { at, by, event } in noted {
        let what = match (event, known) {
            (WorkspaceEvent::Configured { .. }, None) => None,
            (event, known) => said(event, known.unwrap_or(&none)),
        };
        if let WorkspaceEvent::Configured { policy } = event {
            known = Some(policy);
        }
        let Some(what) = what else { continue };
        let all = spans(&joined(&what), "UTC", *at, &BTreeMap::new());
        let line = Text::new().time(*at, Stamp::Full).t(format!(" · {by}: ")).and(shortened(&what));
        lines.push((line, words::one_line(&format!("{at} · {by}: {all}"))));
    }
    lines
}

/// The first few of an entry's parts; the file beside the answer has all.
fn shortened(parts: &[Text]) -> Text {
    let more = parts.len().saturating_sub(IN_A_LINE);
    let text = joined(&parts[..parts.len() - more]);
    if more > 0 { text.t(format!("; and {more} more")) } else { text }
}

fn joined(parts: &[Text]) -> Text {
    parts.iter().enumerate().fold(Text::new(), |text, (n, part)| {
        if n > 0 { text.t("; ").and(part.clone()) } else { text.and(part.clone()) }
    })
}

fn said(event: &WorkspaceEvent, before: &Policy) -> Option<Vec<Text>> {
    let one = match event {
        WorkspaceEvent::Configured { policy } => {
            let changes = changes(before, policy);
            return (!changes.is_empty()).then_some(changes);
        }
        WorkspaceEvent::TrainAdded { name, train } => Text::from(format!("train “{name}”: {}", train.rule.text())),
        WorkspaceEvent::TrainRemoved { name } => Text::from(format!("train “{name}” removed")),
        WorkspaceEvent::TrainSkipped { name, t0, reason } => {
            Text::from(format!("train “{name}” of ")).time(*t0, Stamp::Full).t(format!(" skipped: “{reason}”"))
        }
        WorkspaceEvent::TrainUnskipped { name, t0 } => {
            Text::from(format!("train “{name}” of ")).time(*t0, Stamp::Full).t(" no longer skipped")
        }
        WorkspaceEvent::Bypassed { action } => {
            Text::from(format!("administrator override: {}", rights::action(action)))
        }
        WorkspaceEvent::Refused { action, why, .. } => {
            Text::from(format!("was refused: {} ({})", rights::action(action), rights::denied(*why)))
        }
        WorkspaceEvent::SentAgain => Text::from("retried stuck messages"),
        WorkspaceEvent::Numbered { .. }
        | WorkspaceEvent::Remembered { .. }
        | WorkspaceEvent::FreezeSeen { .. }
        | WorkspaceEvent::TrainHandled { .. }
        | WorkspaceEvent::ClockWrong { .. }
        | WorkspaceEvent::ClockRight
        | WorkspaceEvent::Strayed { .. }
        | WorkspaceEvent::Digested { .. } => return None,
    };
    Some(vec![one])
}

/// `/tminus history`: the newest lines, newest first; all of them are in the file beside it. Where that does not begin with the first
/// entry, it says so.
pub fn history(lines: &[(Text, String)], whole: bool) -> Message {
    let shown = &lines[lines.len().saturating_sub(SHOWN)..];
    let body = if shown.is_empty() {
        Text::from("The record is empty.")
    } else {
        Text::lines(shown.iter().rev().map(|(line, _)| Text::from("• ").and(line.clone())))
    };
    let message = Message::new(Tone::Plain, Text::from("🧾 Who changed what in this server")).body(body);
    let shown = match (shown.len(), lines.len()) {
        (shown, all) if shown == all && whole => return message,
        (shown, all) if whole => format!("The newest {shown} of {all}; the file has all."),
        (shown, all) => format!("The newest {shown} of {all} in the file; only the journal has older ones."),
    };
    message.field("Shown", Text::from(shown))
}
