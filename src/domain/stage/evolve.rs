//! What go, stage steps and holds change: the run begins, its clocks move or stand still.

use jiff::{SignedDuration, Timestamp};

use super::{StageClock, StageEvent, Step, Undo, owed};
use crate::domain::alert::Alert;
use crate::domain::alert::crowd::Crowd;
use crate::domain::closing::Issue;
use crate::domain::decision::Point;
use crate::domain::people::By;
use crate::domain::phase::{Before, During};
use crate::domain::release::{Phase, Release, Run};
use crate::domain::updates::UpdateClock;
use crate::domain::{evidence, ladder, minutes, signoff};

fn clock(release: &Release, index: usize, at: Timestamp) -> StageClock {
    let hold = release.plan.stages.get(index).and_then(|stage| stage.hold_min);
    StageClock { index, since: at, soak_until: hold.map(|m| at + minutes(m)), soak_said: false }
}

pub(in crate::domain) fn evolve(release: &mut Release, event: &StageEvent, at: Timestamp, by: &By) {
    match event {
        StageEvent::Went { break_glass } => {
            let back = Before::from(matches!(release.phase, Phase::Approved { .. }));
            release.changes.clear();
            release.countdown.go_question = None;
            if break_glass.is_some() {
                release.issues.insert(Issue::BreakGlass);
            }
            release.signing.signoff_reminders = 0;
            let points = release.plan.points.iter().map(|p| Point::waiting(p.after_min, at)).collect();
            let run = Run {
                go_at: at,
                go_by: by.clone(),
                break_glass: break_glass.clone(),
                stage: clock(release, 0, at),
                updates: UpdateClock::start(release.plan.update_interval_min(), at),
                points,
                // What fires at go is set aside.
                alerts: release.ahead.drain(..).map(|alert| Alert { pre_existing: true, ..alert }).collect(),
                crowd: Crowd::default(),
                elsewhere: Vec::new(),
                owed: None,
                owed_count: 0,
                watched_from: None,
                clear_asked: 0,
                clear_question: None,
                alert_reminders: 0,
                alert_rounds: 0,
                triggers: evidence::watches(&release.plan),
                observed: std::collections::BTreeMap::new(),
                cases: Vec::new(),
                undo: Some(Undo { at, by: by.clone(), step: Step::Went { back } }),
            };
            release.phase = Phase::Live { run: Box::new(run) };
        }
        StageEvent::SoakEnded => {
            if let Some(run) = release.phase.run_mut() {
                run.stage.soak_said = true;
                owed::add(run, at, |owed| owed.soaked = true);
            }
        }
        StageEvent::Advanced { .. } => {
            let next = release.phase.run().map_or(0, |run| run.stage.index + 1);
            let clock = clock(release, next, at);
            if let Some(run) = release.phase.run_mut() {
                run.undo = Some(moved(run, at, by));
                run.stage = clock;
                // The step is an update by itself.
                run.updates.restart(at);
                run.owed = None;
            }
        }
        StageEvent::Extended { minutes: more, .. } => {
            if let Some(run) = release.phase.run_mut() {
                let from = run.stage.soak_until.map_or(at, |until| until.max(at));
                run.stage.soak_until = Some(from + minutes(*more));
                run.stage.soak_said = false;
                owed::settle(run, |owed| owed.soaked = false);
                run.undo = None;
            }
        }
        StageEvent::Finished { .. } => {
            if let Phase::Live { run } = &mut release.phase {
                let mut run = run.clone();
                run.undo = Some(moved(&run, at, by));
                run.stage = StageClock { index: run.stage.index + 1, since: at, soak_until: None, soak_said: false };
                run.updates.slow_down(at);
                (run.owed, run.watched_from) = (None, Some(at));
                release.phase = Phase::Watching { run };
            }
        }
        StageEvent::Undone => undone(release, at),
        StageEvent::Held { reason, said } => held(release, reason, said.as_ref(), at),
        StageEvent::Resumed => resumed(release, at),
        StageEvent::HoldTold => {
            if let Phase::Held { told, .. } = &mut release.phase {
                *told = true;
            }
        }
    }
}

/// What a stage step can be taken back to.
fn moved(run: &Run, at: Timestamp, by: &By) -> Undo {
    Undo { at, by: by.clone(), step: Step::Moved { stage: run.stage.clone(), updates: run.updates.clone() } }
}

fn undone(release: &mut Release, at: Timestamp) {
    let (Phase::Live { run } | Phase::Watching { run }) = &release.phase else { return };
    let mut run = run.clone();
    match run.undo.take().map(|undo| undo.step) {
        Some(Step::Went { back }) => {
            release.amendment = None;
            release.ahead = run.alerts.drain(..).map(|alert| Alert { pre_existing: false, ..alert }).collect();
            ladder::rules::return_ahead(release);
            release.phase = back.phase(at);
            // People and rules may have changed since go.
            signoff::evolve::count_anew(release, at);
        }
        Some(Step::Moved { stage, updates }) => {
            (run.stage, run.updates) = (stage, updates);
            release.phase = Phase::Live { run };
        }
        None => {}
    }
}

fn held(release: &mut Release, reason: &str, said: Option<&String>, at: Timestamp) {
    let reason = reason.to_owned();
    // The key that `hold` gives its own message.
    let said = said.cloned().unwrap_or_else(|| format!("held/{}", release.seq));
    release.countdown.go_question = None;
    if let Some(run) = release.phase.run_mut() {
        run.owed = None;
    }
    let next = match &release.phase {
        Phase::Gathering { .. } => Phase::HeldBefore { since: at, reason, back: Before::Gathering, said },
        Phase::Approved { .. } => Phase::HeldBefore { since: at, reason, back: Before::Approved, said },
        Phase::Live { run } => {
            Phase::Held { run: run.clone(), since: at, reason, back: During::Live, said, told: false }
        }
        Phase::Watching { run } => {
            Phase::Held { run: run.clone(), since: at, reason, back: During::Watching, said, told: false }
        }
        _ => return,
    };
    release.phase = next;
}

/// Later marks shift by the time on hold: T-0 before go, the run's clocks after it. Updates went on meanwhile.
fn resumed(release: &mut Release, at: Timestamp) {
    match release.phase.clone() {
        Phase::HeldBefore { since, back, .. } => {
            ladder::schedule::keep_written(release);
            if let Some(t0) = &mut release.plan.t0 {
                t0.at += at.duration_since(since);
                t0.typed = ladder::schedule::typed(t0);
            }
            release.countdown.t0_asked = 0;
            release.phase = back.phase(at);
        }
        Phase::Held { mut run, since, back, .. } => {
            let done = run.stage.since;
            shift(&mut run, at.duration_since(since));
            if back == During::Watching {
                // The last stage was done when it was: only what comes after it moves.
                run.stage.since = done;
            }
            release.phase = back.phase(run);
        }
        _ => {}
    }
}

fn shift(run: &mut Run, by: SignedDuration) {
    run.stage.since += by;
    run.stage.soak_until = run.stage.soak_until.map(|until| until + by);
    for point in &mut run.points {
        point.shift(by);
    }
}
