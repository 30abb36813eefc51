//! One condition of a trigger line: name and bound, a move against the baseline, a failing check, missing
//! data.

use super::number;
use super::scan::Scan;
use super::span::duration;
use super::threshold::{Operand, Part, Way, Window, comparison, consecutive, counted, part, reaches, whole, window};
use super::trigger::{Clause, Trigger, without_lead};
use crate::domain::plan::Cmp;

/// One condition. `before` is the name of the clause before it, for "> 5% for 5 min or > 10% for 1 min".
pub(super) fn clause(text: &str, before: Option<&str>) -> Option<Vec<Clause>> {
    let text = without_lead(text.trim());
    let text = whole_bracket(text).filter(|inner| !inner.contains(" and ") && !inner.contains(" && ")).unwrap_or(text);
    if let Some(inner) = whole_bracket(text)
        && let Trigger::All(parts) = super::trigger::lines(inner)
    {
        return Some(vec![Clause::All(parts)]);
    }
    let one = absence(text)
        .or_else(|| bracketed(text, before))
        .or_else(|| check(text))
        .or_else(|| moves(text))
        .or_else(|| over(text))
        .or_else(|| leading(text, before));
    one.map(|clause| vec![clause])
}

/// The text inside brackets that enclose all of it.
fn whole_bracket(text: &str) -> Option<&str> {
    let mut scan = Scan::new(text);
    let inner = scan.note()?;
    scan.done().then_some(inner)
}

/// A name as people say it: without bold, colons, verbs at its end.
fn name(text: &str) -> Option<String> {
    let mut name = text.trim().trim_end_matches([':', '-', '=', ' ', ',', '–']).trim();
    loop {
        let low = name.to_ascii_lowercase();
        let tail = [
            " is", " are", " goes", " stays", " remains", " rate is", " was", " has", " gets", " be", " consistently",
            " sustained", " drops", " falls", " rises", " dips", " increases", " spikes", " climbs", " at or", " at",
            " equal or", " jumps", " stay", " value", " decreases", " goes up", " grows", " by", " suddenly",
            " usage is", " must be", " drop", " has been", " being",
        ]
        .iter()
        .find(|tail| low.ends_with(**tail) && **tail != " rate is" && **tail != " usage is");
        match tail {
            Some(tail) => name = name[..name.len() - tail.len()].trim_end_matches([':', ' ', ',']),
            None => break,
        }
    }
    let name =
        name.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '/' | '(' | ')' | '%' | '.' | '@' | '#')));
    let words = name.split_whitespace().count();
    let fits = name.chars().any(char::is_alphabetic) && (1..=10).contains(&words) && name.len() <= 100;
    let name = balanced(name);
    (fits && names_a_metric(name)).then(|| name.to_owned())
}

/// A name holds no condition of its own and no negation: "does not drop below" must not become "drops below".
fn names_a_metric(name: &str) -> bool {
    let low = name.to_ascii_lowercase();
    let negated = low.split(|c: char| !(c.is_alphanumeric() || c == '\'')).any(|word| {
        matches!(word, "not" | "no" | "unless" | "never" | "without" | "cannot" | "if" | "until" | "except")
            || word.ends_with("n't")
    });
    let compared = name.contains(['<', '>', '≤', '≥']) || comparison(&mut Scan::new(name)).is_some();
    // "2% for 5 minutes, latency" is a bound and a name.
    let measured = name.contains('%') && name.contains(|c: char| c.is_ascii_digit());
    !negated && !compared && !measured
}

/// Without a bracket that is opened and never closed.
fn balanced(name: &str) -> &str {
    match name.rfind('(') {
        Some(i) if !name[i..].contains(')') => name[..i].trim_end(),
        _ => name,
    }
}

/// What may follow a clause without changing it: notes and plain words; a number that was not read may not.
fn settled(rest: &str) -> bool {
    let rest = rest.trim();
    let outside: String = {
        let mut depth = 0usize;
        rest.chars()
            .filter(|c| {
                match c {
                    '(' => depth += 1,
                    ')' => {
                        depth = depth.saturating_sub(1);
                        return false;
                    }
                    _ => {}
                }
                depth == 0
            })
            .collect()
    };
    !counted(&outside) && !outside.contains(|c: char| c.is_ascii_digit() || matches!(c, '<' | '>' | '≤' | '≥'))
}

