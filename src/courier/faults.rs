//! What a fault of the network or the platform means to a message: pure.

use jiff::{SignedDuration, Timestamp};

use super::Now;
use crate::delivery::{Capabilities, EditEvent, Found, Outcome, PROBE, PROBE_LATER, backoff};
use crate::desk::EditNews;
use crate::sending::{LookUp, SendFault};

/// Attempts after which a status page that refuses an entry is probed less often: an hour of them.
const PROBES: u32 = 12;

/// What an attempt led to that was not answered well.
pub(super) fn outcome(fault: SendFault, now: Now) -> Outcome {
    match fault {
        SendFault::Wait(wait) => Outcome::NoRoom { at: now.at + span(wait) },
        SendFault::Limited(wait) => Outcome::Failed { wait: Some(span(wait)), why: fault.to_string() },
        SendFault::TokenDead => Outcome::Failed { wait: None, why: fault.to_string() },
        SendFault::NotSent(why) => Outcome::Failed { wait: None, why },
        SendFault::Unknown(why) => Outcome::Unknown { era: now.era, why },
        SendFault::Refused(why) | SendFault::Forbidden(why) => Outcome::Refused { why },
        SendFault::AlreadyDone | SendFault::Expired => Outcome::Refused { why: fault.to_string() },
        SendFault::Blocked(why) => Outcome::Closed { why, gone: false },
        SendFault::NotThere(why) => Outcome::Closed { why, gone: true },
        SendFault::Deleted => Outcome::Deleted,
    }
}

/// What a look-up says; `created` is when a message that was found came into its channel.
pub(super) fn found(
    looked: Result<LookUp, SendFault>,
    created: impl FnOnce(&str) -> Option<Timestamp>,
    now: Now,
) -> Found {
    match looked {
        Ok(LookUp::Found(message)) => {
            Found::There { at: created(&message).map_or(now.at, |at| at.min(now.at)), message }
        }
        Ok(LookUp::Absent) => Found::NotThere,
        Ok(LookUp::Inconclusive) => Found::Unreadable { era: now.era },
        Err(SendFault::Wait(wait) | SendFault::Limited(wait)) => Found::Failed { wait: Some(span(wait)) },
        Err(SendFault::Blocked(why)) => Found::Closed { why, gone: false },
        Err(SendFault::NotThere(why)) => Found::Closed { why, gone: true },
        Err(_) => Found::Failed { wait: None },
    }
}

/// What becomes of an edit after a fault. A message that is gone, or never takes it as it is, is not edited again; a status page may
/// be repaired, and its readers are customers, so people are told. An edit of unknown outcome may still take effect for a while.
pub(super) fn edit(fault: &SendFault, page: bool, attempt: u32, n: u64, now: Timestamp) -> (EditEvent, EditNews) {
    let again = |wait: SignedDuration| EditEvent::Failed { at: now + wait, unsure_until: None };
    let probe = if attempt >= PROBES { PROBE_LATER } else { PROBE };
    match fault {
        SendFault::Deleted | SendFault::AlreadyDone | SendFault::Expired => never(n, now),
        SendFault::Refused(_) | SendFault::Forbidden(_) | SendFault::NotThere(_) if !page => never(n, now),
        SendFault::Refused(why) | SendFault::Forbidden(why) | SendFault::NotThere(why) | SendFault::Blocked(why)
            if page =>
        {
            (again(probe), EditNews::Failed(why.clone()))
        }
        // The channel takes no edits for now: its other edits wait too.
        SendFault::Wait(wait) if !page => (again(span(*wait)), EditNews::TargetRefuses(Some(now + span(*wait)))),
        SendFault::Blocked(_) => (again(PROBE), EditNews::TargetRefuses(None)),
        SendFault::Wait(wait) | SendFault::Limited(wait) => (again(span(*wait)), EditNews::None),
        SendFault::Unknown(_) if !page => {
            let unsure_until = Some(now + Capabilities::SETTLE);
            (EditEvent::Failed { at: now + backoff(attempt), unsure_until }, EditNews::None)
        }
        _ => (again(backoff(attempt)), EditNews::None),
    }
}

fn never(n: u64, now: Timestamp) -> (EditEvent, EditNews) {
    (EditEvent::Done { n, began: now, shows: None }, EditNews::None)
}

/// Whole milliseconds, rounded up: the store keeps no more.
fn span(wait: std::time::Duration) -> SignedDuration {
    let ms = i64::try_from(wait.as_micros().div_ceil(1_000)).unwrap_or(i64::MAX);
    SignedDuration::from_millis(ms.min(15 * 60_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_channel_delays_all_its_edits() {
        let (now, why) = (Timestamp::UNIX_EPOCH, || "x".to_owned());
        let after = |fault, page| edit(&fault, page, 1, 3, now);
        assert!(matches!(
            after(SendFault::Blocked(why()), false),
            (EditEvent::Failed { .. }, EditNews::TargetRefuses(None))
        ));
        for fault in
            [SendFault::Refused(why()), SendFault::Forbidden(why()), SendFault::NotThere(why()), SendFault::Deleted]
        {
            assert_eq!(after(fault, false), never(3, now));
        }
        assert!(matches!(after(SendFault::Blocked(why()), true), (EditEvent::Failed { .. }, EditNews::Failed(_))));
        assert!(matches!(after(SendFault::NotSent(why()), false), (EditEvent::Failed { .. }, EditNews::None)));
    }

    #[test]
    fn an_outage_of_any_length_loses_nothing() {
        let now = Now { at: Timestamp::UNIX_EPOCH, era: Timestamp::MIN };
        assert!(matches!(outcome(SendFault::NotSent("x".to_owned()), now), Outcome::Failed { wait: None, .. }));
        assert!(matches!(outcome(SendFault::TokenDead, now), Outcome::Failed { .. }));
        assert_eq!(outcome(SendFault::Deleted, now), Outcome::Deleted);
    }
}
