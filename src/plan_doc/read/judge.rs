//! Rules that look at more than one field: what is missing, what contradicts, what would come late.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::rows::below;
use crate::domain::lifecycle::grace;
use crate::domain::plan::{
    self, Approach, Bound, ContingencyWhen, GateKind, ReleaseType, Risk, TriggerRule, span_label, t_label,
};
use crate::domain::policy::required_roles;
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::names::{self, Field, Part, fold};
use crate::plan_doc::read::reader::Reader;
use crate::plan_doc::zone;

impl Reader<'_> {
    pub(super) fn judge(&mut self, end: &Range<usize>) {
        self.missing(end);
        self.approach_rules(end);
        self.stage_rules(end);
        self.trigger_rules();
        self.time_rules();
        self.offset_rules();
        self.closing_dates();
        self.people_rules();
        self.duplicate_metrics();
    }

    /// A field of the template that is not there, and how heavy that is.
    fn lacks(&mut self, part: Part, field: &str, severity: Severity, end: &Range<usize>) {
        let section = self.parts.iter().find(|(known, ..)| *known == part).map(|(_, _, span)| span.clone());
        let help = match (&section, self.nearest_heading(part)) {
            (Some(_), _) => format!("Add it under `## {}`.", part.heading()),
            (None, Some(near)) => format!("Add it under `## {}`. If you mean `{near}`, rename it.", part.heading()),
            (None, None) => format!("Add the section `## {}`.", part.heading()),
        };
        let message = format!("`{field}` is missing.");
        let span = section.unwrap_or_else(|| end.clone());
        self.report(Diagnostic::new("TM010", message, help, span).weighing(severity).of(field));
    }

    /// A heading nobody knew that may have been meant; only a few are looked at.
    fn nearest_heading(&self, part: Part) -> Option<String> {
        let known = self.unknown.iter().take(20);
        let wanted = part.heading();
        known.into_iter().find(|heading| names::nearest(heading, [wanted]).is_some()).cloned()
    }

    fn missing(&mut self, end: &Range<usize>) {
        for field in Field::required() {
            if !self.seen.contains_key(&field) {
                self.lacks(Part::Overview, field.label(), Severity::Error, end);
            }
        }
        let high = |risk: Option<Risk>| if risk == Some(Risk::High) { Severity::Error } else { Severity::Warning };
        let heavy = high(self.risk);
        if !self.approach_seen {
            self.lacks(Part::Strategy, "Rollout Approach", Severity::Error, end);
        } else if self.approaches.is_empty() && !self.diagnostics.iter().any(|d| d.code == "TM032") {
            let span = self.spans.approach.clone();
            let help = "Tick at least one: Big Bang, Canary, Blue-Green, Feature Flag.";
            self.report(Diagnostic::new("TM030", "No rollout approach is ticked.", help, span).of("Rollout Approach"));
        }
        let holes = |reader: &Self, field: &str| {
            reader.diagnostics.iter().any(|d| {
                d.field.as_deref() == Some(field)
                    && matches!(d.code, "TM020" | "TM021" | "TM060" | "TM067" | "TM068" | "TM050")
            })
        };
        if self.stages.is_empty() && !holes(self, "Rollout Stages") {
            self.lacks(Part::Strategy, "Rollout Stages", heavy, end);
        }
        let (triggers, metrics) = match self.risk {
            Some(Risk::Medium) => (1, 2),
            Some(Risk::High) => (2, 3),
            Some(Risk::Low) | None => (0, 0),
        };
        let risk = self.risk.map_or(String::new(), |risk| {
            let s = if triggers == 1 { "" } else { "s" };
            format!("{risk} risk needs {metrics} metrics and {triggers} watched trigger{s}")
        });
        let watched = self.triggers.iter().filter(|(t, _)| t.rule.is_some()).count();
        if self.metrics.is_empty() && !holes(self, "Key Metrics") {
            let severity = if metrics > 0 { Severity::Error } else { Severity::Warning };
            self.lacks(Part::Success, "Key Metrics", severity, end);
        } else if self.metrics.len() < metrics {
            let message = format!("{risk}; metrics found: {}.", self.metrics.len());
            let span = self.metrics.last().map_or_else(|| end.clone(), |m| m.name.clone());
            self.report(Diagnostic::new("TM010", message, "Add rows to the metrics table.", span).of("Key Metrics"));
        }
        if self.triggers.is_empty() && !holes(self, "Automatic Rollback Triggers") {
            let severity = if triggers > 0 { Severity::Error } else { Severity::Warning };
            self.lacks(Part::Rollback, "Automatic Rollback Triggers", severity, end);
        } else if watched < triggers && !holes(self, "Automatic Rollback Triggers") {
            let message = format!("{risk}; triggers watched: {watched}.");
            let help = "Write triggers like `Error rate exceeds 2% for 5 minutes`.";
            self.report(Diagnostic::new("TM010", message, help, end.clone()).of("Automatic Rollback Triggers"));
        }
        self.without_prerequisites();
        self.servers_ladder(end);
        for part in Part::ALL {
            let led_to = self.groups.iter().any(|group| names::group_part(group) == Some(part));
            if self.template() && led_to && !self.parts.iter().any(|(known, ..)| *known == part) {
                self.lacks(part, part.heading(), Severity::Error, end);
            }
        }
        for (gone, part, field, severity) in [
            (self.gates.is_empty(), Part::Dependencies, "Pre-Release Dependencies", Severity::Warning),
            (self.lacks_gates("relateddocuments"), Part::Dependencies, "Related Documents", Severity::Warning),
            (
                self.lacks_gates("technicalprerequisites"),
                Part::Dependencies,
                "Technical Prerequisites",
                Severity::Warning,
            ),
            (self.points.is_empty(), Part::Rollback, "Manual Rollback Decision Points", Severity::Warning),
            (self.rungs.is_empty(), Part::Communication, "Pre-Release", Severity::Warning),
            (!self.channel_seen, Part::Communication, "Slack channel", Severity::Error),
            (!self.every_seen, Part::Communication, "Updates every", Severity::Error),
            (!self.escalation_seen, Part::Communication, "Escalation path", Severity::Warning),
            (!self.actions_seen, Part::Actions, "Post-Release Actions", Severity::Warning),
        ] {
            if gone && !holes(self, field) {
                self.lacks(part, field, severity, end);
            }
        }
        for (gone, field) in
            [(self.risks.is_empty(), "Identified Risks"), (self.contingency.is_empty(), "Contingency Plans")]
        {
            if gone && !holes(self, field) {
                let span = self.parts.iter().find(|p| p.0 == Part::Risks).map_or_else(|| end.clone(), |p| p.2.clone());
                let message = format!("`{field}` is missing.");
                let help = format!("Fill it in under `## {}`.", Part::Risks.heading());
                self.report(Diagnostic::new("TM090", message, help, span).weighing(heavy).of(field));
            }
        }
        if !self.contingency.is_empty() && self.template() && !holes(self, "Contingency Plans") {
            for when in [ContingencyWhen::RollbackFails, ContingencyWhen::BlindSpot, ContingencyWhen::Cascade] {
                if !self.contingency.iter().any(|c| c.when == when) {
                    let message = format!("`{when}` is missing.");
                    let span =
                        self.parts.iter().find(|p| p.0 == Part::Risks).map_or_else(|| end.clone(), |p| p.2.clone());
                    let help = "Under `Contingency Plans`, describe what the team does then.";
                    self.report(Diagnostic::new("TM090", message, help, span).weighing(heavy).of("Contingency Plans"));
                }
            }
        }
        self.missing_signoffs(end);
        self.weigh_holes();
    }

    /// Where the plan names no notice those it is read against are used, and said to be.
    fn servers_ladder(&mut self, end: &Range<usize>) {
        if self.rungs_seen || self.setting.ladder.is_empty() {
            return;
        }
        let section = self.parts.iter().find(|(known, ..)| *known == Part::Communication);
        let span = section.map_or_else(|| end.clone(), |(_, _, span)| span.clone());
        let line = plan::ladder_line(&self.setting.ladder);
        let message = format!("The plan names no notices, so T-Minus uses these: {line}.");
        let help = "To change them, list notices under `Pre-Release`, such as `Support team briefed (T-2h)`.";
        self.report(Diagnostic::new("TM088", message, help, span.clone()).of("Pre-Release"));
        self.rungs.extend(self.setting.ladder.iter().map(|rung| (rung.clone(), span.clone())));
    }

    /// One of the template's two lists of gates is not there, while the other is.
    fn lacks_gates(&self, group: &str) -> bool {
        self.template() && !self.gates.is_empty() && !self.groups.contains(group)
    }

    /// Without the second list's label its lines look like documents: those without a link are none.
    fn without_prerequisites(&mut self) {
        if self.groups.contains("technicalprerequisites") || self.unlinked.is_empty() {
            return;
        }
        self.diagnostics.retain(|d| d.code != "TM091");
        for n in std::mem::take(&mut self.unlinked) {
            if let Some(gate) = self.gates.get_mut(n) {
                gate.kind = GateKind::Prerequisite;
            }
        }
    }

    /// What High risk demands is an error when its line is there and empty, too.
    fn weigh_holes(&mut self) {
        if self.risk != Some(Risk::High) {
            return;
        }
        for found in &mut self.diagnostics {
            let demanded =
                matches!(found.field.as_deref(), Some("Rollout Stages" | "Identified Risks" | "Contingency Plans"));
            if demanded && found.code == "TM021" {
                found.severity = Severity::Error;
            }
        }
    }

    fn missing_signoffs(&mut self, end: &Range<usize>) {
        if self.signoffs.is_empty() && !self.diagnostics.iter().any(|d| d.code == "TM082") {
            self.lacks(Part::Signoffs, "Approval Sign-offs", Severity::Error, end);
            return;
        }
        let (Some(kind), Some(risk)) = (self.kind, self.risk) else { return };
        if kind == ReleaseType::Emergency {
            return;
        }
        for role in required_roles(kind, risk) {
            if !self.signoffs.iter().any(|signoff| signoff.role == role) {
                let span =
                    self.parts.iter().find(|p| p.0 == Part::Signoffs).map_or_else(|| end.clone(), |p| p.2.clone());
                let message = format!("The {role} sign-off is missing; {risk} risk requires it.");
                let help = format!("Add `- [ ] {role}: [Name] - [Date/Time]`.");
                self.report(Diagnostic::new("TM082", message, help, span).of("Approval Sign-offs"));
            }
        }
    }

    fn approach_rules(&mut self, end: &Range<usize>) {
        let big_bang = self.approaches.contains(&Approach::BigBang);
        let canary = self.approaches.iter().find_map(|a| match a {
            Approach::Canary { percent } => Some(*percent),
            _ => None,
        });
        let span = if self.spans.approach.is_empty() { end.clone() } else { self.spans.approach.clone() };
        let field = "Rollout Approach";
        if big_bang && canary.is_some() {
            self.report(Diagnostic::new("TM031", "Big Bang and Canary are both ticked.", "Keep one.", span).of(field));
            return;
        }
        if big_bang && self.risk >= Some(Risk::Medium) {
            let risk = self.risk.map_or(String::new(), |risk| risk.to_string());
            let severity = if self.risk == Some(Risk::High) { Severity::Error } else { Severity::Warning };
            let message = format!("The plan uses Big Bang for a {risk} risk release.");
            let found = Diagnostic::new("TM090", message, "Roll out in stages.", span.clone()).weighing(severity);
            self.report(found.of(field));
        }
        let several = self.stages.len() > 1;
        if big_bang && several {
            let message = format!("Big Bang is ticked, but the plan has {} stages.", self.stages.len());
            self.report(
                Diagnostic::new("TM033", message, "Tick the approach the stages follow.", span.clone()).of(field),
            );
        }
        let first = self.stages.first().and_then(|(stage, _)| stage.percent);
        if let (Some(canary), Some(first)) = (canary, first)
            && (canary - first).abs() > 1e-9
        {
            let message = format!("The canary is {canary}%, but the first stage is {first}%.");
            self.report(Diagnostic::new("TM033", message, "Use the same percentage for both.", span).of(field));
        }
    }

    fn stage_rules(&mut self, end: &Range<usize>) {
        let field = "Rollout Stages";
        let stages = self.stages.clone();
        // A phase of a project that names no extent is no step of a rollout.
        let extents: Vec<_> =
            stages.iter().filter_map(|(stage, span)| stage.percent.map(|p| (p, span.clone()))).collect();
        let hole = self.diagnostics.iter().any(|d| d.code == "TM021" && d.field.as_deref() == Some(field));
        if let Some(pair) = extents.windows(2).find(|w| w[1].0 <= w[0].0) {
            let message = format!("Stage percentages must rise, but {}% follows {}%.", pair[1].0, pair[0].0);
            let help = "Order the stages from the smallest to 100%.";
            self.report(Diagnostic::new("TM040", message, help, pair[1].1.clone()).of(field));
        } else if let Some((last, span)) = extents.last()
            && extents.len() == stages.len()
            && !hole
            && *last < 100.0
        {
            let message = format!("The last stage is {last}%, not 100%.");
            self.report(
                Diagnostic::new("TM040", message, "Add a stage that reaches everyone.", span.clone()).of(field),
            );
        }
        let careful = self.risk >= Some(Risk::Medium);
        if self.template() {
            for (n, (stage, span)) in stages.iter().enumerate() {
                let low = stage.text.to_lowercase();
                let everyone = stage.percent.is_some_and(|p| p >= 100.0) || low.contains("everyone");
                match stage.hold_min {
                    // Nothing waits for the last stage to end.
                    None if n + 1 == stages.len() && (everyone || low.contains("ongoing")) => {}
                    None => {
                        let help = "Add a duration, such as `30 minutes`.";
                        self.report(
                            Diagnostic::new("TM041", "This stage has no hold time.", help, span.clone()).of(field),
                        );
                    }
                    Some(hold) if hold < 5 && careful => {
                        let message = format!("This stage holds for only {hold} min.");
                        self.report(
                            Diagnostic::new("TM041", message, "Give it at least 5 minutes.", span.clone()).of(field),
                        );
                    }
                    Some(_) => {}
                }
            }
        }
        let numbers = self.numbers.clone();
        let gap = numbers.iter().enumerate().find(|(i, n)| **n != 1 + u32::try_from(*i).unwrap_or(0));
        if self.template()
            && !hole
            && let Some((i, n)) = gap
        {
            let span = stages.get(i).map_or_else(|| end.clone(), |(_, span)| span.clone());
            let message = match i.checked_sub(1) {
                Some(before) => format!("Stage {n} follows stage {}.", numbers[before]),
                None => format!("The first stage is number {n}."),
            };
            self.report(Diagnostic::new("TM042", message, "Number the stages without gaps.", span).of(field));
        }
        let longest =
            self.triggers.iter().filter_map(|(t, _)| t.rule.as_ref()).map(TriggerRule::wait_s).max().unwrap_or(0);
        let short =
            stages.iter().find(|(stage, _)| stage.hold_min.is_some_and(|hold| hold.saturating_mul(60) < longest));
        if let Some((stage, span)) = short {
            let hold = span_label(u64::from(stage.hold_min.unwrap_or(0)));
            let need = span_label(u64::from(longest.div_ceil(60)));
            let message = format!("This stage holds for {hold}, but a trigger needs {need}.");
            let help = "Hold longer than the longest trigger window, or that trigger can't fire during the stage.";
            self.report(Diagnostic::new("TM043", message, help, span.clone()).of(field));
        }
    }

    fn trigger_rules(&mut self) {
        let rules: Vec<(TriggerRule, Range<usize>)> =
            self.triggers.iter().filter_map(|(t, span)| t.rule.clone().map(|rule| (rule, span.clone()))).collect();
        for (rule, span) in rules {
            for part in rule.parts() {
                let TriggerRule::Exceeds { metric, bound, .. } = part else { continue };
                let Some(row) = self.metric_of(metric).map(|m| m.plan.clone()) else { continue };
                let field = "Automatic Rollback Triggers";
                let ill = row.success.as_ref().is_some_and(|success| looser(bound, success));
                let at_once = row.baseline.as_ref().is_some_and(|base| bound.holds(base.value));
                if ill || at_once {
                    let what = if at_once { "the baseline" } else { "a healthy value" };
                    let message = format!("`{metric} {bound}` is true at {what}, so the trigger would fire at once.");
                    let help = "Move the trigger beyond the success threshold.";
                    self.report(Diagnostic::new("TM062", message, help, span.clone()).of(field));
                } else if let Some(alert) = row.alert.as_ref().filter(|alert| beyond(bound, alert)) {
                    let message = format!("The trigger `{bound}` is looser than the alert threshold `{alert}`.");
                    self.report(Diagnostic::new("TM063", message, "Check both values.", span.clone()).of(field));
                }
            }
        }
    }

    fn time_rules(&mut self) {
        let Some(t0) = self.when.clone() else { return };
        let span = self.spans.when.clone();
        let field = Field::When.label();
        if let Some(now) = self.setting.now {
            if t0.at + grace(self.kind) < now {
                let message = format!("T-0 is in the past ({}).", shown(t0.at, &t0.zone));
                self.report(Diagnostic::new("TM075", message, "Set a new date and time.", span).of(field));
                return;
            }
            self.late_notices(t0.at, now);
        }
        let Some(zone) = zone::by_name(&t0.zone) else { return };
        let civil = zone.to_datetime(t0.at);
        let (weekday, hour) = (civil.weekday(), civil.hour());
        use jiff::civil::Weekday::{Friday, Saturday, Sunday};
        let why = if matches!(weekday, Saturday | Sunday) {
            Some("on a weekend")
        } else if weekday == Friday && hour >= 15 {
            Some("late on a Friday")
        } else if !(6..22).contains(&hour) {
            Some("at night")
        } else {
            None
        };
        if let Some(why) = why {
            let message = format!("T-0 is {why} ({}).", shown(t0.at, &t0.zone));
            let help = "Fewer people are available to help then; no action needed if intended.";
            self.report(Diagnostic::new("TM077", message, help, span).of(field));
        }
    }

    fn late_notices(&mut self, t0: Timestamp, now: Timestamp) {
        let late: Vec<String> = self
            .rungs
            .iter()
            .filter(|(rung, _)| t0 - SignedDuration::from_mins(i64::from(rung.before_min)) < now)
            .map(|(rung, _)| t_label(-i64::from(rung.before_min)))
            .collect();
        // An emergency is told whenever it is submitted.
        if !late.is_empty() && now < t0 && self.kind != Some(ReleaseType::Emergency) {
            let span = self.rungs.first().map_or_else(|| self.spans.when.clone(), |(_, span)| span.clone());
            let message = format!("The time for {} has passed; expect a late or skipped notice.", late.join(", "));
            self.report(Diagnostic::new("TM076", message, "Move T-0, or continue.", span).of("Pre-Release"));
        }
    }

    fn offset_rules(&mut self) {
        let field = "Manual Rollback Decision Points";
        let points: Vec<(u32, Range<usize>)> =
            self.points.iter().map(|(p, span)| (p.after_min, span.clone())).collect();
        if let Some(pair) = points.windows(2).find(|w| w[1].0 < w[0].0) {
            let message =
                format!("{} is listed after {}.", t_label(i64::from(pair[1].0)), t_label(i64::from(pair[0].0)));
            self.report(Diagnostic::new("TM078", message, "Order the offsets by time.", pair[1].1.clone()).of(field));
        }
        if let Some(watch) = self.watch_min
            && let Some((after, span)) = points.iter().find(|(after, _)| *after > watch)
        {
            let (point, end) = (t_label(i64::from(*after)), span_label(u64::from(watch)));
            let message = format!("{point} comes after the watch window ends (T+{end}).");
            self.report(Diagnostic::new("TM078", message, "Watch longer, or decide earlier.", span.clone()).of(field));
        }
        let rungs: Vec<(u32, Range<usize>)> = self.rungs.iter().map(|(r, span)| (r.before_min, span.clone())).collect();
        if let Some(pair) = rungs.windows(2).find(|w| w[1].0 > w[0].0) {
            let message =
                format!("{} is listed after {}.", t_label(-i64::from(pair[1].0)), t_label(-i64::from(pair[0].0)));
            self.report(
                Diagnostic::new("TM078", message, "Order the notices by time.", pair[1].1.clone()).of("Pre-Release"),
            );
        }
        let hold: u32 = self.stages.iter().filter_map(|(stage, _)| stage.hold_min).fold(0, u32::saturating_add);
        if let Some(every) = self.every.filter(|every| hold > 0 && !hold.is_multiple_of(*every) && self.template()) {
            let (updates, hold) = (hold / every, span_label(u64::from(hold)));
            let message = format!("Expect about {updates} updates while the stages run ({hold}).");
            self.report(Diagnostic::new("TM079", message, "", self.spans.every.clone()).of("Updates every"));
        }
    }

    fn people_rules(&mut self) {
        let same = |a: &plan::Contact, b: &plan::Contact| {
            a.handle.is_some() && a.handle == b.handle
                || a.user.is_some() && a.user == b.user
                || fold(&a.name) == fold(&b.name)
        };
        if let (Some(owner), Some(on_call)) = (&self.owner, &self.on_call)
            && same(owner, on_call)
        {
            let message = format!("{} is both owner and on-call.", owner.name);
            let found = Diagnostic::new("TM081", message, "Name a second person.", self.spans.on_call.clone());
            self.report(found.of(Field::OnCall.label()));
        }
        let mut chain: Vec<String> = self.escalation.iter().map(|c| fold(&c.name)).collect();
        chain.dedup();
        if self.escalation_seen && chain.len() == 1 {
            let message = "The escalation path names only one person.";
            let found = Diagnostic::new(
                "TM081",
                message,
                "Name at least two people, such as `Ben (@ben) → Eva (@eva)`.",
                self.spans.escalation.clone(),
            );
            self.report(found.of("Escalation path"));
        }
        let named: Vec<_> = self.signoffs.iter().filter_map(|s| s.name.clone().map(|name| (s.role, name))).collect();
        for (n, (role, name)) in named.iter().enumerate() {
            let contact = crate::plan_doc::fields::contact(name);
            let span = self.spans.signoffs.iter().find(|(r, _)| r == role).map_or(0..0, |(_, span)| span.clone());
            let field = "Approval Sign-offs";
            if let Some((other, _)) =
                named[..n].iter().find(|(_, known)| same(&crate::plan_doc::fields::contact(known), &contact))
            {
                let message = format!("The plan names {} for both {other} and {role}.", contact.name);
                let severity = if self.risk == Some(Risk::Low) { Severity::Warning } else { Severity::Error };
                let found = Diagnostic::new("TM083", message, "One person can sign for only one role.", span.clone())
                    .weighing(severity);
                self.report(found.of(field));
            }
            if self.owner.as_ref().is_some_and(|owner| same(owner, &contact)) {
                let message = format!("{} owns the release but is named as {role}.", contact.name);
                let help = "Name someone else: owners can't sign their own plan.";
                self.report(Diagnostic::new("TM083", message, help, span).of(field));
            }
        }
    }
}

/// Whether a trigger begins inside the healthy range.
fn looser(trigger: &Bound, success: &Bound) -> bool {
    let Some(than) = trigger.than.convert(&success.than.unit) else { return false };
    match (below(trigger), below(success)) {
        (Some(false), Some(true)) => than.value < success.than.value,
        (Some(true), Some(false)) => than.value > success.than.value,
        (Some(a), Some(b)) if a == b => true,
        _ => false,
    }
}

/// Whether a trigger begins beyond the alert.
fn beyond(trigger: &Bound, alert: &Bound) -> bool {
    let Some(than) = trigger.than.convert(&alert.than.unit) else { return false };
    match (below(trigger), below(alert)) {
        (Some(false), Some(false)) => than.value > alert.than.value,
        (Some(true), Some(true)) => than.value < alert.than.value,
        _ => false,
    }
}

fn shown(at: Timestamp, zone: &str) -> String {
    match zone::by_name(zone) {
        Some(tz) => {
            let civil = tz.to_datetime(at);
            format!("{} {:02}:{:02} {zone}", civil.date(), civil.hour(), civil.minute())
        }
        None => at.to_string(),
    }
}
