//! Values with units, and bounds on them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number with the unit as written (`ms`, `%`, `rps`, empty).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    pub value: f64,
    pub unit: String,
}

impl Quantity {
    /// The same in another unit of its kind: times, sizes, request rates; a bare number takes any unit, and any unit fits an
    /// empty one.
    pub fn convert(&self, to: &str) -> Option<Self> {
        if self.unit == to || to.is_empty() {
            return Some(self.clone());
        }
        if self.unit.is_empty() {
            return Some(Self { value: self.value, unit: to.to_owned() });
        }
        // One restart, two restarts.
        if self.unit.trim_end_matches('s') == to.trim_end_matches('s') && self.unit.len() > 3 {
            return Some(Self { value: self.value, unit: to.to_owned() });
        }
        if let (Some((what, from)), Some((wanted, into))) = (rate(&self.unit), rate(to))
            && (what == wanted || what.is_empty() || wanted.is_empty())
        {
            let value = (self.value / from * into * 1e6).round() / 1e6;
            return Some(Self { value, unit: to.to_owned() });
        }
        let ((kind, from), (wanted, into)) = (scale(&self.unit)?, scale(to)?);
        (kind == wanted).then(|| Self {
            // Rounded to what a plan can say, so that 0.4s is 400ms.
            value: (self.value * from / into * 1e6).round() / 1e6,
            unit: to.to_owned(),
        })
    }
}

/// What a unit counts, and over how many seconds: `errors/min`, `rps`, `/hour`.
fn rate(unit: &str) -> Option<(&str, f64)> {
    let (what, period) = match unit {
        "rps" => ("requests", "s"),
        "rpm" => ("requests", "min"),
        "qps" => ("queries", "s"),
        "tps" => ("transactions", "s"),
        other => other.split_once('/')?,
    };
    let seconds = match period {
        "s" => 1.0,
        "min" => 60.0,
        "hour" => 3_600.0,
        "day" => 86_400.0,
        "week" => 604_800.0,
        _ => return None,
    };
    Some((what, seconds))
}

/// What a unit measures, and how many of the kind's base unit it is.
fn scale(unit: &str) -> Option<(u8, f64)> {
    Some(match unit {
        "ns" => (0, 1e-9),
        "µs" => (0, 1e-6),
        "ms" => (0, 1e-3),
        "s" => (0, 1.0),
        "min" => (0, 60.0),
        "h" => (0, 3600.0),
        "d" => (0, 86_400.0),
        "B" => (1, 1.0),
        "KB" => (1, 1e3),
        "MB" => (1, 1e6),
        "GB" => (1, 1e9),
        "TB" => (1, 1e12),
        "KiB" => (1, 1024.0),
        "MiB" => (1, 1_048_576.0),
        "GiB" => (1, 1_073_741_824.0),
        "TiB" => (1, 1_099_511_627_776.0),
        // A point is a percent of the whole.
        "%" | "pp" => (3, 1.0),
        "rps" => (2, 60.0),
        "rpm" => (2, 1.0),
        _ => return None,
    })
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, unit } = self;
        match unit.as_str() {
            "" => write!(f, "{value}"),
            "%" | "ms" | "s" | "µs" => write!(f, "{value}{unit}"),
            _ => write!(f, "{value} {unit}"),
        }
    }
}

/// Direction of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cmp {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    /// Inside a band, both ends included.
    Within,
    /// Outside a band.
    Outside,
}

/// A comparison against a quantity: `< 250ms`; a band has an upper end as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    pub cmp: Cmp,
    pub than: Quantity,
    /// The upper end of a band, in the unit of `than`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<f64>,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            Some(to) => {
                let to = Quantity { value: to, unit: self.than.unit.clone() };
                write!(f, "{} {}–{to}", self.cmp, self.than.value)
            }
            None => write!(f, "{} {}", self.cmp, self.than),
        }
    }
}

impl Bound {
    /// The same bound in another unit, both ends of a band.
    pub fn convert(&self, unit: &str) -> Option<Self> {
        let than = self.than.convert(unit)?;
        let end = self.to.map(|to| Quantity { value: to, unit: self.than.unit.clone() }.convert(unit));
        let to = match end {
            Some(converted) => Some(converted?.value),
            None => None,
        };
        Some(Self { cmp: self.cmp, than, to })
    }

    /// A bound without an upper end.
    pub fn new(cmp: Cmp, than: Quantity) -> Self {
        Self { cmp, than, to: None }
    }

    /// Whether `value`, in the bound's own unit, satisfies it. NaN satisfies nothing.
    pub fn holds(&self, value: f64) -> bool {
        let to = self.to.unwrap_or(self.than.value);
        match self.cmp {
            Cmp::Below => value < self.than.value,
            Cmp::AtMost => value <= self.than.value,
            Cmp::Above => value > self.than.value,
            Cmp::AtLeast => value >= self.than.value,
            Cmp::Equal => (value - self.than.value).abs() <= f64::EPSILON * self.than.value.abs().max(1.0),
            Cmp::Within => value >= self.than.value && value <= to,
            Cmp::Outside => value < self.than.value || value > to,
        }
    }
}
