//! Rollback triggers and decision points. A line no machine can watch stays a trigger a person judges.

use std::ops::Range;

use super::relative::{Relative, relative_value, share};
use crate::domain::plan::{self, Bound, Cmp, PointPlan, Quantity, TriggerPlan, TriggerRule};
use crate::plan_doc::checkbox::{Check, Mark};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::fields::{own_words, placeholders, slug, unique};
use crate::plan_doc::grammar::{
    self, Clause, Operand, Part, Trigger, Unread, Way, Window, decimal_comma, plain, thousands, unfilled,
};
use crate::plan_doc::names::{fold, nearest};
use crate::plan_doc::read::reader::{RawTrigger, Reader};

/// The time window of a trigger that names none (TM064), in seconds.
pub(super) const DEFAULT_FOR_S: u32 = 300;

/// The most triggers a plan can have.
const MAX_TRIGGERS: usize = 40;

/// The most decision points a plan can have.
const MAX_POINTS: usize = 20;

/// The field's name in findings.
const FIELD: &str = "Automatic Rollback Triggers";

/// Whether a heading or label says that what follows are triggers.
pub(super) fn names_triggers(group: &str) -> bool {
    let rollback = [
        "rollback", "abort", "backout", "halt", "nogo", "kill", "revert", "ロールバック", "切り戻し", "롤백", "回滚",
        "rückfall", "reversión", "retourarrière",
    ];
    let rollback = rollback.iter().any(|word| group.contains(word));
    let when = [
        "trigger", "criteria", "condition", "whento", "threshold", "ifany", "ifone", "ifall", "ifeither", "whenany",
        "automatic", "基準", "条件", "조건", "기준", "kriteri", "criterio", "critère",
    ];
    // "Roll back if:" asks for conditions, "If we roll back:" for steps.
    let when = when.iter().any(|word| group.contains(word)) || group.ends_with("if") || group.ends_with("when");
    let trigger = group.contains("trigger") && !group.contains("triggered");
    ((rollback && when) || trigger || group == "nogoif" || group == "nogo") && !names_steps(group)
}

/// Whether a heading or label says that what follows is to be done, not what it is done for.
pub(super) fn names_steps(group: &str) -> bool {
    let steps = [
        "step", "procedure", "process", "action", "instruction", "command", "execution", "howto", "playbook",
        "runbook", "verif", "validation",
    ];
    let conditions = ["trigger", "criteri", "condition", "threshold"];
    steps.iter().any(|word| group.contains(word)) && !conditions.iter().any(|word| group.contains(word))
}

/// Words that begin a step of a way back, never a condition.
const STEPS: &[&str] = &[
    "announce", "communicate", "confirm", "declare", "disable", "drain", "enable", "escalate", "execute", "flip",
    "inform", "notify", "redeploy", "restart", "restore", "revert", "run", "switch", "tell", "turn", "undo", "verify",
];

/// Whether a line tells somebody what to do: a command, or a sentence that begins with such a word.
fn is_step(raw: &str) -> bool {
    let mut words = raw.split_whitespace().map(fold);
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    // "Restore fails" is a condition.
    let fails = ["fail", "error", "time", "rate"].iter().any(|word| second.starts_with(word)) || second.is_empty();
    raw.starts_with('`') || (STEPS.contains(&first.as_str()) && !fails)
}

