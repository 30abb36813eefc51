//! Which decision point is open.

use super::{Point, PointState};
use crate::domain::release::Run;

/// The point that is open, earliest first.
pub fn open(run: &Run) -> Option<&Point> {
    run.points.iter().find(|p| matches!(p.state, PointState::Open { .. }))
}
