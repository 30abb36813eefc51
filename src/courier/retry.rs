//! What follows a fault: pure policy.

use jiff::{SignedDuration, Timestamp};

use super::FRESH;
use crate::chat::SendFault;
use crate::store::{Edited, Found, Outcome};

/// How long until what is blocked is tried again.
const PROBE: SignedDuration = SignedDuration::from_mins(5);
/// The same where it was tried for an hour in vain. Refusals of all channels together must stay far below Discord's limit.
const PROBE_LATER: SignedDuration = SignedDuration::from_mins(15);
const PROBES: i64 = 12;
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// How long until a look-up that failed is repeated.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// What becomes of a post after a fault. Until `repeats_until` a repeat does no harm, even if the attempt succeeded.
pub fn after(
    fault: &SendFault,
    attempt: i64,
    now: Timestamp,
    settle: SignedDuration,
    repeats_until: Option<Timestamp>,
) -> Outcome {
    let why = match fault {
        SendFault::Blocked(why)
        | SendFault::NotThere(why)
        | SendFault::Refused(why)
        | SendFault::Forbidden(why)
        | SendFault::NotSent(why)
        | SendFault::Unknown(why) => why.clone(),
        SendFault::Wait(_)
        | SendFault::Limited(_)
        | SendFault::Deleted
        | SendFault::TokenDead
        | SendFault::AlreadyDone
        | SendFault::Expired => fault.to_string(),
    };
    match fault {
        SendFault::Wait(wait) => Outcome::NoRoom { at: now + SignedDuration::try_from(*wait).unwrap_or(settle) },
        SendFault::Limited(wait) => Outcome::Retry { at: now + SignedDuration::try_from(*wait).unwrap_or(settle), why },
        SendFault::NotSent(_) | SendFault::TokenDead => Outcome::Retry { at: now + backoff(attempt), why },
        SendFault::Unknown(_) => {
            let at = now + backoff(attempt);
            match repeats_until.filter(|until| at < *until) {
                Some(until) => Outcome::Repeat { at, as_of: until - FRESH, why },
                None => Outcome::Unknown { look_up_at: now + settle, why },
            }
        }
        SendFault::Refused(_) | SendFault::Forbidden(_) | SendFault::AlreadyDone | SendFault::Expired => {
            Outcome::Dead { why }
        }
        SendFault::Blocked(_) | SendFault::NotThere(_) => {
            let gone = matches!(fault, SendFault::NotThere(_));
            Outcome::Blocked { probe_at: now + probe(attempt >= PROBES), why, gone }
        }
        SendFault::Deleted => Outcome::SentDeleted,
    }
}

fn probe(in_vain: bool) -> SignedDuration {
    if in_vain { PROBE_LATER } else { PROBE }
}

/// What a look-up that failed says of its post, which was due at `due`: nothing, but a channel that cannot be read takes no
/// message either.
pub fn unseen(fault: &SendFault, due: Timestamp, now: Timestamp) -> Found {
    match fault {
        SendFault::Wait(wait) | SendFault::Limited(wait) => {
            Found::Later { at: now + SignedDuration::try_from(*wait).unwrap_or(AGAIN) }
        }
        SendFault::Blocked(why) | SendFault::NotThere(why) => {
            let gone = matches!(fault, SendFault::NotThere(_));
            Found::Blocked { probe_at: now + probe(due + AN_HOUR < now), why: why.clone(), gone }
        }
        SendFault::NotSent(_)
        | SendFault::Unknown(_)
        | SendFault::Refused(_)
        | SendFault::Forbidden(_)
        | SendFault::Deleted
        | SendFault::AlreadyDone
        | SendFault::Expired
        | SendFault::TokenDead => Found::Later { at: now + AGAIN },
    }
}