fn finished(part: Part, scan: &Scan<'_>) -> Option<Part> {
    (part.cmp.is_some() && settled(scan.rest())).then_some(part)
}

/// name, comparison, bound.
fn over(text: &str) -> Option<Clause> {
    let mut scan = Scan::new(text);
    let mut begins = true;
    for (at, c) in text.char_indices() {
        let symbol = matches!(c, '<' | '>' | '≤' | '≥' | '=' | '±');
        if at > 0 && (symbol || (begins && c.is_alphabetic())) {
            scan.at = at;
            let found = scan.attempt(|scan| {
                if !symbol {
                    let mut ahead = scan.clone();
                    ahead.word(&["at or", "equal to or"]);
                    comparison(&mut ahead).or_else(|| reaches(&mut ahead))?;
                    if scan.word(&["at or"]).is_some() {
                        let mut found = part(scan)?;
                        found.cmp = match found.cmp {
                            Some(Cmp::Above) => Some(Cmp::AtLeast),
                            Some(Cmp::Below) => Some(Cmp::AtMost),
                            other => other,
                        };
                        return finished(found, scan);
                    }
                }
                let found = part(scan)?;
                finished(found, scan)
            });
            if let Some(found) = found
                && let Some(name) = name(&text[..at])
            {
                // "Affecting > 50% of users" measures users.
                let verb = ["affecting", "affects", "impacting", "impacts"]
                    .iter()
                    .any(|verb| name.to_lowercase().ends_with(verb));
                let of = found.scope.as_deref().and_then(|scope| scope.strip_prefix("of ")).filter(|_| verb);
                let name = of.map_or(name, |noun| noun.split_whitespace().next().unwrap_or(noun).to_owned());
                return Some(directed(name, found));
            }
        }
        begins = !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '\''));
    }
    labelled(text)
}

/// `Authorisation rate: -3% vs baseline`, `Failed smoke tests: 2/20 or more`.
fn labelled(text: &str) -> Option<Clause> {
    let (label, value) = text.split_once(": ")?;
    let mut scan = Scan::new(value.trim());
    let part = part(&mut scan)?;
    let name = name(label)?;
    match (&part.operand, part.cmp) {
        (Operand::Change { .. }, None) if settled(scan.rest()) => Some(directed(name, part)),
        _ => finished(part, &scan).map(|part| directed(name, part)),
    }
}

/// A change against the baseline is a move; anything else is a bound.
fn directed(name: String, part: Part) -> Clause {
    let window = part.window;
    match (&part.operand, part.cmp) {
        (Operand::Change { percent, way: Way::Down }, _) => {
            Clause::Moves { name, down: true, percent: *percent, window }
        }
        (Operand::Change { percent, way: Way::Up }, None | Some(Cmp::Above | Cmp::AtLeast)) => {
            Clause::Moves { name, down: false, percent: *percent, window }
        }
        _ => Clause::Over { name, part },
    }
}

/// `High errors (error rate > 5%)`, `Login failures (> 3% for 5 min)`.
fn bracketed(text: &str, before: Option<&str>) -> Option<Clause> {
    let open = text.find('(')?;
    let outer = text[..open].trim();
    // A comparison before the bracket makes the bracket a note.
    let mut scan = Scan::new(&text[open..]);
    let inner = scan.note()?;
    let outer_has_bound = over(outer).is_some() || moves(outer).is_some() || check(outer).is_some();
    if outer_has_bound {
        return None;
    }
    let read =
        |inner: &str| over(inner).or_else(|| moves(inner)).or_else(|| check(inner)).or_else(|| leading(inner, None));
    let inside = read(inner).or_else(|| read(inner.split(", ").next()?));
    match inside {
        Some(Clause::Over { part, .. }) if bare(inner) => {
            let name = name(outer).or_else(|| before.map(str::to_owned))?;
            settled(scan.rest()).then(|| directed(name, part))
        }
        Some(inside) => settled(scan.rest()).then_some(inside),
        None => None,
    }
}

