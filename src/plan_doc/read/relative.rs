//! What thresholds come to against a row's baseline: multiples, changes, shares, bands. Arithmetic only.

use crate::domain::plan::{Bound, Cmp, Quantity};
use crate::plan_doc::grammar::{Operand, Way};

/// `95/100` as percent.
pub(super) fn share(part: f64, whole: f64) -> Quantity {
    let value = if whole == 0.0 { 0.0 } else { round(part / whole * 100.0) };
    Quantity { value, unit: "%".to_owned() }
}

/// Rounded to what a plan can say.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// What a relative operand comes to.
pub(super) enum Relative {
    At(Quantity),
    Band(f64, f64),
    /// Its step is in another dimension than the baseline.
    Unfit,
}

/// A relative operand as a number, or as a band around the baseline.
pub(super) fn relative_value(operand: &Operand, base: &Quantity) -> Relative {
    let of = |factor: f64| Relative::At(Quantity { value: round(base.value * factor), unit: base.unit.clone() });
    match operand {
        Operand::Times(times) => of(*times),
        Operand::PercentOf(percent) => of(percent / 100.0),
        Operand::Change { percent, way: Way::Up } => of(1.0 + percent / 100.0),
        Operand::Change { percent, way: Way::Down } => of(1.0 - percent / 100.0),
        Operand::Change { percent, way: Way::Either } => {
            let (low, high) = (base.value * (1.0 - percent / 100.0), base.value * (1.0 + percent / 100.0));
            Relative::Band(round(low.min(high)), round(low.max(high)))
        }
        Operand::Baseline(Some(step)) => match step.convert(&base.unit) {
            Some(step) => Relative::At(Quantity { value: round(base.value + step.value), unit: base.unit.clone() }),
            None => Relative::Unfit,
        },
        Operand::Baseline(None) => of(1.0),
        Operand::Value(_) | Operand::Band { .. } | Operand::OutOf { .. } | Operand::Sigma(_) => Relative::Unfit,
    }
}

/// Two bounds that make a band: "> 10 and < 20" inside, "< 10 or > 20" outside.
pub(super) fn band(a: &Bound, b: &Bound, any: bool) -> Option<Bound> {
    let low = |bound: &Bound| matches!(bound.cmp, Cmp::Above | Cmp::AtLeast);
    let high = |bound: &Bound| matches!(bound.cmp, Cmp::Below | Cmp::AtMost);
    let (over, under) = if low(a) && high(b) {
        (a, b)
    } else if high(a) && low(b) {
        (b, a)
    } else {
        return None;
    };
    let under_value = under.than.convert(&over.than.unit)?;
    let made = |cmp, from: &Quantity, to: f64| Bound { cmp, than: from.clone(), to: Some(to) };
    if !any && over.than.value <= under_value.value {
        return Some(made(Cmp::Within, &over.than, under_value.value));
    }
    let unit = over.than.unit.clone();
    (any && under_value.value <= over.than.value)
        .then(|| made(Cmp::Outside, &Quantity { value: under_value.value, unit }, over.than.value))
}
