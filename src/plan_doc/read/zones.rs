//! T-0 in a table that gives one instant in several zones: `UTC (+00:00)`, `Los Angeles (-08:00)`. The columns must agree.

use std::ops::Range;

use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::grammar::plain;
use crate::plan_doc::names::Field;
use crate::plan_doc::read::held::Zoned;
use crate::plan_doc::read::reader::Reader;
use crate::plan_doc::time::parse_when;
use crate::plan_doc::zone::{by_name, fixed_offset};

/// The zone in a column's heading, in brackets or alone. Abbreviations often mean something else, so they do not count.
fn column_zone(head: &str) -> Option<String> {
    let zone = head.rsplit_once('(').map_or(head, |(_, inside)| inside.trim_end_matches(')')).trim();
    let place = zone.contains('/') && by_name(zone).is_some();
    (place || (!zone.is_empty() && fixed_offset(zone).is_some())).then(|| zone.to_owned())
}

impl Reader<'_> {
    /// Remembers the zones of a table's columns, where there are several.
    pub(super) fn zoned_heads(&mut self, cells: &[Range<usize>]) {
        let zones = cells.iter().map(|cell| column_zone(&plain(self.at(cell))));
        self.zones = zones.collect();
        if self.zones.iter().flatten().count() < 2 {
            self.zones.clear();
        }
    }

    /// Remembers a row that gives its instant in several zones.
    pub(super) fn zoned_row(&mut self, cells: &[Range<usize>]) {
        let read = |(zone, cell): (&Option<String>, &Range<usize>)| {
            let typed = format!("{} {}", plain(self.at(cell)), zone.as_ref()?);
            parse_when(&typed, None).ok().map(|when| (when, cell.clone()))
        };
        let found: Zoned = self.zones.iter().zip(cells).filter_map(read).collect();
        if found.len() > 1 {
            self.zoned.push(found);
        }
    }

    /// Sets T-0 from the only such row, if the plan names no date.
    pub(super) fn settle_zoned(&mut self) {
        let rows = std::mem::take(&mut self.zoned);
        let ([row], false) = (rows.as_slice(), self.seen.contains_key(&Field::When)) else { return };
        let Some((when, span)) = row.first().cloned() else { return };
        let (field, help) = (Field::When.label(), format!("Write it once, `**Release Date/Time:** {}`.", when.typed));
        if row.iter().any(|(other, _)| other.at != when.at) {
            let message = "The columns of this row give different instants.";
            self.report(Diagnostic::new("TM072", message, help, span).of(field));
            return;
        }
        let message = format!("T-Minus reads T-0 from the table: {}.", when.typed);
        let found = Diagnostic::new("TM011", message, help, span.clone()).of(field);
        self.report(found.weighing(Severity::Info));
        self.seen.insert(Field::When, span.clone());
        self.spans.when = span;
        self.when = Some(when);
    }
}
