//! Reads a document into a plan with diagnostics: which section means what, which field stands where. Values are the
//! grammars' business, rules over several fields are `judge`'s. It must not know what has happened since.

mod checklists;
mod comms;
mod fold;
mod judge;
mod metrics;
mod overview;
mod relative;
mod rollout;
mod rows;
mod style;
mod ticks;
mod triggers;
mod walk;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::Timestamp;

pub use self::comms::{MAX_RUNGS, audience};
use super::blocks::{self, Block, Document, Section};
use super::checkbox::Check;
use super::diagnostics::{Diagnostic, Severity};
use super::fields::own_words;
use super::grammar::plain;
use super::names::{self, Field, Match, Part, fold};
use crate::domain::digest::digest;
use crate::domain::evidence::same_folded;
use crate::domain::plan::{
    ActionPlan, Approach, Contact, ContingencyPlan, GatePlan, Level, MetricPlan, Plan, PlannedTime, PointPlan,
    ReleaseType, Risk, RiskPlan, RungPlan, SignoffPlan, SignoffRole, StagePlan, TaskPlan, TriggerPlan,
};

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

/// A trigger line, resolved once all metrics are known.
#[derive(Debug)]
struct RawTrigger {
    text: Range<usize>,
    check: Option<Check>,
    /// Under a heading or label that says these are triggers; elsewhere only what a machine can watch is taken.
    sure: bool,
}

/// A metric with the places its cells stand.
#[derive(Debug, Clone)]
struct RawMetric {
    plan: MetricPlan,
    /// The name's letters and digits.
    folded: String,
    /// The name's words in order.
    words: Vec<String>,
    name: Range<usize>,
}

#[derive(Debug)]
struct Reader<'t> {
    text: &'t str,
    setting: &'t Setting,
    level: Level,
    diagnostics: Vec<Diagnostic>,
    items: BTreeMap<String, Check>,
    texts: BTreeMap<String, String>,
    slots: BTreeMap<String, Range<usize>>,
    seen: BTreeMap<Field, Range<usize>>,
    /// Fields of the overview found unfilled.
    blank: Vec<String>,
    spans: Spans,
    title: Option<String>,
    service: Option<String>,
    impact: Option<String>,
    when: Option<PlannedTime>,
    kind: Option<ReleaseType>,
    risk: Option<Risk>,
    owner: Option<Contact>,
    on_call: Option<Contact>,
    approach_seen: bool,
    approaches: Vec<Approach>,
    stages: Vec<(StagePlan, Range<usize>)>,
    phases: Vec<(StagePlan, Range<usize>)>,
    numbers: Vec<u32>,
    columns: Option<metrics::Columns>,
    metrics: Vec<RawMetric>,
    metrics_seen: bool,
    after_metrics: Option<usize>,
    raw_triggers: Vec<RawTrigger>,
    triggers_seen: bool,
    triggers: Vec<(TriggerPlan, Range<usize>)>,
    points: Vec<(PointPlan, Range<usize>)>,
    rungs: Vec<(RungPlan, Range<usize>)>,
    /// The document says something of notices, if only that there is none.
    rungs_seen: bool,
    channel: Option<String>,
    channel_seen: bool,
    every: Option<u32>,
    every_seen: bool,
    escalation: Vec<Contact>,
    escalation_seen: bool,
    gates: Vec<GatePlan>,
    /// Documents without a link or path, by their place among the gates.
    unlinked: Vec<usize>,
    risks: Vec<RiskPlan>,
    contingency: Vec<ContingencyPlan>,
    actions: Vec<ActionPlan>,
    actions_seen: bool,
    watch_min: Option<u32>,
    signoffs: Vec<SignoffPlan>,
    tasks: Vec<TaskPlan>,
    tasks_over: usize,
    /// How often each task's words came, for ids.
    task_ids: BTreeMap<String, usize>,
    parts: Vec<(Part, Match, Range<usize>)>,
    pending: Option<Pending>,
    /// What was left out because there was too much of it.
    left_out: BTreeMap<&'static str, usize>,
    /// Headings nobody knows.
    unknown: Vec<String>,
    /// A metrics table has a "rollback if" column.
    runbook: bool,
    /// Bold labels that begin a group, by their letters.
    groups: BTreeSet<String>,
    /// The escalation path stands on the items below this depth; with the place of its label.
    escalating: Option<(usize, Range<usize>)>,
    /// How deep the item being read is nested.
    depth: usize,
    /// Signs that are bullets, by their byte.
    bullets: BTreeSet<usize>,
    /// The columns of the table being read, where its rows can be ticked.
    ticks: Option<ticks::TickColumns>,
    passed: ticks::PassedOver,
    /// The section being read says who runs the release.
    home: bool,
    /// The zones of the columns of the table being read, where there are several.
    zones: Vec<Option<String>>,
    /// Rows that give their instant in several zones.
    zoned: Vec<zones::Zoned>,
}

/// A label whose value stands on the lines below it.
#[derive(Debug)]
struct Pending {
    field: Field,
    /// The empty value's place.
    label: Range<usize>,
    boxes: usize,
    ticked: Vec<Range<usize>>,
}

/// A name's words in order, lower case.
fn sorted_words(name: &str) -> Vec<String> {
    let low = name.to_lowercase();
    let mut words: Vec<String> =
        low.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    words.sort_unstable();
    words
}

/// Where fields stand, for rules that look at several.
#[derive(Debug, Default)]
struct Spans {
    title: Range<usize>,
    when: Range<usize>,
    on_call: Range<usize>,
    approach: Range<usize>,
    every: Range<usize>,
    escalation: Range<usize>,
    review: Range<usize>,
    signoffs: Vec<(SignoffRole, Range<usize>)>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, setting: &'t Setting, document: &Document) -> Self {
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
            passed: ticks::PassedOver::new(),
            home: true,
            zones: Vec::new(),
            zoned: Vec::new(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn at(&self, range: &Range<usize>) -> &'t str {
        &self.text[range.clone()]
    }

    /// Remembers an item's box under its id.
    fn item(&mut self, id: String, check: Option<Check>, words: &str) {
        if let Some(check) = check {
            self.texts.insert(id.clone(), words.to_owned());
            self.items.entry(id).or_insert(check);
        }
    }

    /// The metric a trigger's words mean.
    fn metric_of(&self, name: &str) -> Option<&RawMetric> {
        let folded = fold(name);
        let by_name = self.metrics.iter().find(|metric| same_folded(&metric.folded, &folded));
        if by_name.is_some() {
            return by_name;
        }
        // "latency p99" is "P99 Latency".
        let words = sorted_words(name);
        self.metrics.iter().find(|metric| metric.words == words)
    }

    fn template(&self) -> bool {
        self.level == Level::A
    }

    fn finish(mut self, document: &Document) -> Reading {
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
        let diagnostics = fold::fold(std::mem::take(&mut self.diagnostics), self.text, level);
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
    fn settle_level(&mut self, document: &Document) {
        if self.level == Level::A {
            return;
        }
        let offset = |section: &Section| {
            super::grammar::offset(self.at(&section.heading)).is_some_and(|(minutes, _)| minutes >= 0)
        };
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

    fn fallback_title(&self, document: &Document, heading: &Range<usize>) -> String {
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
    fn questions(&self) -> Vec<String> {
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

    fn plan(self, fallback: String) -> Plan {
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
