//! Trains: a cron rule in a zone makes a draft from a template some days before each firing; a firing can be skipped.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::UserId;
use crate::domain::recur::Rule;
use crate::domain::zone_of;

/// The most trains a workspace may have.
pub const MAX_TRAINS: usize = 25;
/// The most days a draft is made ahead.
pub const MAX_DAYS_AHEAD: u32 = 60;
/// The most drafts of one train that are made ahead.
pub const MAX_DRAFTS: usize = 30;
/// Where the template wants T-0 written; without it a draft would have no date.
pub const T0_HOLE: &str = "{t0}";
/// Where the template wants the day alone, in a title for instance.
pub const DATE_HOLE: &str = "{date}";

/// A recurring release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Train {
    pub rule: Rule,
    /// IANA name.
    pub zone: String,
    pub days_ahead: u32,
    /// Whoever set it up is its drafts' author.
    pub author: UserId,
    pub author_name: String,
    /// Firings up to here are dealt with.
    pub handled: Timestamp,
    /// Firings to come that are skipped.
    #[serde(default)]
    pub skipped: Vec<Timestamp>,
}

impl Train {
    /// The firings not dealt with yet, in order; skipped ones are among them.
    pub fn firings(&self) -> impl Iterator<Item = Timestamp> + use<> {
        self.rule.after(&zone_of(&self.zone), self.handled)
    }

    /// The next T-0s, without those skipped.
    pub fn next(&self, n: usize) -> Vec<Timestamp> {
        self.firings().filter(|at| !self.skipped.contains(at)).take(n).collect()
    }

    /// Whether more than [`MAX_DRAFTS`] of its drafts would be open at once.
    pub fn too_often(&self) -> bool {
        let ahead = SignedDuration::from_hours(24 * i64::from(self.days_ahead.max(1)));
        self.firings().nth(MAX_DRAFTS).is_some_and(|firing| firing <= self.handled + ahead)
    }

    /// When the draft of a firing is due.
    pub fn draft_at(&self, t0: Timestamp) -> Timestamp {
        t0 - SignedDuration::from_hours(24 * i64::from(self.days_ahead))
    }
}

/// The template's bytes with T-0 and its day filled in, as the plan grammar reads them.
pub fn filled(template: &str, t0: Timestamp, zone: &str) -> String {
    let tz = zone_of(zone);
    let civil = tz.to_datetime(t0);
    let twice = matches!(tz.to_ambiguous_timestamp(civil).offset(), jiff::tz::AmbiguousOffset::Fold { .. });
    let day = civil.date().to_string();
    let time = format!("{day} {:02}:{:02}", civil.hour(), civil.minute());
    // A wall clock time that happens twice is written with its offset.
    let written = if twice {
        let minutes = tz.to_offset(t0).seconds() / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        format!("{day}T{:02}:{:02}{sign}{hours:02}:{rest:02}[{zone}]", civil.hour(), civil.minute())
    } else {
        format!("{time} {zone}")
    };
    template.replace(T0_HOLE, &written).replace(DATE_HOLE, &day)
}
