//! What counts as a tick: signs that are only bullets, boxes and states in tables, conditions of a no-go. One finding names
//! everything that was passed over.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::civil::Date;

use crate::plan_doc::blocks::Block;
use crate::plan_doc::checkbox::{Check, Mark, box_at, cell_box, choices};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::grammar::{plain, unfilled};
use crate::plan_doc::names::{Part, fold};
use crate::plan_doc::read::held::{Passed, TickColumns};
use crate::plan_doc::read::reader::Reader;

/// The signs of an open list, and whether a line of it has a box.
type List = (Vec<usize>, bool);

/// The bytes of signs that are bullets: no line of their list has a box.
pub(super) fn bullets(text: &str, blocks: &[Block]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut lists: Vec<List> = Vec::new();
    for block in blocks {
        let item = match block {
            Block::Item { check, depth, .. } => Some((*depth, *check)),
            Block::Line(line) => box_at(&text[..line.end], line.start).map(|(check, _)| (0, Some(check))),
            Block::Row { .. } => None,
        };
        let Some((depth, check)) = item else {
            close(&mut lists, 0, &mut found);
            continue;
        };
        close(&mut lists, depth + 1, &mut found);
        lists.resize(depth + 1, List::default());
        if let (Some(check), Some((signs, boxed))) = (check, lists.last_mut()) {
            if check.is_sign(text) { signs.push(check.at) } else { *boxed = true }
        }
    }
    close(&mut lists, 0, &mut found);
    found
}

/// Ends the lists from a depth on.
fn close(lists: &mut Vec<List>, depth: usize, found: &mut Vec<usize>) {
    let from = depth.min(lists.len());
    let unboxed = lists.drain(from..).filter(|(_, boxed)| !boxed);
    found.extend(unboxed.flat_map(|(signs, _)| signs));
}

/// Whether a heading or a label says when not to go. "Go/No-Go" asks both ways.
pub(super) fn no_go(group: &str) -> bool {
    let words =
        ["nogo", "donotgo", "dontgo", "donotproceed", "dontproceed", "donotlaunch", "donotdeploy", "donotrelease"];
    let stops = ["stopif", "abortif", "holdif", "postponeif", "delayif"];
    let one_way = group.replace("goornogo", "").replace("gonogo", "");
    words.iter().any(|word| one_way.contains(word)) || stops.iter().any(|word| group.ends_with(word))
}

/// Whether a line by itself is such a condition: "NO-GO if any P1 is open".
fn no_go_line(line: &str) -> bool {
    let low = line.to_lowercase();
    let rest = ["no-go", "no go", "nogo"].iter().find_map(|word| low.strip_prefix(word));
    rest.is_some_and(|rest| [":", " if ", " when "].iter().any(|word| rest.starts_with(word)))
}

const DONE: &[&str] = &[
    "done", "complete", "completed", "finished", "ok", "yes", "passed", "pass", "approved", "verified", "closed",
    "ready", "merged", "deployed", "resolved", "signedoff", "go", "完了", "완료", "erledigt", "fertig", "terminé",
];
const NEITHER: &[&str] = &["na", "notapplicable", "notrequired", "notneeded", "skipped", "waived", "outofscope"];
const OPEN: &[&str] = &[
    "pending", "inprogress", "notstarted", "todo", "open", "wip", "planned", "scheduled", "blocked", "waiting",
    "ongoing", "started", "failed", "no", "incomplete", "inreview", "draft", "delayed", "atrisk", "ontrack", "offen",
    "進行中", "未着手", "진행중",
];

/// What a cell of a status column says. The whole cell counts: "Done, but not verified" is open.
fn status(text: &str, cell: &Range<usize>) -> Option<Mark> {
    // Of "☐ Pending ☑ Done" what is ticked counts.
    let ticked: Vec<Range<usize>> =
        choices(text, cell).into_iter().filter(|(check, _)| check.done()).map(|(_, words)| words).collect();
    let cell = match ticked.as_slice() {
        [only] if !only.is_empty() => only,
        _ => cell,
    };
    let words = plain(&text[cell.clone()]);
    let said = words.trim_matches(|c: char| !c.is_alphanumeric());
    // "Done (2026-12-01)" says when.
    let dated = said.rsplit_once([' ', '(']).filter(|(_, day)| day.parse::<Date>().is_ok());
    let folded = fold(dated.map_or(said, |(word, _)| word));
    let done = DONE.contains(&folded.as_str()) && !words.contains(['❌', '⚠', '🔄', '⏳', '%']);
    let begins = |words: &[&str]| words.iter().any(|word| folded.starts_with(word));
    if done || matches!(words.as_str(), "✅" | "✔" | "✓" | "☑" | "100%") {
        Some(Mark::Done)
    } else if NEITHER.contains(&folded.as_str()) {
        Some(Mark::NotApplicable)
    } else if folded.is_empty() || unfilled(&words) || begins(OPEN) || begins(DONE) {
        Some(Mark::Open)
    } else {
        None
    }
}

