//! Words of the sign-offs.

use super::message::{Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::changes::Change;
use crate::domain::notice::Notice;
use crate::domain::policy::{Requirement, Why, required_signoffs};
use crate::domain::release::{Phase, Release};
use crate::domain::signoff::{declined, missing, valid};

/// Gives a notice its words. A request and its reminders call those who are to sign, and nobody else.
pub(super) fn say(notice: &Notice, release: &Release) -> Message {
    let mut message = words_of(notice, release);
    let asked = match notice {
        Notice::SignoffAsk { .. } => missing(release),
        Notice::SignoffReminder { missing } | Notice::BreakGlassFollowUp { missing } => missing.clone(),
        _ => Vec::new(),
    };
    let roles = asked.iter().filter_map(|role| release.policy.signers.get(role)).flatten();
    message.call_roles = roles.cloned().collect();
    message
}

/// What a sign-off's end means for the release.
fn standing(release: &Release) -> &'static str {
    match missing(release).as_slice() {
        [] => "Nothing changes by it: everybody who must sign has signed.",
        _ => "The release is not approved.",
    }
}

fn words_of(notice: &Notice, release: &Release) -> Message {
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
            let when = match release.phase {
                Phase::HeldBefore { .. } => Text::from("On hold: T-0 will move. Still missing: "),
                _ => Text::from("T-0 is ").and(words::until_t0(&release.plan)).t(". Still missing: "),
            };
            let body =
                when.b(words::roles(missing)).t(". Sign with ").code("/release signoff give").t(" or a button below.");
            // A role is called as a whole: who of it has signed is not asked again.
            let signed = valid(release).filter(|(role, _)| missing.contains(role));
            let signed = signed.map(|(role, given)| format!("{role}: {}", given.name)).collect::<Vec<_>>().join(", ");
            Message::new(Tone::Wait, Text::from(headline))
                .body(body)
                .field("Have signed", Text::from(signed))
                .field("Refused", Text::lines(declined(release).map(words::declined)))
        }
        Notice::Signed { role, name: who, behalf, against } => {
            let missing = missing(release);
            let rest = if missing.is_empty() {
                "All required roles have signed.".to_owned()
            } else {
                format!("Still missing: {}.", words::roles(&missing))
            };
            let message = Message::new(Tone::Good, Text::from(format!("✅ {role} signed · {name}"))).body(Text::from(
                format!("Signed by {}, revision {}. {rest}", words::signer(who, behalf.as_ref()), release.revision),
            ));
            let refused = against.iter().map(|(who, why)| Text::from(format!("⛔ {who} refuses: “{why}”")));
            let message = message.field("Against it", Text::lines(refused));
            match behalf {
                Some(behalf) => message.field("Their word", Text::from(format!("“{}”", behalf.evidence))),
                None => message,
            }
        }
        Notice::SignoffExpired { role, name: who, hours } => {
            Message::new(Tone::Bad, Text::from(format!("⌛ {role} sign-off expired · {name}")))
                .body(Text::from(format!(
                    "{who} signed more than {hours} hours ago; that no longer counts here. {}",
                    standing(release)
                )))
                .field(
                    "What now",
                    match missing(release).as_slice() {
                        [] => Text::new(),
                        _ => Text::from("Read the plan again and sign with ").code("/release signoff give").t("."),
                    },
                )
        }
        Notice::SignoffRefused { role, name: who, reason, fell } => {
            let before = match fell.as_slice() {
                [] => Text::new(),
                names => Text::from(format!("{}. It no longer counts; sign again with ", names.join(", ")))
                    .code("/release signoff give")
                    .t(" if it stands."),
            };
            Message::new(Tone::Bad, Text::from(format!("⛔ {role} refuses · {name}")))
                .body(Text::from(format!("{who}: “{reason}”")))
                .field("Had signed", before)
                .field(
                    "What now",
                    Text::from(format!(
                        "Settle it with {who}, who can sign then, or import a corrected plan. Until then the refusal stands on the card."
                    )),
                )
        }
        Notice::Ticked { by, items } => {
            let lines = items.iter().map(|item| Text::from(format!("☑️ {item}")));
            Message::new(Tone::Wait, Text::from(format!("☑️ Ticked by a new revision · {name}")))
                .body(Text::from(format!("{by} imported revision {}; these count as done now.", release.revision)))
                .field("Items", Text::lines(lines))
                .field(
                    "What now",
                    Text::from("Nothing, if they are. If one is not, raise it with ")
                        .code("/release concern raise")
                        .t(": go waits then."),
                )
        }
        Notice::Withdrawn { role, name: who } => {
            Message::new(Tone::Bad, Text::from(format!("⛔ {role} sign-off withdrawn · {name}")))
                .body(Text::from(format!("{who} withdrew it. {}", standing(release))))
        }
        Notice::Approved if matches!(release.phase, Phase::HeldBefore { .. }) => {
            Message::new(Tone::Good, Text::from(format!("✅ Approved · {name}")))
                .body("All required roles have signed. The release is on hold: T-0 will move.")
                .field("What now", Text::from("Go on with ").code("/release resume").t("."))
        }
        Notice::Approved => Message::new(Tone::Good, Text::from(format!("✅ Approved · {name}")))
            .body(Text::from("All required roles have signed. T-0: ").and(words::planned(&release.plan)).t("."))
            .field(
                "What now",
                Text::from("At T-0 the owner gives ").code("/release go").t(". Nothing goes live by itself."),
            ),
        Notice::BreakGlassFollowUp { missing } => Message::new(
            Tone::Wait,
            Text::from(format!("⏳ Sign-offs owed after break-glass · {name}")),
        )
        .body(Text::from(format!(
            "Skipped at go, due within 24 hours of it, and still missing: {}.",
            words::roles(missing)
        )))
        .field(
            "What now",
            Text::from(
                "Read what went live, then sign with a button below. The owner waives one that will not come with ",
            )
            .code("/release item waive")
            .t(" after the all-clear."),
        ),
        _ => Message::default(),
    }
}