/// Whether a text begins with a comparison.
fn bare(text: &str) -> bool {
    comparison(&mut Scan::new(text)).is_some()
}

/// `>20% users affected`, `More than 50 players disconnected in 2 minutes`, or a bound of the clause before.
fn leading(text: &str, before: Option<&str>) -> Option<Clause> {
    let mut scan = Scan::new(text);
    let mut ahead = scan.clone();
    let compared = comparison(&mut ahead).is_some();
    if !compared {
        return percent_first(text);
    }
    // "No more than 3 failures" is what should be, not what should not.
    if text.to_ascii_lowercase().starts_with("no ") || text.to_ascii_lowercase().starts_with("not ") {
        return None;
    }
    let cmp = comparison(&mut scan)?;
    let body_at = scan.at;
    let mut inner = Scan::new(&text[body_at..]);
    let mut found = part(&mut inner)?;
    found.cmp = Some(cmp);
    let after = inner.rest().trim();
    let written = &text[body_at..body_at + inner.at];
    let (noun, rest_window) = subject(after, window)?;
    let noun_unit = match &found.operand {
        Operand::Value(quantity) => noun_unit(&quantity.unit).then(|| quantity.unit.clone()),
        _ => None,
    };
    if found.window.is_none() {
        found.window = rest_window;
    }
    let subject = match (noun_unit, noun) {
        (Some(unit), Some(noun)) => {
            if let Operand::Value(quantity) = &mut found.operand {
                quantity.unit = String::new();
            }
            Some(format!("{unit} {noun}"))
        }
        (Some(unit), None) => {
            if let Operand::Value(quantity) = &mut found.operand {
                quantity.unit = String::new();
            }
            Some(unit)
        }
        (None, noun) => {
            noun.or_else(|| found.scope.clone().filter(|scope| scope.starts_with("of ")).map(|s| s[3..].to_owned()))
        }
    };
    let inherits = written.trim().len() + body_at >= text.trim_end().len().saturating_sub(1);
    let named = match subject {
        Some(subject) => name(&subject),
        None if inherits => before.map(str::to_owned),
        None => None,
    };
    named.map(|name| directed(name, found))
}

fn noun_unit(unit: &str) -> bool {
    !unit.is_empty() && unit.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '-')) && unit.len() > 3
}

