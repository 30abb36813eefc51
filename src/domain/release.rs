//! The Release aggregate: what is true of one release now. It must not know how it came here (`evolve` does) nor what may
//! happen next (`decide` does). Data that exists only in one phase lives only in that phase.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert::crowd::{Ahead, Crowd};
use super::alert::{Alert, Elsewhere};
use super::amend::Amendment;
use super::changes::Change;
use super::closing::{Closing, Issue};
use super::concern::Concern;
use super::decision::Point;
use super::delivery::Stuck;
use super::evidence::{Observation, TriggerWatch};
use super::freeze::Exception;
use super::ids::{ReleaseId, ReleaseNo, UserId, WorkspaceId};
use super::key::PostKey;
use super::ladder::Countdown;
use super::people::By;
use super::phase::{Before, During, PhaseName};
use super::plan::{Plan, t_label};
use super::policy::Policy;
use super::rights::Refused;
use super::rollback::Case;
use super::signoff::Signing;
use super::stage::{Owed, StageClock, Undo};
use super::updates::UpdateClock;

/// The largest plan that can be run, in bytes of JSON; an import over it is refused.
pub const MAX_PLAN_BYTES: usize = 32 * 1024;

/// The largest running state we store, in bytes of JSON: a plan that is to replace the present one, and the bounded run. The writer
/// refuses to commit more.
pub const MAX_STATE_BYTES: usize = 128 * 1024;

/// One release. Its plan document's bytes are kept outside, as immutable revisions. As JSON it is its running state, without plan and
/// policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    pub id: ReleaseId,
    pub no: ReleaseNo,
    #[serde(rename = "guild")]
    pub server: WorkspaceId,
    pub author: UserId,
    /// Whoever imported a later revision, or owned it before: as much its author as the first.
    pub revisers: BTreeSet<UserId>,
    /// Events so far: names what is said once and has no name of its own.
    pub seq: u64,
    #[serde(flatten)]
    pub signing: Signing,
    /// Counts from 1; each import of changed bytes adds one.
    pub revision: u32,
    /// SHA-256 over the plan's material fields; sign-offs are bound to it.
    pub digest: String,
    #[serde(flatten)]
    pub countdown: Countdown,
    /// Kept apart from the running state, as the policy is: they change seldom.
    #[serde(skip)]
    pub plan: Plan,
    /// What lint found that stands against submitting: code and text.
    pub findings: Vec<(String, String)>,
    /// Safe fixes lint offers.
    #[serde(default)]
    pub fixes: u32,
    /// What this revision changed against the one before; forgotten at go.
    #[serde(default)]
    pub changes: Vec<Change>,
    #[serde(skip)]
    pub policy: Policy,
    pub phase: Phase,
    pub gates_done: BTreeSet<String>,
    /// What was waived before go: the item's id, and by whom and why.
    #[serde(default)]
    pub waived: BTreeMap<String, String>,
    /// Messages that are not where they belong, by posting key.
    #[serde(default)]
    pub stuck: BTreeMap<PostKey, Stuck>,
    /// Freezes it may pass.
    #[serde(default)]
    pub exceptions: Vec<Exception>,
    /// Objections, in the order they were raised.
    #[serde(default)]
    pub concerns: Vec<Concern>,
    /// Alerts of its service before go.
    #[serde(default)]
    pub ahead: Vec<Alert>,
    /// More of them.
    #[serde(default)]
    pub ahead_more: Ahead,
    /// A changed plan that owner and on-call have not agreed to.
    #[serde(default)]
    pub amendment: Option<Box<Amendment>>,
    /// Amendments so far.
    #[serde(default)]
    pub amendments: u32,
    /// Refusals of late that stand on the record, so that repeating one does not fill it.
    #[serde(default)]
    pub refused: Vec<Refused>,
    /// How often another release channel was set since it was submitted: its card goes along.
    #[serde(default)]
    pub card_moves: u32,
    /// What was left to do after an earlier all-clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_before: Option<Closing>,
    /// What the record shows for the post-mortem question.
    pub issues: BTreeSet<Issue>,
}