/// What becomes of an edit after a fault. A message that is gone, or that is never taken as it is, is not edited again; a page
/// may be mended, and its readers are customers, so people are told. A message of unknown outcome may change until `settle` is
/// over, even after what is sent next.
pub fn after_edit(fault: &SendFault, page: bool, attempt: i64, now: Timestamp, settle: SignedDuration) -> Edited {
    // The channel takes no edits for now: its other edits wait too.
    let shut = matches!(fault, SendFault::Blocked(_) | SendFault::Wait(_)) && !page;
    let (at, tell) = match fault {
        SendFault::Deleted | SendFault::AlreadyDone | SendFault::Expired => return Edited::Done { shows: None },
        SendFault::Refused(_) | SendFault::Forbidden(_) | SendFault::NotThere(_) if !page => {
            return Edited::Done { shows: None };
        }
        SendFault::Wait(wait) | SendFault::Limited(wait) => {
            (now + SignedDuration::try_from(*wait).unwrap_or(SignedDuration::from_secs(5)), None)
        }
        SendFault::Blocked(why) | SendFault::NotThere(why) | SendFault::Refused(why) | SendFault::Forbidden(why) => {
            (now + probe(attempt >= PROBES), page.then(|| why.clone()))
        }
        SendFault::NotSent(_) | SendFault::Unknown(_) | SendFault::TokenDead => (now + backoff(attempt), None),
    };
    let unsure_until = (matches!(fault, SendFault::Unknown(_)) && !page).then(|| now + settle);
    Edited::Again { at, tell, unsure_until, shut }
}

/// 0.5 s doubled each time, at most a minute. Rows spread by themselves: each has its own start.
fn backoff(attempt: i64) -> SignedDuration {
    let doublings = u32::try_from(attempt.clamp(0, 7)).unwrap_or(7);
    SignedDuration::from_millis((500_i64 << doublings).min(60_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_outcome_is_repeated_only_where_that_is_harmless() {
        let now = Timestamp::UNIX_EPOCH;
        let settle = SignedDuration::from_secs(30);
        let unknown = |attempt, until| after(&SendFault::Unknown("x".to_owned()), attempt, now, settle, until);
        assert!(matches!(unknown(1, None), Outcome::Unknown { look_up_at, .. } if look_up_at == now + settle));
        let until = Some(now + SignedDuration::from_secs(4));
        let second = now + SignedDuration::from_secs(1);
        assert!(matches!(unknown(1, until), Outcome::Repeat { at, .. } if at == second), "the nonce makes it harmless");
        assert!(
            matches!(unknown(2, Some(now + SignedDuration::from_secs(1))), Outcome::Unknown { .. }),
            "the next attempt would be too late"
        );
        assert_eq!(after(&SendFault::Deleted, 1, now, settle, None), Outcome::SentDeleted);
        // An outage of any length loses nothing: only the message's own usefulness ends it.
        let late = after(&SendFault::NotSent("x".to_owned()), 1_000, now, settle, None);
        assert!(matches!(late, Outcome::Retry { at, .. } if at == now + SignedDuration::from_mins(1)));
    }

    #[test]
    fn a_channel_that_takes_no_edit_puts_off_all_of_them_and_a_message_that_takes_none_is_left_alone() {
        let (now, settle, why) = (Timestamp::UNIX_EPOCH, SignedDuration::from_secs(30), || "x".to_owned());
        let after = |fault, page| after_edit(&fault, page, 1, now, settle);
        assert!(matches!(after(SendFault::Blocked(why()), false), Edited::Again { shut: true, tell: None, .. }));
        for fault in
            [SendFault::Refused(why()), SendFault::Forbidden(why()), SendFault::NotThere(why()), SendFault::Deleted]
        {
            assert_eq!(after(fault, false), Edited::Done { shows: None });
        }
        assert!(matches!(after(SendFault::Blocked(why()), true), Edited::Again { shut: false, tell: Some(_), .. }));
        assert!(matches!(after(SendFault::NotSent(why()), false), Edited::Again { shut: false, .. }));
    }

    #[test]
    fn backoff_grows_to_a_minute() {
        let seconds: Vec<f64> = (0..9).map(|n| backoff(n).as_secs_f64()).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
    }
}
