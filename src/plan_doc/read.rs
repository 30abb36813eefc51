//! Reads a document into a plan with diagnostics: which section means what, which field stands where. Values are the
//! grammars' business.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::blocks::{self, Block, Section};
use super::diagnostics::{Blocks, Diagnostic};
use super::fields::{chain, choices, contact, fold, label, slug};
use super::grammar::{self, plain, unfilled};
use super::time::parse_when;
use crate::domain::ids::Audience;
use crate::domain::plan::{
    ActionPlan, Approach, Bound, Cmp, Contact, ContingencyPlan, ContingencyWhen, GateKind, GatePlan, MetricPlan, Plan,
    PlannedTime, PointPlan, Quantity, ReleaseType, Risk, RiskPlan, RungPlan, SignoffPlan, SignoffRole, StagePlan,
    TriggerPlan, t_label,
};

/// What reading gave.
#[derive(Debug)]
pub struct Reading {
    /// Absent if something that blocks import was found.
    pub plan: Option<Plan>,
    /// SHA-256 over the material fields, in hexadecimal.
    pub digest: String,
    pub diagnostics: Vec<Diagnostic>,
    /// Where each item's box stands: item id → byte of its symbol.
    pub boxes: BTreeMap<String, usize>,
    /// Bytes of a sign-off line after its role, for export.
    pub signoff_slots: BTreeMap<SignoffRole, Range<usize>>,
}

/// Reads a plan. `default_zone` is the workspace's, used where the date names none.
pub fn read(bytes: &[u8], default_zone: Option<&str>) -> Reading {
    let mut reader = Reader::default();
    let text = match blocks::admit(bytes) {
        Ok(text) => text,
        Err(diagnostic) => return reader.refused(diagnostic),
    };
    let document = match blocks::parse(text) {
        Ok(document) => document,
        Err(diagnostic) => return reader.refused(diagnostic),
    };
    reader.text = text.to_owned();
    for section in &document.sections {
        reader.section(section, default_zone);
    }
    let end = document.title.map_or(0..0, |t| t);
    reader.finish(end)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Overview,
    Dependencies,
    Strategy,
    Success,
    Rollback,
    Communication,
    Risks,
    Actions,
    Signoffs,
}

/// Headings by what they mean; the first of each is the template's.
const HEADINGS: &[(Part, &[&str])] = &[
    (Part::Overview, &["Release Overview", "Overview", "Release Information", "Release Summary"]),
    (Part::Dependencies, &["Pre-Release Dependencies", "Dependencies", "Prerequisites"]),
    (Part::Strategy, &["Deployment Strategy", "Rollout Strategy", "Rollout Plan", "Rollout Phases"]),
    (Part::Success, &["Success Criteria", "Success Metrics", "Monitoring"]),
    (Part::Rollback, &["Rollback Criteria", "Rollback Triggers", "Rollback Plan", "Rollback Procedures"]),
    (Part::Communication, &["Communication Plan", "Communications", "Communication"]),
    (Part::Risks, &["Risk Mitigation", "Risks", "Risk Assessment"]),
    (Part::Actions, &["Post-Release Actions", "Post-Release", "Follow-up Actions"]),
    (Part::Signoffs, &["Approval Sign-offs", "Sign-offs", "Approvals"]),
];

fn part(heading: &str) -> Option<Part> {
    let wanted = fold(heading);
    let exact = HEADINGS.iter().find(|(_, names)| names.iter().any(|name| fold(name) == wanted));
    let near = || {
        HEADINGS.iter().find(|(_, names)| {
            let first = fold(names[0]);
            strsim::damerau_levenshtein(&first, &wanted) <= (first.len() / 5).max(1)
        })
    };
    exact.or_else(near).map(|(part, _)| *part)
}

#[derive(Debug, Default)]
struct Reader {
    text: String,
    diagnostics: Vec<Diagnostic>,
    boxes: BTreeMap<String, usize>,
    slots: BTreeMap<SignoffRole, Range<usize>>,
    title: Option<String>,
    service: Option<String>,
    when: Option<PlannedTime>,
    kind: Option<ReleaseType>,
    risk: Option<Risk>,
    owner: Option<Contact>,
    on_call: Option<Contact>,
    approaches: Vec<Approach>,
    stages: Vec<StagePlan>,
    metrics: Vec<MetricPlan>,
    triggers: Vec<TriggerPlan>,
    points: Vec<PointPlan>,
    rungs: Vec<RungPlan>,
    channel: Option<String>,
    every: Option<u32>,
    escalation: Vec<Contact>,
    gates: Vec<GatePlan>,
    risks: Vec<RiskPlan>,
    contingency: Vec<ContingencyPlan>,
    actions: Vec<ActionPlan>,
    signoffs: Vec<SignoffPlan>,
    seen: Vec<&'static str>,
}

