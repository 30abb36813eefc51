//! Words of a workspace's own: freezes and trains.

use jiff::Timestamp;

use super::message::{Message, Tone, WHAT_NOW};
use super::text::{Span, Stamp, Text};
use super::{settings, words};
use crate::domain::alert::route::Stray;
use crate::domain::delivery::Trouble;
use crate::domain::freeze::{Freeze, Planned, Window};
use crate::domain::plan::{Risk, span_label};
use crate::domain::policy::{Route, SignoffRule};
use crate::domain::recur::Rule;
use crate::domain::workspace::stray::Strays;
use crate::domain::workspace::weekly::Standing;
use crate::domain::workspace::{WorkspaceNotice, WorkspaceReply};
use crate::voice::rights;

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
            body = body.t(". No release can go live then without a recorded exception. A freeze never blocks rollbacks.");
            if let Some(reason) = &freeze.reason {
                body = body.br().t(format!("Reason: “{reason}”."));
            }
            let message = Message::new(Tone::Wait, Text::from(format!("🧊 Freeze ahead · {}", freeze.name))).body(body);
            if inside.is_empty() {
                return message.field("Releases inside it", Text::from("none"));
            }
            message.field("Releases inside it", Text::lines(inside.iter().take(10).map(planned))).field(
                WHAT_NOW,
                Text::from("Move the release with ")
                    .code("/release reschedule")
                    .t(", or ask a release manager for an exception (")
                    .code("/tminus freeze except")
                    .t(")."),
            )
        }
        WorkspaceNotice::TrainSkipped { name, t0, by, reason, next, .. } => {
            Message::new(Tone::Wait, Text::from(format!("⏭️ Train skipped · {name}")))
                .body(
                    Text::from(format!("{by} skipped the release of "))
                        .time(*t0, Stamp::Full)
                        .t(format!(": “{reason}”.")),
                )
                .field("Next", next_one(*next))
        }
        WorkspaceNotice::TrainRuns { name, t0, by, .. } => {
            Message::new(Tone::Good, Text::from(format!("↩️ Train runs after all · {name}"))).body(
                Text::from(format!("{by} restored the skipped release of "))
                    .time(*t0, Stamp::Full)
                    .t(". T-Minus creates its draft on schedule."),
            )
        }
        WorkspaceNotice::TrainMissed { name, t0, .. } => {
            Message::new(Tone::Bad, Text::from(format!("⚠️ Train missed · {name}"))).body(
                Text::from("T-Minus created no draft for ")
                    .time(*t0, Stamp::Full)
                    .t(": it was offline until that time had passed."),
            )
        }
        WorkspaceNotice::TrainFailed { name, t0, why, .. } => {
            Message::new(Tone::Bad, Text::from(format!("⚠️ Train draft failed · {name}")))
                .body(Text::from("T-Minus could not create the draft for ").time(*t0, Stamp::Full).t(format!(": {why}.")))
                .field(
                    WHAT_NOW,
                    Text::from("Set up the train again with ")
                        .code("/tminus train add")
                        .t(". For this release, use ")
                        .code("/release import")
                        .t("."),
                )
        }
        WorkspaceNotice::ClockWrong { ahead } => {
            let side = if ahead.is_negative() { "behind" } else { "ahead of" };
            let minutes = ahead.as_mins().unsigned_abs();
            let by = span_label(minutes);
            Message::new(Tone::Bad, Text::from("⚠️ The host clock is wrong"))
                .body(Text::from(format!(
                    "The clock of T-Minus's host is {by} {side} Discord's. T-Minus uses Discord's time, so notices still go out on time."
                )))
                .field(WHAT_NOW, Text::from("Ask your operator to fix the host clock and keep it in sync with NTP."))
        }
        WorkspaceNotice::ClockRight => Message::new(Tone::Good, Text::from("✅ The host clock is right again"))
            .body(Text::from("It matches Discord's clock.")),
        WorkspaceNotice::Strays { strays } => stray_alerts(strays),
        WorkspaceNotice::SetUp { by, ops } => {
            let what = if *ops {
                "T-Minus reports here: undelivered messages, lost permissions, break-glass, and the weekly digest."
            } else {
                "T-Minus announces this server's releases here."
            };
            Message::new(Tone::Good, Text::from("✅ Test message")).body(Text::from(format!("{what} {by} set it up.")))
        }
        WorkspaceNotice::Changed { by, before, after } => settings::changed(by, before, after),
        WorkspaceNotice::Bypassed { action, by } => {
            Message::new(Tone::Bad, Text::from("⚠️ Administrator override")).body(Text::from(format!(
                "{by} used the Manage Server permission to do this without the required role: {}. This server allows administrator overrides (administrator_bypass).",
                rights::action(action)
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
            "⚠️ Message may not be posted",
            "T-Minus cannot tell whether it posted a message in ",
            Text::from(
                "Check there. If the message is missing, inform the channel's readers yourself: T-Minus will not send it again.",
            ),
        ),
        Trouble::Blocked => (
            "🔴 Not posted",
            "T-Minus could not post a message in ",
            again(
                "Restore the permissions (see /tminus check), then use ",
                ". T-Minus also retries every few minutes. If the channel is gone, set another one with /tminus setup, and T-Minus posts it there.",
            ),
        ),
        Trouble::Dead => (
            "🔴 Not posted",
            "Discord rejected a message in ",
            again("Inform the channel's readers yourself, or retry with ", "."),
        ),
        Trouble::Expired => (
            "🔴 Not posted in time",
            "T-Minus could not post a message in time in ",
            Text::from("Inform the channel's readers yourself, and restore the permissions (see /tminus check)."),
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
        Some(role) => text.t(", pings ").role(role),
        None => text.t(", pings nobody"),
    };
    let text = match &route.quiet {
        Some(quiet) => text.t(format!(", quiet hours {quiet}")),
        None => text,
    };
    if route.must_confirm { text.t(", go waits for its receipt") } else { text }
}

fn next_one(next: Option<Timestamp>) -> Text {
    next.map_or_else(|| Text::from("none"), |at| Text::new().time(at, Stamp::Full))
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
        true => "the post-mortem (reminders ended)".to_owned(),
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
    if waits.is_empty() { text } else { text.t(format!(" · waiting for {}", waits.join(", "))) }
}

/// A rule for sign-offs in words: "2 people from SRE/Ops, when the risk is High and the service is payments".
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
    let when = if conditions.is_empty() { "always".to_owned() } else { format!("when {}", conditions.join(" and ")) };
    format!("{people} from {}, {when}", rule.role)
}

/// Gives the answer its words; `None` where nobody listens.
pub fn answer(reply: &WorkspaceReply) -> Option<Message> {
    let ok = |text: Text| Message::new(Tone::Good, Text::from("✅ Done")).body(text);
    Some(match reply {
        WorkspaceReply::FreezeAdded { freeze, holds, next } => {
            let mut message = ok(Text::from(format!("Freeze “{}”: ", freeze.name)).and(window(freeze)));
            if let Some(until) = holds {
                message = message.field("Now", Text::from("active until ").time(*until, Stamp::Full));
            }
            message.field("Next starts", times(next))
        }
        WorkspaceReply::RuleAdded { rule: added } => {
            ok(Text::from(format!("Rule “{}”: {}. It applies to open releases immediately.", added.name, rule(added))))
        }
        WorkspaceReply::RuleRemoved { name } => ok(Text::from(format!("Rule “{name}” removed."))),
        WorkspaceReply::FreezeRemoved { name } => ok(Text::from(format!("Freeze “{name}” removed."))),
        WorkspaceReply::TrainAdded { name, days_ahead, next, unknown } => {
            let days = if *days_ahead == 1 { "a day".to_owned() } else { format!("{days_ahead} days") };
            ok(Text::from(format!("Train “{name}”: T-Minus creates a draft {days} before each T-0.")))
                .field("Next T-0s", times(next))
                .field(
                    "No member found",
                    if unknown.is_empty() {
                        Text::new()
                    } else {
                        Text::from(format!(
                            "{}. Add the handle after the name, such as Ana (@ana), and set up the train again.",
                            unknown.join(", ")
                        ))
                    },
                )
                .field(
                    WHAT_NOW,
                    Text::from(
                        "If a time is wrong, set up the train again under the same name. Skip one release with ",
                    )
                    .code("/tminus train skip")
                    .t("."),
                )
        }
        WorkspaceReply::TrainRemoved { name } => {
            ok(Text::from(format!("Train “{name}” removed. Its existing drafts stay.")))
        }
        WorkspaceReply::TrainSkipped { name, t0, next } => {
            ok(Text::from(format!("“{name}” of ")).time(*t0, Stamp::Full).t(" is skipped. T-Minus announces it."))
                .field("Next", next_one(*next))
        }
        WorkspaceReply::TrainRuns { name, t0 } => {
            ok(Text::from(format!("“{name}” of ")).time(*t0, Stamp::Full).t(" runs after all. T-Minus announces it."))
        }
        WorkspaceReply::AudienceSet { audience, route: set } => {
            ok(Text::from(format!("{}: ", words::audience(audience)))
                .and(route(set))
                .t(". It applies to open releases immediately."))
        }
        WorkspaceReply::AudienceRemoved { audience } => ok(Text::from(format!(
            "{} now gets its notices in the release channel, without pings.",
            words::audience(audience)
        ))),
        WorkspaceReply::SentAgain => ok(Text::from(
            "T-Minus now resends this server's own messages that it could not post in the last seven days, except those that are out of date or may already be posted. It reports each one that fails again.",
        )),
        WorkspaceReply::Silent => return None,
    })
}

fn times(times: &[Timestamp]) -> Text {
    if times.is_empty() {
        return Text::from("none");
    }
    Text::lines(times.iter().map(|at| Text::from("• ").time(*at, Stamp::Full)))
}

pub(super) fn window(freeze: &Freeze) -> Text {
    match &freeze.window {
        Window::Fixed { from, until } => {
            Text::from("from ").time(*from, Stamp::Full).t(" until ").time(*until, Stamp::Full)
        }
        Window::Recurring { from, until, zone } => match (weekly(from), weekly(until)) {
            (Some(from), Some(until)) => Text::from(format!("every week, {from} to {until} ({zone})")),
            _ => {
                Text::from("recurring, from ").code(from.text()).t(" until ").code(until.text()).t(format!(" ({zone})"))
            }
        },
    }
}

/// A rule that fires once a week, as people write it: "Fri 15:00".
fn weekly(rule: &Rule) -> Option<String> {
    let fields: Vec<&str> = rule.text().split(' ').collect();
    let [minute, hour, "*", "*", day] = fields[..] else { return None };
    let (minute, hour): (u8, u8) = (minute.parse().ok()?, hour.parse().ok()?);
    let mut letters = day.chars().filter(|c| c.is_ascii_alphabetic());
    let named: String = letters.next()?.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect();
    (day.len() == 3 && named.len() == 3).then(|| format!("{named} {hour:02}:{minute:02}"))
}

/// Alerts that concern no release, counted.
fn stray_alerts(strays: &Strays) -> Message {
    let lines = strays.named.iter().rev().map(|alert| {
        let severity = alert.severity.as_ref().map_or(String::new(), |severity| format!(" ({severity})"));
        let why = match &alert.why {
            Stray::Unreadable(why) => format!("unreadable: {why}"),
            Stray::NoneOpen => "no release is open".to_owned(),
            Stray::NoMatch => "no open release has its service".to_owned(),
        };
        Text::from(format!("• {}{severity} from {}: {why}", alert.name, alert.source))
    });
    let more = usize::try_from(strays.total).unwrap_or(usize::MAX).saturating_sub(strays.named.len());
    let rest = (more > 0).then(|| Text::from(format!("and {more} earlier")));
    let word = if strays.total == 1 { "alert belongs" } else { "alerts belong" };
    Message::new(Tone::Wait, Text::from(format!("⚠️ {} {word} to no release", strays.total)))
        .body(Text::from("Since ").time(strays.since, Stamp::Full).t(". Newest first:"))
        .field("Alerts", Text::lines(lines.chain(rest)))
        .field(
            WHAT_NOW,
            Text::from("Give the alert rule the label ")
                .code("service")
                .t(" of the plan, or ")
                .code("release")
                .t(" (REL-42). No action needed if these are not about a release."),
        )
}
