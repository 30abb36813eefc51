//! Words of the sign-offs.

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::changes::Change;
use crate::domain::notice::Notice;
use crate::domain::policy::{Why, required_signoffs};
use crate::domain::release::Release;
use crate::domain::signoff::missing;

pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    let name = words::name(release);
    match notice {
        Notice::DraftForgotten => Message::new(Tone::Wait, Text::from(format!("⏳ Draft not submitted · {name}")))
            .body(
                Text::from("T-0 is ")
                    .and(words::until_t0(&release.plan))
                    .t(", and nothing is scheduled yet. Submit it with ")
                    .code("/release submit")
                    .t(", or call it off with ")
                    .code("/release scrub")
                    .t("."),
            ),
        Notice::SignoffAsk { changed } => ask(release, *changed),
        Notice::SignoffOver => Message::new(Tone::Plain, Text::from(format!("✍️ Overtaken sign-off request · {name}")))
            .body(
                "The plan changed after this request; signatures given here no longer count. The new request is below.",
            ),
        Notice::SignoffReminder { missing } => {
            let headline = format!("⏳ Sign-offs pending · {name}");
            Message::new(Tone::Wait, Text::from(headline)).body(
                Text::from("T-0 is ")
                    .and(words::until_t0(&release.plan))
                    .t(". Still missing: ")
                    .b(words::roles(missing))
                    .t(". Sign with ")
                    .code("/release signoff give")
                    .t(" or the button above."),
            )
        }
        Notice::Signed { role, name: who } => {
            let missing = missing(release);
            let rest = if missing.is_empty() {
                "All required roles have signed.".to_owned()
            } else {
                format!("Still missing: {}.", words::roles(&missing))
            };
            Message::new(Tone::Good, Text::from(format!("✅ {role} signed · {name}")))
                .body(Text::from(format!("Signed by {who}, revision {}. {rest}", release.revision)))
        }
        Notice::SignoffRefused { role, name: who, reason } => {
            Message::new(Tone::Bad, Text::from(format!("⛔ {role} refuses · {name}")))
                .body(Text::from(format!("{who}: “{reason}”")))
                .field("What now", Text::from("Settle it, then sign again or import a corrected plan."))
        }
        Notice::Withdrawn { role, name: who } => {
            Message::new(Tone::Bad, Text::from(format!("⛔ {role} sign-off withdrawn · {name}")))
                .body(Text::from(format!("{who} withdrew it. The release is not approved.")))
        }
        Notice::Approved => Message::new(Tone::Good, Text::from(format!("✅ Approved · {name}")))
            .body(Text::from("All required roles have signed. T-0: ").and(words::planned(&release.plan)).t("."))
            .field(
                "What now",
                Text::from("At T-0 the owner gives ").code("/release go").t(". Nothing goes live by itself."),
            ),
        Notice::BreakGlassFollowUp { missing } => {
            Message::new(Tone::Wait, Text::from(format!("⏳ Sign-offs owed after break-glass · {name}")))
                .body(Text::from(format!("Skipped at go and still missing: {}.", words::roles(missing))))
        }
        _ => Message::default(),
    }
}

fn ask(release: &Release, changed: bool) -> Message {
    let plan = &release.plan;
    let headline = format!("✍️ Sign-off asked · {}", words::name(release));
    let lines = required_signoffs(plan).into_iter().map(|(role, why)| {
        let why = match why {
            Why::Always => String::new(),
            Why::Risk(risk) => format!(" (risk is {risk})"),
            Why::Type(kind) => format!(" (type is {kind})"),
        };
        match release.signoffs.get(&role).filter(|s| s.digest == release.digest) {
            Some(signed) => Text::from(format!("✅ {role}: {} ", signed.name)).time(signed.at, Stamp::Relative),
            None => {
                let text = Text::from(format!("⬜ {role}{why}"));
                release.policy.signers.get(&role).into_iter().flatten().fold(text.t(": "), |t, r| t.role(r).t(" "))
            }
        }
    });
    let mut body = Text::new();
    if changed {
        body = body.b("The plan changed; earlier sign-offs no longer count.").br();
    }
    let stages: Vec<String> = plan.stages.iter().enumerate().map(|(n, s)| format!("{}. {}", n + 1, s.text)).collect();
    let body = body.t("Read the plan, then sign. T-0: ").and(words::planned(plan)).t(".");
    let material: Vec<Change> = release.changes.iter().filter(|change| change.material).cloned().collect();
    Message::new(Tone::Wait, Text::from(headline))
        .body(body)
        .field("Changed since the revision before", words::changes(&material, 8))
        .short("Type", Text::from(words::chosen(plan.kind)))
        .short("Risk", Text::from(words::chosen(plan.risk)))
        .short("Rollout", Text::from(words::approach(release)))
        .field("People", words::people(release))
        .field("Stages", Text::lines(stages.into_iter().map(Text::from)))
        .field("Rolls back if", Text::lines(plan.triggers.iter().map(|t| Text::from(format!("• {}", t.text)))))
        .field("Sign-offs", Text::lines(lines))
}
