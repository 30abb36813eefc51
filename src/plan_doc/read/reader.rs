//! The reader: what it has found so far, and the plan it makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::domain::digest::digest;
use crate::domain::evidence::same_folded;
use crate::domain::plan::{
    ActionPlan, Approach, Contact, ContingencyPlan, GatePlan, Level, MetricPlan, Plan, PlannedTime, PointPlan,
    ReleaseType, Risk, RiskPlan, RungPlan, SignoffPlan, SignoffRole, StagePlan, TaskPlan, TriggerPlan,
};
use crate::plan_doc::blocks::{self, Block, Document, Section};
use crate::plan_doc::checkbox::Check;
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::fields::own_words;
use crate::plan_doc::grammar::{self, plain};
use crate::plan_doc::names::{self, Field, Match, Part, fold};
use crate::plan_doc::read::held::{Columns, PassedOver, TickColumns, Zoned};
use crate::plan_doc::read::reading::{Counts, Reading, Setting};

/// A trigger line, resolved once all metrics are known.
#[derive(Debug)]
pub(super) struct RawTrigger {
    pub(super) text: Range<usize>,
    pub(super) check: Option<Check>,
    /// Under a heading or label that says these are triggers; elsewhere only what a machine can watch is taken.
    pub(super) sure: bool,
}

/// A metric with the places its cells stand.
#[derive(Debug, Clone)]
pub(super) struct RawMetric {
    pub(super) plan: MetricPlan,
    /// The name's letters and digits.
    pub(super) folded: String,
    /// The name's words in order.
    pub(super) words: Vec<String>,
    pub(super) name: Range<usize>,
}

#[derive(Debug)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) setting: &'t Setting,
    pub(super) level: Level,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) items: BTreeMap<String, Check>,
    pub(super) texts: BTreeMap<String, String>,
    pub(super) slots: BTreeMap<String, Range<usize>>,
    pub(super) seen: BTreeMap<Field, Range<usize>>,
    /// Fields of the overview found unfilled.
    pub(super) blank: Vec<String>,
    pub(super) spans: Spans,
    pub(super) title: Option<String>,
    pub(super) service: Option<String>,
    pub(super) impact: Option<String>,
    pub(super) when: Option<PlannedTime>,
    pub(super) kind: Option<ReleaseType>,
    pub(super) risk: Option<Risk>,
    pub(super) owner: Option<Contact>,
    pub(super) on_call: Option<Contact>,
    pub(super) approach_seen: bool,
    pub(super) approaches: Vec<Approach>,
    pub(super) stages: Vec<(StagePlan, Range<usize>)>,
    pub(super) phases: Vec<(StagePlan, Range<usize>)>,
    pub(super) numbers: Vec<u32>,
    pub(super) columns: Option<Columns>,
    pub(super) metrics: Vec<RawMetric>,
    pub(super) metrics_seen: bool,
    pub(super) after_metrics: Option<usize>,
    pub(super) raw_triggers: Vec<RawTrigger>,
    pub(super) triggers_seen: bool,
    pub(super) triggers: Vec<(TriggerPlan, Range<usize>)>,
    pub(super) points: Vec<(PointPlan, Range<usize>)>,
    pub(super) rungs: Vec<(RungPlan, Range<usize>)>,
    /// The document says something of notices, if only that there is none.
    pub(super) rungs_seen: bool,
    pub(super) channel: Option<String>,
    pub(super) channel_seen: bool,
    pub(super) every: Option<u32>,
    pub(super) every_seen: bool,
    pub(super) escalation: Vec<Contact>,
    pub(super) escalation_seen: bool,
    pub(super) gates: Vec<GatePlan>,
    /// Documents without a link or path, by their place among the gates.
    pub(super) unlinked: Vec<usize>,
    pub(super) risks: Vec<RiskPlan>,
    pub(super) contingency: Vec<ContingencyPlan>,
    pub(super) actions: Vec<ActionPlan>,
    pub(super) actions_seen: bool,
    pub(super) watch_min: Option<u32>,
    pub(super) signoffs: Vec<SignoffPlan>,
    pub(super) tasks: Vec<TaskPlan>,
    pub(super) tasks_over: usize,
    /// How often each task's words came, for ids.
    pub(super) task_ids: BTreeMap<String, usize>,
    pub(super) parts: Vec<(Part, Match, Range<usize>)>,
    pub(super) pending: Option<Pending>,
    /// What was left out because there was too much of it.
    pub(super) left_out: BTreeMap<&'static str, usize>,
    /// Headings nobody knows.
    pub(super) unknown: Vec<String>,
    /// A metrics table has a "rollback if" column.
    pub(super) runbook: bool,
    /// Bold labels that begin a group, by their letters.
    pub(super) groups: BTreeSet<String>,
    /// The escalation path stands on the items below this depth; with the place of its label.
    pub(super) escalating: Option<(usize, Range<usize>)>,
    /// How deep the item being read is nested.
    pub(super) depth: usize,
    /// Signs that are bullets, by their byte.
    pub(super) bullets: BTreeSet<usize>,
    /// The columns of the table being read, where its rows can be ticked.
    pub(super) ticks: Option<TickColumns>,
    pub(super) passed: PassedOver,
    /// The section being read says who runs the release.
    pub(super) home: bool,
    /// The zones of the columns of the table being read, where there are several.
    pub(super) zones: Vec<Option<String>>,
    /// Rows that give their instant in several zones.
    pub(super) zoned: Vec<Zoned>,
}

