//! A bound written down again: what was understood, in a form that reads back to the same.

use std::fmt;

use super::threshold::{Operand, Part, Way, Window};
use crate::domain::plan::{Cmp, Quantity};

/// A unit that is only words.
fn worded(unit: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '\'');
    unit.starts_with(char::is_alphabetic) && unit.chars().all(inside)
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.cmp, &self.operand) {
            (Some(Cmp::Within), Operand::Band { low, high, unit }) => {
                write!(f, "between {low} and {}", Quantity { value: *high, unit: unit.clone() })?;
            }
            (Some(cmp), Operand::Value(none)) if none.value == 0.0 && worded(&none.unit) => {
                if *cmp != Cmp::Equal {
                    write!(f, "{cmp} ")?;
                }
                write!(f, "no {}", none.unit)?;
            }
            (cmp, operand) => {
                if let Some(cmp) = cmp {
                    write!(f, "{cmp} ")?;
                }
                write!(f, "{operand}")?;
            }
        }
        if let Some(stat) = &self.stat {
            write!(f, " {stat}")?;
        }
        match self.window {
            Some(Window::Seconds(s)) => write!(f, " for {s} s"),
            Some(Window::First(s)) => write!(f, " in the first {s} s"),
            Some(Window::Consecutive(n)) => write!(f, " for {n} consecutive checks"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(quantity) => match quantity.unit.chars().next() {
                Some('$' | '€' | '£') => write!(
                    f,
                    "{}{}{}",
                    &quantity.unit[..quantity.unit.find('/').unwrap_or(quantity.unit.len())],
                    quantity.value,
                    quantity.unit.find('/').map_or("", |i| &quantity.unit[i..])
                ),
                _ => write!(f, "{quantity}"),
            },
            Self::Band { low, high, unit } => write!(f, "{low} to {}", Quantity { value: *high, unit: unit.clone() }),
            Self::OutOf { part, whole } => write!(f, "{part}/{whole}"),
            Self::Times(times) => write!(f, "{times}x baseline"),
            Self::PercentOf(percent) => write!(f, "{percent}% of baseline"),
            Self::Change { percent, way: Way::Up } => write!(f, "+{percent}% vs baseline"),
            Self::Change { percent, way: Way::Down } => write!(f, "-{percent}% vs baseline"),
            Self::Change { percent, way: Way::Either } => write!(f, "±{percent}% vs baseline"),
            Self::Baseline(None) => f.write_str("baseline"),
            Self::Baseline(Some(quantity)) if quantity.value < 0.0 => {
                write!(f, "baseline - {}", Quantity { value: -quantity.value, unit: quantity.unit.clone() })
            }
            Self::Baseline(Some(quantity)) => write!(f, "baseline + {quantity}"),
            Self::Sigma(sigma) => write!(f, "{sigma}σ"),
        }
    }
}
