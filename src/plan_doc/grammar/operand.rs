//! What a bound compares with: values, bands, ratios, multiples of the baseline, changes against it.

use super::number::{currency, number, quantity, unit};
use super::scan::Scan;
use super::span::compound;
use super::threshold::{Operand, Way};
use crate::domain::plan::{Cmp, Quantity};

pub(super) const BASELINES: &[&str] = &[
    "vs baseline", "vs. baseline", "versus baseline", "of baseline", "of the baseline", "from baseline",
    "over baseline", "above baseline", "below baseline", "under baseline", "than baseline", "against baseline",
    "compared to baseline", "compared with baseline", "relative to baseline", "baseline", "vs the baseline",
    "over the baseline", "from the baseline", "vs previous", "vs pre-release", "of pre-release", "vs pre-deploy",
    "from pre-release baseline", "vs last week", "vs previous release", "from the pre-release baseline",
    "below the baseline", "above the baseline", "of normal", "over normal", "above normal", "normal", "vs normal",
    "the baseline", "of current", "below normal", "vs control", "than normal", "than usual", "than before",
    "the usual", "usual", "of usual",
];

/// What is compared with, and the comparison it implies by itself: "zero", `500+ req/s`.
pub(super) fn operand(scan: &mut Scan<'_>, compared: bool) -> Option<(Operand, Option<Cmp>)> {
    if !scan.next_is(&["no worse", "no change", "no more", "no less"]) && scan.word(&["zero", "no", "none"]).is_some() {
        let unit = noun(scan);
        return Some((Operand::Value(Quantity { value: 0.0, unit }), Some(Cmp::Equal)));
    }
    let plus = scan.attempt(|scan| {
        let money = currency(scan);
        let value = number(scan)?;
        if !scan.rest().starts_with('+') {
            return None;
        }
        scan.at += 1;
        let unit = money.map_or_else(|| unit(scan), str::to_owned);
        Some(Operand::Value(Quantity { value, unit }))
    });
    if let Some(operand) = plus {
        return Some((operand, Some(Cmp::AtLeast)));
    }
    measured(scan, compared).map(|operand| (operand, None))
}

fn measured(scan: &mut Scan<'_>, compared: bool) -> Option<Operand> {
    if scan.word(&["baseline", "the baseline"]).is_some() {
        return Some(from_baseline(scan));
    }
    if scan.word(&["double", "twice"]).is_some() {
        scan.word(BASELINES);
        return Some(Operand::Times(2.0));
    }
    scan.symbol("~");
    scan.symbol("≈");
    scan.word(&["about", "approx.", "approx", "approximately", "around", "roughly", "ca."]);
    if scan.symbol("±") || scan.symbol("+/-") {
        return change(scan, Way::Either);
    }
    if scan.symbol("+") {
        return change(scan, Way::Up).or_else(|| over_baseline(scan, 1.0));
    }
    if scan.symbol("-") {
        return change(scan, Way::Down).or_else(|| {
            let mut quantity = quantity(scan)?;
            quantity.value = -quantity.value;
            Some(Operand::Value(quantity))
        });
    }
    if let Some(seconds) = scan.attempt(compound) {
        let by = [(3600, "h"), (60, "min"), (1, "s")].into_iter().find(|(by, _)| seconds.is_multiple_of(*by))?;
        return Some(Operand::Value(Quantity { value: f64::from(seconds / by.0), unit: by.1.to_owned() }));
    }
    let money = currency(scan);
    let value = number(scan)?;
    if let Some(band) = scan.attempt(|scan| {
        let first = unit(scan);
        if !scan.symbol("-") && scan.word(&["to"]).is_none() && !scan.symbol("..") {
            return None;
        }
        currency(scan);
        let high = number(scan)?;
        let second = unit(scan);
        let unit = money.map_or(if second.is_empty() { first } else { second }, str::to_owned);
        Some(Operand::Band { low: value, high, unit })
    }) {
        return Some(band);
    }
    if let Some(ratio) = scan.attempt(|scan| {
        let of = scan.symbol("/") || scan.word(&["of", "out of"]).is_some();
        scan.word(&["the last"]);
        let whole = of.then(|| number(scan)).flatten()?;
        Some(Operand::OutOf { part: value, whole })
    }) {
        return Some(ratio);
    }
    if scan.symbol("σ") || scan.word(&["sigma", "standard deviations", "stddev", "std dev"]).is_some() {
        scan.word(&["above", "below", "from", "over"]);
        scan.word(BASELINES);
        scan.word(&["mean", "the mean"]);
        return Some(Operand::Sigma(value));
    }
    if scan.attempt(times).is_some() {
        return Some(Operand::Times(value));
    }
    if money.is_none() && scan.clone().symbol("%") {
        scan.symbol("%");
        return Some(percent(scan, value, compared));
    }
    let unit = match money {
        Some(sign) => sign.to_owned() + &unit(scan),
        None => unit(scan),
    };
    if scan
        .attempt(|scan| scan.word(&["above baseline", "over baseline", "above the baseline", "over the baseline"]))
        .is_some()
    {
        return Some(Operand::Baseline(Some(Quantity { value, unit })));
    }
    Some(Operand::Value(Quantity { value, unit }))
}

