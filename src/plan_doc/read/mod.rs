//! Reads a document into a plan with diagnostics: which section means what, which field stands where. Values are the
//! grammars' business, rules over several fields are `judge`'s. It must not know what has happened since.

mod checklists;
mod comms;
mod fold;
mod held;
mod judge;
mod metrics;
mod overview;
mod reader;
mod reading;
mod relative;
mod rollout;
mod rows;
mod style;
mod ticks;
mod triggers;
mod walk;
mod zones;

use std::collections::BTreeMap;

pub use self::comms::{MAX_RUNGS, audience};
pub use self::reading::{Counts, Reading, Setting};
use super::blocks;
use super::diagnostics::Diagnostic;
use crate::plan_doc::read::reader::Reader;

/// Reads a plan.
pub fn read(bytes: &[u8], setting: &Setting) -> Reading {
    let refused = |diagnostic| Reading {
        plan: None,
        title: None,
        digest: String::new(),
        diagnostics: vec![diagnostic],
        questions: Vec::new(),
        counts: Counts::default(),
        names_notices: false,
        fields: BTreeMap::new(),
        items: BTreeMap::new(),
        texts: BTreeMap::new(),
        slots: BTreeMap::new(),
        after_metrics: None,
    };
    let text = match blocks::admit(bytes) {
        Ok(text) => text,
        Err(diagnostic) => return refused(*diagnostic),
    };
    let document = match blocks::parse(text) {
        Ok(document) => document,
        Err(diagnostic) => return refused(*diagnostic),
    };
    if document.title.is_none() && document.sections.iter().all(|s| s.blocks.is_empty() && s.heading.is_empty()) {
        return refused(Diagnostic::new(
            "TM010",
            "The document is empty.",
            "Start with a title, such as `# Release Plan`.",
            0..0,
        ));
    }
    let mut reader = Reader::new(text, setting, &document);
    reader.walk(&document);
    reader.finish(&document)
}
