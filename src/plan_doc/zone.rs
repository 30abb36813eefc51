//! Time zones as people write them: names, offsets with ISO signs, abbreviations that every place agrees
//! on. Never a guess: what is ambiguous or out of season is refused with the readings.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, db};

use super::time::TimeProblem;

/// Abbreviations people use that tzdb lacks or that mean several things beyond it, with two places they mean.
const CUSTOMARY: &[(&str, &str, &str)] = &[
    ("AST", "America/Halifax", "Asia/Riyadh"),
    ("GST", "Asia/Dubai", "Atlantic/South_Georgia"),
    ("BST", "Europe/London", "Asia/Dhaka"),
    ("SST", "Asia/Singapore", "Pacific/Pago_Pago"),
    ("ADT", "America/Halifax", "Asia/Baghdad"),
    ("ECT", "America/Guayaquil", "Europe/Paris"),
];

/// The place an abbreviation is known for; for an ambiguous one each of its meanings has one.
const KNOWN_FOR: &[(&str, &str)] = &[
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("HST", "Pacific/Honolulu"),
    ("CET", "Europe/Berlin"),
    ("CEST", "Europe/Berlin"),
    ("EET", "Europe/Athens"),
    ("EEST", "Europe/Athens"),
    ("WET", "Europe/Lisbon"),
    ("WEST", "Europe/Lisbon"),
    ("JST", "Asia/Tokyo"),
];

/// Places that stand for their offset where several places share it.
const PREFERRED: &[&str] = &[
    "Asia/Kolkata", "Asia/Jerusalem", "Europe/Dublin", "America/Chicago", "Asia/Shanghai", "America/Havana",
    "Asia/Manila",
];

/// The abbreviation a place uses at a civil time.
fn season(place: &str, civil: DateTime) -> Option<String> {
    let zone = TimeZone::get(place).ok()?;
    let at = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    Some(zone.to_offset_info(at).abbreviation().to_owned())
}

fn season_offset(place: &str, civil: DateTime) -> Option<Offset> {
    let zone = TimeZone::get(place).ok()?;
    let at = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    Some(zone.to_offset(at))
}

/// The offset an abbreviation has at a place in its own season.
fn meant_offset(place: &str, wanted: &str, civil: DateTime) -> Option<Offset> {
    let zone = TimeZone::get(place).ok()?;
    let at = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    let half_a_year = jiff::SignedDuration::from_hours(24 * 183);
    let info = zone.to_offset_info(at + half_a_year);
    (info.abbreviation() == wanted).then(|| info.offset())
}

/// Zones of the United States by their generic names.
const GENERIC: &[(&str, &str)] =
    &[("PT", "America/Los_Angeles"), ("MT", "America/Denver"), ("CT", "America/Chicago"), ("ET", "America/New_York")];

/// Every place of the bundled database with its zone; read once.
static PLACES: LazyLock<Vec<(String, TimeZone)>> = LazyLock::new(|| {
    let place =
        |name: &String| name.contains('/') && !["Etc/", "posix/", "right/"].iter().any(|front| name.starts_with(front));
    let names = db().available().map(|name| name.to_string()).filter(place);
    names.filter_map(|name| TimeZone::get(&name).ok().map(|zone| (name, zone))).collect()
});

/// The zone of a plan by its name there: a place, or a fixed offset.
pub(super) fn by_name(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().or_else(|| fixed_offset(name).map(TimeZone::fixed))
}

/// The zone a text names, and its name in the plan.
pub(super) fn zone(typed: &str, civil: DateTime) -> Result<(TimeZone, String), TimeProblem> {
    if let Some(offset) = fixed_offset(typed) {
        let name = if offset == Offset::UTC { "UTC".to_owned() } else { offset_name(offset) };
        return Ok((TimeZone::fixed(offset), name));
    }
    if typed.contains('/') {
        let zone = TimeZone::get(typed).map_err(|_unknown_zone| unknown_zone(typed))?;
        let name = zone.iana_name().unwrap_or(typed).to_owned();
        return Ok((zone, name));
    }
    if let Some((_, name)) = GENERIC.iter().find(|(short, _)| short.eq_ignore_ascii_case(typed)) {
        let zone = TimeZone::get(name).map_err(|_unknown_zone| unknown_zone(typed))?;
        return Ok((zone, (*name).to_owned()));
    }
    abbreviation(typed, civil)
}

