//! From the outbox to the world: claim before the network, look up before any repeat the target does not allow, record what came of
//! it. One round is a function, so that the loop only repeats it; after a restart the same rounds continue.

mod attempt;
mod far_end;
mod faults;
mod health;
mod outlook;
mod shown;
#[cfg(test)]
mod tests;
mod under_way;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{Quota, RateLimiter};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::far_end::{FarEnd, Outside};
pub use self::health::Health;
pub use self::outlook::Outlook;
use self::under_way::{Ended, UnderWay, Work};
use crate::clock::Clock;
use crate::control::point;
use crate::delivery::{PostEvent, PostState};
use crate::desk::{Answer, Ask, Desk, DeskFault, Step};
use crate::domain::effect::Priority;
use crate::store::{PostRow, Store, StoreFault};

/// How long a round that could do nothing of what is due waits for the next.
const IDLE: std::time::Duration = std::time::Duration::from_millis(250);
/// Looks at the outbox because something was written: so many at once, then so many a second; beyond that the next one comes soon.
const LOOKS_AT_ONCE: NonZeroU32 = NonZeroU32::new(25).unwrap();
const LOOKS_A_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();
const NEXT_LOOK: std::time::Duration = std::time::Duration::from_millis(20);
/// What may be under way at once. At 48 requests a second and 150 ms a request eight are enough; the rest waits its turn.
const ROOM: usize = 24;
/// More room, for what a person must decide.
const ROOM_URGENT: usize = 8;
/// Two messages with one marker are looked for this often.
const SWEEP: SignedDuration = SignedDuration::from_hours(24);

/// The courier.
#[derive(Debug, Clone)]
pub struct Courier<F = Outside> {
    store: Store,
    desk: Desk,
    far: F,
    clock: Clock,
    nudge: Arc<Notify>,
    health: Arc<Health>,
    /// The jumps of the clock up to the era whose doubts are marked; `u64::MAX` before any is.
    marked: Arc<AtomicU64>,
}

/// An instant, and since when the clock runs without a jump.
#[derive(Debug, Clone, Copy)]
struct Now {
    at: Timestamp,
    era: Timestamp,
}