impl Reader {
    fn refused(mut self, diagnostic: Diagnostic) -> Reading {
        self.diagnostics.push(diagnostic);
        Reading {
            plan: None,
            digest: String::new(),
            diagnostics: self.diagnostics,
            boxes: self.boxes,
            signoff_slots: self.slots,
        }
    }

    fn find(
        &mut self,
        code: &'static str,
        blocks: Blocks,
        message: impl Into<String>,
        help: impl Into<String>,
        span: Range<usize>,
    ) {
        self.diagnostics.push(Diagnostic { code, blocks, message: message.into(), help: help.into(), span });
    }

    fn at(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    fn section(&mut self, section: &Section, zone: Option<&str>) {
        let heading = self.at(&section.heading).to_owned();
        let Some(part) = part(&heading) else {
            self.find(
                "TM012",
                Blocks::Nothing,
                format!("Section `{heading}` is kept as it is."),
                "",
                section.heading.clone(),
            );
            return;
        };
        let mut group = String::new();
        for block in &section.blocks {
            if let Block::Line(line) = block
                && let Some((name, value)) = label(&self.text, line)
            {
                let name = self.at(&name).to_owned();
                if part == Part::Overview {
                    self.overview(&name, value, zone);
                } else {
                    group = fold(&name);
                }
                continue;
            }
            match part {
                Part::Overview => {}
                Part::Dependencies => self.gate(&group, block),
                Part::Strategy => self.strategy(&group, block),
                Part::Success => self.metric(block),
                Part::Rollback => self.rollback(&group, block),
                Part::Communication => self.communication(&group, block),
                Part::Risks => self.risk_or_contingency(&group, block),
                Part::Actions => self.action(block),
                Part::Signoffs => self.signoff(block),
            }
        }
    }

    fn overview(&mut self, name: &str, value: Range<usize>, zone: Option<&str>) {
        let raw = self.at(&value).to_owned();
        let name = fold(name);
        let field = match name.as_str() {
            "featurechange" | "feature" | "change" | "release" | "title" => "title",
            "releasedatetime" | "releasedate" | "datetime" | "date" | "when" => "when",
            "releasetype" | "type" => "kind",
            "risklevel" | "risk" => "risk",
            "releaseowner" | "owner" => "owner",
            "oncallengineer" | "oncall" => "on-call",
            "service" => "service",
            _ => return,
        };
        if self.seen.contains(&field) {
            self.find("TM013", Blocks::Submit, "This field stands here twice.", "Keep one of them.", value);
            return;
        }
        self.seen.push(field);
        let choice = matches!(field, "kind" | "risk");
        if !choice && unfilled(&raw) {
            if field != "service" {
                self.find("TM020", Blocks::Submit, "This field is not filled.", "Replace the placeholder.", value);
            }
            return;
        }
        match field {
            "title" => self.title = Some(raw.chars().take(200).collect()),
            "service" => self.service = Some(plain(&raw).chars().take(60).collect()),
            "owner" => self.owner = Some(contact(&raw)),
            "on-call" => self.on_call = Some(contact(&raw)),
            "kind" => self.kind = self.one_of(&value, ReleaseType::ALL, "release type"),
            "risk" => self.risk = self.one_of(&value, Risk::ALL, "risk level"),
            _ => match parse_when(&plain(&raw), zone) {
                Ok(when) => self.when = Some(when),
                Err((code, message, help)) => self.find(code, Blocks::Import, message, help, value),
            },
        }
    }

    fn one_of<T: Copy + std::fmt::Display>(&mut self, value: &Range<usize>, all: &[T], what: &str) -> Option<T> {
        let boxes = choices(&self.text, value);
        let expected = all.iter().map(|v| format!("[x] {v}")).collect::<Vec<_>>().join(" or ");
        let picked: Vec<String> = if boxes.is_empty() {
            vec![self.at(value).to_owned()]
        } else {
            boxes.iter().filter(|(check, _)| check.done).map(|(_, text)| self.at(text).to_owned()).collect()
        };
        if let [only] = picked.as_slice() {
            let found = all.iter().find(|v| fold(&v.to_string()) == fold(only));
            if found.is_some() {
                return found.copied();
            }
            let near = all.iter().max_by(|a, b| {
                let score = |v: &T| strsim::jaro_winkler(&fold(&v.to_string()), &fold(only));
                score(a).total_cmp(&score(b))
            });
            let near = near.map_or(String::new(), |v| format!(" Did you mean `{v}`?"));
            self.find(
                "TM030",
                Blocks::Submit,
                format!("`{only}` is not a {what}."),
                format!("Tick one: {expected}.{near}"),
                value.clone(),
            );
        } else {
            let n = if picked.is_empty() { "No" } else { "More than one" };
            self.find(
                "TM030",
                Blocks::Submit,
                format!("{n} {what} is ticked."),
                format!("Tick one: {expected}."),
                value.clone(),
            );
        }
        None
    }

    fn gate(&mut self, group: &str, block: &Block) {
        let Block::Item { text, check: Some(check) } = block else {
            return;
        };
        let words = plain(self.at(text));
        let kind = if group.contains("document") { GateKind::Document } else { GateKind::Prerequisite };
        if unfilled(&words) || self.gates.iter().any(|g| g.text == words) {
            return;
        }
        let id = unique(&slug(&words), |id| self.gates.iter().any(|g| g.id == id));
        self.boxes.insert(format!("gate/{id}"), check.at);
        self.gates.push(GatePlan { id, text: words, kind, done: check.done });
    }

    fn strategy(&mut self, group: &str, block: &Block) {
        let Block::Item { text, check } = block else {
            return;
        };
        let raw = self.at(text).to_owned();
        if let Some(check) = check {
            if !check.done {
                return;
            }
            let folded = fold(&raw);
            let inside =
                raw.find(':').map(|i| raw[i + 1..].trim_end_matches(')').trim().to_owned()).unwrap_or_default();
            if folded.starts_with("bigbang") {
                self.approaches.push(Approach::BigBang);
            } else if folded.starts_with("canary") {
                match grammar::percent(&raw) {
                    Some(percent) if percent > 0.0 => self.approaches.push(Approach::Canary { percent }),
                    _ => self.find(
                        "TM032",
                        Blocks::Submit,
                        "Canary without a percentage.",
                        "Write it like `Canary (specify percentage: 5%)`.",
                        text.clone(),
                    ),
                }
            } else if folded.starts_with("bluegreen") {
                self.approaches.push(Approach::BlueGreen);
            } else if folded.starts_with("featureflag") {
                if unfilled(&inside) {
                    self.find(
                        "TM032",
                        Blocks::Submit,
                        "Feature flag without groups.",
                        "Name the groups.",
                        text.clone(),
                    );
                } else {
                    self.approaches.push(Approach::FeatureFlag { groups: inside });
                }
            }
            return;
        }
        if !group.contains("stage") {
            return;
        }
        let first = raw.lines().next().unwrap_or_default();
        let line = text.start..text.start + first.len();
        let words = label(&self.text, &line).map_or(first.to_owned(), |(_, value)| self.at(&value).to_owned());
        if unfilled(&words) || words.contains("[Description]") {
            return;
        }
        let stage = grammar::stage(&words);
        if stage.hold_min.is_none() {
            self.find(
                "TM041",
                Blocks::Nothing,
                "This stage names no soak time.",
                "Add how long it runs, `30 minutes`.",
                line,
            );
        }
        self.stages.push(stage);
    }

    fn metric(&mut self, block: &Block) {
        let Block::Row { cells, header: false } = block else {
            return;
        };
        let Some(name) = cells.first().map(|c| plain(self.at(c))) else {
            return;
        };
        let cell = |i: usize| cells.get(i).cloned().filter(|c| !unfilled(&self.text[c.clone()]));
        let (baseline, success, alert) = (cell(1), cell(2), cell(3));
        if unfilled(&name) || (baseline.is_none() && success.is_none() && alert.is_none()) {
            return;
        }
        let base = baseline.and_then(|range| {
            let parsed = grammar::bound(self.at(&range), None).map(|(_, quantity)| quantity);
            if parsed.is_none() {
                let message = format!("`{}` is not a value we can read.", self.at(&range));
                self.find("TM050", Blocks::Import, message, "Expected a number with a unit, `200ms` or `0.4%`.", range);
            }
            parsed
        });
        let lower_is_better = {
            let folded = fold(&name);
            !["throughput", "availability", "success", "conversion", "uptime"].iter().any(|w| folded.contains(w))
        };
        let success = success.and_then(|range| self.bound(&range, base.as_ref(), lower_is_better));
        let alert = alert.and_then(|range| self.bound(&range, base.as_ref(), !lower_is_better));
        if let (Some(success), Some(alert)) = (&success, &alert)
            && overlap(success, alert)
        {
            let range = cells[0].clone();
            let message = format!("`{success}` and `{alert}` overlap: a value could be healthy and alerting.");
            self.find("TM052", Blocks::Submit, message, "Let the alert lie beyond the success threshold.", range);
        }
        self.metrics.push(MetricPlan { name, baseline: base, success, alert });
    }

    fn bound(&mut self, range: &Range<usize>, baseline: Option<&Quantity>, below: bool) -> Option<Bound> {
        let raw = self.at(range).to_owned();
        let Some((cmp, than)) = grammar::bound(&raw, baseline) else {
            let comma = plain(&raw).contains(',');
            let help =
                if comma { "Use a decimal point, `1.5%`." } else { "Expected a comparison, `< 250ms` or `> 1%`." };
            self.find("TM050", Blocks::Import, format!("`{raw}` is not a threshold we can read."), help, range.clone());
            return None;
        };
        let cmp = cmp.unwrap_or_else(|| {
            let assumed = if below { Cmp::Below } else { Cmp::Above };
            self.find(
                "TM051",
                Blocks::Nothing,
                format!("`{raw}` has no comparison; `{assumed}` is assumed."),
                "Write it down.",
                range.clone(),
            );
            assumed
        });
        let unit = baseline.map_or("", |b| b.unit.as_str());
        let Some(than) = than.convert(unit) else {
            let message = format!("`{raw}` is not in the baseline's unit `{unit}`.");
            self.find("TM055", Blocks::Submit, message, "Use one unit in a row.", range.clone());
            return None;
        };
        Some(Bound { cmp, than })
    }

    fn rollback(&mut self, group: &str, block: &Block) {
        let Block::Item { text, check } = block else {
            return;
        };
        let words = plain(self.at(text));
        if group.contains("decision") {
            let Some((minutes, span)) = grammar::offset(&words) else {
                return;
            };
            let Ok(after_min) = u32::try_from(minutes) else {
                self.find("TM078", Blocks::Submit, "A decision point before T-0.", "Use `T+15 minutes`.", text.clone());
                return;
            };
            let label = words[span.end..].trim_start_matches([':', ' ', '-']).to_owned();
            if let Some(check) = check {
                self.boxes.insert(format!("point/{after_min}"), check.at);
            }
            if !self.points.iter().any(|p| p.after_min == after_min) {
                self.points.push(PointPlan { after_min, text: label });
            }
            return;
        }
        let ticked = check.is_some_and(|c| c.done);
        if unfilled(&words) || words.contains("[Custom") {
            if ticked {
                self.find(
                    "TM067",
                    Blocks::Submit,
                    "A trigger is ticked but not filled.",
                    "Fill the blanks or untick it.",
                    text.clone(),
                );
            }
            return;
        }
        if words.starts_with("~~") {
            return; // Struck through: disarmed.
        }
        let rule = grammar::trigger(&words);
        if rule.is_none() {
            self.find(
                "TM065",
                Blocks::Nothing,
                "A person has to judge this trigger; nothing watches it.",
                "A watched one reads like `Error rate exceeds 2% for 5 minutes`.",
                text.clone(),
            );
        }
        if let Some(check) = check {
            self.boxes.insert(format!("trigger/{}", self.triggers.len()), check.at);
        }
        self.triggers.push(TriggerPlan { text: words, ticked, rule });
    }

    fn communication(&mut self, group: &str, block: &Block) {
        let Block::Item { text, check } = block else {
            return;
        };
        let raw = self.at(text).to_owned();
        let words = plain(&raw);
        let folded = fold(&words);
        let mut mark = |id: String| {
            if let Some(check) = check {
                self.boxes.insert(id, check.at);
            }
        };
        if group.contains("pre") {
            let Some((minutes, span)) = grammar::offset(&words) else {
                return;
            };
            let Some(before_min) = u32::try_from(-minutes).ok().filter(|m| *m > 0) else {
                self.find(
                    "TM078",
                    Blocks::Submit,
                    "A notice after T-0 in the ladder before it.",
                    "Use `(T-2h)`.",
                    text.clone(),
                );
                return;
            };
            let what = words[..span.start].trim_end_matches(['(', ' ', '-']).to_owned();
            let audience = audience(&folded);
            let rung = RungPlan { before_min, audience, text: what };
            mark(format!("rung/{}", rung.key()));
            if !self.rungs.iter().any(|r| r.key() == rung.key()) {
                self.rungs.push(rung);
            }
        } else if group.contains("during") {
            let value = words.split_once(':').map(|(_, v)| v.trim().to_owned()).unwrap_or_default();
            if folded.contains("channel") {
                mark("channel".to_owned());
                if !unfilled(&value) {
                    self.channel = Some(value);
                }
            } else if folded.starts_with("updatesevery") {
                mark("updates".to_owned());
                let minutes = grammar::duration_min(&value).or_else(|| {
                    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
                    (!value.contains('/') && !digits.is_empty()).then(|| digits.parse().ok()).flatten()
                });
                match minutes.filter(|m| (5..=240).contains(m)) {
                    Some(minutes) => self.every = Some(minutes),
                    None => self.find(
                        "TM020",
                        Blocks::Submit,
                        "The update interval is not one number of minutes.",
                        "Write `Updates every: 30 minutes` (5 to 240).",
                        text.clone(),
                    ),
                }
            } else if folded.starts_with("escalation") {
                mark("escalation".to_owned());
                if !unfilled(&value) {
                    self.escalation = chain(&value);
                }
            }
        } else if group.contains("post") {
            if folded.starts_with("allclear") {
                mark("all-clear".to_owned());
            } else if folded.starts_with("postmortem") {
                mark("post-mortem".to_owned());
            } else if folded.starts_with("successmetrics") {
                mark("metrics-shared".to_owned());
            }
        }
    }

    fn risk_or_contingency(&mut self, group: &str, block: &Block) {
        let Block::Item { text, .. } = block else { return };
        let raw = self.at(text).to_owned();
        if group.contains("contingency") {
            let Some((name, value)) =
                label(&self.text, &(text.start..text.start + raw.lines().next().map_or(0, str::len)))
            else {
                return;
            };
            let (name, value) = (fold(self.at(&name)), plain(self.at(&value)));
            let when = if name.contains("rollback") {
                ContingencyWhen::RollbackFails
            } else if name.contains("blind") || name.contains("monitoring") {
                ContingencyWhen::BlindSpot
            } else if name.contains("cascad") {
                ContingencyWhen::Cascade
            } else {
                return;
            };
            if !unfilled(&value) {
                self.contingency.push(ContingencyPlan { when, text: value });
            }
            return;
        }
        let mut risk = String::new();
        let mut mitigation = String::new();
        let mut at = text.start;
        for line in raw.split_inclusive('\n') {
            let range = blocks::trim(&self.text, at..at + line.len());
            at += line.len();
            if let Some((name, value)) = label(&self.text, &range) {
                let words = plain(self.at(&value));
                match fold(self.at(&name)).as_str() {
                    "risk" => risk = words,
                    "mitigation" => mitigation = words,
                    _ => {}
                }
            }
        }
        if !unfilled(&risk) {
            if unfilled(&mitigation) {
                mitigation = String::new();
            }
            self.risks.push(RiskPlan { risk, mitigation });
        }
    }

    fn action(&mut self, block: &Block) {
        let Block::Item { text, check: Some(check) } = block else {
            return;
        };
        let words = plain(self.at(text));
        if words.contains("[duration]") {
            self.find(
                "TM021",
                Blocks::Nothing,
                "A placeholder is left in an action.",
                "Say for how long, `24 hours`.",
                text.clone(),
            );
            return;
        }
        let folded = fold(&words);
        let for_min = folded.starts_with("monitor").then(|| grammar::find_duration_min(&words)).flatten();
        if self.actions.iter().any(|a| a.text == words) {
            return;
        }
        let id = unique(&slug(&words), |id| self.actions.iter().any(|a| a.id == id));
        self.boxes.insert(format!("action/{id}"), check.at);
        if !check.done {
            self.actions.push(ActionPlan { id, text: words, for_min });
        }
    }

    fn signoff(&mut self, block: &Block) {
        let Block::Item { text, check } = block else {
            return;
        };
        let raw = self.at(text).to_owned();
        let Some((who, rest)) = raw.split_once(':') else {
            return;
        };
        let folded = fold(who);
        let role = SignoffRole::ALL.iter().copied().find(|role| folded.starts_with(&fold(&role.to_string())));
        let Some(role) = role else {
            self.find(
                "TM082",
                Blocks::Submit,
                format!("`{}` is not a sign-off role we know.", plain(who)),
                "Use Engineering Lead, Product Owner, SRE/Ops or Security.",
                text.clone(),
            );
            return;
        };
        if let Some(check) = check {
            self.boxes.insert(format!("signoff/{}", role.slug()), check.at);
        }
        let slot = blocks::trim(&self.text, text.end - rest.len()..text.end);
        self.slots.insert(role, slot);
        let name = rest.split(" - ").next().map(plain).filter(|n| !unfilled(n));
        self.signoffs.push(SignoffPlan { role, name });
    }

    fn finish(mut self, end: Range<usize>) -> Reading {
        let missing: [(&'static str, bool, &str); 6] = [
            ("title", self.title.is_some(), "Feature/Change"),
            ("when", self.when.is_some(), "Release Date/Time"),
            ("kind", self.kind.is_some(), "Release Type"),
            ("risk", self.risk.is_some(), "Risk Level"),
            ("owner", self.owner.is_some(), "Release Owner"),
            ("on-call", self.on_call.is_some(), "On-Call Engineer"),
        ];
        for (field, filled, name) in missing {
            if !filled && !self.seen.contains(&field) {
                let help = format!("Add `**{name}:** …` under `## Release Overview`.");
                self.find("TM010", Blocks::Submit, format!("`{name}` is missing."), help, end.clone());
            }
        }
        self.judge(&end);
        self.diagnostics.sort_by_key(|d| (std::cmp::Reverse(d.blocks), d.span.start));
        let blocked = self.diagnostics.iter().any(|d| d.blocks == Blocks::Import);
        // Without a title or a date there is nothing to show or schedule: those two decide whether it is a plan at all.
        let basics = self.title.is_some() && self.when.is_some();
        if !basics && !blocked {
            self.find(
                "TM010",
                Blocks::Import,
                "This is not a release plan we can keep.",
                "It needs at least `Feature/Change` and `Release Date/Time`, filled in.",
                end,
            );
        }
        let plan = (basics && !blocked).then(|| self.plan());
        let digest = plan.as_ref().map(digest).unwrap_or_default();
        Reading { plan, digest, diagnostics: self.diagnostics, boxes: self.boxes, signoff_slots: self.slots }
    }

    /// Rules that look at more than one field (`plans.md` 5, 5.2, 7).
    fn judge(&mut self, end: &Range<usize>) {
        let big_bang = self.approaches.contains(&Approach::BigBang);
        let canary = self.approaches.iter().find_map(|a| match a {
            Approach::Canary { percent } => Some(*percent),
            _ => None,
        });
        if big_bang && canary.is_some() {
            self.find("TM031", Blocks::Submit, "Big Bang and Canary are both ticked.", "Keep one.", end.clone());
        }
        let percents: Vec<f64> = self.stages.iter().filter_map(|s| s.percent).collect();
        if percents.windows(2).any(|w| w[1] <= w[0]) {
            self.find(
                "TM040",
                Blocks::Submit,
                "Stage percentages do not rise.",
                "Order the stages from small to 100%.",
                end.clone(),
            );
        }
        if percents.len() == self.stages.len() && percents.last().is_some_and(|p| *p < 100.0) {
            self.find(
                "TM040",
                Blocks::Submit,
                "The last stage is not 100%.",
                "Add the stage that reaches everyone.",
                end.clone(),
            );
        }
        let risk = self.risk.unwrap_or(Risk::Low);
        let (triggers, metrics) = match risk {
            Risk::Low => (0, 0),
            Risk::Medium => (1, 2),
            Risk::High => (2, 3),
        };
        let watched = self.triggers.iter().filter(|t| t.rule.is_some()).count();
        if watched < triggers {
            let message = format!("{risk} risk needs {triggers} watched triggers; {watched} found.");
            self.find(
                "TM060",
                Blocks::Submit,
                message,
                "Write them like `Error rate exceeds 2% for 5 minutes`.",
                end.clone(),
            );
        }
        if self.metrics.len() < metrics {
            let message = format!("{risk} risk needs {metrics} metrics; {} found.", self.metrics.len());
            self.find("TM050", Blocks::Submit, message, "Fill the table under `Success Criteria`.", end.clone());
        }
        if risk == Risk::High && (self.contingency.is_empty() || self.risks.is_empty()) {
            self.find(
                "TM090",
                Blocks::Submit,
                "High risk needs risks with mitigations, and contingency plans.",
                "Fill `Risk Mitigation`.",
                end.clone(),
            );
        }
    }

    fn plan(&mut self) -> Plan {
        let unknown = || Contact { name: "nobody yet".to_owned(), handle: None, user: None };
        self.points.sort_by_key(|p| p.after_min);
        Plan {
            title: self.title.clone().unwrap_or_default(),
            service: self.service.clone(),
            t0: self.when.clone().unwrap_or(PlannedTime {
                at: Timestamp::UNIX_EPOCH,
                zone: "UTC".to_owned(),
                typed: String::new(),
            }),
            kind: self.kind.unwrap_or(ReleaseType::Standard),
            risk: self.risk.unwrap_or(Risk::High),
            owner: self.owner.clone().unwrap_or_else(unknown),
            on_call: self.on_call.clone().unwrap_or_else(unknown),
            approaches: std::mem::take(&mut self.approaches),
            stages: std::mem::take(&mut self.stages),
            metrics: std::mem::take(&mut self.metrics),
            triggers: std::mem::take(&mut self.triggers),
            points: std::mem::take(&mut self.points),
            rungs: std::mem::take(&mut self.rungs),
            channel: self.channel.clone(),
            updates_every_min: self.every.unwrap_or(30),
            escalation: std::mem::take(&mut self.escalation),
            gates: std::mem::take(&mut self.gates),
            risks: std::mem::take(&mut self.risks),
            contingency: std::mem::take(&mut self.contingency),
            actions: std::mem::take(&mut self.actions),
            signoffs: std::mem::take(&mut self.signoffs),
        }
    }
}

/// The slug, with a number where another item has it already.
fn unique(slug: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|n| format!("{slug}-{n}"));
    std::iter::once(slug.to_owned()).chain(numbered).find(|id| !taken(id)).unwrap_or_default()
}

fn audience(folded: &str) -> Audience {
    if folded.starts_with("engineering") {
        Audience::engineering()
    } else if folded.starts_with("support") {
        Audience::support()
    } else if folded.starts_with("statuspage") {
        Audience::status_page()
    } else {
        Audience(folded.chars().take(24).collect())
    }
}

/// Two bounds on opposite sides must leave no value to both.
fn overlap(success: &Bound, alert: &Bound) -> bool {
    let below = |b: &Bound| matches!(b.cmp, Cmp::Below | Cmp::AtMost);
    match (below(success), below(alert)) {
        (true, false) => alert.than.value < success.than.value,
        (false, true) => alert.than.value > success.than.value,
        _ => true,
    }
}

/// SHA-256 over what a sign-off is about. Ticked boxes and names of approvers are not material; times, people, stages,
/// thresholds, triggers, notices and contingency are.
fn digest(plan: &Plan) -> String {
    let mut material = plan.clone();
    material.signoffs.clear();
    material.actions.clear();
    for gate in &mut material.gates {
        gate.done = false;
    }
    material.owner.user = None;
    material.on_call.user = None;
    material.t0.typed = String::new();
    for rung in &mut material.rungs {
        rung.text = t_label(-i64::from(rung.before_min));
    }
    // A plan is plain data: it always becomes JSON.
    let bytes = serde_json::to_vec(&material).unwrap_or_default();
    let hash = Sha256::digest(bytes);
    hash.iter().map(|b| format!("{b:02x}")).collect()
}