/// Whether words follow a cell's box.
fn words_after(text: &str, cell: &Range<usize>) -> bool {
    cell_box(text, cell).is_some_and(|(_, words)| text[words].contains(char::is_alphanumeric))
}

impl Reader<'_> {
    /// Counts a line that is passed over.
    pub(super) fn pass(&mut self, why: Passed, at: &Range<usize>) {
        self.passed.entry(why).or_insert_with(|| (0, at.clone())).0 += 1;
    }

    /// The box of a line; a sign that is its list's bullet is none.
    pub(super) fn boxed(&self, check: Option<Check>) -> Option<Check> {
        check.filter(|check| !self.bullets.contains(&check.at))
    }

    /// The same; counts a line with such a sign.
    pub(super) fn counted(&mut self, text: &Range<usize>, check: Option<Check>) -> Option<Check> {
        let found = self.boxed(check);
        if check.is_some() && found.is_none() {
            self.pass(Passed::Sign, text);
        }
        found
    }

    /// The box of a line in a section that is read by its boxes; counts a line without one.
    pub(super) fn demanded(&mut self, text: &Range<usize>, check: Option<Check>) -> Option<Check> {
        if check.is_none() && self.depth == 0 {
            self.pass(Passed::Unboxed, text);
        }
        self.counted(text, check)
    }

    /// True for a line with a box that says when not to go: nobody ticks it.
    pub(super) fn stops(&mut self, group: &str, line: &Range<usize>, check: Option<Check>) -> bool {
        let stops = check.is_some() && (no_go(group) || no_go_line(&plain(self.at(line))));
        if stops {
            self.pass(Passed::NoGo, line);
        }
        stops
    }

    /// The columns of the table that begins with the first of some blocks, if its rows can be ticked.
    pub(super) fn tick_columns(&self, blocks: &[Block], part: Option<Part>) -> Option<TickColumns> {
        let cells = |block: &Block, head: bool| match block {
            Block::Row { cells, header, .. } if *header == head => Some(cells.clone()),
            _ => None,
        };
        let (first, rest) = blocks.split_first()?;
        let heads: Vec<String> = cells(first, true)?.iter().map(|cell| fold(&plain(self.at(cell)))).collect();
        let rows: Vec<Vec<Range<usize>>> = rest.iter().map_while(|block| cells(block, false)).collect();
        let named = |i: usize, words: &[&str]| heads.get(i).is_some_and(|head| words.contains(&head.as_str()));
        let holds = |i: usize, fits: &dyn Fn(&Range<usize>) -> bool| rows.iter().filter_map(|row| row.get(i)).any(fits);
        let is_box =
            |cell: &Range<usize>| cell_box(self.text, cell).is_some_and(|(check, _)| !check.is_sign(self.text));
        let boxes: BTreeSet<usize> = (0..heads.len()).filter(|i| holds(*i, &is_box)).collect();
        // The state of a risk or of a way back is no task.
        let states = ["status", "state", "done", "complete", "completed", "progress", "ready", "状態", "상태"];
        let state = (0..heads.len())
            .filter(|_| !matches!(part, Some(Part::Risks | Part::Rollback)))
            .find(|i| named(*i, &states) && holds(*i, &|cell: &Range<usize>| status(self.text, cell).is_some()));
        if boxes.is_empty() && state.is_none() {
            return None;
        }
        let tasks = [
            "task", "tasks", "item", "items", "action", "activity", "check", "step", "requirement", "criterion",
            "criteria", "deliverable", "what", "description", "checklist", "todo", "prerequisite", "gate", "タスク",
            "項目", "작업", "aufgabe",
        ];
        let aside = [
            "", "no", "nr", "id", "time", "when", "date", "due", "duedate", "owner", "who", "responsible", "assignee",
            "role", "priority", "notes", "comment", "comments",
        ];
        let says_yes = ["go", "yes", "pass", "passed", "done", "ready", "complete", "ok"];
        let free = |i: &usize| state != Some(*i) && !boxes.contains(i);
        let task = (0..heads.len())
            .find(|i| named(*i, &tasks) && (free(i) || holds(*i, &|cell: &Range<usize>| words_after(self.text, cell))))
            .or_else(|| (0..heads.len()).find(|i| free(i) && !named(*i, &aside)))
            .or(boxes.first().copied())
            .unwrap_or(0);
        let yes = boxes.iter().copied().find(|i| named(*i, &says_yes));
        Some(TickColumns { boxes, status: state, yes, task })
    }

    /// A row of a table: what is to be done, with its box or its state.
    pub(super) fn tick_row(&mut self, part: Option<Part>, group: &str, cells: &[Range<usize>], line: &Range<usize>) {
        let source = self.text;
        let worded = |range: &Range<usize>| source[range.clone()].contains(char::is_alphanumeric);
        let mut found: Option<(Check, Range<usize>)> = None;
        if let Some(columns) = self.ticks.clone() {
            let task = cells
                .get(columns.task)
                .map(|cell| cell_box(source, cell).map_or_else(|| cell.clone(), |(_, words)| words));
            let task = task.filter(worded);
            let boxes: Vec<(usize, Check, Range<usize>)> = columns
                .boxes
                .iter()
                .filter_map(|i| cell_box(source, cells.get(*i)?).map(|(check, words)| (*i, check, words)))
                .collect();
            let only = boxes.first().filter(|_| boxes.len() == 1);
            let yes = boxes.iter().find(|(i, ..)| columns.yes == Some(*i));
            if let Some((_, check, words)) = only.or(yes) {
                found = Some((*check, task.unwrap_or_else(|| words.clone())));
            } else if !boxes.is_empty() {
                self.pass(Passed::Several, line);
                return;
            } else if let Some((cell, task)) = columns.status.and_then(|i| cells.get(i)).zip(task) {
                // A row that is one bold cell is a heading inside the table.
                if source[task.clone()].starts_with("**") && cells.iter().filter(|cell| !cell.is_empty()).count() < 2 {
                    return;
                }
                let mark = status(source, cell).unwrap_or(Mark::Open);
                found = Some((Check { at: cell.start, len: cell.len(), mark }, task));
            }
        }
        match (found, part) {
            (Some((check, text)), _) if !worded(&text) || self.stops(group, &text, Some(check)) => {}
            (Some((check, text)), Some(Part::Dependencies)) => self.gate(group, &text, Some(check)),
            (Some((check, text)), Some(Part::Actions)) => self.action(&text, Some(check)),
            (Some((check, text)), Some(Part::Rollback)) => self.rollback(group, &text, Some(check)),
            (Some((check, text)), Some(Part::Strategy)) if self.approach(&text, check) => {}
            (Some((check, text)), _) => self.task(&text, Some(check)),
            (None, Some(Part::Dependencies | Part::Actions)) => self.pass(Passed::Unboxed, line),
            (None, _) => {}
        }
    }

    /// Reports ticked boxes and passed-over lines in one finding.
    pub(super) fn tell_ticks(&mut self) {
        let boxes: Vec<Check> =
            self.items.values().filter(|check| self.boxed(Some(**check)).is_some()).copied().collect();
        let ticked: Vec<Check> = boxes.iter().copied().filter(|check| check.done()).collect();
        let mut said: Vec<String> = self.passed.iter().map(|(why, (n, _))| why.words(*n)).collect();
        // A release plan in the template's structure is ticked while it is prepared.
        if !self.template() && !ticked.is_empty() {
            said.insert(0, format!("{} of {} boxes came ticked", ticked.len(), boxes.len()));
        }
        if said.is_empty() {
            return;
        }
        let first = ticked.iter().map(|check| check.range()).min_by_key(|range| range.start);
        let passed = self.passed.values().map(|(_, at)| at.clone()).min_by_key(|at| at.start);
        let (severity, help) = match self.passed.keys().next_back() {
            None => (Severity::Info, "Untick what is not done yet."),
            Some(Passed::NoGo) => (Severity::Warning, "Write the opposite as a gate, `- [ ] No P1 is open`."),
            Some(_) => (Severity::Warning, "To make a line a gate or a task, begin it with one box, `- [ ]`."),
        };
        let found = Diagnostic::new("TM095", said.join("; ") + ".", help, passed.or(first).unwrap_or(0..0));
        self.report(found.weighing(severity));
    }
}
