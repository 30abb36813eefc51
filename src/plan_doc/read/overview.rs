//! The overview: title, T-0, type, risk, people, service.

use std::fmt::Display;
use std::ops::Range;

use crate::domain::plan::{ReleaseType, Risk};
use crate::plan_doc::checkbox::{Check, choices};
use crate::plan_doc::diagnostics::{Diagnostic, Severity};
use crate::plan_doc::fields::{contact, placeholders, reachable};
use crate::plan_doc::grammar::{none, plain, unfilled};
use crate::plan_doc::lines::trim;
use crate::plan_doc::names::{self, Field, Match, fold};
use crate::plan_doc::read::reader::{Pending, Reader};
use crate::plan_doc::time::{parse_when, weekday};

/// Labels that mean a field only inside the overview: elsewhere they mean anything.
const WEAK: &[&str] = &[
    "name", "title", "time", "date", "start", "type", "risk", "lead", "app", "system", "services", "component",
    "details", "when", "change", "release", "feature", "product", "project", "subject", "scheduled", "responsible",
    "application", "teamlead", "startdate", "impact",
];

/// Words by which an owner is the release's own.
const OF_THE_RELEASE: &[&str] = &["release", "launch", "deployment", "rollout", "change"];

/// Whether a plan may leave a field out.
fn optional(field: Field) -> bool {
    matches!(field, Field::Service | Field::Impact)
}

