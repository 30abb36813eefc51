//! Words about T-Minus itself: help, check, lists, faults, an unreadable plan.

use super::message::{Button, Field, Menu, Message, Tone};
use super::text::Text;
use super::words;
use crate::domain::effect::Choice;
use crate::domain::ids::Audience;
use crate::domain::plan::SignoffRole;
use crate::domain::policy::Policy;
use crate::domain::release::{PhaseName, Release};

/// `/tminus help`.
pub fn help() -> Message {
    Message::new(Tone::Plain, Text::from("ℹ️ T-Minus"))
        .body("T-Minus runs a release's communications: sign-offs, countdown, updates, alerts, the rollback question, the all-clear and the post-mortem. It does not deploy.")
        .field("Begin", Text::from("1. An administrator: ").code("/tminus setup").br()
            .t("2. A release manager: ").code("/release new").t(", or ").code("/release import").t(" with a plan; then ").code("/release submit").br()
            .t("3. Approvers: the buttons, or ").code("/release signoff give").t("; an objection: ").code("/release concern raise").br()
            .t("4. At T-0 the owner: ").code("/release go"))
        .field("Plan ahead", Text::new().code("/release reschedule").t(", ").code("/tminus freeze").t(" (when nothing goes live), ").code("/tminus train").t(" (recurring releases)"))
        .field("While it runs", Text::new().code("/release update").t(", ").code("/release stage").t(", ").code("/release decide").t(", ").code("/release alert report").t(", ").code("/release hold").t(", ").code("/release handover").t(", ").code("/release rollback"))
        .field("After it", Text::new().code("/release all-clear").t(", ").code("/release postmortem file").t(", ").code("/release timeline").t(", ").code("/release export"))
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
    let audiences = [Audience::engineering(), Audience::support(), Audience::status_page()];
    let audiences = audiences.iter().map(|a| {
        let route = policy.audiences.get(a);
        let line = role(words::audience(a), route.and_then(|r| r.role.clone()).as_slice());
        match route.and_then(|r| r.quiet.as_ref()) {
            Some(quiet) => line.t(format!("(quiet {quiet})")),
            None => line,
        }
    });
    let complete = policy.release_channel.is_some() && !policy.release_managers.is_empty();
    let tone = if complete { Tone::Good } else { Tone::Wait };
    let mut message = Message::new(tone, Text::from(if complete { "✅ Set up" } else { "⏳ Not fully set up" }))
        .field(
            "Channels",
            Text::lines([
                channel("releases", policy.release_channel.as_ref()),
                channel("ops", policy.ops_channel.as_ref()),
            ]),
        )
        .field("Steer releases", role("release managers".to_owned(), &policy.release_managers))
        .field("Sign", Text::lines(signers))
        .field("Told and confirming", Text::lines(audiences))
        .field(
            "Default zone",
            Text::from(policy.zone.clone().unwrap_or_else(|| "none: every plan names its own".to_owned())),
        );
    if by_file {
        message = message.field("Where from", Text::from("The service's configuration file sets this server; changes made here would not last and are not taken."));
    }
    message
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

/// `/release timeline`: the newest lines; the rest is in the file beside it.
pub fn timeline(name: &str, lines: &[String]) -> Message {
    let shown =
        lines.iter().rev().take(12).rev().map(|l| Text::from(format!("• {}", l.chars().take(140).collect::<String>())));
    Message::new(Tone::Plain, Text::from(format!("🧾 Timeline · {name}"))).body(Text::lines(shown))
}

/// `/release export`; `unplaced` are items that were done and have no box in the document any more.
pub fn exported(name: &str, unplaced: &[String]) -> Message {
    Message::new(Tone::Plain, Text::from(format!("📄 Export · {name}")))
        .body("Your document, with what happened filled in.")
        .field("Not in the document", Text::lines(unplaced.iter().take(10).map(|id| Text::from(format!("• {id}")))))
}

/// "Download fixed plan".
pub fn fixed(name: &str) -> Message {
    Message::new(Tone::Plain, Text::from(format!("📄 Safe fixes · {name}"))).body(
        "The plan with every safe fix applied. Nothing was stored; import it with the option “release” to keep it.",
    )
}

/// `/release edit`: which section.
pub fn edit(release: &Release, entries: Vec<(String, String)>) -> Message {
    let mut message = Message::new(Tone::Plain, Text::from(format!("✏️ Edit · {}", words::name(release))))
        .body("Choose a section; its Markdown opens in a form. Larger changes: /release export, then /release import with the option “release”.");
    message.menu = Some(Menu { release: release.no.to_string(), entries });
    message.footer = words::footer(release);
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
    refusal.field("Your text", Text::from("It is attached as you sent it; nothing was lost."))
}

/// A plan that cannot be read: where, and what was expected.
pub fn unreadable(file: &str, lines: &[String]) -> Message {
    Message::new(Tone::Bad, Text::from("⛔ The plan cannot be read"))
        .body(Text::from(format!("Nothing was stored from “{file}”. Mend this and import it again:")))
        .field("Findings", Text::lines(lines.iter().map(|l| Text::from("• ").and(words::ticked(l)))))
}

/// A sentence of refusal that needs no more.
pub fn sorry(sentence: &str) -> Message {
    Message::new(Tone::Bad, Text::from("⛔ Not done")).body(sentence)
}

/// Something broke on our side; `id` is in the log as well.
pub fn fault(id: &str) -> Message {
    Message::new(Tone::Bad, Text::from("⚠️ Not recorded"))
        .body(Text::from("Something failed on our side, and nothing was recorded. Try again; if it stays, tell your operator this id: ").code(id))
}
