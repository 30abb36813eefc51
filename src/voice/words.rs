//! Words many messages share: phases, times, open items, people, values.

use jiff::{SignedDuration, Timestamp};

use super::text::{Span, Stamp, Text};
use crate::domain::changes::Change;
use crate::domain::decision::Verdict;
use crate::domain::evidence::{self, Judged, Observation};
use crate::domain::ids::Audience;
use crate::domain::lateness::{Away, Late};
use crate::domain::open::Open;
use crate::domain::people::Post;
use crate::domain::phase::PhaseName;
use crate::domain::plan::{Approach, Contact, MetricPlan, Plan, Quantity, SignoffRole, span_label, t_label};
use crate::domain::policy::{self, Policy};
use crate::domain::release::{Release, Run};
use crate::domain::rights::{Action, Denied};
use crate::domain::signoff::{Behalf, Declined, Pending};
use crate::domain::{freeze, stage, zone_of};

/// A phase as people read it.
pub fn phase(name: PhaseName) -> &'static str {
    match name {
        PhaseName::Draft => "📝 Draft",
        PhaseName::Gathering => "✍️ Gathering sign-offs",
        PhaseName::Approved => "✅ Approved",
        PhaseName::Held => "⏸️ On hold",
        PhaseName::Live => "🚀 Live",
        PhaseName::Watching => "👀 Monitoring",
        PhaseName::RollingBack => "⏪ Rolling back",
        PhaseName::RolledBack => "↩️ Rolled back",
        PhaseName::AllClear => "✅ All clear",
        PhaseName::Closed => "🏁 Closed",
        PhaseName::Scrubbed => "🚫 Cancelled",
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

/// An instant for the reader; the plan's clock stands beside it where its zone is not the server's.
pub fn when(release: &Release, at: Timestamp) -> Text {
    let text = Text::new().time(at, Stamp::Full);
    let zone = release.plan.zone();
    if release.policy.zone.as_deref() == Some(zone) { text } else { text.t(" · ").t(in_zone(at, zone)) }
}

/// The planned T-0 for the reader, or that there is none yet.
pub fn planned(release: &Release) -> Text {
    release.plan.t0_at().map_or_else(|| Text::from("not set"), |at| when(release, at))
}

/// The freezes that T-0 lies in and no exception covers.
pub fn frozen(release: &Release) -> Text {
    let inside = release.plan.t0_at().map(|at| freeze::view::gaps(release, at)).unwrap_or_default();
    Text::lines(inside.iter().map(|gap| Text::from("⚠️ T-0 is inside ").and(open(gap, &release.policy))))
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

/// The word for one thing, or for several.
pub fn plural<'w>(count: usize, one: &'w str, several: &'w str) -> &'w str {
    if count == 1 { one } else { several }
}

/// The plan's risks with what is done about them.
pub fn risks(plan: &Plan) -> Text {
    Text::lines(plan.risks.iter().map(|r| Text::from(format!("• {} → {}", r.risk, r.mitigation))))
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
        Open::Concern { n, by, text } => Text::from(format!("concern #{n} by "))
            .user(by)
            .t(format!(": “{}” (/release concern resolve)", short(text, 80))),
        Open::ChannelShut { channel } => Text::from("T-Minus cannot post in ")
            .and(Text(vec![Span::Channel(channel.clone())]))
            .t(" (restore its permissions, then press “Send again” in the ops channel; or set another channel: /tminus setup)"),
        Open::Escalation { names } if names.is_empty() => {
            Text::from("the escalation path is empty (/release edit)")
        }
        Open::Escalation { names } => Text::from(format!(
            "the escalation path names people who are not members here: {} (add the handle, such as Eva (@eva), with /release edit; signers must then sign again)",
            short(&names.join(", "), 80)
        )),
        Open::OwnerUnknown { name } => {
            Text::from(format!("owner “{name}” is not matched to a member (pick one under the reply to the import)"))
        }
        Open::OnCallUnknown { name } => {
            Text::from(format!("on-call “{name}” is not matched to a member (pick one under the reply to the import)"))
        }
        Open::SignersUnmapped(role) => Text::from(format!("nobody can sign as {role} (map a role: /tminus setup)")),
        Open::NoReleaseChannel => Text::from("no release channel is set (/tminus setup)"),
        Open::Missing { field } => Text::from(format!("the plan lacks “{field}” (/release edit)")),
        Open::T0Unknown => Text::from("the plan has no T-0 (import it with a release date and time)"),
        Open::T0Past => {
            Text::from("the planned T-0 has passed (/release reschedule; for a draft, import it with a new time)")
        }
        Open::Finding { code, text } => Text::from(format!("{text} ({code})")),
        Open::Alert { name } => Text::from(format!("alert “{name}” is still firing")),
        Open::MoreAlerts { count } => Text::from(format!("{count} more {} firing", plural(*count, "alert is", "alerts are"))),
        Open::AlertAhead { name } => {
            Text::from(format!("alert “{name}” is firing (acknowledge it: /release alert ack)"))
        }
        Open::MoreAlertsAhead { count } => Text::from(format!(
            "{count} more {} firing (acknowledge all: /release alert ack)",
            plural(*count, "alert is", "alerts are")
        )),
        Open::RollbackPrompt => Text::from("a rollback prompt waits for a decision"),
        Open::Point { label } => Text::from(format!("decision point {label} has no answer")),
        Open::NoData { metric } => Text::from(format!("no fresh value for {metric} (/release alert report)")),
        Open::NotHealthy { metric, value, success } => {
            let want = if success.is_empty() { String::new() } else { format!(", success is {success}") };
            Text::from(format!("{metric} was {value}{want} (/release alert report)"))
        }
        Open::StagesLeft { done, of } => Text::from(format!("stage {} of {of} is still running", done + 1)),
        Open::Freeze { name, until, opening } => {
            let text = Text::from(format!("freeze “{name}” until ")).time(*until, Stamp::Full);
            let text = match opening {
                Some(opening) if opening == until => text,
                Some(opening) => text.t(", next opening ").time(*opening, Stamp::Full),
                None => text.t(", no opening found"),
            };
            text.t(" (/release reschedule, or a release manager: /tminus freeze except)")
        }
        Open::UpdateOverdue => Text::from("updates are overdue (/release update)"),
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
    Text::from(format!("⛔ {}: {} refused: “{}”", refusal.role, refusal.name, refusal.reason))
}

/// What is ready before go: "5 of 7 ready; open: SRE/Ops sign-off".
pub fn readiness(release: &Release, open: &[Open]) -> String {
    let required = policy::required_signoffs(&release.plan, &release.policy).len();
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
            Open::Receipt { rung, .. } => format!("receipt for {rung}"),
            Open::Concern { n, .. } => format!("concern #{n}"),
            Open::T0Past => "T-0 has passed".to_owned(),
            Open::ChannelShut { .. } => "T-Minus cannot post in the release channel".to_owned(),
            Open::Escalation { .. } => "escalation path is incomplete".to_owned(),
            Open::Freeze { name, .. } => format!("T-0 is inside freeze “{name}”"),
            Open::AlertAhead { name } => format!("alert “{name}” is firing"),
            Open::MoreAlertsAhead { count } => {
                format!("{count} more {} firing", plural(*count, "alert is", "alerts are"))
            }
            _ => "another item".to_owned(),
        })
        .collect();
    let counts = |item: &&Open| {
        matches!(item, Open::Signoff(_) | Open::Gate { .. } | Open::Concern { .. } | Open::Receipt { .. })
    };
    let counted = open.iter().filter(counts).count();
    let done = of.saturating_sub(counted);
    format!("{done} of {of} ready; open: {}", missing.join(", "))
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
        let judged = evidence::view::judge(metric, run, now);
        let (icon, word) = match judged {
            Judged::Ok => ("✅", "ok"),
            Judged::Between => ("⚠️", "between thresholds"),
            Judged::Breach => ("🔴", "alert threshold breached"),
            Judged::Firing => ("🔴", "alert firing"),
            Judged::NoData => ("⚪", "no data"),
        };
        let mut line = Text::from(format!("{icon} {}: ", metric.name));
        line = match (run.observed.get(&metric.name), judged) {
            (seen, Judged::Firing) => {
                line.and(firing(run, metric, seen.filter(|seen| evidence::view::fresh(seen, now))))
            }
            (Some(seen), Judged::NoData) => {
                line.t(format!("{} stale (", value(metric, seen.value))).time(seen.at, Stamp::Short).t(")")
            }
            (Some(seen), _) => line.b(value(metric, seen.value).to_string()).t(" ").t(word),
            (None, _) => line.t(word),
        };
        let base = metric.baseline.as_ref().map(|b| format!("baseline {b}"));
        let success = metric.success.as_ref().map(|b| format!("success {b}"));
        let aside: Vec<String> = base.into_iter().chain(success).collect();
        if aside.is_empty() { line } else { line.t(format!(" ({})", aside.join(", "))) }
    }))
}

