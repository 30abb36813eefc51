//! What happens by itself at an instant.

use std::mem::discriminant;

use jiff::Timestamp;

/// Something that will happen by itself at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    pub kind: MarkKind,
}

/// What happens at a mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkKind {
    /// The author is reminded of a draft nobody submitted.
    Draft,
    /// T-0 came (or went) without go.
    T0 {
        asked: u8,
    },
    SignoffReminder {
        n: u8,
    },
    /// A sign-off counts no more.
    SignoffExpires,
    BreakGlassFollowUp {
        n: u8,
    },
    Rung {
        rung: String,
    },
    SoakEnds,
    /// A hold takes longer than its stage was planned to.
    LongHold,
    Update,
    Point {
        after_min: u32,
    },
    PointReminder {
        after_min: u32,
    },
    Trigger {
        trigger: usize,
    },
    /// An alert that fires again is believed.
    AlertBelieved {
        key: String,
    },
    /// Nobody acknowledged an alert.
    AlertReminder,
    CaseReminder,
    RollbackReminder,
    Postmortem {
        n: u8,
    },
    /// Whether the release is all clear.
    AllClear,
    /// A post-release action's time is over.
    ActionOver {
        action: String,
    },
    Actions {
        n: u8,
    },
    /// An audience's quiet hours end, in which it was told without being called.
    QuietOver {
        rung: String,
    },
}

impl MarkKind {
    /// Whether it reminds of the very thing that `earlier` reminded of.
    pub fn follows(&self, earlier: &Self) -> bool {
        match self {
            Self::PointReminder { .. } => self == earlier,
            Self::T0 { .. }
            | Self::SignoffReminder { .. }
            | Self::BreakGlassFollowUp { .. }
            | Self::CaseReminder
            | Self::AllClear
            | Self::AlertReminder
            | Self::RollbackReminder
            | Self::Postmortem { .. }
            | Self::Actions { .. } => discriminant(self) == discriminant(earlier),
            Self::Draft
            | Self::SignoffExpires
            | Self::Rung { .. }
            | Self::SoakEnds
            | Self::LongHold
            | Self::Update
            | Self::Point { .. }
            | Self::Trigger { .. }
            | Self::AlertBelieved { .. }
            | Self::ActionOver { .. }
            | Self::QuietOver { .. } => false,
        }
    }
}
