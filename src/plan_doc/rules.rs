//! The rules of lint by code: what each stands for and how much it weighs. A code keeps its meaning for ever.

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
    rule("TM001", E, "not UTF-8, or contains control characters that hide or reorder text"),
    rule("TM002", E, "over a size, line, column or nesting limit"),
    rule("TM003", I, "byte-order mark, CRLF or missing final newline; kept as it is"),
    rule("TM004", W, "look-alike characters in a value"),
    rule("TM005", W, "malformed or unknown checkbox"),
    rule("TM006", W, "table row with missing or extra cells"),
    rule("TM007", I, "someone edited a bot block by hand; T-Minus keeps the text"),
    rule("TM010", E, "a required section or field is missing"),
    rule("TM011", W, "heading or label matched by synonym or spelling"),
    rule("TM012", I, "unknown section, kept as it is"),
    rule("TM013", E, "the same section or field twice, both filled in"),
    rule("TM014", I, "sections out of the template's order"),
    rule("TM020", E, "placeholder left in a required field"),
    rule("TM021", W, "placeholder left in an optional field"),
    rule("TM022", I, "the template's example is still there"),
    rule("TM023", W, "value and placeholder together"),
    rule("TM030", E, "none or several chosen where one is required"),
    rule("TM031", E, "Big Bang together with Canary"),
    rule("TM032", E, "Canary without a percentage, or Feature Flag without groups"),
    rule("TM033", W, "approach and stages disagree"),
    rule("TM040", E, "stage percentages do not rise, or the last is not 100%"),
    rule("TM041", W, "stage without a hold time, or a very short one"),
    rule("TM042", W, "gap in the numbering of stages"),
    rule("TM043", W, "a stage's hold time is shorter than the longest trigger window"),
    rule("TM050", E, "threshold unreadable"),
    rule("TM051", W, "comparison missing; T-Minus assumes a direction"),
    rule("TM052", E, "success and alert overlap"),
    rule("TM053", W, "success and alert far apart, or equal"),
    rule("TM054", E, "the baseline already breaches the success or alert threshold"),
    rule("TM055", E, "different units in one row"),
    rule("TM056", E, "relative threshold without a baseline value"),
    rule("TM057", W, "percent or percentage points ambiguous, or an unlikely percentage"),
    rule("TM058", W, "unusual direction for this metric"),
    rule("TM059", W, "duplicate or nearly duplicate metric name"),
    rule("TM060", E, "trigger with blanks, or too few watched triggers"),
    rule("TM061", W, "a trigger's metric is not in the table"),
    rule("TM062", E, "the trigger would fire on healthy values"),
    rule("TM063", W, "trigger looser than the alert threshold"),
    rule("TM064", W, "trigger without a time window"),
    rule("TM065", I, "T-Minus can't watch this trigger; a person judges it"),
    rule("TM066", I, "trigger filled in but not ticked: it only asks for a decision"),
    rule("TM067", E, "trigger ticked but not filled in"),
    rule("TM068", E, "\"and\" mixed with \"or\""),
    rule("TM069", W, "time window shorter than one check"),
    rule("TM070", E, "date unreadable"),
    rule("TM071", E, "no time zone"),
    rule("TM072", E, "time zone ambiguous, unknown, or out of season"),
    rule("TM073", E, "the time does not exist or occurs twice that day"),
    rule("TM074", E, "day and month ambiguous, or the weekday contradicts the date"),
    rule("TM075", E, "T-0 is in the past"),
    rule("TM076", W, "a notice's time has already passed"),
    rule("TM077", W, "T-0 late on a Friday, on a weekend, or at night"),
    rule("TM078", W, "offsets out of order, a decision point after the watch ends, a review before T-0"),
    rule("TM079", I, "number of updates to expect"),
    rule("TM080", E, "contact does not resolve"),
    rule("TM081", W, "owner and on-call are the same person, or the escalation path is short"),
    rule("TM082", E, "sign-off role unknown, or a required one missing"),
    rule("TM083", E, "one person named for two required roles, or the owner named as an approver"),
    rule("TM084", E, "sign-off or last update dated in the future"),
    rule("TM085", W, "sign-off ticked by hand"),
    rule("TM086", W, "channel name not valid"),
    rule("TM087", W, "mass mention in the plan's text"),
    rule("TM088", I, "the plan names no notices; T-Minus uses the usual ones"),
    rule("TM090", W, "risks or contingencies missing for this risk level"),
    rule("TM091", W, "referenced document without a link or path"),
    rule("TM092", I, "checkboxes ticked in the file that the bot did not tick"),
    rule("TM093", E, "a gating field changed after approval"),
    rule("TM094", W, "an item the bot ticked is gone or renamed"),
    rule("TM095", I, "checkboxes ticked on import, or lines T-Minus does not read as checkboxes"),
];

const fn rule(code: &'static str, severity: Severity, title: &'static str) -> Rule {
    Rule { code, severity, title }
}

/// The rule of a code.
pub fn find(code: &str) -> Option<&'static Rule> {
    RULES.binary_search_by(|rule| rule.code.cmp(code)).ok().and_then(|i| RULES.get(i))
}
