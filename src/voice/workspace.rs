//! Words of a workspace's own: freezes and trains.

use super::message::{Message, Tone, WHAT_NOW};
use super::text::{Span, Stamp, Text};
use super::{settings, words};
use crate::domain::delivery::Trouble;
use crate::domain::freeze::{Freeze, Planned, Window, holding};
use crate::domain::plan::{Risk, span_label};
use crate::domain::policy::{Policy, Route, SignoffRule};
use crate::domain::weekly::Standing;
use crate::domain::workspace::{Workspace, WorkspaceNotice, WorkspaceReply};
use jiff::Timestamp;

/// Gives a workspace's notice its words.
pub fn say(notice: &WorkspaceNotice) -> Message {
    let mut message = words_of(notice);
    message.footer = "this server".to_owned();
    message
}

fn words_of(notice: &WorkspaceNotice) -> Message {
    match notice {
        WorkspaceNotice::FreezeAhead { freeze, start, until, inside } => {
            let mut body = Text::from("From ").time(*start, Stamp::Full).t(" (").time(*start, Stamp::Relative).t(")");
            if let Some(until) = until {
                body = body.t(" until ").time(*until, Stamp::Full);
            }
            body = body.t(". No release goes live in it without a recorded exception; rollbacks are never blocked.");
            if let Some(reason) = &freeze.reason {
                body = body.br().t(format!("Reason: “{reason}”."));
            }
            let message = Message::new(Tone::Wait, Text::from(format!("🧊 Freeze ahead · {}", freeze.name))).body(body);
            if inside.is_empty() {
                return message.field("Planned inside it", Text::from("nothing"));
            }
            message.field("Planned inside it", Text::lines(inside.iter().take(10).map(planned))).field(
                WHAT_NOW,
                Text::from("Move it with ")
                    .code("/release reschedule")
                    .t(", or a release manager records an exception with ")
                    .code("/tminus freeze except")
                    .t("."),
            )
        }
        WorkspaceNotice::TrainSkipped { name, t0, zone, by, reason, next } => {
            Message::new(Tone::Wait, Text::from(format!("⏭️ Train skipped · {name}")))
                .body(
                    Text::from("The release of ")
                        .and(words::when(*t0, zone))
                        .t(format!(" is skipped by {by}: “{reason}”.")),
                )
                .field("Next", next_one(*next, zone))
        }
        WorkspaceNotice::TrainRuns { name, t0, zone, by } => {
            Message::new(Tone::Good, Text::from(format!("↩️ Train runs after all · {name}"))).body(
                Text::from("The release of ")
                    .and(words::when(*t0, zone))
                    .t(format!(" was skipped; {by} took that back. Its draft comes at its time.")),
            )
        }
        WorkspaceNotice::TrainMissed { name, t0, zone } => {
            Message::new(Tone::Bad, Text::from(format!("⚠️ Train missed · {name}"))).body(
                Text::from("No draft was made for ")
                    .and(words::when(*t0, zone))
                    .t(": T-Minus was not running until its time had passed."),
            )
        }
        WorkspaceNotice::TrainFailed { name, t0, zone, why } => {
            Message::new(Tone::Bad, Text::from(format!("⚠️ Train without a draft · {name}")))
                .body(Text::from("No draft was made for ").and(words::when(*t0, zone)).t(format!(": {why}.")))
                .field(
                    WHAT_NOW,
                    Text::from("Set the train up again with ")
                        .code("/tminus train add")
                        .t("; for this time, ")
                        .code("/release import")
                        .t("."),
                )
        }
        WorkspaceNotice::ClockWrong { ahead } => {
            let side = if ahead.is_negative() { "behind" } else { "ahead of" };
            let minutes = ahead.as_mins().unsigned_abs();
            let by = span_label(minutes);
            Message::new(Tone::Bad, Text::from("⚠️ The machine's clock is wrong"))
                .body(Text::from(format!(
                    "The clock of the machine T-Minus runs on is {by} {side} Discord's. T-Minus goes by Discord's time: notices go out when they are due."
                )))
                .field(WHAT_NOW, Text::from("Ask your operator to set the machine's clock and to keep it with NTP."))
        }
        WorkspaceNotice::ClockRight => Message::new(Tone::Good, Text::from("✅ The machine's clock is right again"))
            .body(Text::from("It agrees with Discord's.")),
        WorkspaceNotice::SetUp { by, ops } => {
            let what = if *ops {
                "T-Minus speaks of itself here: messages that cannot be delivered, lost rights, break-glass, and the weekly digest."
            } else {
                "Releases of this server are announced here."
            };
            Message::new(Tone::Good, Text::from("✅ Test message")).body(Text::from(format!("{what} Set up by {by}.")))
        }
        WorkspaceNotice::Changed { by, before, after } => settings::changed(by, before, after),
        WorkspaceNotice::Bypassed { action, by } => {
            Message::new(Tone::Bad, Text::from("⚠️ Past the roles")).body(Text::from(format!(
                "{by} may manage the server and did this without the role it needs: {}. This server lets administrators pass the roles (administrator_bypass).",
                words::action(action)
            )))
        }
        WorkspaceNotice::Digest { open, more } => {
            let lines = open.iter().map(standing);
            let more = (*more > 0).then(|| Text::from(format!("and {more} more: /release list")));
            let body = if open.is_empty() {
                Text::from("Nothing is open.")
            } else {
                Text::lines(lines.chain(more))
            };
            Message::new(Tone::Plain, Text::from("🗓️ Weekly digest")).body(body)
        }
        WorkspaceNotice::Undelivered { said, why, channel, trouble } => {
            let (headline, body, now) = undelivered(*trouble);
            Message::new(Tone::Bad, Text::from(headline))
                .body(Text::from(body).and(Text(vec![Span::Channel(channel.clone())])).t("."))
                .field("Message", Text::from(said.as_str()))
                .field("Reason", Text::new().code(why))
                .field(WHAT_NOW, now)
        }
    }
}

