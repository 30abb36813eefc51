//! What happens by itself at an instant.

use crate::domain::alert::AlertMark;
use crate::domain::closing::ClosingMark;
use crate::domain::decision::PointMark;
use crate::domain::evidence::EvidenceMark;
use crate::domain::ladder::LadderMark;
use crate::domain::lifecycle::PlanMark;
use crate::domain::rollback::RollbackMark;
use crate::domain::signoff::SignoffMark;
use crate::domain::stage::StageMark;
use crate::domain::updates::UpdateMark;
use jiff::Timestamp;

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
            Self::Rollback(_) => true,
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
    Closing: ClosingMark,
});
