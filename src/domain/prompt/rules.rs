//! What a pressed button means: a stored prompt and a choice become a command.

use super::{Choice, EXTEND_MIN, Filled, Prompt};
use crate::domain::alert::{self, AlertCommand};
use crate::domain::closing::{self, AllClearCommand, ClosingCommand, Postmortem};
use crate::domain::command::Command;
use crate::domain::decision::{self, PointState, Verdict};
use crate::domain::delivery::{DeliveryCommand, Trouble};
use crate::domain::ladder::NoticeCommand;
use crate::domain::lifecycle::PlanCommand;
use crate::domain::phase::PhaseName;
use crate::domain::plan::t_label;
use crate::domain::refusal::{Refusal, stale};
use crate::domain::release::{Phase, Release};
use crate::domain::rollback::{self, RollbackCommand};
use crate::domain::signoff::{self, SignoffCommand};
use crate::domain::stage::{self, StageCommand};

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
        (Prompt::Alert { .. }, Choice::Rewatch) => Command::AllClear(AllClearCommand::Rewatch),
        (Prompt::Alerts, Choice::Acknowledge) => Command::Alert(AlertCommand::Ack { alert: String::new() }),
        (Prompt::Alert { key }, Choice::Acknowledge) => Command::Alert(AlertCommand::Ack { alert: key.clone() }),
        (Prompt::Point { after_min }, Choice::Verdict(verdict)) => {
            Command::Decide { point: Some(*after_min), verdict, reason: filled.text }
        }
        (Prompt::Case { n }, Choice::Verdict(verdict)) => {
            let open = release.running().and_then(rollback::view::proposed).map(|case| case.n);
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
        (Prompt::Reminder { round }, Choice::Sign(role)) if *round == release.signing.round => {
            Command::Signoff(SignoffCommand::Give(role))
        }
        (Prompt::Reminder { round }, Choice::Snooze) if *round == release.signing.round => {
            Command::Signoff(SignoffCommand::Snooze { minutes: signoff::SNOOZE_MIN })
        }
        (Prompt::Rollback { .. }, Choice::Unverified) => {
            Command::Rollback(RollbackCommand::Verified { note: Some(words) })
        }
        (Prompt::Alert { .. }, Choice::Verdict(Verdict::RollBack)) => {
            Command::Rollback(RollbackCommand::Start { reason: words })
        }
        (Prompt::Go, Choice::Go) => Command::Stage(StageCommand::Go { break_glass: None }),
        (Prompt::Go, Choice::Scrub) => Command::Plan(PlanCommand::Scrub { reason: words }),
        (Prompt::Go | Prompt::Owed { .. }, Choice::Verdict(Verdict::Hold)) => {
            Command::Stage(StageCommand::Hold { reason: words })
        }
        (Prompt::Held, Choice::Resume) => Command::Stage(StageCommand::Resume),
        (Prompt::Owed { n }, Choice::Advance | Choice::Extend) => {
            // A button of an earlier stage must not end the present one.
            let soaked = |owed: &stage::Owed| owed.n == *n && owed.soaked;
            if !release.phase.run().and_then(|run| run.owed.as_ref()).is_some_and(soaked) {
                return Err(stale(now));
            }
            Command::Stage(match choice {
                Choice::Advance => StageCommand::Advance { reason: None },
                _ => StageCommand::Extend { minutes: EXTEND_MIN, reason: words },
            })
        }
        (Prompt::Owed { .. }, Choice::WriteUpdate) => Command::Update { text: filled.text, values: filled.values },
        (Prompt::AllClear, Choice::AllClear) => Command::AllClear(AllClearCommand::Give),
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

/// Whether a prompt's question still waits for an answer: looked at before a form asks somebody for words.
///
/// # Errors
/// [`Refusal::AlreadyDone`] or [`Refusal::Stale`] when it does not.
pub fn waits(release: &Release, prompt: &Prompt) -> Result<(), Refusal> {
    let waits = match prompt {
        Prompt::Case { n } => release.running().and_then(rollback::view::proposed).is_some_and(|case| case.n == *n),
        Prompt::Rollback { n } => matches!(&release.phase, Phase::RollingBack { case, .. } if case.n == *n),
        Prompt::Point { after_min } => {
            let point = release.running().and_then(|run| run.points.iter().find(|p| p.after_min == *after_min));
            if let Some(PointState::Decided { by, .. }) = point.map(|point| &point.state) {
                let what = format!("{}, by {by}", t_label(i64::from(*after_min)));
                return Err(Refusal::AlreadyDone { what });
            }
            // A rollback makes the question moot.
            point.is_some() && !matches!(release.phase, Phase::RollingBack { .. })
        }
        Prompt::Update => release.running().is_some(),
        Prompt::Owed { n } => release.phase.run().and_then(|run| run.owed.as_ref()).is_some_and(|owed| owed.n == *n),
        Prompt::Go => matches!(release.phase, Phase::Gathering { .. } | Phase::Approved { .. }),
        Prompt::Alert { .. } => release.running().is_some() && !matches!(release.phase, Phase::RollingBack { .. }),
        Prompt::Amendment { n } => release.amendment.as_ref().is_some_and(|open| open.n == *n),
        Prompt::Postmortem => {
            release.phase.closing().is_some_and(|closing| matches!(closing.postmortem, Postmortem::Due { .. }))
        }
        // Their choices ask for no words.
        _ => true,
    };
    if waits { Ok(()) } else { Err(stale(release.phase.name())) }
}

/// The choices a prompt offers now, in the order they are shown.
pub fn choices(release: &Release, prompt: &Prompt) -> Vec<Choice> {
    match prompt {
        Prompt::Signoff { .. } => signoff::view::missing(release).into_iter().map(Choice::Sign).collect(),
        Prompt::Receipt { .. } => vec![Choice::Briefed],
        Prompt::Received { .. } | Prompt::Stepped => vec![Choice::Undo],
        Prompt::Stuck { key } => {
            match release.stuck.get(key).filter(|stuck| stuck.again.is_none()).map(|stuck| stuck.trouble) {
                Some(Trouble::Held) => vec![Choice::CallSent, Choice::SendAgain],
                Some(Trouble::Blocked | Trouble::Dead) => vec![Choice::SendAgain],
                Some(Trouble::Expired) | None => vec![],
            }
        }
        Prompt::Alert { key } => {
            let acked = alert::view::of(release).iter().any(|alert| alert.key == *key && alert.acked.is_some());
            let acknowledge = (!acked).then_some(Choice::Acknowledge);
            let rewatch = closing::view::watches_again(release).then_some(Choice::Rewatch);
            let running = release.running().is_some() && !matches!(release.phase, Phase::RollingBack { .. });
            let roll_back = running.then_some(Choice::Verdict(Verdict::RollBack));
            acknowledge.into_iter().chain(rewatch).chain(roll_back).collect()
        }
        Prompt::Alerts => vec![Choice::Acknowledge],
        // The safe choice first, the destructive one last.
        Prompt::Point { .. } | Prompt::Case { .. } => {
            vec![Choice::Verdict(Verdict::Continue), Choice::Verdict(Verdict::Hold), Choice::Verdict(Verdict::RollBack)]
        }
        Prompt::Rollback { .. } => vec![Choice::Verified, Choice::Unverified, Choice::Failed],
        Prompt::Go => vec![Choice::Go, Choice::Verdict(Verdict::Hold), Choice::Scrub],
        Prompt::Held => vec![Choice::Resume],
        Prompt::AllClear => vec![Choice::AllClear],
        Prompt::Owed { n } => {
            let owed = release.phase.run().and_then(|run| run.owed.as_ref()).filter(|owed| owed.n == *n);
            let soaked = owed.is_some_and(|owed| owed.soaked);
            let update = owed.is_some_and(|owed| owed.update).then_some(Choice::WriteUpdate);
            let asked = release.phase.run().is_some_and(|run| decision::view::open(run).is_some());
            let step = (soaked && !asked).then_some([Choice::Advance, Choice::Extend]).into_iter().flatten();
            let hold = soaked.then_some(Choice::Verdict(Verdict::Hold));
            step.chain(update).chain(hold).collect()
        }
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
            let sign = signoff::view::missing(release).into_iter().map(Choice::Sign);
            sign.chain(signoff::view::can_snooze(release).then_some(Choice::Snooze)).collect()
        }
        Prompt::Section(_) => vec![Choice::EditAgain],
        Prompt::Postmortem => vec![Choice::FilePostmortem],
        Prompt::Person { .. } => vec![Choice::Pick],
    }
}
