//! Everything that can be asked of a release: by people, by alerts, by the clock, by the courier. Data only.

use super::alert::AlertCommand;
use super::closing::{AllClearCommand, ClosingCommand};
use super::concern::ConcernCommand;
use super::decision::Verdict;
use super::delivery::DeliveryCommand;
use super::freeze::FreezeException;
use super::ladder::NoticeCommand;
use super::lateness::Away;
use super::lifecycle::PlanCommand;
use super::plan::Quantity;
use super::rollback::RollbackCommand;
use super::signoff::SignoffCommand;
use super::stage::StageCommand;

/// A command, by topic; `decide` delegates to the topic's module.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Plan(PlanCommand),
    Signoff(SignoffCommand),
    Notice(NoticeCommand),
    Delivery(DeliveryCommand),
    Stage(StageCommand),
    Update {
        text: Option<String>,
        values: Vec<(String, Quantity)>,
    },
    Decide {
        point: Option<u32>,
        verdict: Verdict,
        reason: Option<String>,
    },
    Alert(AlertCommand),
    Rollback(RollbackCommand),
    AllClear(AllClearCommand),
    Closing(ClosingCommand),
    Concern(ConcernCommand),
    Except(FreezeException),
    /// The clock reached a mark (or may have): do what is due. What is late says when nobody was there to do it.
    Tick {
        away: Option<Away>,
    },
}
