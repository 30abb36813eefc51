//! Tables and lists of metrics: baseline, success, alert, "rollback if", with the rules of a row.

use std::ops::Range;

use super::relative::{Relative, band, relative_value, share};
use super::rollout::stage_columns;
use super::triggers::rule_of_bound;
use crate::domain::plan::{Bound, Cmp, MetricPlan, Quantity, TriggerPlan};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::grammar::{
    self, Cell, Operand, Part, Trigger, Unread, Way, Window, decimal_comma, plain, thousands, unfilled,
};
use crate::plan_doc::names::{Part as Section, fold};
use crate::plan_doc::read::held::Columns;
use crate::plan_doc::read::reader::{RawMetric, Reader, sorted_words};

/// The most metrics a plan can have.
const MAX_METRICS: usize = 40;

impl Reader<'_> {
    pub(super) fn row(
        &mut self,
        part: Option<Section>,
        group: &str,
        cells: &[Range<usize>],
        header: bool,
        line: &Range<usize>,
    ) {
        if header {
            let names = cells.iter().map(|cell| fold(&plain(self.at(cell)).replace('%', "percent")));
            let names: Vec<String> = names.collect();
            self.columns = Some(columns(part, group, &names));
            // A list of steps to tick is no rollout.
            let steps = self.ticks.is_some() && names.first().is_some_and(|head| head.starts_with("step"));
            if steps && matches!(&self.columns, Some(Columns::Stages(stages)) if stages.percent.is_none()) {
                self.columns = Some(Columns::Other);
            }
            self.zoned_heads(cells);
            if let Some(Columns::Metrics { rollback, .. }) = &self.columns {
                self.metrics_seen = true;
                self.runbook |= rollback.is_some();
            }
            if matches!(self.columns, Some(Columns::Fields)) {
                self.field_row(part, cells);
            }
            return;
        }
        match self.columns.clone() {
            Some(Columns::Metrics { baseline, success, alert, rollback, query }) => {
                self.after_metrics = Some(line.end);
                let cell = |i: Option<usize>| i.and_then(|i| cells.get(i)).cloned();
                let row = Row {
                    cells,
                    baseline: cell(baseline),
                    success: cell(success),
                    alert: cell(alert),
                    rollback: cell(rollback),
                    query: cell(query),
                };
                self.metric_row(&row);
            }
            Some(Columns::Signoffs { name }) => self.signoff_row(name, cells),
            Some(Columns::Stages(columns)) => self.stage_row(&columns, cells, line),
            Some(Columns::Fields) if self.ticks.is_none() || self.is_field(cells) => self.field_row(part, cells),
            Some(Columns::Fields | Columns::Other) | None => {
                self.zoned_row(cells);
                self.tick_row(part, group, cells, line);
            }
        }
    }

    fn field_row(&mut self, part: Option<Section>, cells: &[Range<usize>]) {
        if let [name, value] = cells
            && part == Some(Section::Overview)
        {
            let words = plain(self.at(name));
            self.overview_plain(&words, name, value);
        }
    }

    fn metric_row(&mut self, row: &Row<'_>) {
        let Some(name_at) = row.cells.first().cloned() else { return };
        let name = plain(self.at(&name_at));
        let filled = |range: &Option<Range<usize>>| range.clone().filter(|r| !unfilled(self.at(r)));
        let (baseline, success, alert) = (filled(&row.baseline), filled(&row.success), filled(&row.alert));
        let rollback = filled(&row.rollback);
        let nothing = baseline.is_none() && success.is_none() && alert.is_none() && rollback.is_none();
        if unfilled(self.at(&name_at)) || nothing {
            let started = !unfilled(self.at(&name_at)) || !nothing;
            if self.template() && started {
                let (message, help) = if nothing {
                    (format!("The row `{name}` has no values."), "Fill in the row, or delete it.")
                } else {
                    ("This row has values but no metric name.".to_owned(), "Name the metric, or delete the row.")
                };
                self.report(Diagnostic::new("TM021", message, help, name_at).of("Key Metrics"));
            }
            return;
        }
        if self.metrics.len() >= MAX_METRICS {
            *self.left_out.entry("metrics").or_default() += 1;
            return;
        }
        for cell in row.cells {
            self.look_alikes(cell, "Key Metrics");
        }
        if self.template() {
            for (cell, column) in
                [(&row.baseline, "baseline"), (&row.success, "success threshold"), (&row.alert, "alert threshold")]
            {
                if let Some(cell) = cell.as_ref().filter(|cell| grammar::blank(self.at(cell))) {
                    let span = if cell.is_empty() { name_at.clone() } else { cell.clone() };
                    let message = format!("The {column} of `{name}` is not filled in.");
                    self.report(Diagnostic::new("TM021", message, "Fill it in, or write `-`.", span).of("Key Metrics"));
                }
            }
        }
        let lower = self.direction(&name, success.as_ref(), alert.as_ref().or(rollback.as_ref()));
        let base = baseline.as_ref().and_then(|range| self.baseline(range));
        let success_bound =
            success.as_ref().and_then(|r| self.bound(r, base.as_ref(), lower, Side::Success).map(|(b, _)| b));
        let alert_read = alert.as_ref().and_then(|r| self.bound(r, base.as_ref(), lower, Side::Alert));
        let (mut alert_bound, mut alert_for) = alert_read.map_or((None, None), |(b, w)| (Some(b), w));
        if let Some(range) = &rollback {
            let read = self.bound(range, base.as_ref(), lower, Side::Alert);
            if let Some((bound, window)) = read {
                let rule = rule_of_bound(&name, bound.clone(), window);
                let text = format!("{name} {}", plain(self.at(range)));
                self.triggers.push((TriggerPlan { text, ticked: false, rule: Some(rule) }, range.clone()));
                if alert_bound.is_none() {
                    (alert_bound, alert_for) = (Some(bound), window);
                }
            }
        }
        let query = row.query.as_ref().map(|r| plain(self.at(r))).filter(|t| !unfilled(t));
        let plan = MetricPlan {
            name: name.chars().take(80).collect(),
            baseline: base,
            success: success_bound,
            alert: alert_bound,
            alert_for_s: alert_for,
            query: query.map(|q| q.chars().take(300).collect()),
        };
        self.judge_row(
            &plan,
            &name_at,
            success.as_ref(),
            alert.as_ref().or(rollback.as_ref()),
            baseline.as_ref(),
            lower,
        );
        self.metrics.push(RawMetric { folded: fold(&plan.name), words: sorted_words(&plan.name), plan, name: name_at });
    }

    /// Whether smaller is better: by what the cells compare, else by the name.
    fn direction(&self, name: &str, success: Option<&Range<usize>>, alert: Option<&Range<usize>>) -> bool {
        let compared = |range: Option<&Range<usize>>| match grammar::cell(self.at(range?)) {
            Ok(Cell::Bounds { bounds, .. }) => match bounds.first()?.cmp? {
                Cmp::Below | Cmp::AtMost => Some(true),
                Cmp::Above | Cmp::AtLeast => Some(false),
                Cmp::Equal | Cmp::Within | Cmp::Outside => None,
            },
            _ => None,
        };
        match (compared(success), compared(alert)) {
            (Some(below), None) => below,
            (None, Some(below)) => !below,
            _ => lower_is_better(name),
        }
    }

    fn baseline(&mut self, range: &Range<usize>) -> Option<Quantity> {
        let raw = self.at(range);
        match grammar::cell(raw) {
            Ok(Cell::Bounds { bounds, .. }) => match bounds.first().map(|part| part.operand.clone()) {
                Some(Operand::Value(quantity)) => Some(quantity),
                Some(Operand::Band { low, high, unit }) => Some(Quantity { value: f64::midpoint(low, high), unit }),
                Some(Operand::OutOf { part, whole }) => Some(share(part, whole)),
                _ => {
                    self.unreadable(range, Unread::Unclear, "Write a number with a unit, such as `200ms` or `0.4%`.");
                    None
                }
            },
            Ok(Cell::Nothing | Cell::Blank) => None,
            Err(unread) => {
                self.unreadable(range, unread, "Write a number with a unit, such as `200ms` or `0.4%`.");
                None
            }
        }
    }

    fn unreadable(&mut self, range: &Range<usize>, unread: Unread, help: &str) {
        let raw = self.at(range);
        let shown: String = plain(raw).chars().take(60).collect();
        let message = format!("T-Minus can't read the value `{shown}`.");
        let mut found = match unread {
            Unread::DecimalComma => {
                Diagnostic::new("TM050", message, "Use a decimal point, such as `1.5%`.", range.clone())
            }
            Unread::Thousands => {
                let message = format!("`{shown}` is ambiguous: thousands or decimals?");
                Diagnostic::new(
                    "TM050",
                    message,
                    "For thousands write `1200` or `1,200`; for a fraction write `1.2`.",
                    range.clone(),
                )
            }
            Unread::Unclear => Diagnostic::new("TM050", message, help, range.clone()),
        }
        .of("Key Metrics");
        if let (Unread::DecimalComma, Some(comma)) = (unread, decimal_comma(raw)) {
            let at = range.start + comma;
            found = found.suggest(at..at + 1, ".");
        }
        if let (Unread::Thousands, Some(mark)) = (unread, thousands(raw, true)) {
            let at = range.start + mark;
            found = found.suggest(at..at + 1, "");
        }
        // Other people's tables hold prose; it is theirs.
        if !self.template() && unread == Unread::Unclear {
            found = found.weighing(Severity::Info);
        }
        self.report(found);
    }

    /// A cell as one bound in the baseline's unit, with its window in seconds.
    pub(super) fn bound(
        &mut self,
        range: &Range<usize>,
        baseline: Option<&Quantity>,
        lower: bool,
        side: Side,
    ) -> Option<(Bound, Option<u32>)> {
        let help = "Write a comparison, such as `< 250ms`, `> 1%` or `> 2x baseline`.";
        let (bounds, any) = match grammar::cell(self.at(range)) {
            Ok(Cell::Bounds { bounds, any }) => (bounds, any),
            Ok(Cell::Nothing | Cell::Blank) => return None,
            Err(unread) => {
                self.unreadable(range, unread, help);
                return None;
            }
        };
        let window = bounds.iter().find_map(|part| match part.window {
            Some(Window::Seconds(seconds)) => Some(seconds),
            Some(Window::Consecutive(n)) => Some(n.saturating_mul(60)),
            Some(Window::First(_)) | None => None,
        });
        let mut resolved = Vec::new();
        for part in &bounds {
            resolved.push(self.resolve(part, range, baseline, lower, side)?);
        }
        let bound = match resolved.as_slice() {
            [only] => only.clone(),
            [first, second] => match band(first, second, any) {
                Some(band) => band,
                None => {
                    let message = "This cell has two thresholds; T-Minus watches only the first.";
                    let found = Diagnostic::new("TM050", message, "Give each threshold its own row.", range.clone())
                        .of("Key Metrics");
                    self.report(found.weighing(Severity::Warning));
                    first.clone()
                }
            },
            _ => {
                self.unreadable(range, Unread::Unclear, help);
                return None;
            }
        };
        let unit = baseline.map_or("", |b| b.unit.as_str());
        let Some(converted) = bound.convert(unit) else {
            let raw = plain(self.at(range));
            let message = format!("`{raw}` does not use the baseline's unit `{unit}`.");
            self.report(Diagnostic::new("TM055", message, "Use one unit per row.", range.clone()).of("Key Metrics"));
            return None;
        };
        Some((converted, window))
    }

    fn resolve(
        &mut self,
        part: &Part,
        range: &Range<usize>,
        baseline: Option<&Quantity>,
        lower: bool,
        side: Side,
    ) -> Option<Bound> {
        let raw = self.at(range);
        // Points on a percentage count from the baseline.
        let stepped = match (&part.operand, baseline) {
            (Operand::Value(step), Some(base)) if step.unit == "pp" && base.unit == "%" => {
                Some(Operand::Baseline(Some(step.clone())))
            }
            _ => None,
        };
        let operand = stepped.as_ref().unwrap_or(&part.operand);
        let wanted = match (side, lower) {
            (Side::Success, true) | (Side::Alert, false) => Cmp::Below,
            (Side::Success, false) | (Side::Alert, true) => Cmp::Above,
        };
        let inside = if side == Side::Success { Cmp::Within } else { Cmp::Outside };
        if let Operand::Band { low, high, unit } = operand {
            let cmp = if part.cmp == Some(Cmp::Outside) { Cmp::Outside } else { inside };
            return Some(Bound { cmp, than: Quantity { value: *low, unit: unit.clone() }, to: Some(*high) });
        }
        let absolute = match operand {
            Operand::Value(quantity) => quantity.clone(),
            Operand::OutOf { part, whole } => share(*part, *whole),
            Operand::Sigma(_) => {
                let help = "Write the threshold as a number, or relative to the baseline, such as `> 2x baseline`.";
                let message = format!("`{}` needs a standard deviation, which T-Minus does not know.", plain(raw));
                self.report(Diagnostic::new("TM056", message, help, range.clone()).of("Key Metrics"));
                return None;
            }
            relative => {
                let Some(base) = baseline else {
                    let message = format!("`{}` is relative, but the row has no baseline.", plain(raw));
                    let help = "Fill in the baseline, such as `200ms`, or write the threshold as a number.";
                    self.report(Diagnostic::new("TM056", message, help, range.clone()).of("Key Metrics"));
                    return None;
                };
                // "+2%" on an error rate may be two percent of it, or two points.
                let spoken =
                    ["baseline", "vs", "than", "normal", "usual"].iter().any(|w| raw.to_lowercase().contains(w));
                if matches!(relative, Operand::Change { .. }) && base.unit == "%" && !spoken {
                    let message =
                        format!("`{}` is ambiguous: percent of the baseline or percentage points?", plain(raw));
                    let help = "Write `+2 pp` or `+2% vs baseline`; T-Minus assumes percent of the baseline.";
                    self.report(Diagnostic::new("TM057", message, help, range.clone()).of("Key Metrics"));
                }
                match relative_value(relative, base) {
                    Relative::At(quantity) => quantity,
                    Relative::Band(low, high) => {
                        let than = Quantity { value: low, unit: base.unit.clone() };
                        return Some(Bound { cmp: inside, than, to: Some(high) });
                    }
                    Relative::Unfit => {
                        let message = format!("`{}` does not match the unit of the baseline `{base}`.", plain(raw));
                        let found = Diagnostic::new("TM055", message, "Use one unit per row.", range.clone());
                        self.report(found.of("Key Metrics"));
                        return None;
                    }
                }
            }
        };
        let cmp = match (part.cmp, operand) {
            (Some(cmp), _) => cmp,
            // "+20% vs baseline" says its side by itself.
            (None, Operand::Change { way: Way::Up, .. }) if side == Side::Success => Cmp::AtMost,
            (None, Operand::Change { way: Way::Down, .. }) if side == Side::Success => Cmp::AtLeast,
            (None, Operand::Change { way: Way::Up, .. }) => Cmp::Above,
            (None, Operand::Change { way: Way::Down, .. }) => Cmp::Below,
            (None, _) => {
                // A limit that is today's value, or the end of the scale, is allowed to be reached.
                let reached = baseline.is_some_and(|base| (base.value - absolute.value).abs() < f64::EPSILON)
                    || absolute.value == 0.0
                    || (absolute.unit == "%" && absolute.value >= 100.0);
                let wanted = match wanted {
                    Cmp::Below if reached && side == Side::Success => Cmp::AtMost,
                    Cmp::Above if reached && side == Side::Success => Cmp::AtLeast,
                    other => other,
                };
                let message = format!("`{}` has no comparison; T-Minus assumes `{wanted}`.", plain(raw));
                self.report(
                    Diagnostic::new("TM051", message, "Write the comparison.", range.clone())
                        .of("Key Metrics")
                        .fix(range.start..range.start, format!("{wanted} ")),
                );
                wanted
            }
        };
        Some(Bound::new(cmp, absolute))
    }

    /// The list of success criteria: "Error rate < 1%" is a metric in other people's plans; the box stays a task.
    pub(super) fn success_item(&mut self, text: &Range<usize>, check: Option<crate::plan_doc::checkbox::Check>) {
        self.task(text, check);
        if self.template() || self.metrics.len() >= MAX_METRICS {
            return;
        }
        let raw = self.at(&crate::plan_doc::fields::own_words(self.text, text));
        let Trigger::Any { clauses, .. } = grammar::trigger(raw) else { return };
        for clause in clauses {
            if let grammar::Clause::Over { name, part } = clause
                && let Operand::Value(than) = part.operand
                && let Some(cmp) = part.cmp
                && !self.metrics.iter().any(|m| m.folded == fold(&name))
            {
                let plan = MetricPlan {
                    name: name.chars().take(80).collect(),
                    baseline: None,
                    success: Some(Bound::new(cmp, than)),
                    alert: None,
                    alert_for_s: None,
                    query: None,
                };
                self.metrics.push(RawMetric {
                    folded: fold(&plan.name),
                    words: sorted_words(&plan.name),
                    plan,
                    name: text.clone(),
                });
            }
        }
    }
}

