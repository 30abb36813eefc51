//! Threshold cells: `< 250ms`, `±20% vs baseline`, `99.9%+ over 30 days`, `2x baseline (p95)`. Pure: what a
//! cell says, not what it is held against.

use super::number::{decimal_comma, number, thousands, unit};
use super::operand::{BASELINES, operand};
use super::scan::{Scan, blank, none, plain};
use super::span::duration;
use crate::domain::plan::{Cmp, Quantity};

/// A cell's meaning.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Left empty on purpose, or for now.
    Nothing,
    /// A placeholder nobody filled.
    Blank,
    /// One bound, or several; `any` where "or" joins them.
    Bounds { bounds: Vec<Part>, any: bool },
}

/// One bound as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) cmp: Option<Cmp>,
    pub(crate) operand: Operand,
    /// `p99`, `avg`.
    pub(crate) stat: Option<String>,
    pub(crate) window: Option<Window>,
    /// Where it applies, as written: `in US-WEST`.
    pub(crate) scope: Option<String>,
}

/// What a bound compares with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Value(Quantity),
    /// Inside is healthy.
    Band {
        low: f64,
        high: f64,
        unit: String,
    },
    /// `95/100`
    OutOf {
        part: f64,
        whole: f64,
    },
    /// `2x baseline`
    Times(f64),
    /// `110% of baseline`
    PercentOf(f64),
    /// `+20% vs baseline`: by how many percent, and which way.
    Change {
        percent: f64,
        way: Way,
    },
    /// `baseline`, `baseline + 50 ms`
    Baseline(Option<Quantity>),
    /// `3σ`
    Sigma(f64),
}

/// The way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
    Either,
}

/// For how long, or how often in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Seconds(u32),
    /// "in the first 4 hours": counted from T-0, no time to hold.
    First(u32),
    Consecutive(u32),
}

/// Why a cell was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// `1,5 %`
    DecimalComma,
    /// `1.200 ms`: one, or twelve hundred.
    Thousands,
    Unclear,
}

/// Reads a cell's raw text.
pub(crate) fn cell(raw: &str) -> Result<Cell, Unread> {
    if blank(raw) && !plain(raw).is_empty() {
        return Ok(Cell::Blank);
    }
    if none(raw) {
        return Ok(Cell::Nothing);
    }
    let text = plain(raw);
    if decimal_comma(&text).is_some() {
        return Err(Unread::DecimalComma);
    }
    if thousands(&text, true).is_some() {
        return Err(Unread::Thousands);
    }
    let mut scan = Scan::new(&text);
    let (bounds, any) = bounds(&mut scan).ok_or(Unread::Unclear)?;
    // Words without numbers may explain a bound; a number we did not read is not dropped.
    let rest = scan.rest().trim_matches([' ', '.', ',', ';', ')', '|', '-', '✅', '⚠', '❌', '🟢', '🔴', '🟡']);
    if rest.contains(|c: char| c.is_ascii_digit() || matches!(c, '<' | '>' | '≤' | '≥')) {
        return Err(Unread::Unclear);
    }
    Ok(Cell::Bounds { bounds, any })
}

fn bounds(scan: &mut Scan<'_>) -> Option<(Vec<Part>, bool)> {
    let mut parts = vec![scan.attempt(part)?];
    let mut any = false;
    loop {
        let next = scan.attempt(|scan| {
            let or = scan.word(&["or"]).is_some() || scan.symbol("||");
            if !or {
                let and = scan.symbol(",") || scan.symbol("&") || scan.symbol(";");
                if scan.word(&["and", "but"]).is_none() && !and {
                    return None;
                }
            }
            part(scan).map(|part| (part, or))
        });
        match next {
            Some((part, or)) => {
                any |= or;
                parts.push(part);
            }
            None => return Some((parts, any)),
        }
    }
}

const STATS: &[&str] = &[
    "p50", "p75", "p90", "p95", "p99", "p99.9", "p999", "avg", "average", "mean", "median", "max", "peak",
    "95th percentile", "99th percentile", "50th percentile", "90th percentile",
];

fn stat(scan: &mut Scan<'_>) -> Option<String> {
    scan.attempt(|scan| {
        scan.word(&["at"]);
        scan.word(STATS).map(|word| match word {
            "average" | "mean" => "avg".to_owned(),
            "peak" => "max".to_owned(),
            other => match other.split_once("th ") {
                Some((n, _)) => format!("p{n}"),
                None => other.to_owned(),
            },
        })
    })
}

