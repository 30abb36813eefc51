//! What several messages of a running release show.

use crate::domain::release::Run;
use crate::voice::text::{Stamp, Text};
use crate::voice::words;

pub(super) fn alerts_line(run: &Run) -> Text {
    let mut firing: Vec<String> = run.alerts.iter().filter(|a| a.counts()).map(|a| a.name.clone()).collect();
    if run.crowd.open_count() > 0 {
        firing.push(format!("{} more", run.crowd.open_count()));
    }
    let elsewhere = run.elsewhere.iter().map(|e| Text::from(format!("🔗 {}: see {}", e.name, e.no)));
    let own = if firing.is_empty() { "none open".to_owned() } else { format!("🔴 firing: {}", firing.join(", ")) };
    Text::lines([Text::from(own)].into_iter().chain(elsewhere))
}

/// The next decision point.
pub(super) fn next_point(run: &Run) -> Text {
    use crate::domain::decision::PointState;
    let next = run.points.iter().find(|p| !matches!(p.state, PointState::Decided { .. }));
    match next {
        Some(point) => match point.state {
            PointState::Open { .. } => Text::from(format!("{} is open now", words::after(point.after_min))),
            _ => Text::from(format!("{} at ", words::after(point.after_min))).time(point.due, Stamp::Short),
        },
        None => Text::from("none left"),
    }
}

/// That one update stands for several.
pub(super) fn away(merged: u32) -> Text {
    if merged < 2 {
        return Text::new();
    }
    Text::from(format!("This update covers {merged} due updates; T-Minus was not running when the others were due."))
}

/// The text with a capital letter first.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
