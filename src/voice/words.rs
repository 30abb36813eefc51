//! Words many messages share: phases, times, open items, people, values.

use jiff::{SignedDuration, Timestamp};

use super::text::{Stamp, Text};
use crate::domain::changes::Change;
use crate::domain::decision::Verdict;
use crate::domain::evidence::{self, Judged, Observation};
use crate::domain::ids::Audience;
use crate::domain::lateness::{Away, Late};
use crate::domain::people::Post;
use crate::domain::phase::PhaseName;
use crate::domain::plan::{Approach, Contact, MetricPlan, Plan, Quantity, SignoffRole, span_label, t_label};
use crate::domain::release::{Release, Run};
use crate::domain::signoff::{Behalf, Declined};
use crate::domain::{stage, zone_of};

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

/// A refused sign-off, with who and why.
pub fn declined(refusal: &Declined) -> Text {
    Text::from(format!("⛔ {}: {} refused: “{}”", refusal.role, refusal.name, refusal.reason))
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

/// The part by its name.
pub fn post(post: Post) -> &'static str {
    match post {
        Post::Owner => "release owner",
        Post::OnCall => "on-call engineer",
    }
}
