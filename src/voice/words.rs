//! Words many messages share: phases, times, open items, people, values.

use jiff::{SignedDuration, Timestamp};

use super::text::{Span, Stamp, Text};
use crate::domain::alert::{self, Judged};
use crate::domain::changes::Change;
use crate::domain::command::Verdict;
use crate::domain::ids::Audience;
use crate::domain::lateness::{Away, Late};
use crate::domain::may::Action;
use crate::domain::plan::{Approach, Contact, MetricPlan, Plan, Quantity, SignoffRole, span_label, t_label};
use crate::domain::policy::Policy;
use crate::domain::refusal::Open;
use crate::domain::release::{Behalf, Declined, PhaseName, Release, Run};
use crate::domain::rights::Denied;
use crate::domain::signoff::Pending;
use crate::domain::zone_of;

/// A phase as people read it.
pub fn phase(name: PhaseName) -> &'static str {
    match name {
        PhaseName::Draft => "📝 Draft",
        PhaseName::Gathering => "✍️ Gathering sign-offs",
        PhaseName::Approved => "✅ Approved",
        PhaseName::Held => "⏸️ On hold",
        PhaseName::Live => "🚀 Live",
        PhaseName::Watching => "👀 Watching",
        PhaseName::RollingBack => "⏪ Rolling back",
        PhaseName::RolledBack => "↩️ Rolled back",
        PhaseName::AllClear => "🟢 All clear",
        PhaseName::Closed => "🏁 Closed",
        PhaseName::Scrubbed => "🚫 Scrubbed",
    }
}

/// A verdict as people read it.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Continue => "Continue",
        Verdict::Hold => "Hold",
        Verdict::RollBack => "Roll back",
    }
}

/// An audience as people read it.
pub fn audience(audience: &Audience) -> String {
    match audience.0.as_str() {
        "engineering" => "engineering".to_owned(),
        "support" => "support".to_owned(),
        "status-page" => "status page".to_owned(),
        other => other.to_owned(),
    }
}

/// `REL-42 · Checkout 4.2`, the name of a release in a headline.
pub fn name(release: &Release) -> String {
    format!("{} {}", release.no, release.plan.title)
}

/// `REL-42 · revision 2`.
pub fn footer(release: &Release) -> String {
    format!("{} · revision {}", release.no, release.revision)
}

/// An instant for the reader, with the plan's own zone beside it.
pub fn when(at: Timestamp, zone: &str) -> Text {
    Text::new().time(at, Stamp::Full).t(" · ").t(in_zone(at, zone))
}

/// The planned T-0 for the reader, or that there is none yet.
pub fn planned(plan: &Plan) -> Text {
    match &plan.t0 {
        Some(t0) => when(t0.at, &t0.zone),
        None => Text::from("not set"),
    }
}

/// "in 2 hours", or that no T-0 is set.
pub fn until_t0(plan: &Plan) -> Text {
    plan.t0_at().map_or_else(|| Text::from("not set"), |at| Text::new().time(at, Stamp::Relative))
}

/// The first findings of lint, a line each.
pub fn findings(release: &Release) -> Text {
    let line = |(code, text): &(_, String)| Text::from("• ").and(ticked(text)).t(format!(" ({code})"));
    Text::lines(release.findings.iter().take(6).map(line))
}

/// A sentence of lint with what stands between backticks in code style.
pub fn ticked(sentence: &str) -> Text {
    let parts = sentence.split('`').enumerate();
    parts.fold(Text::new(), |text, (n, part)| match (part.is_empty(), n % 2 == 1) {
        (true, _) => text,
        (false, true) => text.code(part),
        (false, false) => text.t(part),
    })
}

