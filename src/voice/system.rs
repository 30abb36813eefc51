//! Words about T-Minus itself: help, check, lists, faults, an unreadable plan.

use std::time::Duration;

use jiff::Timestamp;

use super::message::{Button, Field, Menu, Message, Tone};
use super::text::{Stamp, Text};
use super::words;
use crate::domain::ids::Audience;
use crate::domain::phase::PhaseName;
use crate::domain::plan::{SignoffRole, ladder_line};
use crate::domain::policy::{Policy, Route};
use crate::domain::prompt::Choice;
use crate::domain::release::Release;

/// `/tminus help`.
pub fn help() -> Message {
    Message::new(Tone::Plain, Text::from("ℹ️ T-Minus"))
        .body("T-Minus runs a release's communications: sign-offs, countdown, updates, alerts, rollback decisions, the all-clear and the post-mortem. It does not deploy.")
        .field("Get started", Text::from("1. An administrator: ").code("/tminus setup").br()
            .t("2. A release manager: ").code("/release new").t(", or ").code("/release import").t(" with a plan; then ").code("/release submit").br()
            .t("3. Approvers: the buttons, or ").code("/release signoff give").t("; to object: ").code("/release concern raise").br()
            .t("4. At T-0 the owner: ").code("/release go"))
        .field("Sign-offs", Text::new().code("/tminus rule").t(" (require more sign-offs for a service, type or risk), ").code("/release item waive").t(" (skip an item that does not apply), ").code("/release amend").t(" (change the plan of a running release)"))
        .field("Plan ahead", Text::new().code("/release reschedule").t(", ").code("/tminus freeze").t(" (block releases), ").code("/tminus train").t(" (recurring releases), ").code("/tminus audience").t(" (who gets notices, and where), ").code("/tminus history").t(" (who changed what)"))
        .field("During a release", Text::new().code("/release update").t(", ").code("/release stage").t(", ").code("/release decide").t(", ").code("/release alert report").t(", ").code("/release hold").t(", ").code("/release handover").t(", ").code("/release rollback"))
        .field("After a release", Text::new().code("/release all-clear").t(", ").code("/release postmortem file").t(", ").code("/release timeline").t(", ").code("/release export"))
}

/// `/tminus check` and the end of `/tminus setup`: what is set, what is missing.
pub fn check(policy: &Policy, by_file: bool) -> Message {
    let channel = |name: &str, id: Option<&crate::domain::ids::ChannelId>| match id {
        Some(id) => Text(vec![super::Span::Plain(format!("✅ {name}: ")), super::Span::Channel(id.clone())]),
        None => Text::from(format!("⬜ {name}: not set")),
    };
    let role = |name: String, roles: &[crate::domain::ids::RoleId]| {
        if roles.is_empty() {
            return Text::from(format!("⬜ {name}: nobody"));
        }
        roles.iter().fold(Text::from(format!("✅ {name}: ")), |text, r| text.role(r).t(" "))
    };
    let signers =
        SignoffRole::ALL.iter().map(|r| role(r.to_string(), policy.signers.get(r).map_or(&[], Vec::as_slice)));
    let audiences = audiences_of(policy).into_iter().map(|a| {
        let route = policy.audiences.get(&a);
        let line = role(words::audience(&a), route.and_then(|r| r.role.clone()).as_slice());
        match route.and_then(|r| r.quiet.as_ref()) {
            Some(quiet) => line.t(format!("(quiet {quiet})")),
            None => line,
        }
    });
    let complete = policy.release_channel.is_some() && !policy.release_managers.is_empty();
    let tone = if complete { Tone::Good } else { Tone::Wait };
    let mut message =
        Message::new(tone, Text::from(if complete { "✅ Setup complete" } else { "⚠️ Setup incomplete" }))
            .field(
                "Channels",
                Text::lines([
                    channel("releases", policy.release_channel.as_ref()),
                    channel("ops", policy.ops_channel.as_ref()),
                ]),
            )
            .field("Manage releases", role("release managers".to_owned(), &policy.release_managers))
            .field("Who signs", Text::lines(signers))
            .field("Audiences", Text::lines(audiences))
            .field(
                "Default zone",
                Text::from(policy.zone.clone().unwrap_or_else(|| "none: each plan names its own".to_owned())),
            );
    message = message.field("Policy", policy_lines(policy));
    if by_file {
        message = message.field(
            "Source",
            Text::from("The configuration file sets this server's settings. T-Minus refuses changes made here."),
        );
    }
    message
}