/// A label whose value stands on the lines below it.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) field: Field,
    /// The empty value's place.
    pub(super) label: Range<usize>,
    pub(super) boxes: usize,
    pub(super) ticked: Vec<Range<usize>>,
}

/// A name's words in order, lower case.
pub(super) fn sorted_words(name: &str) -> Vec<String> {
    let low = name.to_lowercase();
    let mut words: Vec<String> =
        low.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words
}

/// Where fields stand, for rules that look at several.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) title: Range<usize>,
    pub(super) when: Range<usize>,
    pub(super) on_call: Range<usize>,
    pub(super) approach: Range<usize>,
    pub(super) every: Range<usize>,
    pub(super) escalation: Range<usize>,
    pub(super) review: Range<usize>,
    pub(super) signoffs: Vec<(SignoffRole, Range<usize>)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, setting: &'t Setting, document: &Document) -> Self {
        let headings = document.sections.iter().map(|section| &text[section.heading.clone()]);
        let template: BTreeSet<Part> = headings.filter_map(names::exact).collect();
        // The final word on B, C and D is had at the end; A is known by its headings.
        let level = if template.len() >= 5 { Level::A } else { Level::C };
        Self {
            text,
            setting,
            level,
            diagnostics: Vec::new(),
            items: BTreeMap::new(),
            texts: BTreeMap::new(),
            slots: BTreeMap::new(),
            seen: BTreeMap::new(),
            blank: Vec::new(),
            spans: Spans::default(),
            title: None,
            service: None,
            impact: None,
            when: None,
            kind: None,
            risk: None,
            owner: None,
            on_call: None,
            approach_seen: false,
            approaches: Vec::new(),
            stages: Vec::new(),
            phases: Vec::new(),
            numbers: Vec::new(),
            columns: None,
            metrics: Vec::new(),
            metrics_seen: false,
            after_metrics: None,
            raw_triggers: Vec::new(),
            triggers_seen: false,
            triggers: Vec::new(),
            points: Vec::new(),
            rungs: Vec::new(),
            rungs_seen: false,
            channel: None,
            channel_seen: false,
            every: None,
            every_seen: false,
            escalation: Vec::new(),
            escalation_seen: false,
            gates: Vec::new(),
            unlinked: Vec::new(),
            risks: Vec::new(),
            contingency: Vec::new(),
            actions: Vec::new(),
            actions_seen: false,
            watch_min: None,
            signoffs: Vec::new(),
            tasks: Vec::new(),
            tasks_over: 0,
            task_ids: BTreeMap::new(),
            parts: Vec::new(),
            pending: None,
            left_out: BTreeMap::new(),
            unknown: Vec::new(),
            runbook: false,
            groups: BTreeSet::new(),
            escalating: None,
            depth: 0,
            bullets: BTreeSet::new(),
            ticks: None,
            passed: PassedOver::new(),
            home: true,
            zones: Vec::new(),
            zoned: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn at(&self, range: &Range<usize>) -> &'t str {
        &self.text[range.clone()]
    }

    /// Remembers an item's box under its id.
    pub(super) fn item(&mut self, id: String, check: Option<Check>, words: &str) {
        if let Some(check) = check {
            self.texts.insert(id.clone(), words.to_owned());
            self.items.entry(id).or_insert(check);
        }
    }

    /// The metric a trigger's words mean.
    pub(super) fn metric_of(&self, name: &str) -> Option<&RawMetric> {
        let folded = fold(name);
        let by_name = self.metrics.iter().find(|metric| same_folded(&metric.folded, &folded));
        if by_name.is_some() {
            return by_name;
        }
        // "latency p99" is "P99 Latency".
        let words = sorted_words(name);
        self.metrics.iter().find(|metric| metric.words == words)
    }

    pub(super) fn template(&self) -> bool {
        self.level == Level::A
    }

    pub(super) fn finish(mut self, document: &Document) -> Reading {
        self.settle_below();
        self.escalation_step(&(0..0), None);
        self.settle_zoned();
        let counts = Counts {
            boxes_open: document.boxes.iter().filter(|check| !check.done()).count(),
            boxes_done: document.boxes.iter().filter(|check| check.done()).count(),
            tables: document.tables,
        };
        let heading = document.title.clone().unwrap_or_else(|| {
            document.sections.iter().map(|s| s.heading.clone()).find(|h| !h.is_empty()).unwrap_or(0..0)
        });
        let end = heading.clone();
        let extents = |stages: &[(StagePlan, Range<usize>)]| stages.iter().filter(|(s, _)| s.percent.is_some()).count();
        if self.stages.is_empty() || (self.phases.len() > 1 && extents(&self.phases) >= extents(&self.stages)) {
            self.stages = std::mem::take(&mut self.phases);
        }
        self.resolve_triggers();
        self.settle_level(document);
        self.style(document);
        if !self.template() && self.title.is_none() && !plain(self.at(&heading)).is_empty() {
            // Other people's plans are named by their heading.
            self.seen.insert(Field::Title, heading.clone());
        }
        self.judge(&end);
        let questions = self.questions();
        let level = self.level;
        let fallback = self.fallback_title(document, &heading);
        let diagnostics = super::fold::fold(std::mem::take(&mut self.diagnostics), self.text, level);
        let (title, items, texts, slots, after_metrics) = (
            self.title.clone(),
            std::mem::take(&mut self.items),
            std::mem::take(&mut self.texts),
            std::mem::take(&mut self.slots),
            self.after_metrics,
        );
        let (names_notices, fields) = (self.rungs_seen, self.seen.clone());
        let plan = self.plan(fallback);
        let digest = digest(&plan);
        Reading {
            plan: Some(plan),
            title,
            digest,
            diagnostics,
            questions,
            counts,
            names_notices,
            fields,
            items,
            texts,
            slots,
            after_metrics,
        }
    }

    /// A: the template's headings. B: a "rollback if" column, or metrics with T+N headings. C: something a release can be
    /// run by. D: a checklist.
    pub(super) fn settle_level(&mut self, document: &Document) {
        if self.level == Level::A {
            return;
        }
        let offset =
            |section: &Section| grammar::offset(self.at(&section.heading)).is_some_and(|(minutes, _)| minutes >= 0);
        let runbook =
            self.runbook || (!self.metrics.is_empty() && document.sections.iter().filter(|s| offset(s)).count() >= 2);
        let near = self.when.is_some()
            || self.seen.contains_key(&Field::When)
            || !self.stages.is_empty()
            || !self.metrics.is_empty()
            || !self.triggers.is_empty();
        self.level = match (runbook, near) {
            (true, _) => Level::B,
            (false, true) => Level::C,
            (false, false) => Level::D,
        };
    }

    pub(super) fn fallback_title(&self, document: &Document, heading: &Range<usize>) -> String {
        let front = || {
            let head = &self.text[..blocks::body_start(self.text)];
            let line = head.lines().find_map(|line| line.strip_prefix("title:"))?;
            Some(line.trim().trim_matches(['"', '\'']).to_owned())
        };
        let first = || {
            document.sections.iter().flat_map(|s| &s.blocks).find_map(|block| match block {
                Block::Line(range) | Block::Item { text: range, .. } => {
                    Some(plain(self.at(&own_words(self.text, range))))
                }
                Block::Row { .. } => None,
            })
        };
        let words = plain(self.at(heading));
        let words = if words.is_empty() { front().or_else(first).unwrap_or_default() } else { words };
        let words: String = words.chars().take(200).collect();
        if words.trim().is_empty() { "Untitled plan".to_owned() } else { words }
    }

    /// What a person has to be asked, in the template's words.
    pub(super) fn questions(&self) -> Vec<String> {
        let mut asked = self.blank.clone();
        for diagnostic in &self.diagnostics {
            if diagnostic.severity == Severity::Error
                && let Some(field) = &diagnostic.field
                && !asked.contains(field)
            {
                asked.push(field.clone());
            }
        }
        asked
    }

    pub(super) fn plan(self, fallback: String) -> Plan {
        let mut points: Vec<PointPlan> = self.points.into_iter().map(|(point, _)| point).collect();
        points.sort_by_key(|point| point.after_min);
        Plan {
            level: self.level,
            title: self.title.unwrap_or(fallback),
            service: self.service,
            impact: self.impact,
            t0: self.when,
            kind: self.kind,
            risk: self.risk,
            owner: self.owner,
            on_call: self.on_call,
            approaches: self.approaches,
            stages: self.stages.into_iter().map(|(stage, _)| stage).collect(),
            metrics: self.metrics.into_iter().map(|metric| metric.plan).collect(),
            triggers: self.triggers.into_iter().map(|(trigger, _)| trigger).collect(),
            points,
            rungs: self.rungs.into_iter().map(|(rung, _)| rung).collect(),
            channel: self.channel,
            channel_id: None,
            updates_every_min: self.every,
            escalation: self.escalation,
            gates: self.gates,
            risks: self.risks,
            contingency: self.contingency,
            actions: self.actions,
            signoffs: self.signoffs,
            tasks: self.tasks,
        }
    }
}