/// What a revision changed, `max` lines at most.
pub fn changes(changes: &[Change], max: usize) -> Text {
    let mut lines: Vec<Text> = changes
        .iter()
        .take(max)
        .map(|change| {
            let icon = if change.material { "🔶 material" } else { "▫️ cosmetic" };
            let text = Text::from(format!("{icon} · {}: ", change.what));
            match (&change.from, &change.to) {
                (Some(from), Some(to)) => text.t(from).t(" → ").b(to),
                (None, Some(to)) => text.t("added ").b(to),
                (Some(from), None) => text.t("removed ").t(from),
                (None, None) => text,
            }
        })
        .collect();
    let rest: usize = changes.iter().skip(max).map(|change| change.rest.max(1)).sum();
    if rest > 0 {
        lines.push(Text::from(format!("and {rest} more")));
    }
    Text::lines(lines)
}

/// A choice of the plan, or that it was not made yet.
pub fn chosen<T: std::fmt::Display>(choice: Option<T>) -> String {
    choice.map_or_else(|| "not chosen".to_owned(), |choice| choice.to_string())
}

/// `Tue 8 Dec 14:00 Europe/Berlin`.
pub fn in_zone(at: Timestamp, zone: &str) -> String {
    let civil = zone_of(zone).to_datetime(at);
    let day = match civil.weekday() {
        jiff::civil::Weekday::Monday => "Mon",
        jiff::civil::Weekday::Tuesday => "Tue",
        jiff::civil::Weekday::Wednesday => "Wed",
        jiff::civil::Weekday::Thursday => "Thu",
        jiff::civil::Weekday::Friday => "Fri",
        jiff::civil::Weekday::Saturday => "Sat",
        jiff::civil::Weekday::Sunday => "Sun",
    };
    let month = civil.strftime("%b");
    format!("{day} {} {month} {:02}:{:02} {zone}", civil.day(), civil.hour(), civil.minute())
}

/// A person: a mention where the member is known (it calls nobody by itself), else the name.
pub fn person(contact: Option<&Contact>) -> Text {
    match contact {
        Some(Contact { user: Some(user), .. }) => Text::new().user(user),
        Some(contact) => Text::from(contact.name.as_str()),
        None => Text::from("nobody yet"),
    }
}

/// Owner and on-call in one line.
pub fn people(release: &Release) -> Text {
    let plan = &release.plan;
    Text::from("owner ").and(person(plan.owner.as_ref())).t(", on-call ").and(person(plan.on_call.as_ref()))
}

