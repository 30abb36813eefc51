//! Gates, risks, contingencies, actions, sign-offs, and every other box.

use std::ops::Range;

use jiff::civil::Date;

use crate::domain::plan::{
    ActionPlan, ContingencyPlan, ContingencyWhen, GateKind, GatePlan, RiskPlan, SignoffPlan, SignoffRole, TaskPlan,
};
use crate::plan_doc::bot_blocks;
use crate::plan_doc::checkbox::{Check, Mark, cell_box};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::fields::{label, own_words, placeholders, plain_label, slug, unique};
use crate::plan_doc::grammar::{self, plain, unfilled};
use crate::plan_doc::lines::trim;
use crate::plan_doc::names::{fold, nearest};
use crate::plan_doc::read::reader::Reader;
use crate::plan_doc::time::parse_when;

/// More boxes than these stay in the document only.
const MAX_GATES: usize = 60;
const MAX_TASKS: usize = 150;
const MAX_ACTIONS: usize = 30;
const MAX_RISKS: usize = 30;

/// The role somebody's title means; in other people's plans also by its usual names.
fn role_named(who: &str, template: bool) -> Option<SignoffRole> {
    let folded = fold(who);
    let ours = SignoffRole::ALL.iter().copied().find(|role| folded.starts_with(&fold(&role.to_string())));
    if ours.is_some() || template {
        return ours;
    }
    let usual: [(SignoffRole, &[&str]); 4] = [
        (
            SignoffRole::EngineeringLead,
            &[
                "engineering", "engineeringmanager", "techlead", "technicallead", "leadengineer", "developmentlead",
                "devlead",
            ],
        ),
        (SignoffRole::ProductOwner, &["product", "productmanager", "productlead", "pm", "po", "businessowner"]),
        (
            SignoffRole::SreOps,
            &[
                "sre", "ops", "operations", "operationslead", "devops", "devopslead", "srelead", "platform",
                "infrastructure",
            ],
        ),
        (SignoffRole::Security, &["securitylead", "securityteam", "infosec", "securityofficer", "ciso"]),
    ];
    usual.into_iter().find(|(_, names)| names.contains(&folded.as_str())).map(|(role, _)| role)
}

