//! The rollout: approach and stages, from lists, tables, or headings such as "Phase 2: Canary (5%)".

use std::ops::Range;

use crate::domain::plan::{Approach, PointPlan, StagePlan};
use crate::plan_doc::blocks::Section;
use crate::plan_doc::checkbox::Check;
use crate::plan_doc::diagnostics::Diagnostic;
use crate::plan_doc::fields::{label, own_words, placeholders};
use crate::plan_doc::grammar::{self, plain, unfilled};
use crate::plan_doc::names::fold;
use crate::plan_doc::read::held::StageColumns;
use crate::plan_doc::read::reader::Reader;

/// The most stages a plan can have.
const MAX_STAGES: usize = 20;

impl Reader<'_> {
    pub(super) fn strategy(&mut self, group: &str, text: &Range<usize>, check: Option<Check>, depth: usize) {
        if check.is_some_and(|check| self.approach(text, check)) {
            return;
        }
        if self.boxed(check).is_some() && !group.contains("stage") && !group.contains("phase") {
            self.task(text, check);
            return;
        }
        let template = self.template();
        let listed =
            group.contains("stage") || group.contains("phase") || group.contains("rollout") || group.contains("wave");
        if depth > 0 || !listed {
            return;
        }
        let line = own_words(self.text, text);
        let (number, words) = match label(self.text, &line) {
            Some((name, value)) => (ordinal(&plain(self.at(&name))), value),
            None => (ordinal(&plain(self.at(&line))), line.clone()),
        };
        let raw = self.at(&words);
        if unfilled(raw) || !placeholders(self.text, &words).is_empty() {
            if !unfilled(raw) || template {
                let message = "A stage still has a placeholder.";
                let help = "Describe the stage, such as `5% of users - 30 minutes`, or delete the line.";
                self.report(Diagnostic::new("TM021", message, help, line).of("Rollout Stages"));
            }
            return;
        }
        if let Some(comma) = grammar::decimal_comma(raw) {
            let at = words.start + comma;
            let found = Diagnostic::new(
                "TM050",
                "T-Minus can't read a number in this stage.",
                "Use a decimal point, such as `0.5%`.",
                line.clone(),
            );
            self.report(found.of("Rollout Stages").suggest(at..at + 1, "."));
            return;
        }
        let found = grammar::stages(raw);
        // In other people's words only a line that says how far or how long is a stage.
        if !template && found.iter().all(|stage| stage.percent.is_none()) {
            return;
        }
        self.add_stages(found, number, &line);
    }

    fn add_stages(&mut self, found: Vec<StagePlan>, number: Option<u32>, line: &Range<usize>) {
        self.numbers.extend(number);
        for stage in found {
            if self.stages.len() < MAX_STAGES {
                self.stages.push((stage, line.clone()));
            } else {
                *self.left_out.entry("stages").or_default() += 1;
            }
        }
    }

    /// The row of a table of stages.
    pub(super) fn stage_row(&mut self, columns: &StageColumns, cells: &[Range<usize>], line: &Range<usize>) {
        let cell =
            |i: Option<usize>| i.and_then(|i| cells.get(i)).map(|range| plain(self.at(range))).filter(|t| !unfilled(t));
        let Some(name) = cell(Some(columns.name)) else { return };
        let percent = cell(columns.percent).and_then(|t| grammar::percent(&t));
        let percent = percent.or_else(|| grammar::percent(&name));
        let hold_min = cell(columns.hold).and_then(|t| grammar::find_duration(&t)).map(|s| s.div_ceil(60));
        let group = cell(columns.percent).filter(|_| percent.is_none());
        if percent.is_none() && hold_min.is_none() {
            return;
        }
        let stage = StagePlan { text: name.clone(), percent, count: None, group, hold_min };
        self.add_stages(vec![stage], ordinal(&name), line);
    }

    /// True if the item is one of the approaches.
    pub(super) fn approach(&mut self, text: &Range<usize>, check: Check) -> bool {
        let raw = self.at(text);
        let folded = fold(raw);
        let inside = raw.find(':').map(|i| raw[i + 1..].trim_end_matches(')').trim().to_owned()).unwrap_or_default();
        let name = ["bigbang", "canary", "bluegreen", "featureflag"].into_iter().find(|name| folded.starts_with(name));
        let Some(name) = name else { return false };
        self.approach_seen = true;
        if self.spans.approach.is_empty() {
            self.spans.approach = text.clone();
        }
        self.item(format!("choice/{name}"), Some(check), raw);
        self.items.remove(&format!("choice/{name}"));
        if !check.done() {
            return true;
        }
        let field = "Rollout Approach";
        match name {
            "bigbang" => self.approaches.push(Approach::BigBang),
            "bluegreen" => self.approaches.push(Approach::BlueGreen),
            "canary" => match grammar::percent(raw).filter(|_| grammar::decimal_comma(raw).is_none()) {
                Some(percent) if percent > 0.0 && percent < 100.0 => self.approaches.push(Approach::Canary { percent }),
                _ => {
                    let help = "Write the percentage, such as `Canary (specify percentage: 5%)`.";
                    self.report(
                        Diagnostic::new("TM032", "Canary needs a percentage between 0 and 100.", help, text.clone())
                            .of(field),
                    );
                }
            },
            _ => {
                let groups = inside.trim_matches(['_', ' ']).to_owned();
                if unfilled(&inside) || groups.is_empty() {
                    let help = "Name the groups, such as `Feature Flag (specify groups: beta testers)`.";
                    self.report(Diagnostic::new("TM032", "Feature Flag needs groups.", help, text.clone()).of(field));
                } else {
                    self.approaches.push(Approach::FeatureFlag { groups: groups.chars().take(120).collect() });
                }
            }
        }
        true
    }

    /// A heading that is a stage by itself: "Phase 2: Canary (5%)", "Stage 1 - 10%"; or a point in time, "T+15m First look".
    pub(super) fn phase_heading(&mut self, section: &Section) {
        if self.template() {
            return;
        }
        let heading = plain(self.at(&section.heading));
        if let Some((minutes, span)) = grammar::offset(&heading)
            && span.start <= heading.len() - heading.trim_start_matches(|c: char| !c.is_alphabetic()).len()
            && let Some(after_min) = u32::try_from(minutes).ok().filter(|minutes| *minutes > 0)
            && !self.points.iter().any(|(point, _)| point.after_min == after_min)
        {
            let text = heading[span.end..].trim_start_matches([':', ' ', '-', '(', ')']).to_owned();
            self.points.push((PointPlan { after_min, text }, section.heading.clone()));
            return;
        }
        let low = heading.to_lowercase();
        let bare = low.trim_start_matches(|c: char| !c.is_alphabetic());
        let Some(word) = ["phase", "stage", "wave", "ring"].into_iter().find(|word| bare.starts_with(word)) else {
            return;
        };
        let after = bare[word.len()..].trim_start();
        if !after.starts_with(|c: char| c.is_ascii_digit()) || self.phases.len() >= MAX_STAGES {
            return;
        }
        let text = heading.trim_start_matches(|c: char| !c.is_alphabetic());
        // Summaries name the phases again.
        if self.phases.iter().any(|(known, _)| ordinal(&known.text) == ordinal(text)) {
            return;
        }
        let title = text.split_once([':', '—']).map_or(text, |(_, title)| title.trim());
        let mut stage = grammar::stages(title).remove(0);
        // A heading's own numbers are no duration: "Phase 3 (Week 3)".
        stage.hold_min = None;
        stage.group = None;
        stage.text = text.chars().take(200).collect();
        self.phases.push((stage, section.heading.clone()));
    }

    /// `**Duration:** 2 weeks` and `**Scope:** 5% of hosts` under a phase's heading.
    pub(super) fn phase_label(&mut self, words: &str, value: &Range<usize>) {
        let text = plain(self.at(value));
        let Some((stage, heading)) = self.phases.last_mut() else { return };
        // Only the phase this section began.
        if heading.start > value.start || unfilled(&text) {
            return;
        }
        match fold(words).as_str() {
            "duration" | "hold" | "soak" | "soaktime" | "holdtime" | "minimumduration" if stage.hold_min.is_none() => {
                stage.hold_min = grammar::find_duration(&text).map(|seconds| seconds.div_ceil(60));
            }
            "scope" | "traffic" | "percentage" | "rollout" | "users" | "audience" | "target"
                if stage.percent.is_none() =>
            {
                stage.percent = grammar::percent(&text);
                if stage.percent.is_none() {
                    stage.group = Some(text.chars().take(80).collect());
                }
            }
            _ => {}
        }
    }
}

/// The columns of a table of stages, by its header; `None` for any other table.
pub(super) fn stage_columns(header: &[String]) -> Option<StageColumns> {
    let first = header.first()?;
    if !["stage", "phase", "wave", "ring", "step"].iter().any(|word| first == word || first == &format!("{word}s")) {
        return None;
    }
    let find = |words: &[&str]| header.iter().skip(1).position(|h| words.iter().any(|w| h.contains(w))).map(|i| i + 1);
    let percent =
        find(&["percent", "traffic", "users", "scope", "audience", "population", "rollout", "cohort", "target"]);
    let hold = find(&["duration", "hold", "soak", "time", "minimum", "bake", "wait"]);
    (percent.is_some() || hold.is_some()).then_some(StageColumns { name: 0, percent, hold })
}

/// `Stage 2` → 2.
fn ordinal(text: &str) -> Option<u32> {
    let low = text.to_lowercase();
    let word = ["stage", "phase", "wave", "ring"].into_iter().find(|word| low.starts_with(word))?;
    let digits: String = low[word.len()..].trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
