//! Words after it: all-clear with the numbers, post-mortem, actions.

use jiff::Timestamp;

use crate::domain::closing::{ClosingEvent, ClosingNotice, ClosingRefusal, ClosingReply, Issue, Postmortem};
use crate::domain::plan::span_label;
use crate::domain::release::{Release, Run};
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::open;
use crate::voice::text::{Stamp, Text};
use crate::voice::words::{self, in_zone};

/// What an all-clear's field about the journal is called.
pub const RECORD: &str = "Record";

/// The journal's head at the all-clear: whoever keeps it can prove later that nothing before it was changed.
pub fn record(head: &str) -> Text {
    Text::from("Journal head ")
        .code(head)
        .t(". Keep this value: ")
        .code("tminus audit verify --head")
        .t(" uses it to prove that nobody changed earlier entries.")
}

pub(super) fn say(notice: &ClosingNotice, release: &Release, now: Timestamp) -> Message {
    let name = words::name(release);
    match notice {
        ClosingNotice::AllClear { by } => {
            let Some(run) = release.phase.run() else {
                return Message::default();
            };
            all_clear(release, run, by, now)
        }
        ClosingNotice::Rewatched { by } => Message::new(Tone::Wait, Text::from(format!("👀 Watching again · {name}")))
            .body(Text::from(format!("{by} reopened the watch after the all-clear. Updates and alerts continue."))),
        ClosingNotice::ClearAsk { asked, open } => {
            let again = if *asked > 1 { format!(" (reminder {})", asked - 1) } else { String::new() };
            let (tone, body) = match open.is_empty() {
                true => (Tone::Wait, "Every stage and decision point is done, and nothing is open."),
                false => {
                    (Tone::Wait, "Every stage and decision point is done. Before the all-clear, fix the open items.")
                }
            };
            Message::new(tone, Text::from(format!("⏳ All clear?{again} · {name}")))
                .body(body)
                .field("Open items", open::open_list(open, &release.policy))
        }
        ClosingNotice::ClearGiven { by } => {
            Message::new(Tone::Good, Text::from(format!("✅ {by} gave the all-clear · {name}")))
        }
        ClosingNotice::PostmortemDue { reminder, open } => {
            Message::new(Tone::Wait, Text::from(format!("📄 Post-mortem due (reminder {reminder}) · {name}")))
                .body(Text::from("The record shows: ").b(issues(release)).t("."))
                .field("Open actions", Text::lines(open.iter().map(|text| Text::from(format!("• {text}")))))
                .field(
                    WHAT_NOW,
                    Text::from("Write the post-mortem, then file its link with the button or ")
                        .code("/release postmortem file")
                        .t(". To set a date: ")
                        .code("/release postmortem schedule")
                        .t(". To waive it: ")
                        .code("/release postmortem waive")
                        .t("."),
                )
                .field("Owner", words::person(release.plan.owner.as_ref()))
        }
        ClosingNotice::PostmortemScheduled { at, by } => {
            Message::new(Tone::Plain, Text::from(format!("📄 Post-mortem scheduled · {name}"))).body(
                Text::from(format!("{by} scheduled it for "))
                    .and(words::when(release, *at))
                    .t(". Reminders continue until somebody files it."),
            )
        }
        ClosingNotice::PostmortemFiled { link, by } => {
            Message::new(Tone::Good, Text::from(format!("📄 Post-mortem filed · {name}")))
                .body(Text::from(format!("{by} filed it: ")).code(link))
        }
        ClosingNotice::PostmortemWaived { reason, by } => {
            Message::new(Tone::Wait, Text::from(format!("📄 Post-mortem waived · {name}")))
                .body(Text::from(format!("{by} waived it: “{reason}”")))
        }
        ClosingNotice::ActionsOpen { open } => {
            Message::new(Tone::Wait, Text::from(format!("📌 Actions still open · {name}")))
                .body(Text::lines(open.iter().map(|text| Text::from(format!("• {text}")))))
                .field(
                    WHAT_NOW,
                    Text::from("Close each with ")
                        .code("/release item done")
                        .t(" or ")
                        .code("/release item waive")
                        .t("."),
                )
        }
        ClosingNotice::Closed => Message::new(Tone::Good, Text::from(format!("🏁 Closed · {name}")))
            .body(Text::from("Nothing is open. Get the filled-in plan with ").code("/release export").t(".")),
    }
}