/// What became of a message of the workspace's own, and what to do.
fn undelivered(trouble: Trouble) -> (&'static str, &'static str, Text) {
    let again = |before: &str, after: &str| Text::from(before).code("/tminus resend").t(after);
    match trouble {
        Trouble::Held => (
            "⚠️ Perhaps not posted",
            "Nobody can say whether a message was posted in ",
            Text::from("Look there. If it is missing, tell those who read that channel: it is not sent again."),
        ),
        Trouble::Blocked => (
            "⛔ Not posted",
            "A message could not be posted in ",
            again(
                "Give the rights back (see /tminus check), then ",
                ". It is tried again by itself as well, every few minutes. If the channel is gone, set another one with /tminus setup: it goes there.",
            ),
        ),
        Trouble::Dead => (
            "⛔ Not posted",
            "A message was refused in ",
            again("Tell those who read that channel, or try once more with ", "."),
        ),
        Trouble::Expired => (
            "⛔ Not posted in time",
            "A message could not be posted while it was of use in ",
            Text::from("Tell those who read that channel, and give the rights back (see /tminus check)."),
        ),
    }
}

/// Where an audience is told, who is called, when not.
pub fn route(route: &Route) -> Text {
    let text = match &route.channel {
        Some(channel) => Text(vec![Span::Channel(channel.clone())]),
        None => Text::from("the release channel"),
    };
    let text = match &route.role {
        Some(role) => text.t(", calls ").role(role),
        None => text.t(", calls nobody"),
    };
    let text = match &route.quiet {
        Some(quiet) => text.t(format!(", quiet {quiet}")),
        None => text,
    };
    if route.must_confirm { text.t(", go waits for it") } else { text }
}

fn next_one(next: Option<Timestamp>, zone: &str) -> Text {
    next.map_or_else(|| Text::from("none"), |at| words::when(at, zone))
}

/// Another release in a line: number, title, T-0 or that it runs.
pub(super) fn planned(planned: &Planned) -> Text {
    let text = Text::from(format!("• {} {}", planned.no, planned.title));
    match planned.t0 {
        _ if planned.running => text.t(", running now"),
        Some(t0) => text.t(", T-0 ").time(t0, Stamp::Full),
        None => text,
    }
}

