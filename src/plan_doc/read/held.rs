//! What the reader holds of tables and boxes while it reads on.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::domain::plan::PlannedTime;

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

/// The columns of a table of stages.
#[derive(Debug, Clone, Copy)]
pub(super) struct StageColumns {
    pub(super) name: usize,
    pub(super) percent: Option<usize>,
    pub(super) hold: Option<usize>,
}

/// What the columns of the table being read mean.
#[derive(Debug, Clone)]
pub(super) enum Columns {
    Metrics {
        baseline: Option<usize>,
        success: Option<usize>,
        alert: Option<usize>,
        rollback: Option<usize>,
        query: Option<usize>,
    },
    Stages(StageColumns),
    /// Roles that sign, and who.
    Signoffs {
        name: Option<usize>,
    },
    /// Two columns: a label and its value.
    Fields,
    Other,
}