fn issues(release: &Release) -> String {
    let word = |issue: &Issue| match issue {
        Issue::Alert => "an alert fired",
        Issue::RollbackPrompt => "a rollback was proposed",
        Issue::Rollback => "the team rolled back",
        Issue::BreakGlass => "go used break-glass",
        Issue::MissedUpdate => "a promised update was missed",
    };
    release.issues.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn all_clear(release: &Release, run: &Run, by: &str, now: Timestamp) -> Message {
    let table = release.plan.metrics.iter().map(|metric| {
        let baseline = metric.baseline.as_ref().map_or("–".to_owned(), ToString::to_string);
        let success = metric.success.as_ref().map_or("–".to_owned(), ToString::to_string);
        let line = Text::from(format!("{}: baseline {baseline}, success {success}, ", metric.name));
        match run.observed.get(&metric.name) {
            Some(seen) => line
                .t("observed ")
                .b(words::value(metric, seen.value).to_string())
                .t(" at ")
                .time(seen.at, Stamp::Short),
            None => line.t("no value"),
        }
    });
    let took = (now.as_second() - run.go_at.as_second()).unsigned_abs() / 60;
    let planned: u64 = release.plan.stages.iter().filter_map(|s| s.hold_min).map(u64::from).sum();
    let updates = format!("{} written, {} missed", run.updates.posted, run.updates.missed);
    let alerts = run.alerts.iter().filter(|a| !a.pre_existing).count();
    let mut message = Message::new(Tone::Good, Text::from(format!("✅ All clear · {}", words::name(release))))
        .body(Text::from(format!("{by} gave the all-clear {} after T-0.", span_label(took))))
        .field("Planned vs observed", Text::lines(table))
        .short("Rollout", Text::from(format!("{} planned", span_label(planned))))
        .short("Alerts", Text::from(alerts.to_string()))
        .short("Updates", Text::from(updates));
    message = match release.phase.closing().map(|c| &c.postmortem) {
        Some(Postmortem::Due { .. }) => message
            .field("Post-mortem", Text::from(format!("due because {}. Reminders start tomorrow.", issues(release)))),
        _ => message.field("Post-mortem", Text::from("not required: the record shows no issue.")),
    };
    message
}

/// The answer to whoever asked.
pub(super) fn done(reply: &ClosingReply) -> Text {
    match reply {
        ClosingReply::Rewatched => {
            Text::from("T-Minus watches the release again. Everyone already notified gets a message.")
        }
        ClosingReply::AllClear => Text::from("You gave the all-clear. T-Minus announces it with the numbers."),
        ClosingReply::PostmortemScheduled { at } => Text::from("Scheduled for ").time(*at, Stamp::Full).t("."),
        ClosingReply::PostmortemFiled => Text::from("Post-mortem filed. Reminders stop."),
        ClosingReply::PostmortemWaived => Text::from("Post-mortem waived. Reminders stop."),
        ClosingReply::ItemDone { text } => Text::from(format!("Ticked: “{text}”")),
        ClosingReply::ItemWaived { text } => Text::from(format!("Waived: “{text}”")),
    }
}

/// Why not, and what to do instead.
pub(super) fn refuse(refusal: &ClosingRefusal) -> Text {
    match refusal {
        ClosingRefusal::BadLink { typed } => Text::from(format!(
            "“{typed}” is neither a link nor a document. Give a URL such as https://wiki.example/post-mortem, or a file name such as post-mortem.md."
        )),
        ClosingRefusal::NotWaived => Text::from(
            "This release is High risk, and this server does not allow waivers for it. Complete the item, or cancel the release (/release scrub).",
        ),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &ClosingEvent, release: &Release) -> String {
    match event {
        ClosingEvent::AllClear => "gave the all-clear".to_owned(),
        ClosingEvent::Scheduled { at } => {
            format!("scheduled the post-mortem for {}", in_zone(*at, release.plan.zone()))
        }
        ClosingEvent::Filed { link } => format!("filed the post-mortem: {link}"),
        ClosingEvent::Waived { reason } => format!("waived the post-mortem: “{reason}”"),
        ClosingEvent::PostmortemReminded => "reminded about the post-mortem".to_owned(),
        ClosingEvent::ItemDone { item, .. } => format!("done: {}", item_text(release, item)),
        ClosingEvent::ItemWaived { item, reason } => {
            format!("waived “{}”: “{reason}”", item_text(release, item))
        }
        ClosingEvent::ActionsReminded => "reminded about open actions".to_owned(),
        ClosingEvent::ClearAsked => "asked for the all-clear".to_owned(),
        ClosingEvent::ActionOver { item } => format!("asked whether “{}” is done", item_text(release, item)),
        ClosingEvent::Rewatched => "reopened the watch".to_owned(),
        ClosingEvent::Closed => "closed the release".to_owned(),
    }
}

/// What an item says; its id where the plan has it no more.
fn item_text<'a>(release: &'a Release, item: &'a str) -> &'a str {
    let gates = release.plan.gates.iter().map(|gate| (&gate.id, &gate.text));
    let actions = release.phase.closing().into_iter().flat_map(|closing| &closing.actions);
    let actions = actions.map(|action| (&action.id, &action.text));
    gates.chain(actions).find(|(id, _)| *id == item).map_or(item, |(_, text)| text)
}