/// An open release in a line: what it is and what waits.
fn standing(standing: &Standing) -> Text {
    let mut text = Text::from(format!("• {} {} · {}", standing.no, standing.title, words::phase(standing.phase)));
    if let Some(t0) = standing.t0 {
        text = text.t(" · T-0 ").time(t0, Stamp::Full);
    }
    let count = |n: usize, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let postmortem = standing.postmortem.map(|ended| match ended {
        false => "the post-mortem".to_owned(),
        true => "the post-mortem, whose reminders have ended".to_owned(),
    });
    let waits: Vec<String> = [
        count(standing.signoffs_missing, "sign-off", "sign-offs"),
        count(standing.concerns_open, "concern", "concerns"),
        postmortem,
        count(standing.actions_open, "action", "actions"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if waits.is_empty() { text } else { text.t(format!(" · waits for {}", waits.join(", "))) }
}

/// A rule for sign-offs in words: "2 people of SRE/Ops where the risk is High or more, service payments".
pub fn rule(rule: &SignoffRule) -> String {
    let people = if rule.people == 1 { "1 person".to_owned() } else { format!("{} people", rule.people) };
    let conditions: Vec<String> = [
        rule.kind.map(|kind| format!("the type is {kind}")),
        rule.risk.map(|risk| match risk {
            Risk::High => "the risk is High".to_owned(),
            risk => format!("the risk is {risk} or higher"),
        }),
        rule.service.as_ref().map(|service| format!("the service is {service}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let when = if conditions.is_empty() { "always".to_owned() } else { format!("where {}", conditions.join(" and ")) };
    format!("{people} of {}, {when}", rule.role)
}

/// Gives the answer its words; `None` where nobody listens.
pub fn answer(reply: &WorkspaceReply) -> Option<Message> {
    let ok = |text: Text| Message::new(Tone::Good, Text::from("✅ Done")).body(text);
    Some(match reply {
        WorkspaceReply::FreezeAdded { freeze, holds, next } => {
            let mut message = ok(Text::from(format!("Freeze “{}”: ", freeze.name)).and(window(freeze)));
            if let Some(until) = holds {
                message = message.field("Now", Text::from("it holds, until ").time(*until, Stamp::Full));
            }
            message.field("Next starts", times(next, zone(freeze)))
        }
        WorkspaceReply::RuleAdded { rule: added } => {
            ok(Text::from(format!("Rule “{}”: {}. Open releases follow it at once.", added.name, rule(added))))
        }
        WorkspaceReply::RuleRemoved { name } => ok(Text::from(format!("Rule “{name}” is removed."))),
        WorkspaceReply::FreezeRemoved { name } => ok(Text::from(format!("Freeze “{name}” is removed."))),
        WorkspaceReply::TrainAdded { name, zone, days_ahead, next, unknown } => {
            let days = if *days_ahead == 1 { "a day".to_owned() } else { format!("{days_ahead} days") };
            ok(Text::from(format!("Train “{name}”: a draft is made {days} before each T-0.")))
                .field("Next T-0s", times(next, zone))
                .field(
                    "No member found",
                    if unknown.is_empty() {
                        Text::new()
                    } else {
                        Text::from(format!(
                            "{}. Write the handle beside the name, such as Ana (@ana), and set the train up again.",
                            unknown.join(", ")
                        ))
                    },
                )
                .field(
                    WHAT_NOW,
                    Text::from(
                        "If a time is not what you meant, set the train up again under the same name. Skip one with ",
                    )
                    .code("/tminus train skip")
                    .t("."),
                )
        }
        WorkspaceReply::TrainRemoved { name } => {
            ok(Text::from(format!("Train “{name}” is removed. Drafts it made stay.")))
        }
        WorkspaceReply::TrainSkipped { name, t0, zone, next } => {
            ok(Text::from(format!("“{name}” of ")).and(words::when(*t0, zone)).t(" is skipped, and announced."))
                .field("Next", next_one(*next, zone))
        }
        WorkspaceReply::TrainRuns { name, t0, zone } => ok(Text::from(format!("“{name}” of "))
            .and(words::when(*t0, zone))
            .t(" takes place, and that is announced.")),
        WorkspaceReply::AudienceSet { audience, route: set } => {
            ok(Text::from(format!("{}: ", words::audience(audience)))
                .and(route(set))
                .t(". Open releases follow it at once."))
        }
        WorkspaceReply::AudienceRemoved { audience } => ok(Text::from(format!(
            "{} is told in the release channel from here on, and nobody is called.",
            words::audience(audience)
        ))),
        WorkspaceReply::SentAgain => ok(Text::from(
            "The server's own messages that could not be posted in the last seven days are sent again at once, unless their time is past or they may stand in their channel already. What fails again is told again.",
        )),
        WorkspaceReply::Silent => return None,
    })
}

fn zone(freeze: &Freeze) -> &str {
    match &freeze.window {
        Window::Recurring { zone, .. } => zone,
        Window::Fixed { .. } => "UTC",
    }
}

fn times(times: &[Timestamp], zone: &str) -> Text {
    if times.is_empty() {
        return Text::from("none");
    }
    Text::lines(times.iter().map(|at| Text::from("• ").and(words::when(*at, zone))))
}

pub(super) fn window(freeze: &Freeze) -> Text {
    match &freeze.window {
        Window::Fixed { from, until } => {
            Text::from("from ").time(*from, Stamp::Full).t(" until ").time(*until, Stamp::Full)
        }
        Window::Recurring { from, until, zone } => {
            Text::from("each time from ").code(from.text()).t(" until ").code(until.text()).t(format!(" ({zone})"))
        }
    }
}

/// `/tminus freeze list`.
pub fn freezes(policy: &Policy, now: Timestamp) -> Message {
    let held: Vec<(String, Timestamp)> =
        holding(&policy.freezes, now).map(|(freeze, until)| (freeze.name.clone(), until)).collect();
    let lines = policy.freezes.iter().map(|freeze| {
        let line = Text::from("• ").b(&freeze.name).t(": ").and(window(freeze));
        match held.iter().find(|(name, _)| *name == freeze.name) {
            Some((_, until)) => line.t("; 🧊 holds now, until ").time(*until, Stamp::Full),
            None => freeze
                .next_start(now)
                .map_or_else(|| line.clone().t("; over"), |at| line.clone().t("; next ").time(at, Stamp::Full)),
        }
    });
    let body = if policy.freezes.is_empty() {
        Text::from("None. Add one with ").code("/tminus freeze add").t(".")
    } else {
        Text::lines(lines)
    };
    Message::new(Tone::Plain, Text::from("🧊 Freezes")).body(body)
}

/// How many of a train's times are shown (`product.md` 2).
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
