//! What happens by itself at an instant.

use jiff::Timestamp;

use super::alert::AlertMark;
use super::closing::{AllClearMark, ClosingMark};
use super::decision::PointMark;
use super::evidence::EvidenceMark;
use super::ladder::LadderMark;
use super::lifecycle::PlanMark;
use super::rollback::RollbackMark;
use super::signoff::SignoffMark;
use super::stage::StageMark;
use super::updates::UpdateMark;

/// Something that will happen by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    pub kind: MarkKind,
}

impl Mark {
    pub(super) fn new(at: Timestamp, kind: impl Into<MarkKind>) -> Self {
        Self { at, kind: kind.into() }
    }
}

/// What happens at a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkKind {
    Plan(PlanMark),
    Signoff(SignoffMark),
    Ladder(LadderMark),
    Stage(StageMark),
    Update(UpdateMark),
    Point(PointMark),
    Evidence(EvidenceMark),
    Alert(AlertMark),
    Rollback(RollbackMark),
    AllClear(AllClearMark),
    Closing(ClosingMark),
}

impl MarkKind {
    /// Whether it reminds of something: such marks that are missed together are one, the newest.
    pub fn reminds(&self) -> bool {
        match self {
            Self::Plan(mark) => mark.reminds(),
            Self::Signoff(mark) => mark.reminds(),
            Self::Point(mark) => mark.reminds(),
            Self::Alert(mark) => mark.reminds(),
            Self::Closing(mark) => mark.reminds(),
            Self::Rollback(_) | Self::AllClear(AllClearMark::Ask) => true,
            Self::Ladder(_) | Self::Stage(_) | Self::Update(_) | Self::Evidence(_) => false,
        }
    }
}

of_topics!(MarkKind {
    Plan: PlanMark,
    Signoff: SignoffMark,
    Ladder: LadderMark,
    Stage: StageMark,
    Update: UpdateMark,
    Point: PointMark,
    Evidence: EvidenceMark,
    Alert: AlertMark,
    Rollback: RollbackMark,
    AllClear: AllClearMark,
    Closing: ClosingMark,
});