/// Roles in a list.
pub fn roles(roles: &[SignoffRole]) -> String {
    roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// One open thing, and who can mend it.
pub fn open(item: &Open, policy: &Policy) -> Text {
    match item {
        Open::Signoff(pending) => {
            let text = Text::from(format!("{} sign-off", self::pending(pending)));
            match policy.signers.get(&pending.role).filter(|roles| !roles.is_empty()) {
                Some(signers) => signers
                    .iter()
                    .enumerate()
                    .fold(text.t(" ("), |t, (n, r)| if n > 0 { t.t(", ") } else { t }.role(r))
                    .t(")"),
                None => text.t(" (no role is mapped: /tminus setup)"),
            }
        }
        Open::Gate { text } => Text::from(format!("“{text}” is not done (/release item done)")),
        Open::Receipt { rung, audience } => {
            let text = Text::from(format!("{rung} is not confirmed"));
            let role = policy.audiences.get(audience).and_then(|route| route.role.as_ref());
            let text = match role {
                Some(role) => text.t(" (").role(role).t(")"),
                None => text.t(" (no role is mapped: /tminus setup)"),
            };
            text.t(" (/release item brief, or the owner: /release item waive)")
        }
        Open::Concern { n, by, text } => Text::from(format!("concern #{n} of "))
            .user(by)
            .t(format!(": “{}” (/release concern resolve)", short(text, 80))),
        Open::ChannelShut { channel } => Text(vec![Span::Channel(channel.clone())])
            .t(" takes no messages, so nobody would hear of it (give the rights back, then “Send again” in the ops channel; or set another channel: /tminus setup)"),
        Open::Escalation { names } if names.is_empty() => {
            Text::from("nobody stands on the escalation path (/release edit)")
        }
        Open::Escalation { names } => Text::from(format!(
            "on the escalation path and no member here: {} (write the handle beside the name, such as Eva (@eva): /release edit; whoever signed is asked again)",
            short(&names.join(", "), 80)
        )),
        Open::OwnerUnknown { name } => {
            Text::from(format!("owner “{name}” is not matched to a member (pick one under the import's answer)"))
        }
        Open::OnCallUnknown { name } => {
            Text::from(format!("on-call “{name}” is not matched to a member (pick one under the import's answer)"))
        }
        Open::SignersUnmapped(role) => Text::from(format!("nobody may sign as {role} (map a role: /tminus setup)")),
        Open::NoReleaseChannel => Text::from("no release channel is set (/tminus setup)"),
        Open::Missing { field } => Text::from(format!("the plan lacks “{field}” (/release edit)")),
        Open::T0Unknown => Text::from("the plan names no T-0 (import it with a release date and time)"),
        Open::T0Past => {
            Text::from("the planned T-0 has passed (/release reschedule; a draft: import it with a new time)")
        }
        Open::Finding { code, text } => Text::from(format!("{text} ({code})")),
        Open::Alert { name } => Text::from(format!("alert “{name}” is still firing")),
        Open::RollbackPrompt => Text::from("a rollback prompt waits for a decision"),
        Open::Point { label } => Text::from(format!("decision point {label} is not answered")),
        Open::NoData { metric } => Text::from(format!("no fresh value of {metric} (/release alert report)")),
        Open::NotHealthy { metric, value, success } => {
            let want = if success.is_empty() { String::new() } else { format!(", wanted {success}") };
            Text::from(format!("{metric} is {value}{want}"))
        }
        Open::StagesLeft { done, of } => Text::from(format!("stage {} of {of} is still running", done + 1)),
        Open::Freeze { name, until, opening } => {
            let text = Text::from(format!("freeze “{name}” until ")).time(*until, Stamp::Full);
            let text = match opening {
                Some(opening) => text.t(", next opening ").time(*opening, Stamp::Full),
                None => text.t(", no opening in sight"),
            };
            text.t(" (/release reschedule, or a release manager: /tminus freeze except)")
        }
        Open::UpdateOverdue => Text::from("promised updates were missed (/release update)"),
    }
}

/// Open things as a list.
pub fn open_list(items: &[Open], policy: &Policy) -> Text {
    const SHOWN: usize = 12;
    // A person's objection is not what falls off the end of a list.
    let (first, rest): (Vec<&Open>, Vec<&Open>) = items.iter().partition(|item| matches!(item, Open::Concern { .. }));
    let lines = first.into_iter().chain(rest).take(SHOWN).map(|item| Text::from("• ").and(open(item, policy)));
    let more = (items.len() > SHOWN).then(|| Text::from(format!("and {} more", items.len() - SHOWN)));
    Text::lines(lines.chain(more))
}

/// Whether a character hides text, or turns it round.
pub fn turns(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{061C}' | '\u{FEFF}')
}

/// On one line, with nothing that hides or turns it: in a file nothing else keeps lines apart.
pub fn one_line(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !turns(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, with a sign that there were more.
pub fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

/// Who signed; for somebody outside the chat also who recorded it.
pub fn signer(name: &str, behalf: Option<&Behalf>) -> String {
    match behalf {
        Some(behalf) => format!("{name} (outside the chat; recorded by {})", behalf.by),
        None => name.to_owned(),
    }
}

/// A role that has not signed in full: "SRE/Ops, 1 of 2".
pub fn pending(pending: &Pending) -> String {
    let refused = if pending.refused { ", refused" } else { "" };
    match pending.need {
        1 => format!("{}{refused}", pending.role),
        need => format!("{}, {} of {need}{refused}", pending.role, pending.have),
    }
}

/// A refused sign-off, with who and why.
pub fn declined(refusal: &Declined) -> Text {
    Text::from(format!("⛔ {}: {} refuses: “{}”", refusal.role, refusal.name, refusal.reason))
}

/// What is ready before go: "5 of 7 ready; missing: SRE/Ops sign-off".
pub fn readiness(release: &Release, open: &[Open]) -> String {
    let required = crate::domain::policy::required_signoffs(&release.plan, &release.policy).len();
    let concerns = open.iter().filter(|item| matches!(item, Open::Concern { .. })).count();
    let receipts = open.iter().filter(|item| matches!(item, Open::Receipt { .. })).count();
    let of = required + release.plan.gates.len() + concerns + receipts;
    if open.is_empty() {
        return format!("{of} of {of} ready");
    }
    let missing: Vec<String> = open
        .iter()
        .map(|item| match item {
            Open::Signoff(pending) => format!("{} sign-off", self::pending(pending)),
            Open::Gate { text } => text.clone(),
            Open::Receipt { rung, .. } => format!("a receipt for {rung}"),
            Open::Concern { n, .. } => format!("an answer to concern #{n}"),
            Open::T0Past => "a T-0 that is not past".to_owned(),
            Open::ChannelShut { .. } => "a release channel that takes messages".to_owned(),
            Open::Escalation { .. } => "an escalation path that can be called".to_owned(),
            Open::Freeze { name, .. } => format!("an opening in the freeze “{name}”"),
            _ => "more".to_owned(),
        })
        .collect();
    let counts = |item: &&Open| {
        matches!(item, Open::Signoff(_) | Open::Gate { .. } | Open::Concern { .. } | Open::Receipt { .. })
    };
    let counted = open.iter().filter(counts).count();
    let done = of.saturating_sub(counted);
    format!("{done} of {of} ready; missing: {}", missing.join(", "))
}

/// How the change reaches its users, with the stages.
pub fn approach(release: &Release) -> String {
    let words = |a: &Approach| match a {
        Approach::BigBang => "all at once".to_owned(),
        Approach::Canary { percent } => format!("canary {percent}%"),
        Approach::BlueGreen => "blue-green".to_owned(),
        Approach::FeatureFlag { groups } => format!("feature flag ({groups})"),
    };
    release.plan.approaches.iter().map(words).collect::<Vec<_>>().join(", ")
}

/// A metric's value with its unit.
pub fn value(metric: &MetricPlan, value: f64) -> Quantity {
    let unit = metric.success.as_ref().or(metric.alert.as_ref()).map(|b| b.than.unit.clone());
    let unit = unit.or_else(|| metric.baseline.as_ref().map(|b| b.unit.clone())).unwrap_or_default();
    Quantity { value, unit }
}

/// The plan's metrics with what was last seen, one line each.
pub fn metrics(release: &Release, run: &Run, now: Timestamp) -> Text {
    Text::lines(release.plan.metrics.iter().map(|metric| {
        let judged = alert::judge(metric, run, now);
        let (icon, word) = match judged {
            Judged::Ok => ("🟢", "ok"),
            Judged::Between => ("🟡", "between thresholds"),
            Judged::Breach => ("🔴", "over alert threshold"),
            Judged::NoData => ("⚪", "no fresh value"),
        };
        let mut line = Text::from(format!("{icon} {}: ", metric.name));
        line = match (run.observed.get(&metric.name), judged) {
            (Some(seen), Judged::NoData) => line
                .t(format!("last {} at ", value(metric, seen.value)))
                .time(seen.at, Stamp::Short)
                .t(", no longer fresh"),
            (Some(seen), _) => line.b(value(metric, seen.value).to_string()).t(" ").t(word),
            (None, _) => line.t(word),
        };
        let base = metric.baseline.as_ref().map(|b| format!("baseline {b}"));
        let success = metric.success.as_ref().map(|b| format!("success {b}"));
        let aside: Vec<String> = base.into_iter().chain(success).collect();
        if aside.is_empty() { line } else { line.t(format!(" ({})", aside.join(", "))) }
    }))
}

/// An instant as it is told at another: by its day as well, where that is not clear.
pub fn stamp(at: Timestamp, now: Timestamp) -> Stamp {
    if now.duration_since(at).abs() < SignedDuration::from_hours(12) { Stamp::Short } else { Stamp::Full }
}

/// "Due 14:00, sent 30m late. T-Minus was away between 13:50 and 14:30."; "… The channel it was for took no message until then."
pub fn late(late: &Late, done: &str) -> Text {
    let came = late.due + SignedDuration::from_mins(i64::from(late.min));
    let text = Text::from("Due ").time(late.due, stamp(late.due, came));
    let text = text.t(format!(", {done} {} late.", span_label(u64::from(late.min))));
    let text = if late.shut { text.t(" The channel it was for took no message until then.") } else { text };
    match late.away {
        None => text,
        Some(Away { from, to }) => {
            let text = text.t(" T-Minus was away between ").time(from, stamp(from, to));
            text.t(" and ").time(to, stamp(from, to)).t(".")
        }
    }
}

/// The stage the rollout is in: "stage 2 of 3: 25% of users".
pub fn stage(release: &Release, run: &Run) -> String {
    let of = crate::domain::stage::stage_count(release);
    if run.stage.index >= of {
        return format!("all {of} stages done");
    }
    let text = release.plan.stages.get(run.stage.index).map_or("all at once", |s| s.text.as_str());
    format!("stage {} of {of}: {text}", run.stage.index + 1)
}

/// The label of a decision point or another offset after T-0.
pub fn after(after_min: u32) -> String {
    t_label(i64::from(after_min))
}

/// Why somebody was refused.
pub fn denied(why: Denied) -> String {
    match why {
        Denied::NotAllowed => "they may not".to_owned(),
        Denied::OwnPlan => "it is their own plan, or they signed it".to_owned(),
        Denied::OneRoleEach => "they signed for another role".to_owned(),
        Denied::NoEmergency => "it is no emergency".to_owned(),
        Denied::Open(1) => "one thing stood open".to_owned(),
        Denied::Open(n) => format!("{n} things stood open"),
    }
}

/// What somebody wanted to do, as a noun.
pub fn action(action: &Action) -> String {
    let text = match action {
        Action::Setup => "the server's settings",
        Action::Train => "a train",
        Action::Import => "importing a plan",
        Action::Depart => "a train's draft",
        Action::Repolicy => "taking settings over",
        Action::Revise => "importing a new revision",
        Action::Amend => "an amendment",
        Action::Agree => "agreeing to an amendment",
        Action::Name => "naming a member",
        Action::HandOver(post) => return format!("handing over the part of the {}", super::people::post(*post)),
        Action::Submit => "submitting",
        Action::Reschedule => "moving T-0",
        Action::Scrub => "scrubbing",
        Action::Sign(role) => return format!("the {role} sign-off"),
        Action::Withdraw(role) => return format!("withdrawing the {role} sign-off"),
        Action::SignFor(role) => return format!("the {role} sign-off for somebody else"),
        Action::Snooze => "putting a reminder off",
        Action::Receive(of) => return format!("a receipt of {}", audience(of)),
        Action::Correct => "correcting a notice",
        Action::Deliver => "a delivery",
        Action::Redeliver => "a stuck message",
        Action::Go => "go",
        Action::BreakGlass => "go by break-glass",
        Action::Stage => "a stage step",
        Action::Undo => "taking a step back",
        Action::Hold => "hold",
        Action::Resume => "resuming",
        Action::Update => "an update",
        Action::Decide => "a decision",
        Action::Answer => "an answer to the rollback prompt",
        Action::RollBack => "rolling back",
        Action::Verify => "confirming a rollback",
        Action::Signal => "an alert",
        Action::Report => "reporting a value",
        Action::Acknowledge => "acknowledging an alert",
        Action::Item => "ticking an item",
        Action::Waive => "waiving an item",
        Action::AllClear => "the all-clear",
        Action::Postmortem => "the post-mortem",
        Action::Object => "a concern",
        Action::Settle(_) => "resolving a concern",
        Action::Except => "an exception from a freeze",
        Action::Tick => "what is due",
        Action::Examine => "looking up the bot's rights",
        Action::Read => "reading",
    };
    text.to_owned()
}
