//! What follows a fault: pure policy (`reliability.md` 5.4).

use jiff::{SignedDuration, Timestamp};

use crate::chat::SendFault;
use crate::store::Outcome;

/// What becomes of a post after a fault.
pub fn after(fault: &SendFault, attempt: i64, now: Timestamp, settle: SignedDuration) -> Outcome {
    let why = match fault {
        SendFault::Blocked(why) | SendFault::Refused(why) | SendFault::NotSent(why) | SendFault::Unknown(why) => {
            why.clone()
        }
        SendFault::Wait(_) | SendFault::Limited(_) | SendFault::Deleted | SendFault::TokenDead => fault.to_string(),
    };
    match fault {
        SendFault::Wait(wait) | SendFault::Limited(wait) => {
            Outcome::Retry { at: now + SignedDuration::try_from(*wait).unwrap_or(settle), why }
        }
        SendFault::NotSent(_) => Outcome::Retry { at: now + backoff(attempt), why },
        SendFault::Unknown(_) => Outcome::Unknown { look_up_at: now + settle, why },
        SendFault::Refused(_) => Outcome::Dead { why },
        SendFault::Blocked(_) | SendFault::TokenDead => {
            Outcome::Blocked { probe_at: now + SignedDuration::from_mins(5), why }
        }
        SendFault::Deleted => Outcome::SentDeleted,
    }
}

/// When an edit is tried again.
pub fn edit_after(fault: &SendFault, attempt: i64, now: Timestamp) -> Timestamp {
    match fault {
        SendFault::Wait(wait) | SendFault::Limited(wait) => {
            now + SignedDuration::try_from(*wait).unwrap_or(SignedDuration::from_secs(5))
        }
        SendFault::Blocked(_) | SendFault::TokenDead => now + SignedDuration::from_mins(5),
        SendFault::NotSent(_) | SendFault::Unknown(_) | SendFault::Refused(_) | SendFault::Deleted => {
            now + backoff(attempt)
        }
    }
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
    fn an_unknown_outcome_is_never_a_retry() {
        let now = Timestamp::UNIX_EPOCH;
        let settle = SignedDuration::from_secs(30);
        let unknown = after(&SendFault::Unknown("x".to_owned()), 1, now, settle);
        assert!(matches!(unknown, Outcome::Unknown { look_up_at, .. } if look_up_at == now + settle));
        assert_eq!(after(&SendFault::Deleted, 1, now, settle), Outcome::SentDeleted);
        // An outage of any length loses nothing: only the message's own usefulness ends it.
        let late = after(&SendFault::NotSent("x".to_owned()), 1_000, now, settle);
        assert!(matches!(late, Outcome::Retry { at, .. } if at == now + SignedDuration::from_mins(1)));
    }

    #[test]
    fn backoff_grows_to_a_minute() {
        let seconds: Vec<f64> = (0..9).map(|n| backoff(n).as_secs_f64()).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
    }
}