fn times(scan: &mut Scan<'_>) -> Option<()> {
    let sign = scan.symbol("×") || scan.word(&["x", "times"]).is_some();
    if !sign {
        return None;
    }
    // "3 times in a row" counts, it does not multiply.
    if scan.next_is(&["in a row", "in", "consecutively"]) {
        return None;
    }
    scan.word(&["higher than", "over", "above", "more than"]);
    scan.word(BASELINES);
    Some(())
}

/// After `N%`: of the baseline, a change against it, or plain percent with a noun.
fn percent(scan: &mut Scan<'_>, value: f64, compared: bool) -> Operand {
    if scan
        .word(&[
            "of baseline", "of the baseline", "of normal", "of pre-release", "of current", "of pre-release baseline",
            "of usual", "of expected",
        ])
        .is_some()
    {
        return Operand::PercentOf(value);
    }
    let change = scan.attempt(|scan| {
        let placed = scan.next_is(&["above", "over", "below", "under"]);
        let way = if scan
            .word(&[
                "increase", "rise", "growth", "higher", "above", "over", "regression", "more", "spike", "slower",
                "degradation", "jump",
            ])
            .is_some()
        {
            Way::Up
        } else if scan
            .word(&["decrease", "drop", "decline", "lower", "below", "under", "reduction", "fewer", "less", "dip"])
            .is_some()
        {
            Way::Down
        } else {
            Way::Either
        };
        let relative = scan
            .word(&["than"])
            .map(|_| scan.word(BASELINES).is_some())
            .unwrap_or_else(|| scan.word(BASELINES).is_some());
        match (way, relative) {
            (Way::Either, false) => None,
            (Way::Either, true) => {
                Some(Operand::Change { percent: value, way: if compared { Way::Up } else { Way::Either } })
            }
            (way, true) => Some(Operand::Change { percent: value, way }),
            // "20% drop" alone is a change as well; "20% over 15 min" is not.
            (way, false) => (!placed).then_some(Operand::Change { percent: value, way }),
        }
    });
    if let Some(change) = change {
        return change;
    }
    scan.attempt(|scan| {
        let period = unit(scan);
        period.starts_with('/').then(|| Operand::Value(Quantity { value, unit: format!("%{period}") }))
    })
    .unwrap_or(Operand::Value(Quantity { value, unit: "%".to_owned() }))
}

fn change(scan: &mut Scan<'_>, way: Way) -> Option<Operand> {
    scan.attempt(|scan| {
        let percent = number(scan)?;
        if !scan.symbol("%") {
            return None;
        }
        scan.word(BASELINES);
        Some(Operand::Change { percent, way })
    })
}

fn over_baseline(scan: &mut Scan<'_>, sign: f64) -> Option<Operand> {
    let mut quantity = quantity(scan)?;
    quantity.value *= sign;
    Some(match scan.word(BASELINES) {
        Some(_) => Operand::Baseline(Some(quantity)),
        None => Operand::Value(quantity),
    })
}

fn from_baseline(scan: &mut Scan<'_>) -> Operand {
    let signed = scan.attempt(|scan| {
        if scan.symbol("±") || scan.symbol("+/-") {
            return change(scan, Way::Either);
        }
        let sign = if scan.symbol("+") {
            1.0
        } else if scan.symbol("-") {
            -1.0
        } else {
            return None;
        };
        change(scan, if sign > 0.0 { Way::Up } else { Way::Down }).or_else(|| {
            let mut quantity = quantity(scan)?;
            quantity.value *= sign;
            Some(Operand::Baseline(Some(quantity)))
        })
    });
    let times = || {
        scan.attempt(|scan| {
            if !scan.symbol("×") && !scan.symbol("*") && scan.word(&["x"]).is_none() {
                return None;
            }
            number(scan).map(Operand::Times)
        })
    };
    signed.or_else(times).unwrap_or(Operand::Baseline(None))
}

/// Up to three words: "duplicate charges".
fn noun(scan: &mut Scan<'_>) -> String {
    let mut words = Vec::new();
    while words.len() < 3 {
        let next = scan.attempt(|scan| {
            let word = scan.letters()?;
            (!matches!(word, "for" | "in" | "during" | "over" | "and" | "or" | "on" | "within" | "at")).then_some(word)
        });
        match next {
            Some(word) => words.push(word),
            None => break,
        }
    }
    words.join(" ")
}