/// Where a release stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    Draft,
    Gathering {
        since: Timestamp,
    },
    Approved {
        since: Timestamp,
    },
    /// On hold before T-0.
    HeldBefore {
        since: Timestamp,
        reason: String,
        #[serde(rename = "approved")]
        back: Before,
        /// The posting that says so and takes the resume; empty in a hold of an older record.
        #[serde(default)]
        said: String,
    },
    Live {
        run: Box<Run>,
    },
    Watching {
        run: Box<Run>,
    },
    /// On hold after T-0; the run's clocks stand still.
    Held {
        run: Box<Run>,
        since: Timestamp,
        reason: String,
        #[serde(rename = "watching")]
        back: During,
        /// The message that shows it.
        #[serde(default)]
        said: String,
        /// Its audiences were told that it takes longer.
        #[serde(default)]
        told: bool,
    },
    RollingBack {
        run: Box<Run>,
        case: Case,
    },
    RolledBack {
        run: Box<Run>,
        case: Case,
        closing: Closing,
    },
    AllClear {
        run: Box<Run>,
        closing: Closing,
    },
    Closed {
        at: Timestamp,
        run: Box<Run>,
        closing: Closing,
    },
    Scrubbed {
        at: Timestamp,
        reason: String,
    },
}

/// What is only true from `go` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// T-0 as it happened; offsets after T-0 count from here.
    pub go_at: Timestamp,
    pub go_by: By,
    pub break_glass: Option<String>,
    pub stage: StageClock,
    pub updates: UpdateClock,
    pub points: Vec<Point>,
    pub alerts: Vec<Alert>,
    /// Alerts without a message of their own.
    #[serde(default)]
    pub crowd: Crowd,
    /// Alerts of its service that a newer release has.
    #[serde(default)]
    pub elsewhere: Vec<Elsewhere>,
    /// What the owner owes, and how many messages asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Owed>,
    #[serde(default)]
    pub owed_count: u32,
    /// When the watch began: after the last stage, or again after an all-clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched_from: Option<Timestamp>,
    /// How often the all-clear was asked for, and the message that asked first.
    #[serde(default)]
    pub clear_asked: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_question: Option<String>,
    /// Reminders of alerts nobody acknowledged, since the last time nothing waited; and how often that was.
    #[serde(default)]
    pub alert_reminders: u8,
    #[serde(default)]
    pub alert_rounds: u32,
    pub triggers: Vec<TriggerWatch>,
    /// The latest observation of each metric, by its plan name.
    pub observed: BTreeMap<String, Observation>,
    /// Rollback prompts and what became of them; the open one is the last.
    pub cases: Vec<Case>,
    /// The latest step, while it can be taken back.
    #[serde(default)]
    pub undo: Option<Undo>,
}

impl Before {
    /// The phase, from an instant on.
    pub(super) fn phase(self, since: Timestamp) -> Phase {
        match self {
            Self::Gathering => Phase::Gathering { since },
            Self::Approved => Phase::Approved { since },
        }
    }
}

impl During {
    /// The phase with its run.
    pub(super) fn phase(self, run: Box<Run>) -> Phase {
        match self {
            Self::Live => Phase::Live { run },
            Self::Watching => Phase::Watching { run },
        }
    }
}

impl Phase {
    /// The bare name.
    pub fn name(&self) -> PhaseName {
        match self {
            Self::Draft => PhaseName::Draft,
            Self::Gathering { .. } => PhaseName::Gathering,
            Self::Approved { .. } => PhaseName::Approved,
            Self::HeldBefore { .. } | Self::Held { .. } => PhaseName::Held,
            Self::Live { .. } => PhaseName::Live,
            Self::Watching { .. } => PhaseName::Watching,
            Self::RollingBack { .. } => PhaseName::RollingBack,
            Self::RolledBack { .. } => PhaseName::RolledBack,
            Self::AllClear { .. } => PhaseName::AllClear,
            Self::Closed { .. } => PhaseName::Closed,
            Self::Scrubbed { .. } => PhaseName::Scrubbed,
        }
    }

