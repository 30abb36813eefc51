//! What reading takes and what it gives.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;

use crate::domain::plan::{Plan, RungPlan};
use crate::plan_doc::checkbox::Check;
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::names::Field;

/// What reading gave.
#[derive(Debug)]
pub struct Reading {
    /// Absent if the document was refused (TM001, TM002) or there is nothing in it.
    pub plan: Option<Plan>,
    /// The title the plan gives itself; a draft without one is shown by its heading.
    pub title: Option<String>,
    /// SHA-256 over the material fields, in hexadecimal.
    pub digest: String,
    /// By position.
    pub diagnostics: Vec<Diagnostic>,
    /// Required fields that are missing or hold a placeholder, as the template calls them.
    pub questions: Vec<String>,
    /// What stands in the document.
    pub counts: Counts,
    /// It names notices, if only to strike them out; otherwise those it was read against are its own.
    pub names_notices: bool,
    /// Where the value of each field of the overview stands.
    pub(in crate::plan_doc) fields: BTreeMap<Field, Range<usize>>,
    /// Where each item's box stands, by the item's id.
    pub(crate) items: BTreeMap<String, Check>,
    /// What each item says, for matching it again after an edit.
    pub(crate) texts: BTreeMap<String, String>,
    /// Places the bot fills: sign-off lines after the role, the date of the last update.
    pub(crate) slots: BTreeMap<String, Range<usize>>,
    /// Where the table of observed values belongs: after the metrics table's last row.
    pub(crate) after_metrics: Option<usize>,
}

/// What stands in a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Boxes of list items as GitHub counts them.
    pub boxes_open: usize,
    /// Ticked ones, counted apart.
    pub boxes_done: usize,
    /// Tables outside the bot's own blocks.
    pub tables: usize,
}

impl Reading {
    /// Whether anything stands against submitting.
    pub fn blocked(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// What a document is read against.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// The workspace's zone, used where the date names none.
    pub zone: Option<String>,
    /// Now: dates in the past are found only against it.
    pub now: Option<Timestamp>,
    /// Who is told, and when, where the plan does not say.
    pub ladder: Vec<RungPlan>,
}