const FILLERS: &[&str] = &[
    "is", "are", "stays", "stay", "remains", "must be", "should be", "goes", "target", "target:", "threshold",
    "alert if", "alert", "if", "when", "keep", "kept", "rate", "be", "rollback if", "roll back if", "usually",
    "currently", "current", "now", "expected", "normally", "value", "baseline:", "goal", "goal:", "must stay",
    "must remain", "was", "gets", "get", "climbs", "drops", "falls", "rises", "dips", "spikes", "consistently", "drop",
    "fall", "rise",
];

const COMPARISONS: &[(Cmp, &[&str], &[&str])] = &[
    (
        Cmp::AtMost,
        &["≤", "=<"],
        &[
            "at most", "no more than", "not more than", "up to", "maximum of", "maximum", "not exceeding",
            "does not exceed", "no higher than", "not above", "no greater than",
        ],
    ),
    (
        Cmp::AtLeast,
        &["≥"],
        &[
            "at least", "no less than", "not less than", "minimum of", "minimum", "min.", "reaches", "reach", "hits",
            "not below", "no lower than", "equal or above",
        ],
    ),
    (Cmp::Below, &["<"], &["below", "under", "less than", "lower than", "fewer than", "smaller than", "beneath", "lt"]),
    (
        Cmp::Above,
        &[">"],
        &[
            "above", "over", "exceeds", "exceed", "exceeding", "exceeded", "more than", "greater than", "higher than",
            "in excess of", "surpasses", "larger than", "beyond", "crosses", "tops", "gt",
        ],
    ),
    (Cmp::Equal, &["==", "="], &["equals", "equal to", "exactly"]),
];

/// A comparison, symbols first.
pub(super) fn comparison(scan: &mut Scan<'_>) -> Option<Cmp> {
    let found =
        COMPARISONS.iter().find(|(_, symbols, _)| symbols.iter().any(|symbol| scan.symbol(symbol))).map(|c| c.0);
    if let Some(cmp) = found {
        // `> or = 5`, `>= ` were normalised; a doubled sign is one.
        let equal = scan.symbol("=") || scan.word(&["or equal to"]).is_some();
        return Some(match cmp {
            Cmp::Below if equal => Cmp::AtMost,
            Cmp::Above if equal => Cmp::AtLeast,
            other => other,
        });
    }
    COMPARISONS.iter().find(|(_, _, words)| scan.word(words).is_some()).map(|c| {
        let equal = scan.word(&["or equal to"]).is_some();
        match c.0 {
            Cmp::Below if equal => Cmp::AtMost,
            Cmp::Above if equal => Cmp::AtLeast,
            other => other,
        }
    })
}

/// One bound with what belongs to it.
pub(super) fn part(scan: &mut Scan<'_>) -> Option<Part> {
    let mut before = stat(scan);
    scan.symbol(":");
    let reached = scan.attempt(reaches);
    while scan.word(FILLERS).is_some() {
        scan.symbol(":");
    }
    before = before.or_else(|| stat(scan));
    if let Some(part) = scan.attempt(within) {
        return Some(tail(scan, part, before));
    }
    let mut cmp = reached.or_else(|| comparison(scan));
    // "max 3 retries" bounds, "max < 3" measures.
    if cmp.is_none() && before.as_deref() == Some("max") && scan.clone().attempt(number).is_some() {
        (cmp, before) = (Some(Cmp::AtMost), None);
    }
    scan.word(&["a", "an", "the", "by"]);
    let by = cmp.and_then(|cmp| scan.attempt(|scan| baseline_by(scan, cmp)));
    let (operand, implied) = by.map(|operand| (operand, None)).or_else(|| operand(scan, cmp.is_some()))?;
    cmp = cmp.or(implied);
    // `99.9%+`, `5 or more`
    if cmp.is_none() {
        if scan.symbol("+")
            || scan.word(&["or more", "or higher", "or above", "and above", "or better", "minimum"]).is_some()
        {
            cmp = Some(Cmp::AtLeast);
        } else if scan.word(&["or less", "or lower", "or fewer", "or below", "max", "maximum"]).is_some() {
            cmp = Some(Cmp::AtMost);
        }
    }
    // "> 1-2%" says neither one nor two.
    if cmp.is_some() && matches!(operand, Operand::Band { .. }) {
        return None;
    }
    let part = Part { cmp, operand, stat: None, window: None, scope: None };
    Some(tail(scan, part, before))
}

