//! What the courier writes, in as few transactions as there can be: whoever comes to the one writing connection stores for all who
//! wait. An answer is given only after the commit; what fails together is tried alone.
//! What the statements are is `outbox`'s, `doubt`'s and `edits`'.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::doubt::Found;
use super::edits::{DueEdit, Edited};
use super::outbox::{Claimed, Outcome, Room, Waiting};
use super::{Store, StoreFault, Writer};

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
    /// How long after its first attempt a post may be repeated without a look-up.
    pub repeats: SignedDuration,
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
}

impl Group {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Writes something, perhaps together with others.
    pub(super) async fn write(&self, op: Op) -> Result<Done, StoreFault> {
        let (answer, answered) = oneshot::channel();
        let leads = {
            let mut inner = self.group.lock();
            inner.waiters.push(Waiter { op, answer });
            !std::mem::replace(&mut inner.led, true)
        };
        if leads {
            let store = self.clone();
            // A task of its own: whoever asked may be gone before it is done.
            tokio::spawn(async move { store.lead().await });
        }
        answered.await.unwrap_or(Err(StoreFault::Sql(sqlx::Error::PoolClosed)))
    }

    /// Comes to the connection and stores for all who wait by then.
    async fn lead(&self) {
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
        if apart.is_empty() {
            self.committed();
        }
        for waiter in apart {
            // A connection for each: a transaction that the full disk has ended is not one to go on with.
            let Ok(mut writer) = self.write.acquire().await else { return };
            let done = transaction(&mut writer, &[&waiter.op]).await;
            drop(waiter.answer.send(done.map(|mut done| done.pop().unwrap_or(Done::Noted))));
        }
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