impl Reader<'_> {
    pub(super) fn rollback(&mut self, group: &str, text: &Range<usize>, check: Option<Check>) {
        let line = own_words(self.text, text);
        let words = plain(self.at(&line));
        let offset = grammar::offset(&words);
        if group.contains("decision") && !group.contains("criteria")
            || (check.is_some() && offset.as_ref().is_some_and(|(_, at)| at.start == 0))
        {
            self.point(&words, offset, &line, check);
            return;
        }
        if names_triggers(group) || self.template() && !group.contains("manual") && !names_steps(group) {
            self.triggers_seen = true;
            self.raw_triggers.push(RawTrigger { text: text.clone(), check: self.boxed(check), sure: true });
            return;
        }
        // A step of a procedure is no trigger.
        self.task(text, check);
    }

    /// `**Trigger:** error rate above 5%` in other people's plans.
    pub(super) fn trigger_label(&mut self, words: &str, value: &Range<usize>) -> bool {
        let name = fold(words);
        let fits = matches!(
            name.as_str(),
            "trigger" | "triggers" | "rollbacktrigger" | "rollbackif" | "abortif" | "rollbackwhen"
        );
        if !fits || value.is_empty() || self.template() {
            return false;
        }
        self.raw_triggers.push(RawTrigger { text: value.clone(), check: None, sure: true });
        true
    }

    fn point(&mut self, words: &str, offset: Option<(i64, Range<usize>)>, line: &Range<usize>, check: Option<Check>) {
        let Some((minutes, span)) = offset else {
            if !unfilled(words) {
                let help = "Start with an offset, such as `T+15 minutes: Initial health check`.";
                let message = "This decision point has no offset, so T-Minus leaves it out.";
                self.report(
                    Diagnostic::new("TM021", message, help, line.clone()).of("Manual Rollback Decision Points"),
                );
            }
            return;
        };
        let Some(after_min) = u32::try_from(minutes).ok().filter(|minutes| *minutes > 0) else {
            let found = Diagnostic::new(
                "TM078",
                "This decision point is not after T-0.",
                "Use an offset such as `T+15 minutes`.",
                line.clone(),
            );
            self.report(found.of("Manual Rollback Decision Points"));
            return;
        };
        self.only_offset(&words[span.end..], minutes, line, "Manual Rollback Decision Points");
        let text = words[span.end..].trim_start_matches([':', ' ', '-', '–', ')']).to_owned();
        self.item(format!("point/{after_min}"), check, words);
        if self.points.iter().any(|(point, _)| point.after_min == after_min) {
            let message = format!("Two decision points have the same time ({}).", plan::t_label(minutes));
            self.report(
                Diagnostic::new("TM078", message, "Keep one.", line.clone()).of("Manual Rollback Decision Points"),
            );
        } else if self.points.len() >= MAX_POINTS {
            *self.left_out.entry("decision points").or_default() += 1;
        } else {
            self.points.push((PointPlan { after_min, text }, line.clone()));
        }
    }

    /// All trigger lines, now that every metric is known.
    pub(super) fn resolve_triggers(&mut self) {
        for raw in std::mem::take(&mut self.raw_triggers) {
            if self.triggers.len() >= MAX_TRIGGERS {
                *self.left_out.entry("triggers").or_default() += 1;
                continue;
            }
            self.trigger(&raw);
        }
    }

    fn trigger(&mut self, raw: &RawTrigger) {
        let line = own_words(self.text, &raw.text);
        let words = plain(self.at(&raw.text));
        let words: String = words.chars().take(200).collect();
        let ticked = raw.check.is_some_and(Check::done);
        // Struck through or marked not applicable: disarmed.
        if self.at(&line).starts_with("~~") || raw.check.is_some_and(|c| c.mark == Mark::NotApplicable) {
            return;
        }
        let found = grammar::trigger(self.at(&raw.text));
        if !raw.sure && !matches!(found, Trigger::Any { .. } | Trigger::All(_)) {
            return;
        }
        if matches!(found, Trigger::Judged) && !self.template() && is_step(self.at(&line)) {
            self.task(&raw.text, raw.check);
            return;
        }
        self.look_alikes(&line, FIELD);
        let (rules, judged, all) = match found {
            Trigger::Blank => {
                self.blank_trigger(&line, ticked);
                return;
            }
            Trigger::Any { clauses, judged } => (self.clauses(&clauses, &line), judged, false),
            Trigger::All(clauses) => (self.clauses(&clauses, &line), None, true),
            Trigger::Judged => (None, Some(words.clone()), false),
            Trigger::Mixed => {
                let help = "Write two lines, or group the conditions with brackets.";
                self.report(
                    Diagnostic::new("TM068", "This trigger mixes `and` with `or`.", help, line.clone()).of(FIELD),
                );
                (None, None, false)
            }
            Trigger::Unread(unread) => {
                self.unread_trigger(&line, unread);
                (None, None, false)
            }
        };
        let rules = rules.unwrap_or_default();
        if let Some(judged) = judged.filter(|_| self.template() || !rules.is_empty()) {
            let message = if rules.is_empty() {
                "T-Minus can't watch this trigger; a person has to judge it.".to_owned()
            } else {
                format!("T-Minus can't watch “{judged}”; a person has to judge it.")
            };
            let help = "T-Minus can watch a trigger such as `Error rate exceeds 2% for 5 minutes`.";
            self.report(Diagnostic::new("TM065", message, help, line.clone()).of(FIELD));
        }
        if !rules.is_empty() && !ticked && raw.check.is_some() {
            let message = "This trigger is filled in but not ticked: it asks for a decision and never acts by itself.";
            self.report(Diagnostic::new("TM066", message, "Tick it to arm it fully.", line.clone()).of(FIELD));
        }
        let id = format!("trigger/{}", slug(&words));
        let id = unique(&id, |id| self.items.contains_key(id));
        self.item(id, raw.check, &words);
        let plan = |rule| (TriggerPlan { text: words.clone(), ticked, rule }, line.clone());
        match (rules.is_empty(), all) {
            (true, _) => self.triggers.push(plan(None)),
            (false, true) => self.triggers.push(plan(Some(TriggerRule::All(rules)))),
            // Either of an "or" fires it.
            (false, false) => self.triggers.extend(rules.into_iter().map(|rule| plan(Some(rule)))),
        }
    }

    fn blank_trigger(&mut self, line: &Range<usize>, ticked: bool) {
        let raw = self.at(line);
        if ticked {
            let found = Diagnostic::new(
                "TM067",
                "This trigger is ticked but not filled in.",
                "Fill in the blanks, or untick it.",
                line.clone(),
            );
            self.report(found.of(FIELD));
            return;
        }
        // The custom line may stay as the template has it.
        let custom = placeholders(self.text, line).len() == 1 && raw.trim_start().starts_with('[');
        if !custom {
            let help = "Fill them in, such as `Error rate exceeds 2% for 5 minutes`, or delete the line.";
            let found = Diagnostic::new("TM060", "A trigger still has blanks.", help, line.clone()).of(FIELD);
            self.report(if self.template() { found } else { found.weighing(Severity::Warning) });
        }
    }

    fn unread_trigger(&mut self, line: &Range<usize>, unread: Unread) {
        let raw = self.at(line);
        let (message, help) = match unread {
            Unread::Thousands => (
                "A number in this trigger is ambiguous: thousands or decimals?",
                "For thousands write `1200` or `1,200`; for a fraction write `1.2`.",
            ),
            Unread::DecimalComma | Unread::Unclear => {
                ("T-Minus can't read a number in this trigger.", "Use a decimal point, such as `1.5%`.")
            }
        };
        let mut found = Diagnostic::new("TM060", message, help, line.clone()).of(FIELD);
        if let (Unread::Thousands, Some(mark)) = (unread, thousands(raw, false)) {
            let at = line.start + mark;
            found = found.suggest(at..at + 1, "");
        }
        if let (Unread::DecimalComma, Some(comma)) = (unread, decimal_comma(raw)) {
            let at = line.start + comma;
            found = found.suggest(at..at + 1, ".");
        }
        self.report(found);
    }

    /// Rules of clauses; `None` if one of them cannot be watched.
    fn clauses(&mut self, clauses: &[Clause], line: &Range<usize>) -> Option<Vec<TriggerRule>> {
        let single = clauses.len() == 1;
        clauses.iter().map(|clause| self.clause(clause, line, single)).collect()
    }

    fn clause(&mut self, clause: &Clause, line: &Range<usize>, single: bool) -> Option<TriggerRule> {
        match clause {
            Clause::Over { name, part } => self.over(name, part, line, single),
            Clause::All(parts) => {
                let rules: Option<Vec<TriggerRule>> = parts.iter().map(|part| self.clause(part, line, false)).collect();
                rules.map(TriggerRule::All)
            }
            Clause::Moves { name, down, percent, window } => {
                self.known(name, line);
                if self.metric_of(name).is_some_and(|m| m.plan.baseline.is_none()) {
                    let message = format!(
                        "This trigger compares `{name}` with a baseline, but the metrics table has none for it."
                    );
                    let found =
                        Diagnostic::new("TM056", message, "Fill in the baseline in the metrics table.", line.clone());
                    self.report(found.of(FIELD));
                }
                let metric = name.clone();
                let (for_s, within_s) = split_window(*window);
                Some(TriggerRule::Moves { metric, down: *down, percent: *percent, for_s: for_s.unwrap_or(0), within_s })
            }
            Clause::Fails { name, times } => Some(TriggerRule::Fails { check: name.clone(), times: *times }),
            Clause::Down { name, for_s } => {
                self.short_window(*for_s, line);
                Some(TriggerRule::Down { check: name.clone(), for_s: *for_s })
            }
            Clause::Silent { name, for_s } => {
                self.short_window(*for_s, line);
                Some(TriggerRule::Silent { metric: name.clone(), for_s: *for_s })
            }
        }
    }

    fn over(&mut self, name: &str, part: &Part, line: &Range<usize>, single: bool) -> Option<TriggerRule> {
        self.known(name, line);
        let row = self.metric_of(name).map(|m| m.plan.clone());
        let base = row.as_ref().and_then(|row| row.baseline.clone());
        let cmp = part.cmp?;
        // A burn rate is a multiple by itself.
        let burn = matches!(part.operand, Operand::Times(_)) && base.is_none() && fold(name).contains("burn");
        let bound = match &part.operand {
            Operand::Times(times) if burn => Bound::new(cmp, Quantity { value: *times, unit: "x".to_owned() }),
            Operand::Value(quantity) => Bound::new(cmp, quantity.clone()),
            Operand::OutOf { part, whole } => Bound::new(cmp, share(*part, *whole)),
            Operand::Band { low, high, unit } => {
                let cmp = if matches!(cmp, Cmp::Within) { Cmp::Within } else { Cmp::Outside };
                Bound { cmp, than: Quantity { value: *low, unit: unit.clone() }, to: Some(*high) }
            }
            Operand::Sigma(_) => {
                let message =
                    "This trigger needs a standard deviation, which T-Minus does not know; a person has to judge it.";
                self.report(
                    Diagnostic::new("TM065", message, "Write the threshold as a number.", line.clone()).of(FIELD),
                );
                return None;
            }
            relative => {
                let Some(base) = &base else {
                    let message = format!("This trigger is relative, but `{name}` has no baseline.");
                    let help = "Fill in the baseline in the metrics table, or write a number.";
                    self.report(Diagnostic::new("TM056", message, help, line.clone()).of(FIELD));
                    return None;
                };
                match relative_value(relative, base) {
                    Relative::At(than) => Bound::new(cmp, than),
                    Relative::Band(low, high) => Bound {
                        cmp: Cmp::Outside,
                        than: Quantity { value: low, unit: base.unit.clone() },
                        to: Some(high),
                    },
                    Relative::Unfit => {
                        let message =
                            format!("This trigger does not match the unit of the baseline `{base}` of `{name}`.");
                        let help = "Use the unit from the metrics table.";
                        self.report(Diagnostic::new("TM055", message, help, line.clone()).of(FIELD));
                        return None;
                    }
                }
            }
        };
        if matches!(&part.operand, Operand::Change { way: Way::Either, .. }) && bound.to.is_none() {
            return None;
        }
        let unit = row.as_ref().and_then(unit_of).unwrap_or_default();
        let Some(bound) = bound.convert(&unit) else {
            let message = format!("`{}` does not use the unit of `{name}`, `{unit}`.", bound.than);
            self.report(
                Diagnostic::new("TM055", message, "Use the unit from the metrics table.", line.clone()).of(FIELD),
            );
            return None;
        };
        if split_window(part.window).0.is_none() {
            let message = "This trigger has no time window; T-Minus uses 5 minutes.";
            let mut found =
                Diagnostic::new("TM064", message, "Add a window, such as `for 5 minutes`.", line.clone()).of(FIELD);
            let raw = self.at(line);
            // Words after the number may say when: only a bare bound is mended.
            let tail = raw.rfind(|c: char| c.is_ascii_digit()).map_or("", |at| raw[at + 1..].trim());
            let bare = part.scope.is_none() && !tail.contains(char::is_whitespace);
            if single && bare && !raw.contains(['(', '→', ':', '[', '\n']) && !raw.contains("->") && !raw.ends_with('*')
            {
                let end = line.start + raw.trim_end_matches(['.', ' ']).len();
                found = found.fix(end..end, " for 5 minutes");
            }
            self.report(found);
        }
        if let Some(Window::Seconds(seconds)) = part.window {
            self.short_window(seconds, line);
        }
        let (for_s, within_s) = split_window(part.window);
        Some(match rule_of_bound(name, bound, for_s) {
            TriggerRule::Exceeds { metric, bound, for_s, .. } => {
                TriggerRule::Exceeds { metric, bound, for_s, within_s }
            }
            other => other,
        })
    }

    fn short_window(&mut self, seconds: u32, line: &Range<usize>) {
        if seconds < 60 {
            let message = format!("The time window, {seconds} s, is shorter than one check.");
            self.report(Diagnostic::new("TM069", message, "Use at least a minute.", line.clone()).of(FIELD));
        }
    }

    /// The metric should be in the table, where there is one.
    fn known(&mut self, name: &str, line: &Range<usize>) {
        if self.metrics.is_empty() || !self.template() || self.metric_of(name).is_some() {
            return;
        }
        let near = nearest(name, self.metrics.iter().map(|m| m.plan.name.as_str())).map(str::to_owned);
        let hint = near
            .as_ref()
            .map_or_else(|| "Add it to the metrics table.".to_owned(), |near| format!("Did you mean `{near}`?"));
        let mut found =
            Diagnostic::new("TM061", format!("`{name}` is not in the metrics table."), hint, line.clone()).of(FIELD);
        if let Some(near) = near
            && let Some(at) = self.at(line).find(name)
        {
            found = found.suggest(line.start + at..line.start + at + name.len(), near);
        }
        self.report(found);
    }
}

/// The unit a metric is measured in.
pub(super) fn unit_of(metric: &plan::MetricPlan) -> Option<String> {
    let bounds = metric.baseline.iter().chain(metric.success.iter().chain(&metric.alert).map(|bound| &bound.than));
    bounds.map(|quantity| quantity.unit.clone()).find(|unit| !unit.is_empty())
}

/// How long a condition must hold, and until when after T-0 it counts, both in seconds.
fn split_window(window: Option<Window>) -> (Option<u32>, Option<u32>) {
    match window {
        Some(Window::Seconds(seconds)) => (Some(seconds), None),
        Some(Window::First(seconds)) => (None, Some(seconds)),
        // One check a minute.
        Some(Window::Consecutive(n)) => (Some(n.saturating_mul(60)), None),
        None => (None, None),
    }
}

/// A bound as a rule that fires once it held long enough.
pub(super) fn rule_of_bound(name: &str, bound: Bound, window: Option<u32>) -> TriggerRule {
    TriggerRule::Exceeds { metric: name.to_owned(), bound, for_s: window.unwrap_or(DEFAULT_FOR_S), within_s: None }
}