/// "drops to 50% of baseline", "rises to 80%": reaching it is enough.
pub(super) fn reaches(scan: &mut Scan<'_>) -> Option<Cmp> {
    let down = ["drops to", "drop to", "falls to", "fall to", "dips to", "decreases to", "goes down to", "is down to"];
    let up = ["rises to", "rise to", "climbs to", "increases to", "jumps to", "spikes to", "goes up to", "is up to"];
    scan.word(&down).map(|_| Cmp::AtMost).or_else(|| scan.word(&up).map(|_| Cmp::AtLeast))
}

/// "exceeds baseline by 50%".
fn baseline_by(scan: &mut Scan<'_>, cmp: Cmp) -> Option<Operand> {
    scan.word(&["baseline by", "the baseline by", "normal by"])?;
    scan.word(&["more than"]);
    let percent = number(scan)?;
    let way = if matches!(cmp, Cmp::Above | Cmp::AtLeast) { Way::Up } else { Way::Down };
    scan.symbol("%").then_some(Operand::Change { percent, way })
}

/// `within ±5%`, `within 10% of baseline`, `between 10 and 20 ms`.
fn within(scan: &mut Scan<'_>) -> Option<Part> {
    let part = |operand| Part { cmp: Some(Cmp::Within), operand, stat: None, window: None, scope: None };
    if scan.word(&["between"]).is_some() {
        let low = number(scan)?;
        let first = unit(scan);
        scan.word(&["and"]).map(|_| ()).or_else(|| scan.symbol("-").then_some(()))?;
        let high = number(scan)?;
        let second = unit(scan);
        let unit = if second.is_empty() { first } else { second };
        return Some(part(Operand::Band { low, high, unit }));
    }
    scan.word(&["within"])?;
    let sign = scan.symbol("±") || scan.symbol("+/-");
    let percent = number(scan)?;
    let percent = scan.symbol("%").then_some(percent)?;
    let relative = scan.word(BASELINES).is_some();
    (sign || relative).then(|| part(Operand::Change { percent, way: Way::Either }))
}

/// Statistic, window, note and scope after the operand, in any order.
fn tail(scan: &mut Scan<'_>, mut part: Part, before: Option<String>) -> Part {
    part.stat = before;
    for _ in 0..6 {
        if part.stat.is_none()
            && let Some(found) = stat(scan)
        {
            part.stat = Some(found);
            continue;
        }
        if part.window.is_none()
            && let Some(found) = window(scan)
        {
            part.window = Some(found);
            continue;
        }
        let note = scan.attempt(|scan| {
            scan.symbol(",");
            scan.note()
        });
        if let Some(note) = note {
            let mut inner = Scan::new(note);
            if part.window.is_none() {
                part.window = note_window(&mut inner);
            }
            if part.stat.is_none() {
                part.stat = stat(&mut Scan::new(note));
            }
            continue;
        }
        if part.scope.is_none()
            && let Some(found) = scope(scan)
        {
            part.scope = Some(found);
            continue;
        }
        // "> 1% errors for 5 min": the noun between bound and window.
        let noun = scan.attempt(|scan| {
            for _ in 0..4 {
                scan.letters()?;
                let found = part.window.is_none().then(|| window(scan)).flatten();
                if found.is_some() {
                    return found;
                }
            }
            None
        });
        if let Some(found) = noun {
            part.window = Some(found);
            continue;
        }
        let filler = scan.word(&[
            "sustained", "consistently", "continuously", "total", "response time", "latency", "of requests",
            "of traffic",
        ]);
        if filler.is_none() {
            break;
        }
    }
    part
}

const WINDOW_WORDS: &[&str] = &[
    "for", "over", "within", "in", "in the last", "over the last", "during", "sustained for", "sustained over",
    "for more than", "for over", "for at least", "lasting", "lasting more than", "averaged over", "across",
    "persisting for", "for longer than", "in any", "over any", "per", "for a", "over a", "in a", "within a",
    "in under", "through", "inside", "for any", "held for", "sustained", "over a rolling", "in the past",
    "over the past", "during any", "measured over", "per rolling", "inside any", "across any", "for about", "for ≥",
    "for >", "for the", "over the", "in the", "within the",
];