/// Why a round could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CourierFault {
    #[error(transparent)]
    Store(#[from] StoreFault),
    #[error(transparent)]
    Desk(#[from] DeskFault),
}

impl<F: FarEnd> Courier<F> {
    /// A courier over its parts.
    pub fn new(desk: Desk, far: F, nudge: Arc<Notify>, health: Arc<Health>) -> Self {
        let (store, clock, marked) = (desk.store().clone(), desk.clock().clone(), Arc::new(AtomicU64::new(u64::MAX)));
        Self { store, clock, desk, far, nudge, health, marked }
    }

    /// Rounds until cancelled; what was claimed is finished first.
    pub async fn run(self, stop: CancellationToken) {
        let (alone, mut under_way) = (Notify::new(), UnderWay::default());
        let looks = RateLimiter::direct(Quota::per_second(LOOKS_A_SECOND).allow_burst(LOOKS_AT_ONCE));
        let mut confirmations = self.clock.confirmations();
        while !stop.is_cancelled() {
            let next = self.look(&mut under_way).await.unwrap_or_else(|fault| {
                // Not knowing when is not "never": look again soon.
                tracing::error!(error = &fault as &dyn std::error::Error, "cannot read the outbox");
                Some(Timestamp::MIN)
            });
            self.health.set_under_way(under_way.len());
            // Sleep on, without the database, until something is due, was written or has ended.
            let (mut woken, mut nudged, mut done) = (false, false, Vec::new());
            while !woken && !stop.is_cancelled() {
                let due = next.is_some_and(|at| at <= self.clock.now());
                woken = tokio::select! {
                    Some(ended) = under_way.next(|| self.clock.now()) => {
                        done.push(ended);
                        true
                    }
                    () = self.nudge.notified() => {
                        self.begin_claimed(&mut under_way);
                        nudged = looks.check().is_err();
                        !nudged
                    }
                    // More was written than is worth a look each time.
                    () = tokio::time::sleep(NEXT_LOOK), if nudged => true,
                    _ = confirmations.changed() => true,
                    () = stop.cancelled() => true,
                    // Due, yet nothing could be done (a channel is busy, the token is dead): look again, but not at once.
                    () = tokio::time::sleep(IDLE), if due => true,
                    () = self.clock.wait(next, &alone), if !due => next.is_some_and(|at| at <= self.clock.now()),
                };
            }
            // Whatever else has ended meanwhile makes room as well.
            done.extend(std::iter::from_fn(|| under_way.try_next(|| self.clock.now())));
            for ended in done {
                self.record_crash(ended).await;
            }
        }
        self.desk.lanes().close();
        // What the desk takes at this instant comes within a commit.
        for _ in 0..100 {
            self.begin_claimed(&mut under_way);
            if !self.desk.lanes().has_taken() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        while let Some(ended) = under_way.next(|| self.clock.now()).await {
            self.record_crash(ended).await;
        }
    }

    /// What the desk has claimed in a decision's own transaction is sent at once.
    fn begin_claimed(&self, under_way: &mut UnderWay) {
        for post in self.desk.lanes().claimed() {
            self.begin_post(post, under_way);
        }
        self.health.set_under_way(under_way.len());
    }

    /// Records a crash. After four crashes a message is given up; one whose look-up crashed waits behind the others of its target.
    async fn record_crash(&self, ended: Ended) {
        if let Ended::Crashed(Work::Post { id, .. } | Work::LookUp { id, .. }) = ended
            && let Err(fault) = self.say(vec![step(id, PostEvent::Crashed)]).await
        {
            tracing::error!(row = id, error = &fault as &dyn std::error::Error, "crash of a delivery not recorded");
        }
    }

    /// Begins what is due, and says when the next will be.
    async fn look(&self, under_way: &mut UnderWay) -> Result<Option<Timestamp>, CourierFault> {
        let next = match self.begin(under_way).await? {
            // Work is still due: the loop looks again when a task ends, or after a while.
            Some(outlook) if outlook.is_due() => Some(Timestamp::MIN),
            Some(outlook) => outlook.later,
            None => {
                self.desk.lanes().close();
                let now = self.clock.now();
                Outlook::read(&self.store, now).await?.next(now)
            }
        };
        // A report that failed is made again after its rest, whatever else happens.
        let report = under_way.rested(&Work::Report, self.clock.now());
        Ok(next.into_iter().chain(report).min())
    }

    /// One round, to its end: whatever is due now. Returns how much was begun.
    ///
    /// # Errors
    /// Database faults; what was claimed then is found again by the next round or the next start.
    #[cfg(test)]
    pub async fn round(&self) -> Result<usize, CourierFault> {
        let mut under_way = UnderWay::default();
        self.begin(&mut under_way).await?;
        let begun = under_way.len();
        while let Some(ended) = under_way.next(|| self.clock.now()).await {
            self.record_crash(ended).await;
        }
        Ok(begun)
    }

    /// Begins what is due and not under way yet; says what was seen waiting, unless nothing may be begun.
    async fn begin(&self, under_way: &mut UnderWay) -> Result<Option<Outlook>, CourierFault> {
        self.begin_claimed(under_way);
        if !self.far.accepts_token() || !self.clock.is_confirmed() || !self.mark_doubts(under_way).await? {
            return Ok(None);
        }
        let (now, written) = (self.clock.now(), self.desk.lanes().look());
        let outlook = Outlook::read(&self.store, now).await?;
        let room = ROOM.saturating_sub(under_way.len());
        self.begin_look_ups(&outlook, room, now, under_way).await?;
        self.begin_posts(&outlook, under_way).await?;
        // Edits are never urgent: while refusals are too many they wait.
        let tripped = self.health.tripped(now).is_some();
        for (post, target) in outlook.edits.iter().take(if tripped { 0 } else { room }) {
            let (work, courier, post) = (Work::Edit { target: target.clone() }, self.clone(), *post);
            if under_way.free(&work, now) {
                under_way.begin(work, async move { courier.edit(post).await });
            }
        }
        if !outlook.reports.is_empty() && under_way.free(&Work::Report, now) {
            let (desk, reports) = (self.desk.clone(), outlook.reports.clone());
            under_way.begin(Work::Report, async move { attempt::report(&desk, reports).await });
        }
        if under_way.free(&Work::Sweep, now) && self.health.sweep_due(now, SWEEP) {
            let courier = self.clone();
            under_way.begin(Work::Sweep, async move { courier.sweep(now).await });
        }
        let busy = outlook.busy.iter().cloned().chain(under_way.targets().cloned()).collect();
        let room = if tripped { 0 } else { ROOM.saturating_sub(under_way.len()) };
        self.desk.lanes().looked(written, room, busy);
        Ok(Some(outlook))
    }

    /// One at a time in a target: what it says of the target is true of the others as well.
    async fn begin_look_ups(
        &self,
        outlook: &Outlook,
        room: usize,
        now: Timestamp,
        under_way: &mut UnderWay,
    ) -> Result<(), StoreFault> {
        for (id, target, _) in outlook.look_ups.iter().take(room) {
            let work = Work::LookUp { id: *id, target: target.clone() };
            let looking = |work: &Work| matches!(work, Work::LookUp { target: other, .. } if other == target);
            if !under_way.free(&work, now) || under_way.any(looking) {
                continue;
            }
            for row in self.store.read_posts(&[*id]).await? {
                let courier = self.clone();
                under_way.begin(work.clone(), async move { courier.look_up(row).await });
            }
        }
        Ok(())
    }

    /// Claims what is due in targets that take it, and ends what is overdue or shut out, in one transaction.
    async fn begin_posts(&self, outlook: &Outlook, under_way: &mut UnderWay) -> Result<(), DeskFault> {
        let shut_out = outlook.shut_out.iter().map(|(id, why)| step(*id, PostEvent::ShutOut { why: why.clone() }));
        let overdue = outlook.overdue.iter().map(|id| step(*id, PostEvent::Due));
        let mut steps: Vec<Step> = shut_out.chain(overdue).collect();
        let left = |most: usize| most.saturating_sub(under_way.len());
        for (turn, (id, _, priority)) in outlook.posts.iter().enumerate() {
            let urgent = *priority == Priority::Prompt as i64;
            if turn < left(if urgent { ROOM + ROOM_URGENT } else { ROOM }) {
                steps.push(step(*id, PostEvent::Due));
            }
        }
        if steps.is_empty() {
            return Ok(());
        }
        for row in self.say(steps).await? {
            if matches!(row.post.state, PostState::Sending { .. }) {
                self.begin_post(row, under_way);
            }
        }
        Ok(())
    }

    fn begin_post(&self, row: PostRow, under_way: &mut UnderWay) {
        let (work, courier) = (Work::Post { id: row.id, target: row.target.clone() }, self.clone());
        under_way.begin(work, async move { courier.send(row).await });
    }

    /// Nothing is sent before what is in doubt is marked. A jump of the clock is a start to it: what was measured across it, how
    /// long ago a request began or a look-up was made, does not count. `false` while something is still under way.
    async fn mark_doubts(&self, under_way: &UnderWay) -> Result<bool, DeskFault> {
        let era = self.clock.era();
        if self.marked.load(Ordering::Acquire) == era.no {
            return Ok(true);
        }
        self.desk.lanes().close();
        let sends = |work: &Work| matches!(work, Work::Post { .. } | Work::LookUp { .. });
        if under_way.any(sends) || self.desk.lanes().has_taken() {
            return Ok(false);
        }
        self.say(vec![Step::Started]).await?;
        tracing::info!(jumps = era.no, "open messages marked for a look-up");
        self.at("after_doubts", "").await;
        self.marked.store(era.no, Ordering::Release);
        Ok(self.clock.era() == era)
    }

    /// Tells the desk what happened; the answer is the messages spoken of, as they are then.
    async fn say(&self, steps: Vec<Step>) -> Result<Vec<PostRow>, DeskFault> {
        match self.desk.ask(Ask::Courier(steps)).await? {
            Answer::Posts(rows) => Ok(rows),
            _ => Ok(Vec::new()),
        }
    }

    /// A named point, at which a test may end the process.
    async fn at(&self, name: &str, what: &str) {
        point(name, what).await;
        self.far.reached(name).await;
    }

    fn now(&self) -> Now {
        Now { at: self.clock.now(), era: self.clock.era().since }
    }
}

fn step(id: i64, event: PostEvent) -> Step {
    Step::Post { id, event, payload: None }
}