fn ask(release: &Release, changed: bool) -> Message {
    let plan = &release.plan;
    let headline = format!("✍️ Sign-off asked · {}", words::name(release));
    let lines = required_signoffs(plan, &release.policy).into_iter().flat_map(|needed| asked_of(&needed, release));
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

/// Who has signed as a role, and who is asked still, with the rules that ask.
fn asked_of(needed: &Requirement, release: &Release) -> Vec<Text> {
    let role = needed.role;
    let mut lines: Vec<Text> = valid(release)
        .filter(|(of, _)| *of == role)
        .map(|(_, given)| {
            let who = words::signer(&given.name, given.behalf.as_ref());
            Text::from(format!("✅ {role}: {who} ")).time(given.at, Stamp::Relative)
        })
        .collect();
    let left = usize::from(needed.people).saturating_sub(lines.len());
    lines.extend(declined(release).filter(|refusal| refusal.role == role).map(words::declined));
    if left > 0 {
        let why: Vec<String> = needed.why.iter().filter_map(reason).collect();
        let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
        let count = if needed.people > 1 { format!(", {left} of {} people", needed.people) } else { String::new() };
        let text = Text::from(format!("⬜ {role}{count}{why}"));
        let signers = release.policy.signers.get(&role).into_iter().flatten();
        lines.push(signers.fold(text.t(": "), |t, r| t.role(r).t(" ")));
    }
    lines
}

/// Why a role is asked, where that is not plain.
fn reason(why: &Why) -> Option<String> {
    match why {
        Why::Always => None,
        Why::Risk(risk) => Some(format!("risk is {risk}")),
        Why::Type(kind) => Some(format!("type is {kind}")),
        Why::Named => Some("the plan names a person".to_owned()),
        Why::Rule(name) => Some(format!("rule “{name}”")),
    }
}