/// One row, by what its cells mean.
struct Row<'a> {
    cells: &'a [Range<usize>],
    baseline: Option<Range<usize>>,
    success: Option<Range<usize>>,
    alert: Option<Range<usize>>,
    rollback: Option<Range<usize>>,
    query: Option<Range<usize>>,
}

/// Which side of health a threshold stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Success,
    Alert,
}

/// Whether smaller values of a metric are the healthy ones, by its name.
pub(super) fn lower_is_better(name: &str) -> bool {
    let folded = fold(name);
    let bad = [
        "error", "latency", "fail", "lag", "timeout", "crash", "drop", "miss", "duration", "delay", "responsetime",
        "rejected",
    ];
    let good = [
        "throughput", "availability", "success", "conversion", "uptime", "requestrate", "hitrate", "crashfree", "rps",
        "qps", "coverage", "satisfaction", "retention", "adoption", "accuracy", "apdex", "completion", "revenue",
        "orders", "passrate", "improvement", "speedup", "csat", "nps", "fps",
    ];
    let is = |words: &[&str]| words.iter().any(|word| folded.contains(word));
    if folded.contains("crashfree") || folded.contains("successrate") {
        return false;
    }
    is(&bad) || !is(&good)
}

/// What a table's columns mean, by its folded header.
fn columns(part: Option<Section>, group: &str, names: &[String]) -> Columns {
    if let Some(stages) = stage_columns(names) {
        return Columns::Stages(stages);
    }
    if part == Some(Section::Signoffs) {
        let name = names.iter().skip(1).position(|head| {
            ["name", "person", "approver", "who", "owner", "signatory"].iter().any(|w| head.contains(w))
        });
        return Columns::Signoffs { name: name.map(|i| i + 1) };
    }
    let find = |words: &[&str], not: &[usize]| {
        names
            .iter()
            .enumerate()
            .skip(1)
            .find(|(i, name)| !not.contains(i) && words.iter().any(|w| name.contains(w)))
            .map(|(i, _)| i)
    };
    let rollback = find(&["rollback"], &[]);
    let taken: Vec<usize> = rollback.into_iter().collect();
    let alert = find(&["alert", "warning", "critical", "abort", "alarm", "red", "failure", "breach"], &taken);
    let mut not: Vec<usize> = taken.into_iter().chain(alert).collect();
    let baseline = find(&["baseline", "current", "before", "today", "asis"], &not);
    not.extend(baseline);
    let success = find(
        &["success", "target", "goal", "slo", "expected", "healthy", "acceptable", "threshold", "objective", "limit"],
        &not,
    );
    not.extend(success);
    let query = find(&["query", "dashboard", "source", "promql", "link", "panel"], &not);
    let first = names.first().map_or("", String::as_str);
    let named =
        ["metric", "kpi", "indicator", "signal", "sli", "measure", "check"].iter().any(|word| first.contains(word));
    let valued = usize::from(baseline.is_some()) + usize::from(success.is_some()) + usize::from(alert.is_some());
    let placed = part == Some(Section::Success)
        || ["metric", "target", "kpi", "performance"].iter().any(|word| group.contains(word));
    let thresholds = names.iter().filter(|name| name.contains("threshold")).count() >= 2;
    if (named && (rollback.is_some() || valued >= 1)) || (placed && valued >= 2) || valued >= 3 || thresholds {
        return Columns::Metrics { baseline, success, alert, rollback, query };
    }
    if names.len() == 2 && part == Some(Section::Overview) {
        return Columns::Fields;
    }
    Columns::Other
}