fn unknown_zone(typed: &str) -> TimeProblem {
    let wanted = typed.to_lowercase();
    let score = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &wanted);
    let near = PLACES.iter().map(|(name, _)| (name, score(name))).max_by(|a, b| a.1.total_cmp(&b.1));
    let near = near.map_or_else(String::new, |(name, _)| name.clone());
    TimeProblem::new(
        "TM072",
        format!("T-Minus does not know the time zone `{typed}`."),
        format!("Did you mean `{near}`?"),
    )
    .zones([near])
}

/// `Z`, `UTC`, `GMT`, `UTC+2`, `+02:00`, `+0200`: signs as in ISO 8601, east is plus.
pub(super) fn fixed_offset(typed: &str) -> Option<Offset> {
    let upper = typed.to_uppercase();
    let rest = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper).trim();
    if rest.is_empty() || rest == "Z" {
        return Some(Offset::UTC);
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits: String = rest.chars().skip(1).collect();
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits.as_str(), "00"),
    };
    // Only digits: "UTC+-2" and "+2:5" are not offsets.
    let whole = minutes.len() == 2 && hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit());
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (whole && hours <= 14 && minutes < 60).then_some(())?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

pub(super) fn offset_name(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() % 3600 / 60)
}

/// An abbreviation counts only if every zone that uses it on that date agrees on the offset.
fn abbreviation(typed: &str, civil: DateTime) -> Result<(TimeZone, String), TimeProblem> {
    let wanted = typed.to_uppercase();
    let ambiguous = |names: &[String]| {
        let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
        let help = format!("Name the place: {listed}.");
        TimeProblem::new("TM072", format!("`{typed}` could mean more than one time zone."), help)
            .zones(names.iter().cloned())
    };
    if let Some((_, first, second)) = CUSTOMARY.iter().find(|(short, ..)| *short == wanted) {
        return Err(ambiguous(&[(*first).to_owned(), (*second).to_owned()]));
    }
    let mut offsets: BTreeMap<i32, String> = BTreeMap::new();
    let mut other_season = None;
    let half_a_year = jiff::SignedDuration::from_hours(24 * 183);
    for (name, zone) in PLACES.iter() {
        let Ok(at) = zone.to_ambiguous_timestamp(civil).compatible() else {
            continue;
        };
        let info = zone.to_offset_info(at);
        if info.abbreviation() == wanted {
            let kept = offsets.entry(info.offset().seconds()).or_insert_with(|| name.clone());
            if PREFERRED.contains(&name.as_str()) {
                kept.clone_from(name);
            }
        } else if zone.to_offset_info(at + half_a_year).abbreviation() == wanted {
            other_season.get_or_insert((name.clone(), info.abbreviation().to_owned()));
        }
    }
    // Where a place is known for an abbreviation, it decides whether the season fits; else only an abbreviation nobody uses
    // that day is out of season.
    let known = KNOWN_FOR.iter().find(|(short, _)| *short == wanted).map(|(_, place)| *place);
    let home = known.and_then(|place| season(place, civil)).filter(|is| *is != wanted);
    let away = match (known, &home) {
        (Some(place), Some(is)) => Some((place.to_owned(), is.clone())),
        (Some(_), None) => None,
        (None, _) if offsets.is_empty() => other_season,
        (None, _) => None,
    };
    if let Some((place, is)) = away {
        let message = format!("{place} uses {is}, not {wanted}, on {}.", civil.date());
        let meant = meant_offset(&place, &wanted, civil).map(|offset| format!("UTC{}", offset_name(offset)));
        let or =
            meant.as_ref().map_or_else(|| "an offset such as `UTC-8`".to_owned(), |m| format!("the offset, `{m}`"));
        let help = format!("Name the place, `{place}`, or give {or}.");
        return Err(TimeProblem::new("TM072", message, help).zones([Some(place), meant].into_iter().flatten()));
    }
    // A place that is known for it settles nothing, but is named first.
    let mut found: Vec<(i32, String)> = offsets.into_iter().collect();
    if let Some(place) = known {
        for (_, name) in &mut found {
            if season_offset(place, civil) == season_offset(name, civil) {
                place.clone_into(name);
            }
        }
    }
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some((seconds, _)), None) => {
            let offset = Offset::from_seconds(seconds).map_err(|_out_of_range| unknown_zone(typed))?;
            Ok((TimeZone::fixed(offset), offset_name(offset)))
        }
        (Some((_, first)), Some((_, second))) => {
            let names: Vec<String> = [first, second].into_iter().chain(found.map(|(_, name)| name)).collect();
            Err(ambiguous(&names))
        }
        (None, _) => {
            let help = "Use a place such as `America/Los_Angeles`, or an offset such as `UTC-8`.".to_owned();
            Err(TimeProblem::new("TM072", format!("No place uses `{typed}` on {}.", civil.date()), help))
        }
    }
}
