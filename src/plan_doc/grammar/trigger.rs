//! Trigger lines: "Error rate exceeds 5% for 5 minutes", "health check fails 3 times in a row", "no orders
//! for 10 min". A line that is not one of these is a person's to judge; nothing is dropped.

use super::clause::clause;
use super::number::{decimal_comma, thousands};
use super::scan::{Scan, blank, plain};

use super::threshold::{Part, Unread, Window};

/// A condition a machine can watch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Clause {
    /// A metric beyond a bound; the bound always has a comparison.
    Over {
        name: String,
        part: Part,
    },
    /// A metric moving against its baseline by some percent: for a time, or in a time from T-0.
    Moves {
        name: String,
        down: bool,
        percent: f64,
        window: Option<Window>,
    },
    /// Conditions in brackets that must hold together.
    All(Vec<Self>),
    Fails {
        name: String,
        times: u32,
    },
    Down {
        name: String,
        for_s: u32,
    },
    Silent {
        name: String,
        for_s: u32,
    },
}

/// What a trigger line says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Trigger {
    /// Any of the clauses fires it. `judged` is what only a person can tell.
    Any { clauses: Vec<Clause>, judged: Option<String> },
    /// All of them together.
    All(Vec<Clause>),
    /// Left to a person.
    Judged,
    /// Blanks are left in it.
    Blank,
    /// `and` and `or` without brackets.
    Mixed,
    /// A number that cannot be read.
    Unread(Unread),
}

/// Reads a trigger's raw text, without its box.
pub(crate) fn trigger(raw: &str) -> Trigger {
    let bare = raw.trim();
    if blank(bare) || has_blank(bare) {
        return Trigger::Blank;
    }
    let text = plain(raw);
    if decimal_comma(&text).is_some() {
        return Trigger::Unread(Unread::DecimalComma);
    }
    if thousands(&text, false).is_some() {
        return Trigger::Unread(Unread::Thousands);
    }
    if text.len() > LONGEST {
        return Trigger::Judged;
    }
    let text = without_tags(&text);
    let text = without_lead(&text);
    let end = text.find('→').unwrap_or(text.len());
    let text = text[..end].trim().trim_end_matches(['.', ',', ';']);
    // "Error rate > 2%: roll back": what is to be done is no part of the condition.
    for (i, _) in text.match_indices(": ") {
        if text[..i].contains(|c: char| c.is_ascii_digit())
            && let found @ (Trigger::Any { .. } | Trigger::All(_)) = lines(text[..i].trim())
        {
            return found;
        }
    }
    lines(text)
}

/// `___`, `XX%`, or a placeholder that stands where a value belongs. A tag such as `[SEV1]` is none.
fn has_blank(raw: &str) -> bool {
    let holes = [
        "value", "threshold", "metric", "custom", "number", "duration", "percent", "fill", "tbd", "xx", "time",
        "trigger",
    ];
    let bracket = raw.match_indices('[').any(|(i, _)| {
        let after = &raw[i + 1..];
        let Some(end) = after.find(']') else { return false };
        let (inside, next) = (after[..end].to_lowercase(), &after[end + 1..]);
        let before = raw[..i].trim_end().to_lowercase();
        let awaited = before.ends_with(['<', '>', '≤', '≥', '='])
            || ["exceeds", "above", "below", "for", "than", "by", "under", "over"]
                .iter()
                .any(|word| before.ends_with(word));
        let link = next.starts_with('(') || next.starts_with('[');
        inside.chars().count() > 1 && !link && (awaited || holes.iter().any(|hole| inside.contains(hole)))
    });
    bracket || raw.split([' ', '%', '(', ')']).any(|word| matches!(word, "XX" | "XXX" | "xx"))
}

/// Without tags in square brackets: `[SEV1] …`, `… [pager]`.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').map(|i| open + i) else { break };
        out.push_str(&rest[..open]);
        // A link keeps its words.
        match rest[close + 1..].strip_prefix('(').and_then(|link| link.find(')')) {
            Some(end) => {
                out.push_str(&rest[open + 1..close]);
                rest = &rest[close + 2 + end + 1..];
            }
            None => rest = &rest[close + 1..],
        }
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line longer than this is prose, in bytes.
const LONGEST: usize = 500;

const LEADS: &[&str] = &[
    "rollback if", "roll back if", "rollback when", "roll back when", "abort if", "abort when", "trigger if",
    "trigger:", "automatic rollback if", "automatically roll back if", "immediate rollback if", "rollback:", "if",
    "when", "any", "if any", "halt if", "stop if", "pause if", "trigger when", "rollback immediately if",
    "roll back immediately if", "if the", "the", "no-go if", "alert if", "page if", "revert if", "once", "whenever",
];

