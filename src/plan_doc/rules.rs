//! The rules of lint by code (`plans.md` 7): what each stands for and how much it weighs. A code keeps its meaning for ever.

use super::diagnostics::Severity;

/// A rule of lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// `TM050`.
    pub code: &'static str,
    /// What it weighs, where policy does not say otherwise.
    pub severity: Severity,
    /// What the rule finds, in a few words.
    pub title: &'static str,
}

use Severity::{Error as E, Info as I, Warning as W};

/// Every rule, by code.
pub const RULES: &[Rule] = &[
    rule("TM001", E, "not UTF-8, or holds control characters that hide or turn text"),
    rule("TM002", E, "over a limit of size, line, columns or nesting"),
    rule("TM003", I, "byte-order mark, CRLF or missing final newline; kept as it is"),
    rule("TM004", W, "look-alike characters in a value"),
    rule("TM005", W, "malformed or unknown box"),
    rule("TM006", W, "table row with missing or extra cells"),
    rule("TM007", I, "a block of the bot was edited by hand; the human's text is kept"),
    rule("TM010", E, "a required section or field is missing"),
    rule("TM011", W, "heading or label recognised by synonym or spelling"),
    rule("TM012", I, "unknown section, kept as it is"),
    rule("TM013", E, "the same section or field twice, both filled"),
    rule("TM014", I, "sections out of the template's order"),
    rule("TM020", E, "placeholder left in a required field"),
    rule("TM021", W, "placeholder left in an optional field"),
    rule("TM022", I, "the template's example is left in"),
    rule("TM023", W, "value and placeholder together"),
    rule("TM030", E, "none or several chosen of a one-of group"),
    rule("TM031", E, "Big Bang together with Canary"),
    rule("TM032", E, "Canary without a percentage, or Feature Flag without groups"),
    rule("TM033", W, "approach and stages disagree"),
    rule("TM040", E, "stage percentages do not rise, or the last is not 100%"),
    rule("TM041", W, "stage without a hold time, or a very short one"),
    rule("TM042", W, "gap in the numbering of stages"),
    rule("TM043", W, "a stage holds shorter than the longest trigger window"),
    rule("TM050", E, "threshold unreadable"),
    rule("TM051", W, "comparison missing; a direction is assumed"),
    rule("TM052", E, "success and alert overlap"),
    rule("TM053", W, "success and alert far apart, or equal"),
    rule("TM054", E, "the baseline already violates success or alert"),
    rule("TM055", E, "units of a row do not fit each other"),
    rule("TM056", E, "relative threshold without a baseline value"),
    rule("TM057", W, "percent or percentage points unclear, or an unlikely percentage"),
    rule("TM058", W, "unusual direction for this metric"),
    rule("TM059", W, "duplicate or nearly duplicate metric name"),
    rule("TM060", E, "trigger with blanks, or too few watched triggers"),
    rule("TM061", W, "a trigger's metric is not in the table"),
    rule("TM062", E, "the trigger would fire while all is well"),
    rule("TM063", W, "trigger laxer than the alert threshold"),
    rule("TM064", W, "trigger without a time window"),
    rule("TM065", I, "a person judges this trigger; nothing watches it"),
    rule("TM066", I, "trigger filled but not ticked: armed for the prompt"),
    rule("TM067", E, "trigger ticked but not filled"),
    rule("TM068", E, "\"and\" mixed with \"or\""),
    rule("TM069", W, "time window shorter than one check"),
    rule("TM070", E, "date unreadable"),
    rule("TM071", E, "no time zone"),
    rule("TM072", E, "time zone ambiguous, unknown, or out of season"),
    rule("TM073", E, "the time does not exist or is repeated that day"),
    rule("TM074", E, "day and month ambiguous, or the weekday contradicts the date"),
    rule("TM075", E, "T-0 is in the past"),
    rule("TM076", W, "a notice's time has passed already"),
    rule("TM077", W, "T-0 late on a Friday, on a weekend, or at night"),
    rule("TM078", W, "offsets out of order, a decision point after the watch ends, a review before T-0"),
    rule("TM079", I, "number of updates to expect"),
    rule("TM080", E, "contact does not resolve"),
    rule("TM081", W, "owner and on-call are one person, or the escalation path is short"),
    rule("TM082", E, "sign-off role unknown, or a required one missing"),
    rule("TM083", E, "one person named for two required roles, or the owner for an approval"),
    rule("TM084", E, "sign-off or last update dated in the future"),
    rule("TM085", W, "sign-off ticked by hand"),
    rule("TM086", W, "channel name not valid"),
    rule("TM087", W, "mass mention in the plan's text"),
    rule("TM088", I, "no notice is named; the usual ones are used"),
    rule("TM090", W, "risks or contingencies missing for this risk level"),
    rule("TM091", W, "referenced document without a link or path"),
    rule("TM092", I, "boxes ticked in the file but not known to the bot"),
    rule("TM093", E, "a gating field changed after approval"),
    rule("TM094", W, "an item the bot ticked is gone or renamed"),
];

const fn rule(code: &'static str, severity: Severity, title: &'static str) -> Rule {
    Rule { code, severity, title }
}

/// The rule of a code.
pub fn find(code: &str) -> Option<&'static Rule> {
    RULES.binary_search_by(|rule| rule.code.cmp(code)).ok().and_then(|i| RULES.get(i))
}
