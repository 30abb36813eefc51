//! Words of the sign-offs.

use crate::domain::changes::Change;
use crate::domain::plan::MetricPlan;
use crate::domain::policy::{Requirement, Why, required_signoffs};
use crate::domain::release::{Phase, Release};
use crate::domain::signoff::view::{declined, missing, valid};
use crate::domain::signoff::{SignoffEvent, SignoffNotice, SignoffRefusal, SignoffReply};
use crate::voice::message::{Message, Tone, WHAT_NOW};
use crate::voice::open;
use crate::voice::text::{Stamp, Text};
use crate::voice::words::{self, in_zone};

/// Gives a notice its words. A request and its reminders call those who are to sign, and nobody else.
pub(super) fn say(notice: &SignoffNotice, release: &Release) -> Message {
    let mut message = words_of(notice, release);
    let asked = match notice {
        SignoffNotice::Ask { .. } => missing(release),
        SignoffNotice::Reminder { missing } | SignoffNotice::BreakGlassFollowUp { missing } => missing.clone(),
        _ => Vec::new(),
    };
    let roles = asked.iter().filter_map(|role| release.policy.signers.get(role)).flatten();
    message.call_roles = roles.cloned().collect();
    message
}

/// What a sign-off's end means for the release.
fn standing(release: &Release) -> &'static str {
    match missing(release).as_slice() {
        [] => "Nothing changes: all required roles have signed.",
        _ => "The release is not approved.",
    }
}

fn words_of(notice: &SignoffNotice, release: &Release) -> Message {
    let name = words::name(release);
    match notice {
        SignoffNotice::Ask { changed } => ask(release, *changed),
        SignoffNotice::Over => Message::new(
            Tone::Plain,
            Text::from(format!("✍️ Sign-off request superseded · {name}")),
        )
        .body(
            "The plan changed after this request, so sign-offs given here no longer count. Use the new request below.",
        ),
        SignoffNotice::Reminder { missing } => {
            let headline = format!("⏳ Sign-offs pending · {name}");
            let when = match release.phase {
                Phase::HeldBefore { .. } => Text::from("On hold: T-0 will move. Still missing: "),
                _ => Text::from("T-0: ").and(words::until_t0(&release.plan)).t(". Still missing: "),
            };
            let body =
                when.b(words::roles(missing)).t(". Sign with ").code("/release signoff give").t(" or a button below.");
            // A role is called as a whole: who of it has signed is not asked again.
            let signed = valid(release).filter(|(role, _)| missing.contains(role));
            let signed = signed.map(|(role, given)| format!("{role}: {}", given.name)).collect::<Vec<_>>().join(", ");
            Message::new(Tone::Wait, Text::from(headline))
                .body(body)
                .field("Signed", Text::from(signed))
                .field("Refused", Text::lines(declined(release).map(words::declined)))
        }
        SignoffNotice::Signed { role, name: who, behalf, against } => {
            let missing = missing(release);
            let rest = if missing.is_empty() {
                "All required roles have signed.".to_owned()
            } else {
                format!("Still missing: {}.", words::roles(&missing))
            };
            let message = Message::new(Tone::Good, Text::from(format!("✅ {role} signed · {name}"))).body(Text::from(
                format!("{} signed revision {}. {rest}", words::signer(who, behalf.as_ref()), release.revision),
            ));
            let refused = against.iter().map(|(who, why)| Text::from(format!("⛔ {who} refused: “{why}”")));
            let message = message.field("Refusals", Text::lines(refused));
            match behalf {
                Some(behalf) => message.field("Evidence", Text::from(format!("“{}”", behalf.evidence))),
                None => message,
            }
        }
        SignoffNotice::Expired { role, name: who, hours } => {
            Message::new(Tone::Bad, Text::from(format!("⌛ {role} sign-off expired · {name}")))
                .body(Text::from(format!(
                    "{who} signed more than {hours} hours ago, so this sign-off no longer counts. {}",
                    standing(release)
                )))
                .field(
                    WHAT_NOW,
                    match missing(release).as_slice() {
                        [] => Text::new(),
                        _ => Text::from("Read the plan again, then sign with ").code("/release signoff give").t("."),
                    },
                )
        }
        SignoffNotice::Refused { role, name: who, reason, fell } => {
            let before = match fell.as_slice() {
                [] => Text::new(),
                names => Text::from(format!(
                    "{}. Earlier sign-offs no longer count. If you still approve, sign again with ",
                    names.join(", ")
                ))
                .code("/release signoff give")
                .t("."),
            };
            Message::new(Tone::Bad, Text::from(format!("⛔ {role} refused · {name}")))
                .body(Text::from(format!("{who}: “{reason}”")))
                .field("Had signed", before)
                .field(
                    WHAT_NOW,
                    Text::from(format!(
                        "Settle it with {who}, who can then sign, or import a corrected plan. Until then, the card shows the refusal."
                    )),
                )
        }
        SignoffNotice::Withdrawn { role, name: who } => {
            Message::new(Tone::Bad, Text::from(format!("⛔ {role} sign-off withdrawn · {name}")))
                .body(Text::from(format!("{who} withdrew the sign-off. {}", standing(release))))
        }
        SignoffNotice::Approved if matches!(release.phase, Phase::HeldBefore { .. }) => {
            Message::new(Tone::Good, Text::from(format!("✅ Approved · {name}")))
                .body("All required roles have signed. The release is on hold: T-0 will move.")
                .field(WHAT_NOW, Text::from("Resume with ").code("/release resume").t("."))
        }
        SignoffNotice::Approved => Message::new(Tone::Good, Text::from(format!("✅ Approved · {name}")))
            .body(Text::from("All required roles have signed. T-0: ").and(words::planned(release)).t("."))
            .field(
                WHAT_NOW,
                Text::from("At T-0 the owner gives the go, once nothing is open. Nothing goes live automatically."),
            ),
        SignoffNotice::BreakGlassFollowUp { missing } => {
            Message::new(Tone::Wait, Text::from(format!("⏳ Sign-offs owed after break-glass · {name}")))
                .body(Text::from(format!(
                    "Break-glass skipped these sign-offs, due within 24 hours of go and still missing: {}.",
                    words::roles(missing)
                )))
                .field(
                    WHAT_NOW,
                    Text::from(
                        "Review what went live, then sign with a button below. The owner can waive a missing one with ",
                    )
                    .code("/release item waive")
                    .t(" after the all-clear."),
                )
        }
    }
}