pub(super) fn without_lead(text: &str) -> &str {
    let mut scan = Scan::new(text.trim_start_matches(['-', ' ', '•', '⚠', '🚨', '🔴', '❌', '✅']));
    let base = text.len() - scan.text.len();
    while scan.word(LEADS).is_some() {}
    scan.space();
    &text[base + scan.at..]
}

pub(super) fn lines(text: &str) -> Trigger {
    let (pieces, joints) = split(text);
    let (mut ors, mut ands) = (0, 0);
    // Pieces that are no clause by themselves belong to their neighbour: "CPU and memory > 90%".
    let mut clauses: Vec<Clause> = Vec::new();
    let mut judged: Vec<String> = Vec::new();
    let mut open = String::new();
    let mut last_name = None;
    for (n, piece) in pieces.iter().enumerate() {
        // "CPU or memory > 90%" is one name; "data corruption, or errors > 5%" is two conditions.
        let apart = n > 0 && joints[n - 1] == Joint::Or { apart: true };
        if apart && !open.is_empty() {
            judged.push(std::mem::take(&mut open));
        }
        let whole =
            if open.is_empty() { (*piece).to_owned() } else { format!("{open} {} {piece}", joints[n - 1].word()) };
        let single = clause(piece, last_name.as_deref());
        let found = clause(&whole, last_name.as_deref()).or(single);
        let joined = n > 0 && open.is_empty();
        match found {
            Some(found) => {
                if joined {
                    if joints[n - 1] == Joint::And { ands += 1 } else { ors += 1 }
                }
                last_name = Some(name_of(&found[0]).to_owned());
                // "A or B" inside brackets is one clause of the outer line.
                clauses.extend(found);
                open.clear();
            }
            None if n + 1 < pieces.len() && n == 0 => open = whole,
            None => {
                if n > 0 {
                    if joints[n - 1] == Joint::And { ands += 1 } else { ors += 1 }
                }
                judged.push((*piece).to_owned());
                open.clear();
            }
        }
    }
    if !open.is_empty() {
        judged.push(open);
    }
    match (clauses.is_empty(), ors > 0, ands > 0) {
        (true, _, _) => Trigger::Judged,
        (false, true, true) => Trigger::Mixed,
        // A machine cannot tell the whole of "a number and a judgement".
        (false, false, true) if !judged.is_empty() => Trigger::Judged,
        (false, false, true) => Trigger::All(clauses),
        (false, _, false) => Trigger::Any { clauses, judged: (!judged.is_empty()).then(|| judged.join("; ")) },
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// `apart` where a comma or a semicolon sets the two apart.
    Or {
        apart: bool,
    },
    And,
}

impl Joint {
    fn word(self) -> &'static str {
        match self {
            Self::Or { .. } => "or",
            Self::And => "and",
        }
    }
}

const JOINTS: [(&str, Joint); 7] = [
    (" or ", Joint::Or { apart: false }),
    (" and ", Joint::And),
    ("; ", Joint::Or { apart: true }),
    (" || ", Joint::Or { apart: true }),
    (" && ", Joint::And),
    (", or ", Joint::Or { apart: true }),
    (", and ", Joint::And),
];

/// Cuts at `or`, `and`, `;` outside brackets. "between 5 and 10" and "5 or more" stay whole.
fn split(text: &str) -> (Vec<&str>, Vec<Joint>) {
    let low = text.to_ascii_lowercase();
    let (mut pieces, mut joints) = (Vec::new(), Vec::new());
    let (mut start, mut depth, mut at) = (0, 0usize, 0);
    while at < low.len() {
        let rest = &low[at..];
        let Some(c) = rest.chars().next() else { break };
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let joint = JOINTS.into_iter().find(|(word, _)| depth == 0 && rest.starts_with(word));
        if let Some((word, joint)) = joint {
            let after = &rest[word.len()..];
            let postfix = ["more", "less", "higher", "lower", "above", "below", "equal", "longer", "fewer", "better"]
                .iter()
                .any(|w| after.starts_with(w));
            let between =
                low[start..at].contains("between ") && joint == Joint::And && !low[start..at].contains(" and ");
            if !postfix && !between {
                pieces.push(text[start..at].trim());
                joints.push(joint);
                at += word.len();
                start = at;
                continue;
            }
        }
        at += c.len_utf8();
    }
    pieces.push(text[start..].trim());
    (pieces, joints)
}

fn name_of(clause: &Clause) -> &str {
    match clause {
        Clause::Over { name, .. }
        | Clause::Moves { name, .. }
        | Clause::Fails { name, .. }
        | Clause::Down { name, .. }
        | Clause::Silent { name, .. } => name,
        Clause::All(parts) => parts.first().map_or("", name_of),
    }
}