/// The switches of a workspace, those that differ from the default with a sign.
fn policy_lines(policy: &Policy) -> Text {
    let switch = |on: bool, name: &str| {
        Text::from(format!("{} {name}: {}", if on { "⚠️" } else { "✅" }, if on { "on" } else { "off" }))
    };
    let expiry = match policy.signoff_hours {
        Some(hours) => format!("✅ sign-offs expire after {hours} h"),
        None => "✅ sign-offs do not expire".to_owned(),
    };
    let glass = if policy.break_glass.is_empty() {
        Text::from("✅ break-glass: the owner, or a release manager")
    } else {
        policy
            .break_glass
            .iter()
            .fold(Text::from("✅ break-glass: the owner, or "), |text, role| text.role(role).t(" "))
    };
    let effective = |audience: &Audience, route: &Route| {
        route.must_confirm && *audience != Audience::engineering() && route.role.is_some()
    };
    let confirm: Vec<String> = policy
        .audiences
        .iter()
        .filter(|(audience, route)| effective(audience, route))
        .map(|(audience, _)| words::audience(audience))
        .collect();
    let confirm = if confirm.is_empty() { "nobody".to_owned() } else { confirm.join(", ") };
    let digest = match (&policy.digest, policy.no_digest) {
        (_, true) => "⬜ weekly digest: off".to_owned(),
        (Some(rule), _) => format!("✅ weekly digest: {}", rule.text()),
        (None, _) => "✅ weekly digest: Mon 09:00".to_owned(),
    };
    let notices = match &policy.ladder {
        None => "✅ notices for plans that list none: default".to_owned(),
        Some(rungs) => format!("✅ notices for plans that list none: {}", ladder_line(rungs)),
    };
    let rules = match policy.rules.len() {
        0 => "✅ sign-offs by type and risk only".to_owned(),
        1 => "✅ sign-offs by type, risk and one rule (/tminus rule list)".to_owned(),
        n => format!("✅ sign-offs by type, risk and {n} rules (/tminus rule list)"),
    };
    Text::lines([
        Text::from(rules),
        Text::from(expiry),
        glass,
        Text::from(format!("✅ go waits for receipts from: {confirm}")),
        switch(policy.self_approval, "self-approval at Low risk"),
        switch(policy.administrator_bypass, "administrator override"),
        switch(policy.on_behalf, "sign-offs for people outside the chat"),
        switch(policy.waive_high, "waivers at High risk"),
        Text::from(digest),
        Text::from(notices),
    ])
}

/// The rights table under a check: what Discord says, channel by channel.
pub fn with_rights(message: Message, found: &[(bool, String)]) -> Message {
    const SHOWN: usize = 14;
    // What is wrong comes first, and is not what falls off the end.
    let (bad, good): (Vec<_>, Vec<_>) = found.iter().partition(|(good, _)| !good);
    let line = |(good, text): &(bool, String)| Text::from(format!("{} {text}", if *good { "✅" } else { "🔴" }));
    let lines = bad.iter().chain(&good).take(SHOWN).map(|found| line(found));
    let more = (found.len() > SHOWN).then(|| Text::from(format!("and {} more", found.len() - SHOWN)));
    let message = message.field("Discord check", Text::lines(lines.chain(more)));
    let tone = if bad.is_empty() { message.tone } else { Tone::Wait };
    Message { tone, ..message }
}

/// Under the answer of a setup: where the test messages went.
pub fn with_test_post(message: Message, before: &Policy, policy: &Policy) -> Message {
    let new = [(&before.release_channel, &policy.release_channel), (&before.ops_channel, &policy.ops_channel)];
    let channels: Vec<&crate::domain::ids::ChannelId> =
        new.into_iter().filter(|(old, now)| old != now).filter_map(|(_, now)| now.as_ref()).collect();
    if channels.is_empty() {
        return message;
    }
    let named = channels.into_iter().fold(Text::from("Sending to "), |mut text, channel| {
        text.0.push(super::Span::Channel(channel.clone()));
        text.t(" ")
    });
    message.field("Test message", named.t("· if it does not arrive in a moment, the check above says why."))
}

/// The usual audiences, then those of the workspace's own.
fn audiences_of(policy: &Policy) -> Vec<Audience> {
    let usual = [Audience::engineering(), Audience::support(), Audience::status_page()];
    let own = policy.audiences.keys().filter(|audience| !usual.contains(audience)).cloned();
    usual.iter().cloned().chain(own.collect::<Vec<_>>()).collect()
}