/// The words after a bound, up to a window: "players disconnected in 2 minutes". `None` if a number stands among them:
/// "per 1,000 sessions" is no part of a name.
fn subject(text: &str, read: fn(&mut Scan<'_>) -> Option<Window>) -> Option<(Option<String>, Option<Window>)> {
    let mut scan = Scan::new(text);
    for (i, _) in text.match_indices(' ') {
        scan.at = i;
        if let Some(found) = read(&mut scan)
            && settled(scan.rest())
        {
            let noun = text[..i].trim().trim_start_matches("of ").trim();
            return Some((clean(noun)?, Some(found)));
        }
    }
    let noun = text.trim().trim_start_matches("of ").trim();
    Some((clean(noun)?, None))
}

/// A noun, if there is one; `None` if there is more than a noun.
fn clean(noun: &str) -> Option<Option<String>> {
    let noun = noun.split(['(', '→']).next().unwrap_or(noun).trim();
    if noun.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(noun.chars().any(char::is_alphabetic).then(|| noun.to_owned()))
}

/// `20% drop in conversions`, `5% increase in errors`.
fn percent_first(text: &str) -> Option<Clause> {
    let mut scan = Scan::new(text);
    let percent = number::number(&mut scan)?;
    if !scan.symbol("%") {
        return None;
    }
    moved(&mut scan, percent)
}

fn moved(scan: &mut Scan<'_>, percent: f64) -> Option<Clause> {
    scan.word(&["or more", "or greater"]);
    let down = if scan.word(&["drop", "decrease", "decline", "reduction", "fall", "dip", "loss"]).is_some() {
        true
    } else {
        scan.word(&["increase", "rise", "growth", "spike", "jump", "regression", "degradation"])?;
        false
    };
    scan.word(&["in", "of"])?;
    let (noun, found) = subject(scan.rest().trim(), placed)?;
    Some(Clause::Moves { name: name(&noun?)?, down, percent, window: found })
}

const DOWN: &[&str] = &[
    "drops", "drop", "falls", "fall", "decreases", "decrease", "declines", "decline", "dips", "dip", "decreased",
    "dropped", "fell", "reduces", "shrinks", "loses", "down",
];
const UP: &[&str] = &[
    "rises", "rise", "increases", "increase", "grows", "increased", "rose", "spikes", "spike", "jumps", "jump",
    "climbs", "goes up", "up",
];

/// "Conversion drops by more than 10% within the first hour": against the baseline.
fn moves(text: &str) -> Option<Clause> {
    if let Some(found) = moves_leading(text) {
        return Some(found);
    }
    let start = Scan::new(text);
    for (at, _) in text.match_indices([' ', ':']) {
        let mut scan = start.clone();
        scan.at = at;
        scan.symbol(":");
        let down = if scan.word(DOWN).is_some() {
            true
        } else if scan.word(UP).is_some() {
            false
        } else {
            continue;
        };
        let Some(name) = name(&text[..at]) else { continue };
        // "drops below 95%" is a bound, not a move.
        if scan.next_is(&["below", "under", "above", "over", "to", "beyond", "past"])
            && !scan.next_is(&["over the last"])
        {
            continue;
        }
        scan.word(&["by", "of"]);
        let doubled = scan.word(&["2x", "twofold"]).is_some();
        let halved = scan.word(&["half"]).is_some();
        comparison(&mut scan);
        scan.word(&["by", "of"]);
        let found = scan.attempt(|scan| {
            let percent = if doubled {
                100.0
            } else if halved {
                50.0
            } else {
                let value = number::number(scan)?;
                scan.symbol("+");
                if scan.symbol("%") || scan.word(&["percent"]).is_some() { value } else { return None }
            };
            Some(percent)
        });
        if let Some(percent) = found {
            let mut rest = Scan::new(scan.rest());
            let scanned = tail_window(&mut rest);
            return settled(rest.rest()).then_some(Clause::Moves { name, down, percent, window: scanned });
        }
        // "increases by 200 ms over baseline": an absolute step.
        let step = scan.attempt(|scan| number::quantity(scan));
        if let Some(mut step) = step.filter(|step| !step.unit.is_empty()) {
            let mut rest = Scan::new(scan.rest());
            let within = tail_window(&mut rest);
            if !settled(rest.rest()) {
                return None;
            }
            if down {
                step.value = -step.value;
            }
            let part = Part {
                cmp: Some(if down { Cmp::Below } else { Cmp::Above }),
                operand: Operand::Baseline(Some(step)),
                stat: None,
                window: within,
                scope: None,
            };
            return Some(Clause::Over { name, part });
        }
    }
    doubles(text)
}

/// `> 20% increase in latency`, `more than 10% drop in conversions`.
fn moves_leading(text: &str) -> Option<Clause> {
    let mut scan = Scan::new(text);
    comparison(&mut scan)?;
    let percent = number::number(&mut scan)?;
    if !scan.symbol("%") {
        return None;
    }
    moved(&mut scan, percent)
}

fn doubles(text: &str) -> Option<Clause> {
    for (word, percent, down) in [("doubles", 100.0, false), ("triples", 200.0, false), ("halves", 50.0, true)] {
        let low = text.to_ascii_lowercase();
        if let Some(at) = low.find(&format!(" {word}")) {
            let mut rest = Scan::new(&text[at + word.len() + 1..]);
            let window = tail_window(&mut rest);
            return settled(rest.rest()).then_some(Clause::Moves { name: name(&text[..at])?, down, percent, window });
        }
    }
    None
}

/// A window after words such as "vs baseline" or "compared with before".
fn tail_window(scan: &mut Scan<'_>) -> Option<Window> {
    let text = scan.rest();
    let mut ahead = Scan::new(text);
    let places = std::iter::once(0).chain(text.match_indices([' ', '(']).map(|(at, _)| at));
    for at in places {
        ahead.at = at;
        ahead.symbol("(");
        if let Some(found) = placed(&mut ahead) {
            scan.at += ahead.at;
            return Some(found);
        }
    }
    None
}

/// A window of a move: "within an hour" counts from T-0, "for 10 minutes" has to hold.
fn placed(scan: &mut Scan<'_>) -> Option<Window> {
    let early = scan.next_is(&["within", "in", "during"]);
    window(scan).map(|found| match found {
        Window::Seconds(seconds) if early => Window::First(seconds),
        other => other,
    })
}

/// "health check fails for 3 consecutive checks", "3 consecutive health check failures", "API down for 2 minutes".
fn check(text: &str) -> Option<Clause> {
    const FAILS: &[&str] = &[
        "fails", "fail", "failing", "failed", "unhealthy", "is down", "down", "unreachable", "errors out",
        "unavailable", "is failing", "not responding", "returns 5xx", "not ready", "offline",
    ];
    let start = Scan::new(text);
    for (at, _) in text.match_indices(' ') {
        let mut scan = start.clone();
        scan.at = at;
        if scan.word(FAILS).is_none() {
            continue;
        }
        let Some(name) = name(text[..at].trim_end_matches(" is").trim_end_matches(" are")) else { continue };
        if scan.word(&["twice"]).is_some() {
            return settled(scan.rest()).then_some(Clause::Fails { name, times: 2 });
        }
        scan.symbol(":");
        comparison_words(&mut scan);
        if let Some(times) = scan.attempt(consecutive) {
            return settled(scan.rest()).then_some(Clause::Fails { name, times });
        }
        if let Some(for_s) = duration(&mut scan) {
            return settled(scan.rest()).then_some(Clause::Down { name, for_s });
        }
        if scan.symbol("(") {
            let times = scan.attempt(consecutive)?;
            return Some(Clause::Fails { name, times });
        }
        return None;
    }
    consecutive_first(text)
}

fn comparison_words(scan: &mut Scan<'_>) {
    scan.word(&["for", "on", "in", "over", "for more than", "for at least", "for over", "more than", "at least"]);
    scan.symbol(">");
    scan.symbol("≥");
}

fn consecutive_first(text: &str) -> Option<Clause> {
    let mut scan = Scan::new(text);
    comparison(&mut scan);
    let times = whole(number::number(&mut scan)?)?;
    scan.symbol("+");
    scan.word(&["consecutive", "successive", "straight", "back-to-back"])?;
    let rest = scan.rest().trim();
    let low = rest.to_ascii_lowercase();
    let at = ["failed ", "failing "].iter().find(|word| low.starts_with(**word)).map(|word| word.len());
    let subject = match at {
        Some(at) => &rest[at..],
        None => {
            let end = low.find(" fail").or_else(|| low.find(" errors")).or_else(|| low.find(" error"))?;
            &rest[..end]
        }
    };
    let subject = subject.split(['(', ',']).next().unwrap_or(subject);
    settled(subject).then_some(())?;
    Some(Clause::Fails { name: name(subject)?, times })
}

/// "No heartbeats for 10 minutes": data that stays away.
fn absence(text: &str) -> Option<Clause> {
    let mut scan = Scan::new(text);
    scan.word(&["no", "zero", "missing", "absence of"])?;
    let rest = scan.rest().trim_start();
    let mut ahead = Scan::new(rest);
    for (at, _) in rest.match_indices(' ') {
        ahead.at = at;
        if let Some(Window::Seconds(for_s)) = window(&mut ahead)
            && settled(ahead.rest())
        {
            let noun = rest[..at].trim();
            // "no errors during the soak" is a wish, not missing data.
            let bad = [
                "error", "fail", "crash", "leak", "issue", "incident", "regression", "alert", "increase", "drop",
                "bug", "complaint",
            ];
            let low = noun.to_ascii_lowercase();
            if bad.iter().any(|word| low.contains(word)) {
                return None;
            }
            return name(noun).map(|name| Clause::Silent { name, for_s });
        }
    }
    None
}
