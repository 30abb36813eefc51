//! What waits for the courier at an instant, as the database has it. It must not begin anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::delivery::{ChannelState, Target};
use crate::store::{Front, Store, StoreFault};

/// What waits.
#[derive(Debug, Default)]
pub struct Outlook {
    /// Leases that ended, and due posts that are of no use any more.
    pub overdue: Vec<i64>,
    /// Posts whose owners do not know yet that their target takes nothing, and what it said.
    pub shut_out: Vec<(i64, String)>,
    /// The next post of each target that takes it, the most urgent first.
    pub posts: Vec<Front>,
    /// The next look-up of each target that can be read.
    pub look_ups: Vec<Front>,
    /// The next edit of each target that takes edits.
    pub edits: Vec<(i64, Target)>,
    /// Posts whose owners have not heard what became of them.
    pub reports: Vec<i64>,
    /// Targets in which something waits, or which take nothing.
    pub busy: BTreeSet<Target>,
    /// When the next of it is due that is not yet.
    pub later: Option<Timestamp>,
}

impl Outlook {
    /// Reads what waits.
    ///
    /// # Errors
    /// Database faults.
    pub async fn read(store: &Store, now: Timestamp) -> Result<Self, StoreFault> {
        let channels = store.read_channels().await?;
        let (overdue, reports) = (store.overdue_posts(now).await?, store.reports().await?);
        let (mut posts, mut look_ups) = (store.fronts(now).await?, store.look_ups(now).await?);
        let edits = store.due_edits(now).await?;
        let state = |target: &Target| channels.get(target).unwrap_or(&ChannelState::OPEN);
        let mut busy: BTreeSet<Target> = posts.iter().map(|front| front.target.clone()).collect();
        busy.extend(channels.iter().filter(|(_, state)| !state.is_idle(now)).map(|(target, _)| target.clone()));
        posts.retain(|front| state(&front.target).opens(front.priority) <= now);
        look_ups.retain(|front| state(&front.target).opens_for_look_ups() <= now);
        let mut seen = BTreeSet::new();
        let edits = edits.into_iter().filter(|(_, target)| state(target).opens_for_edits() <= now);
        let edits = edits.filter(|(_, target)| seen.insert(target.clone())).collect();
        let opens = channels.values().flat_map(ChannelState::opens_at).filter(|at| *at > now).min();
        let later = store.later(now).await?.into_iter().chain(opens).min();
        let shut_out = shut_out(store, &channels, now).await?;
        Ok(Self { overdue, shut_out, posts, look_ups, edits, reports, busy, later })
    }

    /// Whether there is anything to do now.
    pub fn is_due(&self) -> bool {
        let posts = self.overdue.is_empty() && self.shut_out.is_empty() && self.posts.is_empty();
        !(posts && self.look_ups.is_empty() && self.edits.is_empty())
    }

    /// When there is something to do next: now, or later.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        if self.is_due() { Some(now) } else { self.later }
    }
}

async fn shut_out(
    store: &Store,
    channels: &BTreeMap<Target, ChannelState>,
    now: Timestamp,
) -> Result<Vec<(i64, String)>, StoreFault> {
    let closed = |state: &ChannelState| state.closed().filter(|closed| closed.probe_at > now).cloned();
    let closed: Vec<_> = channels.iter().filter_map(|(target, state)| Some((target, closed(state)?))).collect();
    let mut found = Vec::new();
    for (target, closed) in closed {
        let ids = store.shut_out(target, now).await?;
        found.extend(ids.into_iter().map(|id| (id, closed.why.clone())));
    }
    Ok(found)
}