/// A metric whose alert fires without a value that shows it.
fn firing(run: &Run, metric: &MetricPlan, seen: Option<&Observation>) -> Text {
    let alert = evidence::view::firing(run, &metric.name);
    let text = Text::from(format!("alert {} is firing", alert.map_or("", |alert| alert.name.as_str())));
    match (seen, alert.and_then(|alert| alert.unread.as_ref())) {
        (_, Some(unread)) => text.t(format!("; its value “{unread}” cannot be read")),
        (Some(seen), None) => text
            .t(format!("; the last value {} at ", value(metric, seen.value)))
            .time(seen.at, Stamp::Short)
            .t(" contradicts it"),
        (None, None) => text.t(", without a value"),
    }
}

/// An instant as it is told at another: by its day as well, where that is not clear.
pub fn stamp(at: Timestamp, now: Timestamp) -> Stamp {
    if now.duration_since(at).abs() < SignedDuration::from_hours(12) { Stamp::Short } else { Stamp::Full }
}

/// "Due 14:00, sent 30m late. T-Minus was offline from 13:50 to 14:30."; "… T-Minus could not post in the channel until then."
pub fn late(late: &Late, done: &str) -> Text {
    let came = late.due + SignedDuration::from_mins(i64::from(late.min));
    let text = Text::from("Due ").time(late.due, stamp(late.due, came));
    let text = text.t(format!(", {done} {} late.", span_label(u64::from(late.min))));
    let text = if late.shut { text.t(" T-Minus could not post in the channel until then.") } else { text };
    match late.away {
        None => text,
        Some(Away { from, to }) => {
            let text = text.t(" T-Minus was offline from ").time(from, stamp(from, to));
            text.t(" to ").time(to, stamp(from, to)).t(".")
        }
    }
}

