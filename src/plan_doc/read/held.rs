//! What the reader holds of tables and boxes while it reads on.

use crate::domain::plan::PlannedTime;
use crate::plan_doc::blocks::Block;
use crate::plan_doc::checkbox::{Check, Mark, box_at, cell_box, choices};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::grammar::{plain, unfilled};
use crate::plan_doc::names::{Part, fold};
use crate::plan_doc::read::reader::Reader;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Why a line is no box to tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Passed {
    /// It says when not to go.
    NoGo,
    /// ✅, ❌ or ⚠️ begins it like a bullet.
    Sign,
    /// A table row with several boxes.
    Several,
    /// A line without a box in a section that is read by its boxes.
    Unboxed,
}

impl Passed {
    pub(super) fn words(self, n: usize) -> String {
        let (one, many) = match self {
            Self::NoGo => ("no-go condition is not a gate", "no-go conditions are not gates"),
            Self::Sign => ("line uses ✅, ❌ or ⚠️ as a bullet", "lines use ✅, ❌ or ⚠️ as bullets"),
            Self::Several => ("table row has several boxes", "table rows have several boxes"),
            Self::Unboxed => ("line has no box", "lines have no box"),
        };
        format!("{n} {}", if n == 1 { one } else { many })
    }
}

/// How many lines were passed over for a reason, and where the first one stands.
pub(super) type PassedOver = BTreeMap<Passed, (usize, Range<usize>)>;

/// The columns of a table whose rows can be ticked.
#[derive(Debug, Clone)]
pub(super) struct TickColumns {
    /// Columns in which a row has a box.
    pub(super) boxes: BTreeSet<usize>,
    /// The column that says how far each row is.
    pub(super) status: Option<usize>,
    /// Of several boxes in a row, the one that says yes.
    pub(super) yes: Option<usize>,
    /// The column that says what is to be done.
    pub(super) task: usize,
}

/// The times of a row, with their cells.
pub(super) type Zoned = Vec<(PlannedTime, Range<usize>)>;