/// `for 5 minutes`, `over 3 consecutive checks`, `(5-minute window)`, `, 10 min`.
pub(super) fn window(scan: &mut Scan<'_>) -> Option<Window> {
    scan.attempt(|scan| {
        let comma = scan.symbol(",");
        if let Some(first) = scan.attempt(since_start) {
            return Some(Window::First(first));
        }
        let minute = ["for a minute", "over a minute", "for a full minute", "for one minute", "within a minute"];
        if scan.word(&minute).is_some() {
            return Some(Window::Seconds(60));
        }
        if scan.word(WINDOW_WORDS).is_none() && !comma {
            return None;
        }
        scan.word(&["any", "a", "rolling", "sliding"]);
        span(scan)
    })
}

/// "within the first hour", "during the first 30 minutes", "in the first 4 hours after T-0".
fn since_start(scan: &mut Scan<'_>) -> Option<u32> {
    scan.word(&["within", "in", "during", "for", "over"]);
    scan.word(&["the"]);
    scan.word(&["first"])?;
    let seconds = scan.attempt(duration).or_else(|| {
        let period = [("hour", 3600), ("day", 86_400), ("minute", 60), ("week", 604_800)];
        period.into_iter().find_map(|(word, seconds)| scan.word(&[word]).map(|_| seconds))
    })?;
    scan.word(&[
        "after T-0", "after t-0", "after t0", "after release", "after deployment", "after launch", "of release",
    ]);
    Some(seconds)
}

fn note_window(scan: &mut Scan<'_>) -> Option<Window> {
    scan.attempt(|scan| {
        while scan.word(WINDOW_WORDS).is_some() {}
        scan.word(&["rolling", "sliding", "sustained", "any", "a"]);
        let found = span(scan)?;
        scan.done().then_some(found)
    })
}

fn span(scan: &mut Scan<'_>) -> Option<Window> {
    if let Some(times) = scan.attempt(consecutive) {
        return Some(Window::Consecutive(times));
    }
    let seconds = duration(scan)?;
    scan.symbol("-");
    scan.word(&["rolling", "sliding", "moving", "sustained"]);
    scan.word(&[
        "window", "windows", "average", "avg", "period", "interval", "sustained", "straight", "or more", "or longer",
        "in a row", "mean", "continuously",
    ]);
    Some(Window::Seconds(seconds))
}

/// `3 consecutive checks`, `5 samples in a row`, `2 scrapes`.
pub(super) fn consecutive(scan: &mut Scan<'_>) -> Option<u32> {
    scan.word(&["at least", "more than"]);
    let n = number(scan)?;
    let times = whole(n)?;
    if scan.word(&["consecutive", "successive", "straight", "back-to-back"]).is_some() {
        let noun = scan.letters()?;
        return (!super::span::period_word(noun)).then_some(times);
    }
    if scan.word(&["times in a row", "in a row", "times", "x in a row", "consecutively"]).is_some() {
        return Some(times);
    }
    let noun = scan.letters()?;
    let counted = [
        "check", "sample", "scrape", "attempt", "probe", "interval", "run", "evaluation", "retr", "data point", "poll",
    ];
    let fits = counted.iter().any(|word| noun.to_ascii_lowercase().starts_with(word));
    if fits {
        scan.word(&["in a row"]);
    }
    fits.then_some(times)
}

/// A small whole number.
pub(super) fn whole(n: f64) -> Option<u32> {
    ((1.0..=1000.0).contains(&n) && n.fract() == 0.0).then_some(n as u32)
}

/// "in more than one region" is a condition of its own, no place.
pub(super) fn counted(words: &str) -> bool {
    let low = words.to_ascii_lowercase();
    ["more than", "at least", "fewer than", "less than", "both ", "majority", "one of", "two ", "three "]
        .iter()
        .any(|count| low.contains(count))
}

fn scope(scan: &mut Scan<'_>) -> Option<String> {
    scan.attempt(|scan| {
        let before = scan.at;
        scan.word(&[
            "for", "in", "on", "across", "under", "at", "from", "of", "to", "with", "during", "per", "when", "while",
            "through",
        ])?;
        let rest = scan.rest();
        let end = [" or ", " and ", ";", "→", "(", ",", " for ", " over ", " within "]
            .iter()
            .filter_map(|stop| rest.to_ascii_lowercase().find(stop))
            .min()
            .unwrap_or(rest.len());
        let words = rest[..end].trim();
        if words.is_empty() || words.starts_with(|c: char| c.is_ascii_digit()) || counted(words) {
            return None;
        }
        scan.at += end;
        Some(scan.text[before..scan.at].trim().to_owned())
    })
}