/// The stage the rollout is in: "stage 2 of 3: 25% of users".
pub fn stage(release: &Release, run: &Run) -> String {
    let of = stage::view::stage_count(release);
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
        Denied::NotAllowed => "no permission".to_owned(),
        Denied::OwnPlan => "own plan, or already signed it".to_owned(),
        Denied::OneRoleEach => "already signed for another role".to_owned(),
        Denied::NoEmergency => "not an Emergency release".to_owned(),
        Denied::Open(1) => "1 item was open".to_owned(),
        Denied::Open(n) => format!("{n} items were open"),
    }
}

/// What somebody wanted to do, as a noun.
pub fn action(action: &Action) -> String {
    let text = match action {
        Action::Setup => "changing the server's settings",
        Action::Train => "changing a train",
        Action::Import => "importing a plan",
        Action::Depart => "creating a train's draft",
        Action::Repolicy => "applying settings",
        Action::Revise => "importing a new revision",
        Action::Amend => "proposing an amendment",
        Action::Agree => "answering an amendment",
        Action::Name => "matching a name to a member",
        Action::HandOver(part) => return format!("handing over the {} role", post(*part)),
        Action::Submit => "submitting the plan",
        Action::Reschedule => "moving T-0",
        Action::Scrub => "cancelling the release",
        Action::Sign(role) => return format!("the {role} sign-off"),
        Action::Withdraw(role) => return format!("withdrawing the {role} sign-off"),
        Action::SignFor(role) => return format!("the {role} sign-off for somebody else"),
        Action::Snooze => "delaying a reminder",
        Action::Receive(of) => return format!("a receipt for {}", audience(of)),
        Action::Correct => "correcting a notice",
        Action::Deliver => "reporting a delivery",
        Action::Redeliver => "handling a stuck message",
        Action::Go => "giving the go",
        Action::BreakGlass => "giving the go by break-glass",
        Action::Stage => "a stage step",
        Action::Undo => "undoing a step",
        Action::Hold => "putting the release on hold",
        Action::Resume => "resuming the release",
        Action::Update => "posting an update",
        Action::Decide => "answering a decision point",
        Action::Answer => "answering the rollback prompt",
        Action::RollBack => "rolling back",
        Action::Verify => "confirming a rollback",
        Action::Signal => "sending an alert",
        Action::Report => "reporting a value",
        Action::Acknowledge => "acknowledging an alert",
        Action::Item => "ticking an item",
        Action::Waive => "waiving an item",
        Action::AllClear => "giving the all-clear",
        Action::Rewatch => "watching again",
        Action::Postmortem => "updating the post-mortem",
        Action::Object => "raising a concern",
        Action::Settle(_) => "resolving a concern",
        Action::Except => "recording a freeze exception",
        Action::Tick => "running due work",
        Action::Examine => "checking the bot's permissions",
        Action::Read => "reading the release",
    };
    text.to_owned()
}

/// The part by its name.
pub fn post(post: Post) -> &'static str {
    match post {
        Post::Owner => "release owner",
        Post::OnCall => "on-call engineer",
    }
}