/// `/tminus audience list`.
pub fn audiences(policy: &Policy) -> Message {
    let none = Route::default();
    let lines = audiences_of(policy).into_iter().map(|audience| {
        let route = policy.audiences.get(&audience).unwrap_or(&none);
        Text::from("• ").b(words::audience(&audience)).t(": ").and(super::workspace::route(route))
    });
    Message::new(Tone::Plain, Text::from("📣 Audiences")).body(Text::lines(lines)).field(
        "In a plan",
        Text::from("Each notice line names its audience: “Legal notified (T-4h)” goes to legal. Audiences without settings get their notices in the release channel. Set one with ")
            .code("/tminus audience set")
            .t("."),
    )
}

/// `/tminus rule list`.
pub fn rules(policy: &Policy) -> Message {
    let usual = Text::from(
        "Always required: Engineering Lead and Product Owner. SRE/Ops: from Medium risk, or for a Hotfix. Security: at High risk, or if the plan names a person for it.",
    );
    let lines =
        policy.rules.iter().map(|rule| Text::from("• ").b(&rule.name).t(format!(": {}", super::workspace::rule(rule))));
    let own = if policy.rules.is_empty() {
        Text::from("None. Add one with ").code("/tminus rule add").t(".")
    } else {
        Text::lines(lines)
    };
    Message::new(Tone::Plain, Text::from("✍️ Sign-off rules")).body(usual).field("Additional rules", own).field(
        "Where they overlap",
        Text::from("T-Minus asks every role that any rule requires, and uses the highest number of people."),
    )
}

/// `/release list`.
pub fn list(releases: &[(String, String, PhaseName)]) -> Message {
    let lines =
        releases.iter().map(|(no, title, phase)| Text::from(format!("{no} · {} · {title}", words::phase(*phase))));
    let body = if releases.is_empty() {
        Text::from("None yet. Import a plan with ").code("/release import").t(".")
    } else {
        Text::lines(lines)
    };
    Message::new(Tone::Plain, Text::from("📋 Releases")).body(body)
}

/// Lines of the record in an answer; the file beside it has all.
const LINES: usize = 12;

/// `/release timeline`: the newest lines; the rest is in the file beside it.
pub fn timeline(name: &str, lines: &[String], of: usize) -> Message {
    let shown = lines.iter().rev().take(LINES).rev().map(|line| Text::from(format!("• {}", words::short(line, 140))));
    let body = if lines.is_empty() { Text::from("No matching entries.") } else { Text::lines(shown) };
    let message = Message::new(Tone::Plain, Text::from(format!("🧾 Timeline · {name}"))).body(body);
    match lines.len() {
        n if n == of && n <= LINES => message,
        n if n == of => {
            message.field("Shown", Text::from(format!("The newest {LINES} of {of} entries; the file has all.")))
        }
        n if n <= LINES => message.field("Shown", Text::from(format!("{n} of {of} entries; the journal has all."))),
        n => {
            let shown = format!("The newest {LINES}; the file has {n} of {of} entries; the journal has all.");
            message.field("Shown", Text::from(shown))
        }
    }
}

/// `/release export`; `unplaced` are items that were done and have no box in the document any more.
pub fn exported(name: &str, unplaced: &[String]) -> Message {
    Message::new(Tone::Plain, Text::from(format!("📄 Export · {name}")))
        .body("Your document with the results filled in.")
        .field(
            "Done, but no longer in the document",
            Text::lines(unplaced.iter().take(10).map(|id| Text::from(format!("• {id}")))),
        )
}

/// "Download fixed plan".
pub fn fixed(name: &str) -> Message {
    Message::new(Tone::Plain, Text::from(format!("📄 Safe fixes · {name}"))).body(
        "The plan with every safe fix applied. It is not saved yet: import it with the option “release” to keep it.",
    )
}

/// `/release edit`: which section.
pub fn edit(release: &Release, entries: Vec<(String, String)>) -> Message {
    let mut message = Message::new(Tone::Plain, Text::from(format!("✏️ Edit · {}", words::name(release))))
        .body("Choose a section to edit its Markdown in a form. For larger changes: /release export, then /release import with the option “release”.");
    message.menu = Some(Menu { release: release.no.to_string(), entries });
    message.footer = words::footer(release);
    message
}

/// A question of a plan with only a few answers.
pub fn choose(release: &Release, label: &str, entries: Vec<(String, String)>) -> Message {
    let mut message = Message::new(Tone::Plain, Text::from(format!("✏️ {label} · {}", words::name(release))))
        .body("Choose one. I write it into the plan as a new revision.");
    message.menu = Some(Menu { release: release.no.to_string(), entries });
    message
}