    /// The run, in every phase that has one.
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Live { run }
            | Self::Watching { run }
            | Self::Held { run, .. }
            | Self::RollingBack { run, .. }
            | Self::RolledBack { run, .. }
            | Self::AllClear { run, .. }
            | Self::Closed { run, .. } => Some(run),
            Self::Draft
            | Self::Gathering { .. }
            | Self::Approved { .. }
            | Self::HeldBefore { .. }
            | Self::Scrubbed { .. } => None,
        }
    }

    /// The run, to be changed by `evolve` only.
    pub(super) fn run_mut(&mut self) -> Option<&mut Run> {
        match self {
            Self::Live { run }
            | Self::Watching { run }
            | Self::Held { run, .. }
            | Self::RollingBack { run, .. }
            | Self::RolledBack { run, .. }
            | Self::AllClear { run, .. }
            | Self::Closed { run, .. } => Some(run),
            Self::Draft
            | Self::Gathering { .. }
            | Self::Approved { .. }
            | Self::HeldBefore { .. }
            | Self::Scrubbed { .. } => None,
        }
    }

    /// The closing chores, where there are some.
    pub fn closing(&self) -> Option<&Closing> {
        match self {
            Self::RolledBack { closing, .. } | Self::AllClear { closing, .. } | Self::Closed { closing, .. } => {
                Some(closing)
            }
            _ => None,
        }
    }

    pub(super) fn closing_mut(&mut self) -> Option<&mut Closing> {
        match self {
            Self::RolledBack { closing, .. } | Self::AllClear { closing, .. } | Self::Closed { closing, .. } => {
                Some(closing)
            }
            _ => None,
        }
    }
}

/// The posting key of a card after so many moves.
fn card_key(moves: u32) -> PostKey {
    match moves {
        0 => PostKey::from("card"),
        n => PostKey::from(format!("card/{n}")),
    }
}

impl Release {
    /// A server's rules as this release takes them: its plan's own channel is its release channel.
    pub(super) fn rules(&self, policy: &Policy) -> Policy {
        let release_channel = self.plan.channel_id.clone().or_else(|| policy.release_channel.clone());
        Policy { release_channel, ..policy.clone() }
    }

    /// The posting key of its card, in the channel where that stands now.
    pub fn card_key(&self) -> PostKey {
        card_key(self.card_moves)
    }

    /// The same, and those of the cards it left in other channels.
    pub fn card_keys(&self) -> Vec<PostKey> {
        (0..=self.card_moves).map(card_key).collect()
    }

    /// Live, watching or held after T-0: the run's clocks matter and alerts concern us.
    pub fn running(&self) -> Option<&Run> {
        match &self.phase {
            Phase::Live { run }
            | Phase::Watching { run }
            | Phase::Held { run, .. }
            | Phase::RollingBack { run, .. } => Some(run),
            _ => None,
        }
    }

    /// A new schedule: every rung is ahead again.
    pub(super) fn begin_schedule(&mut self) {
        self.countdown.generation += 1;
        self.countdown.rungs.clear();
        // What was waived of a schedule that is no more is owed anew.
        let plan = &self.plan;
        self.waived.retain(|item, _| plan.rungs.iter().all(|rung| rung.key() != *item));
        self.countdown.t0_asked = 0;
        self.countdown.go_question = None;
        self.countdown.draft_reminded = false;
    }

    /// A new round of sign-offs.
    pub(super) fn begin_round(&mut self) {
        self.signing.round += 1;
        self.signing.signoffs.clear();
        self.signing.signoff_reminders = 0;
        self.signing.snoozed = None;
        self.signing.reminded_at = None;
    }

    /// Nothing more will be said by itself.
    pub fn ended(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. } | Phase::Scrubbed { .. })
    }

    /// T-0 for offsets after it: the instant of go once there was one; `None` in a draft that names none.
    pub fn t0(&self) -> Option<Timestamp> {
        self.phase.run().map(|run| run.go_at).or_else(|| self.plan.t0_at())
    }

    /// The T-label of an instant: minutes from T-0, to the nearest. Before go that is the planned one.
    pub fn label_at(&self, at: Timestamp) -> Option<String> {
        let went = self.t0().filter(|t0| *t0 <= at);
        let t0 = went.or_else(|| self.plan.t0_at())?;
        let apart = at.as_millisecond() - t0.as_millisecond();
        Some(t_label((apart + apart.signum() * 30_000) / 60_000))
    }
}