impl Reader<'_> {
    /// A bold label; true if it was one of the overview's fields.
    pub(super) fn overview_line(
        &mut self,
        part: Option<names::Part>,
        words: &str,
        name: &Range<usize>,
        value: &Range<usize>,
    ) -> bool {
        let Some((field, how)) = names::field(words) else { return false };
        if self.of_a_step(field, words) {
            return false;
        }
        let here = part == Some(names::Part::Overview);
        if !here && (how != Match::Exact || self.seen.contains_key(&field)) {
            let strong = how == Match::Synonym && !WEAK.contains(&fold(words).as_str()) && part.is_none();
            if !strong || self.seen.contains_key(&field) {
                return false;
            }
        }
        self.overview(field, how, words, name, value);
        true
    }

    /// Whether a table row begins with the name of a field.
    pub(super) fn is_field(&self, cells: &[Range<usize>]) -> bool {
        cells.first().is_some_and(|name| names::field(&plain(self.at(name))).is_some())
    }

    /// "Owner" of a step is not the release's; "Release Lead" is wherever it stands.
    fn of_a_step(&self, field: Field, words: &str) -> bool {
        let folded = fold(words);
        field == Field::Owner && !self.home && !OF_THE_RELEASE.iter().any(|word| folded.contains(word))
    }

    /// A label without bold, or in a list: only the overview's own words.
    pub(super) fn overview_plain(&mut self, words: &str, name: &Range<usize>, value: &Range<usize>) {
        if let Some((field, how)) = names::field(words)
            && !self.seen.contains_key(&field)
            && how != Match::Spelling
            && !self.of_a_step(field, words)
            && !(self.spans.title.is_empty()
                && how != Match::Exact
                && WEAK.contains(&fold(words).as_str())
                && !self.parts.iter().any(|p| p.0 == names::Part::Overview))
        {
            self.overview(field, Match::Exact, words, name, value);
        }
    }

    fn overview(&mut self, field: Field, how: Match, words: &str, name: &Range<usize>, value: &Range<usize>) {
        let raw = self.at(value);
        if let Some(first) = self.seen.get(&field) {
            // Beside the template's own label a synonym is another matter.
            let filled = !unfilled(raw) && !unfilled(self.at(&first.clone()));
            if filled && how == Match::Exact && self.template() {
                let message = format!("`{}` appears twice.", field.label());
                self.report(Diagnostic::new("TM013", message, "Keep one of them.", value.clone()).of(field.label()));
            }
            if field != Field::When || self.when.is_some() {
                return;
            }
        }
        if how != Match::Exact && self.template() && !optional(field) {
            let message = format!("T-Minus reads `{}` as `{}`.", plain(words), field.label());
            self.report(
                Diagnostic::new("TM011", message, "", name.clone()).of(field.label()).fix(name.clone(), field.label()),
            );
        }
        let earlier = self.seen.insert(field, value.clone());
        if value.is_empty() && !optional(field) {
            // The value may stand on the lines below.
            self.pending = Some(Pending { field, label: value.clone(), boxes: 0, ticked: Vec::new() });
            return;
        }
        match field {
            Field::Kind => self.kind = self.one_of(value, ReleaseType::ALL, field),
            Field::Risk => self.risk = self.one_of(value, Risk::ALL, field),
            Field::Time => self.time_of_day(value),
            _ => {
                let Some(filled) = self.filled(field, value) else { return };
                self.fill(field, value, &filled, earlier);
            }
        }
    }

    /// A line or an item under a label without a value; true if it was taken as the value.
    pub(super) fn below(&mut self, range: &Range<usize>, check: Option<Check>) -> bool {
        let Some(mut pending) = self.pending.take() else { return false };
        match (pending.field, check) {
            (Field::Kind | Field::Risk, Some(check)) => {
                pending.boxes += 1;
                if check.done() {
                    pending.ticked.push(range.clone());
                }
                self.pending = Some(pending);
            }
            (Field::Kind, None) => self.kind = self.one_of(range, ReleaseType::ALL, Field::Kind),
            (Field::Risk, None) => self.risk = self.one_of(range, Risk::ALL, Field::Risk),
            (Field::Time, _) => self.time_of_day(range),
            (field, _) => {
                if let Some(filled) = self.filled(field, range) {
                    self.fill(field, range, &filled, None);
                }
            }
        }
        true
    }

    /// What stood under the last label is complete.
    pub(super) fn settle_below(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        match (pending.ticked.as_slice(), pending.field) {
            ([only], Field::Kind) => self.kind = self.one_of(&only.clone(), ReleaseType::ALL, Field::Kind),
            ([only], Field::Risk) => self.risk = self.one_of(&only.clone(), Risk::ALL, Field::Risk),
            (several, field) if pending.boxes > 0 => {
                let n = if several.is_empty() { "none is" } else { "several are" };
                let what = field.label();
                let span = self.label_span(&pending.label);
                let message = format!("Choose one {}: {n} ticked.", what.to_lowercase());
                self.report(Diagnostic::new("TM030", message, "Tick one.", span).of(what));
            }
            (_, field) => self.unfilled_field(field, &pending.label),
        }
    }

    /// The value without leftovers of its placeholder; `None` if nothing is filled in.
    fn filled(&mut self, field: Field, value: &Range<usize>) -> Option<String> {
        let raw = self.at(value);
        let mut residue = placeholders(self.text, value);
        // `[Europe/Berlin]` is a zone, `[Sunday]` a day, `[ABC-123]` a ticket.
        residue.retain(|hole| {
            let inside = self.at(hole).trim_matches(['[', ']']);
            let single = !inside.contains(char::is_whitespace);
            let zone = field == Field::When && single && inside.contains('/') && !inside.to_lowercase().contains("yy");
            let day = field == Field::When && weekday(inside).is_some();
            let ticket = field == Field::Title && single && inside.contains(|c: char| c.is_ascii_digit());
            !zone && !day && !ticket
        });
        let mut kept = String::new();
        let mut at = value.start;
        for hole in &residue {
            kept.push_str(&self.text[at..hole.start]);
            at = hole.end;
        }
        kept.push_str(&self.text[at..value.end]);
        let kept = plain(&kept).trim_start_matches(':').trim().to_owned();
        let words = kept.contains(char::is_alphanumeric);
        if none(raw) || unfilled(&kept) || !words {
            if !optional(field) {
                self.unfilled_field(field, value);
            }
            return None;
        }
        if let Some(first) = residue.first() {
            let message = format!("`{}` has both a value and a placeholder.", field.label());
            let found = Diagnostic::new("TM023", message, "Delete the placeholder.", first.clone());
            self.report(found.of(field.label()));
        }
        Some(kept)
    }

    fn unfilled_field(&mut self, field: Field, value: &Range<usize>) {
        let message = format!("`{}` is not filled in.", field.label());
        let span = if value.is_empty() { self.label_span(value) } else { value.clone() };
        self.report(Diagnostic::new("TM020", message, "Fill it in.", span).of(field.label()));
        self.blank.push(field.label().to_owned());
    }

    /// The end of a label whose value is empty: something to point at.
    fn label_span(&self, value: &Range<usize>) -> Range<usize> {
        crate::plan_doc::lines::line_of(self.text, value.start)
    }

    fn fill(&mut self, field: Field, value: &Range<usize>, filled: &str, earlier: Option<Range<usize>>) {
        match field {
            Field::Title => {
                let words = plain(filled);
                let length = words.chars().count();
                if length > 200 {
                    let message = format!("The title has {length} characters; T-Minus shows the first 200.");
                    self.report(
                        Diagnostic::new("TM023", message, "Shorten the title.", value.clone()).of(field.label()),
                    );
                }
                self.spans.title = value.clone();
                self.title = Some(words.chars().take(200).collect());
            }
            Field::Service => self.service = Some(plain(filled).chars().take(60).collect()),
            Field::Impact => self.impact = Some(plain(filled).chars().take(200).collect()),
            Field::Owner => {
                self.person(field, value, filled);
                self.owner = Some(contact(filled));
            }
            Field::OnCall => {
                self.person(field, value, filled);
                self.spans.on_call = value.clone();
                self.on_call = Some(contact(filled));
            }
            Field::When => {
                self.spans.when = value.clone();
                // The first date is the one an export keeps up to date.
                if !self.at(value).contains('\n') {
                    self.slots.entry("t0".to_owned()).or_insert_with(|| value.clone());
                }
                self.look_alikes(value, field.label());
                match parse_when(&plain(filled), self.setting.zone.as_deref()) {
                    Ok(when) => {
                        self.zone_taken(value, &plain(filled), &when.zone);
                        self.when = Some(when);
                    }
                    // A second date that is no better adds nothing.
                    Err(_) if earlier.is_some() => {}
                    Err(problem) => {
                        let mut found = Diagnostic::new(problem.code, problem.message, problem.help, value.clone())
                            .of(field.label());
                        for reading in problem.readings {
                            found = found.suggest(value.clone(), reading);
                        }
                        self.report(found);
                    }
                }
            }
            Field::Kind | Field::Risk | Field::Time => {}
        }
    }

    /// A zone the plan does not name in full: the workspace's, or the United States' by its short name.
    fn zone_taken(&mut self, value: &Range<usize>, typed: &str, zone: &str) {
        let field = Field::When.label();
        let last = typed.split_whitespace().last().unwrap_or_default();
        if self.setting.zone.is_some() && parse_when(typed, None).is_err_and(|problem| problem.code == "TM071") {
            let message = format!("The date has no time zone; T-Minus uses `{zone}`.");
            let found = Diagnostic::new("TM071", message, "Write the time zone.", value.clone()).of(field);
            self.report(found.weighing(Severity::Warning).suggest(value.end..value.end, format!(" {zone}")));
        } else if ["PT", "MT", "CT", "ET"].contains(&last) {
            let message = format!("T-Minus reads `{last}` as {zone}.");
            let found = Diagnostic::new("TM072", message, "", value.clone()).of(field);
            self.report(found.weighing(Severity::Info));
        }
    }

    /// A name alone is matched with a member, or picked, once the plan is in chat.
    fn person(&mut self, field: Field, value: &Range<usize>, filled: &str) {
        let handles = filled
            .match_indices('@')
            .filter(|(at, _)| !filled[..*at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '.'));
        if handles.count() > 1 {
            let message = format!("`{}` names several people; T-Minus uses {}.", field.label(), contact(filled).name);
            let help = "List the others in the escalation path.";
            let found = Diagnostic::new("TM080", message, help, value.clone()).of(field.label());
            self.report(found.weighing(Severity::Info));
        }
        if self.template() && !reachable(filled) {
            let message = format!("`{}` has no handle or address.", plain(filled));
            let help = "In chat, someone picks the member once and T-Minus remembers the choice.";
            let found = Diagnostic::new("TM080", message, help, value.clone()).of(field.label());
            self.report(found.weighing(Severity::Info));
        }
    }

    /// `Launch Date` and `Launch Time` on two lines.
    fn time_of_day(&mut self, value: &Range<usize>) {
        let Some(date) = self.seen.get(&Field::When).cloned() else { return };
        let (date_words, time_words) = (plain(self.at(&date)), plain(self.at(value)));
        if self.when.is_some() || unfilled(&date_words) || unfilled(self.at(value)) {
            return;
        }
        match parse_when(&format!("{date_words} {time_words}"), self.setting.zone.as_deref()) {
            Ok(when) => {
                self.when = Some(when);
                // Two lines are not one slot.
                self.slots.remove("t0");
                self.diagnostics.retain(|d| !(d.span == date && d.code.starts_with("TM07")));
            }
            Err(problem) => {
                self.diagnostics.retain(|d| !(d.span == date && d.code.starts_with("TM07")));
                let found = Diagnostic::new(problem.code, problem.message, problem.help, value.clone());
                self.report(found.of(Field::When.label()));
            }
        }
    }

    fn one_of<T: Copy + Display>(&mut self, value: &Range<usize>, all: &[T], field: Field) -> Option<T> {
        let boxes = choices(self.text, value);
        let what = field.label();
        let expected = all.iter().map(|v| format!("[x] {v}")).collect::<Vec<_>>().join(" or ");
        let span = if value.is_empty() { self.label_span(value) } else { value.clone() };
        let mut value = value.clone();
        if let (true, Some(hole)) = (boxes.is_empty(), placeholders(self.text, &value).first().cloned()) {
            let rest = trim(self.text, hole.end..value.end);
            let rest = trim(self.text, rest.start + usize::from(self.at(&rest).starts_with(':'))..rest.end);
            if !rest.is_empty() {
                let found = Diagnostic::new(
                    "TM023",
                    format!("`{what}` has both a value and a placeholder."),
                    "Delete the placeholder.",
                    hole,
                );
                self.report(found.of(what));
                value = rest;
            }
        }
        let picked: Vec<String> = if boxes.is_empty() {
            let words = plain(self.at(&value)).trim_matches(['"', '.', '🟢', '🟡', '🔴', '🟠', ' ']).to_owned();
            let words = words.strip_prefix("pick one:").unwrap_or(&words).trim().to_owned();
            if unfilled(self.at(&value)) {
                let message = format!("`{what}` is not filled in.");
                self.report(Diagnostic::new("TM020", message, format!("Choose one: {expected}."), span).of(what));
                return None;
            }
            // "Low/Medium" is not a choice.
            let low = words.to_lowercase();
            let named = all
                .iter()
                .map(ToString::to_string)
                .filter(|v| low.split(|c: char| !c.is_alphanumeric()).any(|word| word == v.to_lowercase()));
            let named: Vec<String> = named.collect();
            if named.len() > 1 { named } else { vec![words] }
        } else {
            boxes.iter().filter(|(check, _)| check.done()).map(|(_, text)| plain(self.at(text))).collect()
        };
        let help = format!("Tick one: {expected}.");
        if let [only] = picked.as_slice() {
            let wanted = fold(only);
            let found = all.iter().find(|v| fold(&v.to_string()) == wanted).or_else(|| {
                let first = only.split([' ', '(', '-', ',', '/']).find(|word| !word.is_empty()).map(fold);
                all.iter().find(|v| Some(fold(&v.to_string())) == first)
            });
            if found.is_some() {
                return found.copied();
            }
            let names: Vec<String> = all.iter().map(ToString::to_string).collect();
            let near = names::nearest(only, names.iter().map(String::as_str)).map(str::to_owned);
            let hint = near.as_ref().map_or(String::new(), |v| format!(" Did you mean `{v}`?"));
            let shown: String = only.chars().take(60).collect();
            let mut found = Diagnostic::new(
                "TM030",
                format!("`{shown}` is not a {}.", what.to_lowercase()),
                help + &hint,
                span.clone(),
            )
            .of(what);
            if let Some(near) = near.filter(|_| boxes.is_empty()) {
                found = found.suggest(span, near);
            }
            self.report(found);
        } else {
            let n = if picked.is_empty() { "none is" } else { "several are" };
            self.report(
                Diagnostic::new("TM030", format!("Choose one {}: {n} chosen.", what.to_lowercase()), help, span)
                    .of(what),
            );
        }
        None
    }
}
