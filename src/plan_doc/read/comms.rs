//! Communication: the notice ladder, the channel, the updates, the escalation path.

use std::ops::Range;

use crate::domain::ids::Audience;
use crate::domain::plan::{RungPlan, t_label};
use crate::plan_doc::checkbox::{Check, Mark};
use crate::plan_doc::diagnostics::Diagnostic;
use crate::plan_doc::fields::{chain, own_words, placeholders, slug};
use crate::plan_doc::grammar::{self, blank, plain, unfilled};
use crate::plan_doc::names::fold;
use crate::plan_doc::read::reader::Reader;

impl Reader<'_> {
    pub(super) fn communication(&mut self, group: &str, text: &Range<usize>, check: Option<Check>) {
        let line = own_words(self.text, text);
        let words = plain(self.at(&line));
        let folded = fold(&words);
        let value_at = self.at(&line).find(':').map_or(line.end..line.end, |colon| {
            crate::plan_doc::lines::trim(self.text, line.start + colon + 1..line.end)
        });
        if folded.contains("channel")
            && check.is_some()
            && (!value_at.is_empty() || self.template() && folded.ends_with("channel"))
        {
            self.channel(&value_at, check, &words);
        } else if folded.starts_with("updatesevery")
            || folded.starts_with("updateevery")
            || folded.starts_with("updateinterval")
        {
            let every =
                self.at(&line).to_lowercase().find("every").map_or(line.end, |at| line.start + at + "every".len());
            let rest = crate::plan_doc::lines::trim(self.text, every.min(line.end)..line.end);
            let value = if value_at.is_empty() { rest } else { value_at };
            self.updates(&value, check, &words);
        } else if group.starts_with("escalation") && check.is_none() && grammar::offset(&words).is_none() {
            self.escalation_seen = true;
            self.spans.escalation = line.clone();
            self.escalate(&line);
        } else if folded.starts_with("escalation") && (check.is_some() || !self.template()) {
            self.escalation_path(&value_at, check, &words);
        } else if group.contains("pre") || grammar::offset(&words).is_some_and(|(minutes, _)| minutes < 0) {
            self.rung(&words, &line, check);
        } else if folded.starts_with("allclear") {
            self.item("all-clear".to_owned(), check, &words);
        } else if folded.starts_with("postmortem") {
            self.item("post-mortem".to_owned(), check, &words);
        } else if folded.starts_with("successmetrics") {
            self.item("metrics-shared".to_owned(), check, &words);
        } else {
            self.task(text, check);
        }
    }

    /// `**Channel:** #payments` in other people's plans.
    pub(super) fn channel_label(&mut self, words: &str, value: &Range<usize>) -> bool {
        let name = fold(words);
        let fits = matches!(name.as_str(), "channel" | "slackchannel" | "releasechannel" | "discordchannel" | "slack");
        if !fits || self.template() || value.is_empty() || !self.at(value).contains('#') {
            return false;
        }
        self.channel(value, None, words);
        true
    }

    fn rung(&mut self, words: &str, line: &Range<usize>, check: Option<Check>) {
        let Some((minutes, span)) = grammar::offset(words) else {
            self.task(line, check);
            return;
        };
        self.rungs_seen = true;
        self.only_offset(&words[span.end..], minutes, line, "Pre-Release");
        let Some(before_min) = u32::try_from(-minutes).ok().filter(|m| *m > 0) else {
            let found = Diagnostic::new(
                "TM078",
                "This pre-release notice is not before T-0.",
                "Use an offset such as `(T-2h)`.",
                line.clone(),
            );
            self.report(found.of("Pre-Release"));
            return;
        };
        // Struck through or marked not applicable: nobody is told.
        if check.is_some_and(|check| check.mark == Mark::NotApplicable) || self.at(line).starts_with("~~") {
            return;
        }
        // The offset stands in brackets at the end, or in front.
        let before = words[..span.start].trim_end_matches(['(', ' ', '-', ':']);
        let what = if before.is_empty() { words[span.end..].trim_start_matches([')', ':', ' ', '-']) } else { before };
        let rung = RungPlan { before_min, audience: audience(what), text: what.chars().take(120).collect() };
        self.item(format!("rung/{}", rung.key()), check, words);
        let known = |r: &RungPlan| r.before_min == rung.before_min && r.audience == rung.audience;
        if self.rungs.len() >= MAX_RUNGS {
            *self.left_out.entry("notices").or_default() += 1;
        } else if !self.rungs.iter().any(|(r, _)| known(r)) {
            self.rungs.push((rung, line.clone()));
        }
    }

    /// Reports a second offset in one line.
    pub(super) fn only_offset(&mut self, rest: &str, minutes: i64, line: &Range<usize>, field: &str) {
        // "T-0" in the text is not a second offset.
        let second = grammar::offset(rest).map(|(other, _)| other).filter(|other| *other != 0 && *other != minutes);
        if let Some(other) = second {
            let read = t_label(minutes);
            let message = format!("This line names {read} and {}; T-Minus reads only {read}.", t_label(other));
            self.report(Diagnostic::new("TM078", message, "Give each its own line.", line.clone()).of(field));
        }
    }

    fn channel(&mut self, value: &Range<usize>, check: Option<Check>, words: &str) {
        if self.channel_seen {
            return;
        }
        self.channel_seen = true;
        self.item("channel".to_owned(), check, words);
        // `#releases-[date]` is a template of a name: the date is filled in.
        let raw = self.at(value);
        let filled = plain(&raw.replace("[date]", "{date}"));
        let rest = placeholders(self.text, value).into_iter().any(|hole| self.at(&hole) != "[date]");
        if unfilled(&filled) || rest {
            let help = "Name a channel, such as `#releases-[date]`; T-Minus fills in the date.";
            self.report(
                Diagnostic::new("TM020", "The channel is not filled in.", help, value.clone()).of("Slack channel"),
            );
            return;
        }
        let name = filled.split_whitespace().next().unwrap_or(&filled).trim_start_matches('#');
        let bare = name.replace("{date}", "2026-01-01");
        let link = name.starts_with('<') || bare.chars().all(|c| c.is_ascii_digit());
        let proper: String =
            bare.to_lowercase().chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect();
        if !link && (proper != bare || bare.chars().count() > 100) {
            let wanted = format!("#{}", proper.replace("2026-01-01", "[date]").trim_matches('-'));
            let message = format!("`{filled}` is not a valid channel name.").replace("{date}", "[date]");
            let found =
                Diagnostic::new("TM086", message, format!("Use `{wanted}`."), value.clone()).of("Slack channel");
            self.report(found.suggest(value.clone(), wanted));
        }
        self.channel = Some(filled.replace("{date}", "[date]").chars().take(100).collect());
    }

    fn updates(&mut self, value: &Range<usize>, check: Option<Check>, words: &str) {
        if self.every_seen {
            return;
        }
        self.every_seen = true;
        self.spans.every = value.clone();
        self.item("updates".to_owned(), check, words);
        let raw = self.at(value);
        let text = plain(raw);
        let bare = || {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let one = text.split(|c: char| !c.is_ascii_digit()).filter(|s| !s.is_empty()).count() == 1;
            (one && !text.contains('.')).then(|| digits.parse().ok()).flatten()
        };
        let minutes = grammar::duration_min(&text).or_else(|| {
            // `60 minutes during rollout`
            let several = text.contains('/');
            if several { None } else { grammar::find_duration(&text).map(|s| s.div_ceil(60)).or_else(bare) }
        });
        let field = "Updates every";
        let help = "Write `Updates every: 30 minutes` (5 to 240).";
        match minutes.filter(|m| (5..=240).contains(m)) {
            Some(minutes) => self.every = Some(minutes),
            None if blank(raw) || !placeholders(self.text, value).is_empty() => {
                self.report(
                    Diagnostic::new("TM020", "The update interval is not filled in.", help, value.clone()).of(field),
                );
            }
            None => {
                let message = "The update interval must be one duration from 5 to 240 minutes.";
                self.report(Diagnostic::new("TM020", message, help, value.clone()).of(field));
            }
        }
    }

    fn escalation_path(&mut self, value: &Range<usize>, check: Option<Check>, words: &str) {
        if self.escalation_seen {
            return;
        }
        self.escalation_seen = true;
        self.spans.escalation = value.clone();
        self.item("escalation".to_owned(), check, words);
        let raw = self.at(value);
        if value.is_empty() {
            // The people may stand on items of their own.
            self.escalating = Some((self.depth, value.clone()));
            return;
        }
        self.escalation = chain(raw);
        if unfilled(raw) || !placeholders(self.text, value).is_empty() {
            self.escalation.clear();
            self.escalation_unfilled(value);
        }
    }

    /// An item below the escalation path's label; true if it was taken. Anything else ends the path.
    pub(super) fn escalation_step(&mut self, line: &Range<usize>, depth: Option<usize>) -> bool {
        let Some((above, label)) = self.escalating.clone() else { return false };
        if depth.is_some_and(|depth| depth > above) {
            self.escalate(line);
            return true;
        }
        self.escalating = None;
        if self.escalation.is_empty() {
            self.escalation_unfilled(&label);
        }
        false
    }

    /// One step of the path: `1. Ana (@ana)`, `L2: Ben (@ben)`.
    fn escalate(&mut self, line: &Range<usize>) {
        let words = plain(self.at(line));
        let person = words.split_once(": ").map_or(words.as_str(), |(_, person)| person);
        if !unfilled(person) && placeholders(self.text, line).is_empty() && self.escalation.len() < 8 {
            self.escalation.extend(chain(person).into_iter().take(1));
        }
    }

    fn escalation_unfilled(&mut self, value: &Range<usize>) {
        {
            let help = "List people in order, such as `Ben (@ben) → Eva (@eva)`.";
            let span =
                if value.is_empty() { crate::plan_doc::lines::line_of(self.text, value.start) } else { value.clone() };
            self.report(
                Diagnostic::new("TM021", "The escalation path is not filled in.", help, span).of("Escalation path"),
            );
        }
    }
}

/// The audience that some words name: a notice's line, or what somebody types. Empty where they name nobody.
pub fn audience(words: &str) -> Audience {
    let folded = fold(words);
    if folded.starts_with("engineering") || folded.contains("engineeringteam") {
        Audience::engineering()
    } else if folded.contains("support") {
        Audience::support()
    } else if folded.starts_with("statuspage") {
        Audience::status_page()
    } else {
        Audience(whom(words))
    }
}

/// Who is told: the words before what is done to them.
fn whom(words: &str) -> String {
    let done = [
        "notified", "briefed", "informed", "emailed", "e-mailed", "told", "updated", "alerted", "announced", "team",
        "teams",
    ];
    let who: Vec<&str> =
        words.split_whitespace().take_while(|word| !done.contains(&word.to_lowercase().as_str())).take(3).collect();
    let slug = slug(&who.join(" "));
    let slug = if slug.is_empty() { self::slug(words) } else { slug };
    slug.chars().take(24).collect::<String>().trim_end_matches('-').to_owned()
}

/// The most notices of a ladder.
pub const MAX_RUNGS: usize = 20;