/// What lint found, in place of what only stands against submitting.
pub fn with_findings(mut message: Message, lines: &[String]) -> Message {
    message.fields.retain(|field| field.name != super::TO_MEND);
    let value = Text::lines(lines.iter().map(|line| Text::from("• ").and(words::ticked(line))));
    // First: it is what the reader has to act on.
    message.fields.insert(0, Field { name: "Findings".to_owned(), value, short: false });
    message
}

/// The sections to edit, under an answer.
pub fn with_menu(mut message: Message, release: String, entries: Vec<(String, String)>) -> Message {
    message.menu = Some(Menu { release, entries });
    message
}

/// A refusal with the person's text beside it and a button to go on.
pub fn given_back(mut refusal: Message) -> Message {
    refusal.buttons =
        vec![Button { choice: Choice::EditAgain, label: "Edit again".to_owned(), style: super::Style::Main }];
    refusal.field("Your text", Text::from("Attached unchanged; nothing was lost."))
}

/// A plan that cannot be read: where, and what was expected.
pub fn unreadable(file: &str, lines: &[String]) -> Message {
    Message::new(Tone::Bad, Text::from("⛔ Import failed"))
        .body(Text::from(format!("“{file}” was not saved. Fix these lines and import it again.")))
        .field("Findings", Text::lines(lines.iter().map(|l| Text::from("• ").and(words::ticked(l)))))
}

/// A sentence of refusal that needs no more.
pub fn sorry(sentence: &str) -> Message {
    Message::new(Tone::Bad, Text::from("⛔ You can't do that")).body(sentence)
}

/// A message that shows the newest of many, because one person did the same again and again.
pub fn newest_of_many(message: Message) -> Message {
    let said = Text::from(
        "This message replaces earlier ones: there were more than three in ten minutes. To read them all, run ",
    )
    .code("/release timeline")
    .t(".");
    message.field("Earlier messages", said)
}

/// More than one person, or their whole server, may ask in a minute.
pub fn too_often(whole_server: bool, wait: Duration) -> Message {
    let who = if whole_server { "This server" } else { "You" };
    Message::new(Tone::Wait, Text::from("⏳ Rate limit exceeded")).body(format!(
        "{who} sent too many requests in a minute. T-Minus ignored this one; try again in {}.",
        seconds(wait)
    ))
}

/// Under an answer: an earlier press came too late to be answered, and was not carried out.
pub fn press_missed(message: Message, at: Timestamp) -> Message {
    let said = Text::from("Your request at ")
        .time(at, Stamp::Short)
        .t(" reached T-Minus too late, so T-Minus did nothing. Send it again if you still want it.");
    message.field("⚠️ Your earlier request was not carried out", said)
}

/// Under an answer: the answer to an earlier press did not arrive.
pub fn answer_missed(message: Message, at: Timestamp, headline: &str) -> Message {
    let said = Text::from("T-Minus answered your request at ")
        .time(at, Stamp::Short)
        .t(format!(", but the answer did not reach you: “{headline}”. "))
        .code("/release show")
        .t(" shows how things are now.");
    message.field("⚠️ An earlier answer did not reach you", said)
}

/// Under the answer of a check that did not ask Discord.
pub fn looked_just_now(message: Message, wait: Duration) -> Message {
    let later = format!("⏳ T-Minus checked a moment ago. Check again in {}.", seconds(wait));
    message.field("Discord check", Text::from(later))
}

/// At least one, rounded up.
fn seconds(wait: Duration) -> String {
    match wait.as_millis().div_ceil(1_000).max(1) {
        1 => "a second".to_owned(),
        n => format!("{n} seconds"),
    }
}

/// Something broke on our side; `id` is in the log as well.
pub fn fault(id: &str) -> Message {
    Message::new(Tone::Bad, Text::from("🔴 Nothing was recorded")).body(
        Text::from("T-Minus hit an internal error. Try again; if it fails again, give your operator this id: ")
            .code(id),
    )
}

/// A plan whose title an open release has: which of the two is meant.
pub fn which_release(no: &str, title: &str) -> Message {
    Message::new(Tone::Wait, Text::from(format!("⚠️ {no} has the same title")))
        .body(Text::from(format!("{no} “{title}” is still open, so I saved nothing. Import the plan again:")))
        .field("As a new revision", Text::new().code(format!("/release import release:{no}")))
        .field("As a new release", Text::new().code("/release import release:new"))
}