impl Reader<'_> {
    pub(super) fn gate(&mut self, group: &str, text: &Range<usize>, check: Option<Check>) {
        let Some(check) = self.demanded(text, check) else { return };
        let line = own_words(self.text, text);
        let words: String = plain(self.at(&line)).chars().take(160).collect();
        if unfilled(&words) || !placeholders(self.text, &line).is_empty() {
            let message = "A gate still has a placeholder.";
            let found = Diagnostic::new("TM021", message, "Fill it in, or delete the line.", line);
            self.report(found.of("Pre-Release Dependencies"));
            return;
        }
        if self.gates.len() >= MAX_GATES || self.gates.iter().any(|g| g.text == words) {
            if self.gates.len() >= MAX_GATES && self.template() {
                *self.left_out.entry("gates").or_default() += 1;
            }
            self.task(text, Some(check));
            return;
        }
        let kind = if group.contains("document") { GateKind::Document } else { GateKind::Prerequisite };
        let raw = self.at(&line);
        if kind == GateKind::Document
            && self.template()
            && !raw.contains('`')
            && !raw.contains("](")
            && !raw.contains("://")
        {
            let message = "This document has no link or path.";
            self.unlinked.push(self.gates.len());
            self.report(
                Diagnostic::new("TM091", message, "Add a path, such as `deployment-guide.md`, or a link.", line)
                    .of("Related Documents"),
            );
        }
        let id = unique(&slug(&words), |id| self.gates.iter().any(|g| g.id == id));
        self.item(format!("gate/{id}"), Some(check), &words);
        self.gates.push(GatePlan { id, text: words, kind, done: check.settled() });
    }

    /// Any other box: a plain task of the checklist.
    pub(super) fn task(&mut self, text: &Range<usize>, check: Option<Check>) {
        let Some(check) = self.counted(text, check) else { return };
        let words: String = plain(self.at(&own_words(self.text, text))).chars().take(80).collect();
        if unfilled(&words) {
            return;
        }
        // Every box can be ticked by an export; the checklist in chat shows the first.
        let base = format!("task/{}", slug(&words));
        let nth = self.task_ids.entry(base.clone()).or_default();
        *nth += 1;
        let id = if *nth == 1 { base } else { format!("{base}-{nth}") };
        self.item(id.clone(), Some(check), &words);
        if self.tasks.len() >= MAX_TASKS {
            self.tasks_over += 1;
            return;
        }
        let id = id.trim_start_matches("task/").to_owned();
        self.tasks.push(TaskPlan { id, text: words, done: check.settled() });
    }

    pub(super) fn risk_or_contingency(&mut self, group: &str, text: &Range<usize>, check: Option<Check>) {
        let line = own_words(self.text, text);
        if group.contains("contingency") {
            self.contingency(&line);
            return;
        }
        let (mut risk, mut mitigation) = (String::new(), String::new());
        let mut at = text.start;
        for part in self.at(text).split_inclusive('\n') {
            let range = trim(self.text, at..at + part.len());
            at += part.len();
            let found = label(self.text, &range).or_else(|| plain_label(self.text, &range));
            if found.is_none() && !mitigation.is_empty() {
                // A wrapped line goes on with what it wraps.
                mitigation = format!("{mitigation} {}", plain(self.at(&range)));
            } else if found.is_none() && !risk.is_empty() && !self.at(&range).starts_with('*') {
                risk = format!("{risk} {}", plain(self.at(&range)));
            }
            if let Some((name, value)) = found {
                let words = plain(self.at(&value));
                match fold(self.at(&name)).as_str() {
                    "risk" => risk = words,
                    "mitigation" => mitigation = words,
                    _ => {}
                }
            }
        }
        if risk.is_empty() && mitigation.is_empty() {
            self.task(text, check);
            return;
        }
        let hole =
            |words: &str| words.is_empty() || unfilled(words) || (words.starts_with('[') && words.ends_with(']'));
        match (hole(&risk), hole(&mitigation)) {
            (true, _) => {
                let found = Diagnostic::new(
                    "TM021", "A risk still has a placeholder.", "Name the risk, or delete the line.", line,
                );
                self.report(found.of("Identified Risks"));
            }
            (false, without) => {
                if without {
                    let found =
                        Diagnostic::new("TM021", "A risk has no mitigation.", "Describe how you mitigate it.", line);
                    self.report(found.of("Identified Risks"));
                    mitigation = String::new();
                }
                if self.risks.len() >= MAX_RISKS {
                    *self.left_out.entry("risks").or_default() += 1;
                } else {
                    let cut = |words: String| words.chars().take(300).collect();
                    self.risks.push(RiskPlan { risk: cut(risk), mitigation: cut(mitigation) });
                }
            }
        }
    }

    fn contingency(&mut self, line: &Range<usize>) {
        let Some((name, value)) = label(self.text, line).or_else(|| plain_label(self.text, line)) else { return };
        let (name, words) = (fold(self.at(&name)), plain(self.at(&value)));
        let when = if name.contains("rollback") {
            ContingencyWhen::RollbackFails
        } else if name.contains("blind") || name.contains("monitoring") {
            ContingencyWhen::BlindSpot
        } else if name.contains("cascad") {
            ContingencyWhen::Cascade
        } else {
            return;
        };
        if unfilled(self.at(&value)) || !placeholders(self.text, &value).is_empty() {
            let message = format!("`{when}` still has a placeholder.");
            self.report(
                Diagnostic::new("TM021", message, "Describe what the team does then.", line.clone())
                    .of("Contingency Plans"),
            );
            return;
        }
        if self.contingency.len() >= MAX_RISKS {
            *self.left_out.entry("contingencies").or_default() += 1;
            return;
        }
        self.contingency.push(ContingencyPlan { when, text: words.chars().take(400).collect() });
    }

    pub(super) fn action(&mut self, text: &Range<usize>, check: Option<Check>) {
        let Some(check) = self.demanded(text, check) else { return };
        self.actions_seen = true;
        let line = own_words(self.text, text);
        let words: String = plain(self.at(&line)).chars().take(160).collect();
        if unfilled(&words) || !placeholders(self.text, &line).is_empty() {
            let help = "Fill it in, such as `24 hours`, or delete the line.";
            self.report(
                Diagnostic::new("TM021", "An action still has a placeholder.", help, line).of("Post-Release Actions"),
            );
            return;
        }
        let folded = fold(&words);
        let for_min =
            folded.starts_with("monitor").then(|| grammar::find_duration(&words)).flatten().map(|s| s.div_ceil(60));
        if folded.starts_with("monitor") && for_min.is_none() && self.template() {
            let help = "Add a duration, such as `Monitor dashboards for next 24 hours`.";
            let message = "The plan does not say how long to watch the dashboards.";
            self.report(Diagnostic::new("TM021", message, help, line.clone()).of("Post-Release Actions"));
        }
        if for_min.is_some() && self.watch_min.is_none() {
            self.watch_min = for_min;
        }
        if self.actions.len() >= MAX_ACTIONS {
            *self.left_out.entry("actions").or_default() += 1;
            return;
        }
        // By what stands in the document: an id must not depend on which boxes are ticked.
        let id = unique(&slug(&words), |id| self.items.contains_key(&format!("action/{id}")));
        self.item(format!("action/{id}"), Some(check), &words);
        if !check.settled() {
            self.actions.push(ActionPlan { id, text: words, for_min });
        }
    }

    /// A row of a table of sign-offs: the role, then who.
    pub(super) fn signoff_row(&mut self, name: Option<usize>, cells: &[Range<usize>]) {
        let Some(first) = cells.first() else { return };
        let who = plain(self.at(first));
        let Some(role) = role_named(&who, self.template()) else { return };
        let after = |cell: &Range<usize>| cell_box(self.text, cell).map_or_else(|| cell.clone(), |(_, words)| words);
        let person = name.and_then(|i| cells.get(i)).map(after).map(|cell| (plain(self.at(&cell)), cell));
        let check = cells.iter().find_map(|cell| cell_box(self.text, cell)).map(|(check, _)| check);
        self.item(format!("signoff/{}", role.slug()), check, &who);
        self.claimed(role, check, first);
        let (name, span) = match person {
            Some((words, cell)) => {
                let hole = unfilled(&words) || !placeholders(self.text, &cell).is_empty();
                (Some(words).filter(|_| !hole), cell)
            }
            None => (None, first.clone()),
        };
        if !self.signoffs.iter().any(|known| known.role == role) {
            self.spans.signoffs.push((role, span));
            self.signoffs.push(SignoffPlan { role, name: name.map(|name| name.chars().take(80).collect()) });
        }
    }

    pub(super) fn signoff(&mut self, line: &Range<usize>, text: &Range<usize>, check: Option<Check>) {
        let line = line.clone();
        let raw = self.at(&line);
        let Some(colon) = raw.find(':') else {
            self.task(text, check);
            return;
        };
        let who = plain(&raw[..colon]);
        let role = role_named(&who, self.template());
        let Some(role) = role else {
            if self.template() {
                let names: Vec<String> = SignoffRole::ALL.iter().map(ToString::to_string).collect();
                let near = nearest(&who, names.iter().map(String::as_str)).map(str::to_owned);
                let hint = near.map_or(String::new(), |near| format!(" Did you mean `{near}`?"));
                let help = format!("Use Engineering Lead, Product Owner, SRE/Ops or Security.{hint}");
                let message = format!("`{who}` is not a known sign-off role.");
                self.report(Diagnostic::new("TM082", message, help, line).of("Approval Sign-offs"));
            }
            self.task(text, check);
            return;
        };
        if !self.template() && self.signoffs.iter().any(|known| known.role == role) {
            // Two of other people's roles may be one of ours.
            self.task(text, check);
            return;
        }
        self.item(format!("signoff/{}", role.slug()), check, &who);
        let slot = trim(self.text, line.start + colon + 1..line.end);
        let rest = self.at(&slot);
        let (name, signed) = rest.split_once(" - ").unwrap_or((rest, ""));
        let value = |text: &str| Some(plain(text)).filter(|words| !unfilled(words));
        let (name, signed) = (value(name), value(signed));
        if let Some(when) = signed.as_deref() {
            self.signed_when(when, &slot);
        }
        self.claimed(role, check, &line);
        self.slots.insert(format!("signoff/{}", role.slug()), slot.clone());
        self.spans.signoffs.push((role, slot));
        if self.signoffs.iter().any(|known| known.role == role) {
            let found = Diagnostic::new("TM013", format!("{role} appears twice."), "Keep one.", line);
            self.report(found.of("Approval Sign-offs"));
            return;
        }
        // "N/A" is no sign-off.
        let declined = check.is_some_and(|check| check.mark == Mark::NotApplicable)
            || matches!(plain(rest).to_lowercase().as_str(), "n/a" | "na" | "none" | "not applicable" | "not required");
        if !declined {
            self.signoffs.push(SignoffPlan { role, name });
        }
    }

    /// Reports a sign-off ticked by hand; a box the bot ticked is no claim.
    fn claimed(&mut self, role: SignoffRole, check: Option<Check>, line: &Range<usize>) {
        let ours = || bot_blocks::ranges(self.text).iter().any(|block| block.name == "log" && block.untouched);
        if check.is_some_and(|check| check.mark == Mark::Done) && !ours() {
            let message = format!("Someone ticked the {role} sign-off by hand; that is only a claim.");
            let help = "The sign-off counts once that role signs in chat.";
            self.report(Diagnostic::new("TM085", message, help, line.clone()).of("Approval Sign-offs"));
        }
    }

    fn signed_when(&mut self, when: &str, slot: &Range<usize>) {
        if self.future(when) {
            let found =
                Diagnostic::new("TM084", "A sign-off has a date in the future.", "Correct the date.", slot.clone());
            self.report(found.of("Approval Sign-offs"));
        }
    }

    /// Whether a date is later than today anywhere.
    fn future(&self, when: &str) -> bool {
        let day = |now| self.day(when).is_some_and(|at| at > now + jiff::SignedDuration::from_hours(14));
        self.setting.now.is_some_and(day)
    }

    /// A date, or a date and time; the day's beginning where there is no time.
    fn day(&self, when: &str) -> Option<jiff::Timestamp> {
        let zone = self.setting.zone.as_deref().or(Some("UTC"));
        let instant = parse_when(when, zone).ok().map(|when| when.at);
        let day = || {
            let day = when.trim().parse::<Date>().ok()?;
            jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
        };
        instant.or_else(day)
    }

    /// "Last Updated" is not in the future, "Next Review" not before T-0.
    pub(super) fn closing_dates(&mut self) {
        if let Some(slot) = self.slots.get("last-updated").cloned()
            && self.future(&plain(self.at(&slot)))
        {
            let message = "`Last Updated` is in the future.";
            let found = Diagnostic::new("TM084", message, "Correct the date.", slot).of("Last Updated");
            self.report(found.weighing(Severity::Warning));
        }
        let review = self.spans.review.clone();
        if let (Some(t0), Some(at)) = (&self.when, self.day(&plain(self.at(&review))))
            && at + jiff::SignedDuration::from_hours(24) < t0.at
        {
            let message = "`Next Review` is before T-0.";
            let found = Diagnostic::new("TM078", message, "Schedule it after the release.", review);
            self.report(found.of("Next Review"));
        }
    }
}
