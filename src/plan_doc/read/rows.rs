//! The rules of a metrics table: cells that contradict each other, names that are one.

use std::ops::Range;

use super::metrics::lower_is_better;
use crate::domain::plan::{Bound, Cmp, MetricPlan};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::names::{self, fold};
use crate::plan_doc::read::reader::Reader;

impl Reader<'_> {
    /// The rules of a metrics row: contradictions between its cells.
    pub(super) fn judge_row(
        &mut self,
        plan: &MetricPlan,
        name_at: &Range<usize>,
        success_at: Option<&Range<usize>>,
        alert_at: Option<&Range<usize>>,
        baseline_at: Option<&Range<usize>>,
        lower: bool,
    ) {
        let mut found = Vec::new();
        let name = &plan.name;
        let new = |code, message: String, help: &str, span: &Range<usize>| {
            Diagnostic::new(code, message, help, span.clone()).of("Key Metrics")
        };
        let mut sides_clash = false;
        if let (Some(success), Some(alert)) = (&plan.success, &plan.alert) {
            let span = alert_at.unwrap_or(name_at);
            let units = alert.than.convert(&success.than.unit).is_none();
            if units {
                let message = format!("`{success}` and `{alert}` have different units.");
                found.push(new("TM055", message, "Use one unit per row.", span));
            } else if overlap(success, alert) {
                sides_clash = true;
                let message =
                    format!("`{success}` and `{alert}` overlap: a value could be healthy and alerting at once.");
                found.push(new("TM052", message, "Move the alert threshold beyond the success threshold.", span));
            } else {
                let (near, far) = (success.than.value.abs(), alert.than.value.abs());
                let ratio = near.max(far) / near.min(far).max(f64::MIN_POSITIVE);
                if success.to.is_none()
                    && alert.to.is_none()
                    && (success.than.value - alert.than.value).abs() < f64::EPSILON
                    && near > 0.0
                {
                    let message = format!("`{success}` and `{alert}` leave no gap between them.");
                    found.push(new("TM053", message, "Move the alert threshold beyond the success threshold.", span));
                } else if success.to.is_none() && alert.to.is_none() && near > 0.0 && far > 0.0 && ratio > 10.0 {
                    let message = format!("`{success}` and `{alert}` differ by more than a factor of ten.");
                    found.push(new("TM053", message, "Check both values.", span));
                }
            }
        }
        if let Some(base) = &plan.baseline {
            let span = baseline_at.unwrap_or(name_at);
            if let Some(alert) = plan.alert.as_ref().filter(|alert| alert.holds(base.value)) {
                let message = format!("The baseline `{base}` already breaches the alert threshold (`{alert}`).");
                found.push(new("TM054", message, "Correct the baseline or the alert threshold.", span));
            } else if let Some(success) =
                plan.success.as_ref().filter(|success| !success.holds(base.value) && !sides_clash)
            {
                // A target beyond today's value is a wish in other people's plans.
                let severity = if self.template() { Severity::Error } else { Severity::Info };
                let message = format!("The baseline `{base}` already misses the success threshold (`{success}`).");
                found.push(
                    new("TM054", message, "Correct the baseline or the success threshold.", span).weighing(severity),
                );
            }
        }
        if self.template() && !sides_clash {
            let side = |bound: &Bound| match bound.cmp {
                Cmp::Below | Cmp::AtMost => Some(true),
                Cmp::Above | Cmp::AtLeast => Some(false),
                Cmp::Equal | Cmp::Within | Cmp::Outside => None,
            };
            let odd = plan.success.as_ref().and_then(side).is_some_and(|below| below != lower) && known_direction(name);
            if odd && let Some(success) = &plan.success {
                let message = format!("`{success}` is an unusual direction for `{name}`.");
                found.push(new("TM058", message, "Check the comparison.", success_at.unwrap_or(name_at)));
            }
        }
        for (bound, at) in [(&plan.success, success_at), (&plan.alert, alert_at)] {
            let Some(bound) = bound else { continue };
            let at = at.unwrap_or(name_at);
            let good = !lower_is_better(name);
            if bound.than.unit == "%" && bound.than.value > 100.0 {
                let message = format!("`{bound}` is over 100%.");
                found.push(new("TM057", message, "If you mean the baseline, write `110% of baseline`.", at));
            } else if bound.than.unit == "%"
                && good
                && bound.than.value >= 99.0
                && bound.cmp == Cmp::Below
                && at == success_at.unwrap_or(name_at)
                && plan.success.as_ref() == Some(bound)
            {
                let message = format!("`{bound}` is an unlikely success threshold.");
                found.push(new("TM057", message, "Did you mean `>`?", at));
            }
        }
        for diagnostic in found {
            self.report(diagnostic);
        }
    }

    pub(super) fn duplicate_metrics(&mut self) {
        if !self.template() {
            return;
        }
        let names: Vec<(String, Range<usize>, String)> =
            self.metrics.iter().map(|m| (m.plan.name.clone(), m.name.clone(), fold(&m.plan.name))).collect();
        for (n, (name, span, folded)) in names.iter().enumerate() {
            let twin = names[..n].iter().find(|(_, _, known)| {
                // P95 and P99 of one thing are two metrics.
                let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
                known == folded || (known.len() > 5 && names::near(known, folded, 1) && digits(known) == digits(folded))
            });
            if let Some((known, ..)) = twin {
                let message = format!("`{name}` has the same or nearly the same name as `{known}`.");
                self.report(
                    Diagnostic::new("TM059", message, "Keep one, or give them distinct names.", span.clone())
                        .of("Key Metrics"),
                );
            }
        }
    }
}

/// Whether the direction of a metric is known by its name.
fn known_direction(name: &str) -> bool {
    let folded = fold(name);
    ["latency", "error", "throughput", "availability", "uptime", "successrate"].iter().any(|word| folded.contains(word))
}

pub(super) fn below(bound: &Bound) -> Option<bool> {
    match bound.cmp {
        Cmp::Below | Cmp::AtMost => Some(true),
        Cmp::Above | Cmp::AtLeast => Some(false),
        Cmp::Equal | Cmp::Within | Cmp::Outside => None,
    }
}

/// Two bounds on opposite sides must leave no value to both.
fn overlap(success: &Bound, alert: &Bound) -> bool {
    let Some(converted) = alert.than.convert(&success.than.unit) else { return false };
    match (below(success), below(alert)) {
        (Some(true), Some(false)) => converted.value < success.than.value,
        (Some(false), Some(true)) => converted.value > success.than.value,
        (Some(_), Some(_)) => true,
        _ => match (success.cmp, alert.cmp) {
            (Cmp::Within, Cmp::Above | Cmp::AtLeast) => converted.value < success.to.unwrap_or(success.than.value),
            (Cmp::Within, Cmp::Below | Cmp::AtMost) => converted.value > success.than.value,
            (Cmp::Equal, _) => alert.holds(success.than.value),
            (_, Cmp::Equal) => success.holds(converted.value),
            _ => false,
        },
    }
}