fn ask(release: &Release, changed: bool) -> Message {
    let plan = &release.plan;
    let signed = missing(release).is_empty();
    let (tone, headline) = if signed {
        (Tone::Good, format!("✅ Signed by all required roles · {}", words::name(release)))
    } else {
        (Tone::Wait, format!("✍️ Sign-off requested · {}", words::name(release)))
    };
    let lines = required_signoffs(plan, &release.policy).into_iter().flat_map(|needed| asked_of(&needed, release));
    let mut body = Text::new();
    if changed {
        body = body.b("This change voids the earlier sign-offs.").br();
    }
    let stages: Vec<String> = plan.stages.iter().enumerate().map(|(n, s)| format!("{}. {}", n + 1, s.text)).collect();
    let body = if signed { body } else { body.t("Read the attached plan, then sign. ") };
    let body = body.t("T-0: ").and(words::planned(release)).t(".");
    let mut message = Message::new(tone, Text::from(headline)).body(body);
    for (name, changes) in changed_since(release) {
        message = message.field(name, words::changes(&changes, 8));
    }
    message
        .field("Freeze", open::frozen(release))
        .short("Type", Text::from(words::chosen(plan.kind)))
        .short("Risk", Text::from(words::chosen(plan.risk)))
        .short("Rollout", Text::from(words::approach(release)))
        .field("People", words::people(release))
        .field("Stages", Text::lines(stages.into_iter().map(Text::from)))
        .field("Thresholds", Text::lines(plan.metrics.iter().map(thresholds)))
        .field("Rollback triggers", Text::lines(plan.triggers.iter().map(|t| Text::from(format!("• {}", t.text)))))
        .field("Risks", words::risks(plan))
        .field(
            "Contingency",
            Text::lines(plan.contingency.iter().map(|c| Text::from(format!("• {}: {}", c.when, c.text)))),
        )
        .field("Sign-offs", Text::lines(lines))
}

/// A metric's limits in a line.
fn thresholds(metric: &MetricPlan) -> Text {
    let base = metric.baseline.as_ref().map(|base| format!("baseline {base}"));
    let success = metric.success.as_ref().map(|bound| format!("success {bound}"));
    let alert = metric.alert.as_ref().map(|bound| format!("alert {bound}"));
    let limits: Vec<String> = [base, success, alert].into_iter().flatten().collect();
    Text::from(format!("• {}: {}", metric.name, limits.join(", ")))
}

/// What changed, for each role that is asked: against what that role signed last.
fn changed_since(release: &Release) -> Vec<(String, Vec<Change>)> {
    let material = |changes: &[Change]| changes.iter().filter(|change| change.material).cloned().collect::<Vec<_>>();
    let mut fields: Vec<(String, Vec<Change>)> = Vec::new();
    let mut groups: Vec<(Vec<String>, u32, Vec<Change>)> = Vec::new();
    for role in missing(release) {
        match release.signing.since_signed.get(&role) {
            None => {}
            Some(since) => {
                let changes = material(&since.changes);
                match groups.iter_mut().find(|(_, revision, known)| *revision == since.revision && *known == changes) {
                    Some((roles, ..)) => roles.push(role.to_string()),
                    None => groups.push((vec![role.to_string()], since.revision, changes)),
                }
            }
        }
    }
    let first = missing(release).iter().any(|role| !release.signing.since_signed.contains_key(role));
    if first && !release.changes.is_empty() {
        fields.push(("Changed since the previous revision".to_owned(), material(&release.changes)));
    }
    fields.extend(groups.into_iter().map(|(roles, revision, changes)| {
        (
            if revision == release.revision {
                format!("Changed since {} signed", roles.join(", "))
            } else {
                format!("Changed since revision {revision}, which {} signed", roles.join(", "))
            },
            changes,
        )
    }));
    fields.retain(|(_, changes)| !changes.is_empty());
    fields
}

