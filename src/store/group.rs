//! What the courier writes, in as few transactions as there can be: whoever comes to the one writing connection stores for all who
//! wait, and the desk's batch takes them along. An answer is given only after the commit; what fails together is tried alone.
//! What the statements are is `outbox`'s, `doubt`'s and `edits`'.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::doubt::Found;
use super::edits::{DueEdit, Edited};
use super::outbox::{Claimed, Outcome, Room, Waiting};
use super::{Store, StoreFault, Writer};

/// How long the courier waits for the desk's next batch after one, to be stored with it: people go first, and two transactions
/// cost twice as much as one.
const COMPANY: std::time::Duration = std::time::Duration::from_millis(2);

/// How posts are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claiming {
    pub now: Timestamp,
    /// What was seen waiting.
    pub waiting: Waiting,
    pub lease: SignedDuration,
    pub settle: SignedDuration,
    /// How old a look-up may be that licenses another attempt.
    pub fresh: SignedDuration,
    pub room: Room,
}

/// Something to be written.
#[derive(Debug)]
pub(super) enum Op {
    Claim(Claiming),
    Record { id: i64, attempt: i64, outcome: Outcome, now: Timestamp },
    Resolve { id: i64, attempt: i64, found: Found, now: Timestamp },
    Edit { edit: Box<DueEdit>, edited: Edited, now: Timestamp },
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    Claimed(Vec<Claimed>),
    /// Whether the fence let it through.
    Fenced(bool),
    Noted,
}

#[derive(Debug)]
struct Waiter {
    op: Op,
    answer: oneshot::Sender<Result<Done, StoreFault>>,
}

/// Whoever waits to be written.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    waiters: Vec<Waiter>,
    /// Somebody is on the way to the connection.
    led: bool,
    /// The desk has just stored a batch: another may follow at once.
    busy: bool,
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Nobody waits any more; then nobody leads either.
    fn is_served(&mut self) -> bool {
        self.led = !self.waiters.is_empty();
        !self.led
    }
}

/// Those who came along in somebody else's transaction.
#[derive(Debug)]
pub struct Joined {
    done: Vec<(Waiter, Done)>,
}

impl Joined {
    /// The transaction is on disk.
    pub fn stored(self) {
        for (waiter, done) in self.done {
            // Whoever stopped waiting finds it in the database.
            drop(waiter.answer.send(Ok(done)));
        }
    }
}

impl Store {
    /// Writes something, perhaps together with others.
    pub(super) async fn write(&self, op: Op) -> Result<Done, StoreFault> {
        let (answer, answered) = oneshot::channel();
        self.wait_with(vec![Waiter { op, answer }]);
        answered.await.unwrap_or(Err(StoreFault::Sql(sqlx::Error::PoolClosed)))
    }

    fn wait_with(&self, waiters: Vec<Waiter>) {
        let mut inner = self.group.lock();
        inner.waiters.extend(waiters);
        if !inner.waiters.is_empty() && !inner.led {
            inner.led = true;
            let store = self.clone();
            // A task of its own: whoever asked may be gone before it is done.
            tokio::spawn(async move { store.lead().await });
        }
    }

    /// Comes to the connection and stores for all who wait by then.
    async fn lead(&self) {
        if std::mem::take(&mut self.group.lock().busy) {
            tokio::time::sleep(COMPANY).await;
        }
        if self.group.lock().is_served() {
            return;
        }
        let writer = self.write.acquire().await;
        let waiters = {
            let mut inner = self.group.lock();
            inner.led = false;
            std::mem::take(&mut inner.waiters)
        };
        // Without a connection everybody's answer is dropped, which they take for a fault.
        let Ok(mut writer) = writer else { return };
        let apart = together(&mut writer, waiters).await;
        drop(writer);
        for waiter in apart {
            // A connection for each: a transaction that the full disk has ended is not one to go on with.
            let Ok(mut writer) = self.write.acquire().await else { return };
            let done = transaction(&mut writer, &[&waiter.op]).await;
            drop(waiter.answer.send(done.map(|mut done| done.pop().unwrap_or(Done::Noted))));
        }
    }

