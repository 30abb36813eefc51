//! What has begun and not ended, by name; what failed rests a while before it may begin again. It must not know what the work
//! is.

use std::collections::BTreeMap;
use std::error::Error;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

/// The longest rest of work that keeps failing.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(1);

/// Why work did not end well.
pub type Failure = Box<dyn Error + Send + Sync>;

type Joined = Result<(tokio::task::Id, Result<(), Failure>), tokio::task::JoinError>;

/// What has begun and not ended. Nothing of one name is under way twice.
#[derive(Debug, Default)]
pub struct UnderWay {
    tasks: JoinSet<Result<(), Failure>>,
    names: BTreeMap<tokio::task::Id, String>,
    /// Until when what failed is left alone, and how often it failed in a row.
    rests: BTreeMap<String, (Timestamp, u32)>,
}

/// How something under way ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    /// With a fault, which stands in the log.
    Failed,
    /// It panicked.
    Abnormally(String),
}

impl UnderWay {
    /// How much is under way.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether anything of such a name is under way.
    pub fn any(&self, such: impl Fn(&str) -> bool) -> bool {
        self.names.values().any(|name| such(name))
    }

    /// Whether work of this name may begin: it is not under way, and does not rest.
    pub fn free(&self, name: &str, now: Timestamp) -> bool {
        !self.names.values().any(|known| known == name) && self.rested(name, now).is_none()
    }

    /// When work of this name may begin again, if it rests.
    pub fn rested(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        // A rest longer than the longest was begun by a clock that jumped.
        self.rests.get(name).map(|(until, _)| *until).filter(|until| *until > now && *until <= now + LONGEST_REST)
    }

    /// Begins work.
    pub fn begin<E: Into<Failure>>(
        &mut self,
        name: String,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let task = self.tasks.spawn(async move { work.await.map_err(Into::into) });
        self.names.insert(task.id(), name);
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
        let name = self.names.remove(&id).unwrap_or_default();
        match ended {
            Ok((_, Ok(()))) => {
                self.rests.remove(&name);
                Ended::Well
            }
            Ok((_, Err(fault))) => {
                tracing::error!(work = name, error = &*fault as &dyn Error, "delivery not recorded");
                self.rest(name, now());
                Ended::Failed
            }
            Err(panic) => {
                tracing::error!(work = name, error = &panic as &dyn Error, "delivery crashed");
                self.rest(name.clone(), now());
                Ended::Abnormally(name)
            }
        }
    }

    /// One second, doubled with each failure in a row.
    fn rest(&mut self, name: String, now: Timestamp) {
        // What rests no longer and never came back is forgotten.
        self.rests.retain(|_, (until, _)| *until + LONGEST_REST + LONGEST_REST > now);
        let failures = self.rests.get(&name).map_or(1, |(_, failures)| failures + 1);
        let rest = SignedDuration::from_secs(1 << (failures - 1).min(6)).min(LONGEST_REST);
        self.rests.insert(name, (now + rest, failures));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_fails_is_not_begun_again_at_once() {
        let (mut under_way, begin) = (UnderWay::default(), Timestamp::UNIX_EPOCH);
        let mut now = begin;
        let mut began = Vec::new();
        while now < begin + SignedDuration::from_mins(5) {
            if under_way.free("report", now) {
                began.push(now.as_second());
                match began.len() {
                    1..=5 => under_way.begin("report".to_owned(), async { Err(std::io::Error::other("no room")) }),
                    6..=9 => under_way.begin("report".to_owned(), async { Err::<(), std::io::Error>(panics()) }),
                    _ => under_way.begin("report".to_owned(), async { Ok::<(), std::io::Error>(()) }),
                }
                assert!(!under_way.free("report", now), "nothing is under way twice");
                under_way.next(|| now).await.unwrap();
                let rested = under_way.rested("report", now);
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