/// Who has signed as a role, and who is asked still, with the rules that ask.
fn asked_of(needed: &Requirement, release: &Release) -> Vec<Text> {
    let role = needed.role;
    let mut lines: Vec<Text> = valid(release)
        .filter(|(of, _)| *of == role)
        .map(|(_, given)| {
            let who = words::signer(&given.name, given.behalf.as_ref());
            let evidence = given.behalf.as_ref().map_or(String::new(), |behalf| format!("“{}” ", behalf.evidence));
            Text::from(format!("✅ {role}: {who} {evidence}")).time(given.at, Stamp::Relative)
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

/// The answer to whoever asked.
pub(super) fn done(reply: &SignoffReply, release: &Release) -> Text {
    match reply {
        SignoffReply::Signed { role, whose, missing } => {
            let rest = if missing.is_empty() {
                "All required roles have signed.".to_owned()
            } else {
                format!("Still missing: {}.", words::roles(missing))
            };
            let whose = whose.as_ref().map_or("Your".to_owned(), |name| format!("{name}'s"));
            Text::from(format!("{whose} {role} sign-off on revision {} is recorded. {rest}", release.revision))
        }
        SignoffReply::Refused { role } => {
            Text::from(format!("Your refusal as {role} is recorded, and the release channel shows it."))
        }
        SignoffReply::Reminded { missing, again } => {
            Text::from(format!("Reminded: {}. You can send the next reminder at ", words::roles(missing)))
                .time(*again, Stamp::Short)
                .t(".")
        }
        SignoffReply::Snoozed { until } => Text::from("Next reminder: ")
            .time(*until, Stamp::Full)
            .t(" (")
            .time(*until, Stamp::Relative)
            .t("). You can delay it only once."),
        SignoffReply::Withdrawn { role } => {
            Text::from(format!("Your {role} sign-off is withdrawn, and the release channel shows it."))
        }
    }
}

/// Why not, and what to do instead.
pub(super) fn refuse(refusal: &SignoffRefusal) -> Text {
    match refusal {
        SignoffRefusal::HasSigned { role } => Text::from(format!(
            "They signed this plan as {role}, and an owner can't sign their own plan. Ask them to withdraw the sign-off ("
        ))
        .code("/release signoff withdraw")
        .t("), or choose somebody else."),
        SignoffRefusal::RoleUnmapped { role } => Text::from(format!(
            "No chat role is mapped to {role}, so nobody can sign for it. Ask an administrator to map one with "
        ))
        .code("/tminus setup")
        .t("."),
        SignoffRefusal::OwnPlan { role } => {
            Text::from(format!("You are the owner or author of this plan. Ask somebody else to sign as {role}."))
        },
        SignoffRefusal::AlreadySigned { role, by } => Text::from(format!("{by} already signed as {role}.")),
        SignoffRefusal::OneRoleEach { held, by } => Text::from(format!(
            "{by} already signed this revision as {held}. One person can sign for one role only, and can't also record somebody else's sign-off. Ask a colleague."
        )),
        SignoffRefusal::NotRequired { role } => Text::from(format!("This release does not need a {role} sign-off.")),
        SignoffRefusal::SignYourself => {
            Text::from("They are in this server: ask them to sign. “for” is for people outside it, by name.")
        },
        SignoffRefusal::NotOnBehalf => Text::from(
            "This server does not allow sign-offs for people outside the chat. Ask them to sign here, or ask an administrator to allow it with ",
        )
        .code("/tminus setup")
        .t("."),
        SignoffRefusal::RemindedLately { again } => {
            Text::from("The latest reminder is less than an hour old. You can send the next one at ")
                .time(*again, Stamp::Short)
                .t(".")
        }
        SignoffRefusal::NotSigned { role } => Text::from(format!("You have not signed as {role}.")),
    }
}

/// An event as a line of the timeline.
pub(super) fn entry(event: &SignoffEvent, release: &Release) -> String {
    match event {
        SignoffEvent::Given { role, behalf: None, .. } => format!("signed as {role}"),
        SignoffEvent::Given { role, name, behalf: Some(behalf), .. } => {
            format!("recorded the {role} sign-off of {name} (outside the chat): “{}”", behalf.evidence)
        }
        SignoffEvent::Expired { role, name, .. } => format!("the {role} sign-off of {name} expired"),
        SignoffEvent::Snoozed { until } => {
            format!("delayed the next reminder until {}", in_zone(*until, release.plan.zone()))
        }
        SignoffEvent::Refused { role, reason } => format!("refused as {role}: “{reason}”"),
        SignoffEvent::Withdrawn { role } => format!("withdrew the {role} sign-off"),
        SignoffEvent::RemindedNow => "sent a reminder to those who have not signed".to_owned(),
        SignoffEvent::Reminded => "reminded those who have not signed".to_owned(),
    }
}
