//! What has begun and not ended; what failed rests a while before it may begin again. It must not know how work is done.

use std::collections::BTreeMap;
use std::error::Error;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::delivery::Target;

/// The longest rest of work that keeps failing.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(1);

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// An attempt at a message.
    Post { id: i64, target: Target },
    /// A look-up of one.
    LookUp { id: i64, target: Target },
    /// One edit at a time in a target.
    Edit { target: Target },
    /// Telling owners what became of their messages.
    Report,
    /// Looking for messages that are there twice.
    Sweep,
}

/// Why work did not end well.
pub type Failure = Box<dyn Error + Send + Sync>;

type Joined = Result<(tokio::task::Id, Result<(), Failure>), tokio::task::JoinError>;

/// What has begun and not ended.
#[derive(Debug, Default)]
pub struct UnderWay {
    tasks: JoinSet<Result<(), Failure>>,
    works: BTreeMap<tokio::task::Id, Work>,
    /// Until when what failed is left alone, and how often it failed in a row.
    rests: BTreeMap<Work, (Timestamp, u32)>,
}

/// How something under way ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    /// With a fault, which stands in the log.
    Failed,
    /// It panicked.
    Crashed(Work),
}

impl UnderWay {
    /// How much is under way.
    pub fn len(&self) -> usize {
        self.works.len()
    }

    /// Whether any such work is under way.
    pub fn any(&self, such: impl Fn(&Work) -> bool) -> bool {
        self.works.values().any(such)
    }

    /// Targets with a message under way.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.works.values().filter_map(|work| match work {
            Work::Post { target, .. } => Some(target),
            _ => None,
        })
    }

    /// Whether this work may begin: it is not under way, and does not rest.
    pub fn free(&self, work: &Work, now: Timestamp) -> bool {
        !self.any(|known| known == work) && self.rested(work, now).is_none()
    }

    /// When this work may begin again, if it rests.
    pub fn rested(&self, work: &Work, now: Timestamp) -> Option<Timestamp> {
        // A rest longer than the longest was begun by a clock that jumped.
        self.rests.get(work).map(|(until, _)| *until).filter(|until| *until > now && *until <= now + LONGEST_REST)
    }

    /// Begins work.
    pub fn begin<E: Into<Failure>>(&mut self, work: Work, done: impl Future<Output = Result<(), E>> + Send + 'static) {
        let task = self.tasks.spawn(async move { done.await.map_err(Into::into) });
        self.works.insert(task.id(), work);
    }

    /// Waits for something to end; `None` if nothing is under way.
    pub async fn next(&mut self, now: impl FnOnce() -> Timestamp) -> Option<Ended> {
        let ended = self.tasks.join_next_with_id().await?;
        Some(self.ended(ended, now))
    }

    /// What has ended already, if anything has.
    pub fn try_next(&mut self, now: impl FnOnce() -> Timestamp) -> Option<Ended> {
        let ended = self.tasks.try_join_next_with_id()?;
        Some(self.ended(ended, now))
    }

    fn ended(&mut self, ended: Joined, now: impl FnOnce() -> Timestamp) -> Ended {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(panic) => panic.id(),
        };
        let work = self.works.remove(&id).unwrap_or(Work::Report);
        match ended {
            Ok((_, Ok(()))) => {
                self.rests.remove(&work);
                Ended::Well
            }
            Ok((_, Err(fault))) => {
                tracing::error!(?work, error = &*fault as &dyn Error, "delivery not recorded");
                self.rest(work, now());
                Ended::Failed
            }
            Err(panic) => {
                tracing::error!(?work, error = &panic as &dyn Error, "delivery crashed");
                self.rest(work.clone(), now());
                Ended::Crashed(work)
            }
        }
    }

    /// One second, doubled with each failure in a row.
    fn rest(&mut self, work: Work, now: Timestamp) {
        // What rests no longer and never came back is forgotten.
        self.rests.retain(|_, (until, _)| *until + LONGEST_REST + LONGEST_REST > now);
        let failures = self.rests.get(&work).map_or(1, |(_, failures)| failures + 1);
        let rest = SignedDuration::from_secs(1 << (failures - 1).min(6)).min(LONGEST_REST);
        self.rests.insert(work, (now + rest, failures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn failed_work_rests_before_it_begins_again() {
        let (mut under_way, begin) = (UnderWay::default(), Timestamp::UNIX_EPOCH);
        let mut now = begin;
        let mut began = Vec::new();
        while now < begin + SignedDuration::from_mins(5) {
            if under_way.free(&Work::Report, now) {
                began.push(now.as_second());
                match began.len() {
                    1..=5 => under_way.begin(Work::Report, async { Err(std::io::Error::other("no room")) }),
                    6..=9 => under_way.begin(Work::Report, async { Err::<(), std::io::Error>(panics()) }),
                    _ => under_way.begin(Work::Report, async { Ok::<(), std::io::Error>(()) }),
                }
                assert!(!under_way.free(&Work::Report, now), "nothing is under way twice");
                under_way.next(|| now).await.unwrap();
                let rested = under_way.rested(&Work::Report, now);
                assert_eq!(rested.is_some(), began.len() < 10, "it says until when it rests");
                if began.len() == 12 {
                    break;
                }
            }
            now += SignedDuration::from_secs(1);
        }
        assert_eq!(began, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 244, 245], "one that ended well may go on at once");
    }

    fn panics() -> std::io::Error {
        panic!("a report that cannot be made")
    }
}