    /// Takes everybody who waits along in this transaction, or nobody. After a fault they wait again, and the transaction is spoilt.
    ///
    /// # Errors
    /// Database faults.
    pub async fn join(&self, txn: &mut SqliteConnection, along: bool) -> Result<Joined, StoreFault> {
        if !along {
            return Ok(Joined { done: Vec::new() });
        }
        let mut waiters = {
            let mut inner = self.group.lock();
            inner.busy = true;
            std::mem::take(&mut inner.waiters).into_iter()
        };
        let mut joined = Joined { done: Vec::new() };
        while let Some(waiter) = waiters.next() {
            match run(txn, &waiter.op).await {
                Ok(done) => joined.done.push((waiter, done)),
                Err(fault) => {
                    self.wait_with(std::iter::once(waiter).chain(waiters).collect());
                    self.part(joined);
                    return Err(fault);
                }
            }
        }
        Ok(joined)
    }

    /// The transaction they came along in is not on disk: they wait again.
    pub fn part(&self, joined: Joined) {
        self.wait_with(joined.done.into_iter().map(|(waiter, _)| waiter).collect());
    }
}

/// One transaction for all. Returns, if that failed, whoever is to have one alone.
async fn together(writer: &mut Writer, waiters: Vec<Waiter>) -> Vec<Waiter> {
    let ops: Vec<&Op> = waiters.iter().map(|waiter| &waiter.op).collect();
    let done = match ops.as_slice() {
        [] => return waiters,
        ops => transaction(writer, ops).await,
    };
    match done {
        Ok(done) => {
            for (waiter, done) in waiters.into_iter().zip(done) {
                drop(waiter.answer.send(Ok(done)));
            }
            Vec::new()
        }
        Err(fault) => match <[Waiter; 1]>::try_from(waiters) {
            Ok([only]) => {
                drop(only.answer.send(Err(fault)));
                Vec::new()
            }
            Err(several) => several,
        },
    }
}

async fn transaction(writer: &mut Writer, ops: &[&Op]) -> Result<Vec<Done>, StoreFault> {
    let mut txn = Store::begin_on(writer).await?;
    let mut done = Vec::with_capacity(ops.len());
    for op in ops {
        done.push(run(&mut txn, op).await?);
    }
    txn.commit().await?;
    Ok(done)
}

async fn run(txn: &mut SqliteConnection, op: &Op) -> Result<Done, StoreFault> {
    Ok(match op {
        Op::Claim(claiming) => Done::Claimed(Store::claim_in(txn, claiming).await?),
        Op::Record { id, attempt, outcome, now } => {
            Done::Fenced(Store::record_in(txn, *id, *attempt, outcome, *now).await?)
        }
        Op::Resolve { id, attempt, found, now } => {
            Done::Fenced(Store::resolve_in(txn, *id, *attempt, found, *now).await?)
        }
        Op::Edit { edit, edited, now } => {
            Store::record_edit_in(txn, edit, edited, *now).await?;
            Done::Noted
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Plain, Purpose};

    /// Found by review: SQLite ends a transaction by itself where the disk is full, and each of those who met it together was then
    /// tried on the connection that was spoilt by it.
    #[tokio::test]
    async fn whoever_met_a_full_disk_together_is_tried_alone_on_a_connection_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("full.db");
        Store::old(&file, 7).await.unwrap();
        let store = Store::open(&file, Purpose::Sandbox).await.unwrap();
        sqlx::query("UPDATE outbox SET state = 'sending'").execute(&store.write).await.unwrap();
        store.pragma("wal_checkpoint(TRUNCATE)").await.unwrap();
        let pages = store.pragma("page_count").await.unwrap().unwrap();
        store.pragma(&format!("max_page_count = {pages}")).await.unwrap();
        // While a transaction is open, all of them wait, and are then stored together.
        let txn = store.begin().await.unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let large = |n: i64| Outcome::Plain {
            plain: Plain { payload: format!("\"{}\"", "x".repeat(200_000)), nonce: n.to_string() },
            why: String::new(),
        };
        let tasks: Vec<_> = (1..=3)
            .map(|id| {
                let (store, outcome) = (store.clone(), large(id));
                tokio::spawn(async move { store.record(id, 1, &outcome, now).await })
            })
            .collect();
        while store.group.lock().waiters.len() < 3 {
            tokio::task::yield_now().await;
        }
        txn.rollback().await.unwrap();
        for task in tasks {
            assert!(task.await.unwrap().unwrap(), "stored by itself");
        }
        let stored = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox WHERE length(payload) > 200000");
        assert_eq!(stored.fetch_one(store.read()).await.unwrap(), 3);
        store.close().await;
    }
}
