//! What a pressed button means: a stored prompt and a choice become a command. The button's own bytes carry neither.

use super::command::Verdict;
use super::command::{
    AlertCommand, ClosingCommand, Command, DeliveryCommand, NoticeCommand, PlanCommand, RollbackCommand,
    SignoffCommand, StageCommand,
};
use super::delivery::Trouble;
use super::effect::{Choice, Prompt, stale};
use super::ids::UserId;
use super::refusal::Refusal;
use super::release::{PhaseName, Release};
use super::rollback;

/// What a form brought along.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filled {
    /// Reason, link or words.
    pub text: Option<String>,
    /// Metric values of an update.
    pub values: Vec<(String, super::plan::Quantity)>,
    /// A picked member.
    pub user: Option<UserId>,
}

/// The command behind a choice at a prompt of `release`.
///
/// # Errors
/// [`Refusal::Stale`] when the prompt's question is no longer the present one.
pub fn command(release: &Release, prompt: &Prompt, choice: Choice, filled: Filled) -> Result<Command, Refusal> {
    let now = release.phase.name();
    let words = filled.text.clone().unwrap_or_default();
    let command = match (prompt, choice) {
        (Prompt::Signoff { digest }, Choice::Sign(role)) if *digest == release.digest => {
            Command::Signoff(SignoffCommand::Give(role))
        }
        (Prompt::Receipt { rung, generation }, Choice::Briefed) => {
            Command::Notice(NoticeCommand::Receipt { rung: rung.clone(), generation: *generation })
        }
        (Prompt::Received { rung, generation }, Choice::Undo) => {
            Command::Notice(NoticeCommand::TakeBack { rung: rung.clone(), generation: *generation })
        }
        (Prompt::Stepped, Choice::Undo) => Command::Stage(StageCommand::Undo),
        (Prompt::Stuck { key }, Choice::SendAgain) => {
            Command::Delivery(DeliveryCommand::SendAgain { key: key.clone() })
        }
        (Prompt::Stuck { key }, Choice::CallSent) => Command::Delivery(DeliveryCommand::CallSent { key: key.clone() }),
        (Prompt::Alert { key }, Choice::Acknowledge) => Command::Alert(AlertCommand::Ack { alert: key.clone() }),
        (Prompt::Point { after_min }, Choice::Verdict(verdict)) => {
            Command::Decide { point: Some(*after_min), verdict, reason: filled.text }
        }
        (Prompt::Case { n }, Choice::Verdict(verdict)) => {
            let open = release.running().and_then(rollback::proposed).map(|case| case.n);
            if open != Some(*n) {
                return Err(stale(now));
            }
            Command::Rollback(RollbackCommand::Decide { verdict, reason: words })
        }
        (Prompt::Rollback { .. }, Choice::Verified) => {
            Command::Rollback(RollbackCommand::Verified { note: filled.text })
        }
        (Prompt::Rollback { .. }, Choice::Failed) => Command::Rollback(RollbackCommand::Failed { reason: words }),
        (Prompt::Update, Choice::WriteUpdate) => Command::Update { text: filled.text, values: filled.values },
        (Prompt::Amendment { n }, Choice::Agree) => Command::Plan(PlanCommand::Agree { n: Some(*n) }),
        (Prompt::Amendment { n }, Choice::Decline) => {
            Command::Plan(PlanCommand::Decline { n: Some(*n), reason: words })
        }
        (Prompt::Reminder { round }, Choice::Sign(role)) if *round == release.round => {
            Command::Signoff(SignoffCommand::Give(role))
        }
        (Prompt::Reminder { round }, Choice::Snooze) if *round == release.round => {
            Command::Signoff(SignoffCommand::Snooze { minutes: super::signoff::SNOOZE_MIN })
        }
        (Prompt::Submit, Choice::Submit) => Command::Plan(PlanCommand::Submit),
        (Prompt::Postmortem, Choice::FilePostmortem) => Command::Closing(ClosingCommand::File { link: words }),
        (Prompt::Person { post }, Choice::Pick) => match filled.user {
            Some(user) => Command::Plan(PlanCommand::Name { post: *post, user }),
            None => return Err(stale(now)),
        },
        _ => return Err(stale(now)),
    };
    Ok(command)
}

/// The choices a prompt offers now, in the order they are shown.
pub fn choices(release: &Release, prompt: &Prompt) -> Vec<Choice> {
    match prompt {
        Prompt::Signoff { .. } => super::signoff::missing(release).into_iter().map(Choice::Sign).collect(),
        Prompt::Receipt { .. } => vec![Choice::Briefed],
        Prompt::Received { .. } | Prompt::Stepped => vec![Choice::Undo],
        Prompt::Stuck { key } => {
            match release.stuck.get(key).filter(|stuck| stuck.again.is_none()).map(|stuck| stuck.trouble) {
                Some(Trouble::Held) => vec![Choice::CallSent, Choice::SendAgain],
                Some(Trouble::Blocked | Trouble::Dead) => vec![Choice::SendAgain],
                Some(Trouble::Expired) | None => vec![],
            }
        }
        Prompt::Alert { .. } => vec![Choice::Acknowledge],
        Prompt::Point { .. } => {
            vec![Choice::Verdict(Verdict::Continue), Choice::Verdict(Verdict::Hold), Choice::Verdict(Verdict::RollBack)]
        }
        Prompt::Case { .. } => {
            vec![Choice::Verdict(Verdict::RollBack), Choice::Verdict(Verdict::Hold), Choice::Verdict(Verdict::Continue)]
        }
        Prompt::Rollback { .. } => vec![Choice::Verified, Choice::Failed],
        Prompt::Update => vec![Choice::WriteUpdate],
        Prompt::Submit => {
            let ready = release.findings.is_empty() && release.phase.name() == PhaseName::Draft;
            let submit = ready.then_some(Choice::Submit);
            let fixes = (release.fixes > 0).then_some([Choice::ApplyFixes, Choice::DownloadFixed]);
            submit.into_iter().chain(fixes.into_iter().flatten()).collect()
        }
        Prompt::Amendment { n } if release.amendment.as_ref().is_some_and(|open| open.n == *n) => {
            vec![Choice::Agree, Choice::Decline]
        }
        Prompt::Amendment { .. } => vec![],
        Prompt::Reminder { .. } => {
            let sign = super::signoff::missing(release).into_iter().map(Choice::Sign);
            sign.chain(super::signoff::can_snooze(release).then_some(Choice::Snooze)).collect()
        }
        Prompt::Section(_) => vec![Choice::EditAgain],
        Prompt::Postmortem => vec![Choice::FilePostmortem],
        Prompt::Person { .. } => vec![Choice::Pick],
    }
}
