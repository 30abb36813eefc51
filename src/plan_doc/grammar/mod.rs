//! The grammars of values: numbers, thresholds, triggers, durations, offsets, stages. Pure; a text that does
//! not parse is said so and becomes a diagnostic above, nothing is guessed.

mod clause;
mod number;
mod operand;
mod scan;
mod span;
mod stage;
mod threshold;
mod trigger;
mod written;

#[cfg(test)]
mod tests;

pub use number::number_with_unit;
pub(crate) use number::{decimal_comma, thousands};
pub(crate) use scan::{blank, none, plain, unfilled};
pub use span::{duration_min, duration_seconds};
pub(crate) use span::{find_duration, offset};
pub(crate) use stage::{percent, stages};
pub(crate) use threshold::{Cell, Operand, Part, Unread, Way, Window, cell};
pub(crate) use trigger::{Clause, Trigger, trigger};
