//! What waits for the courier at an instant, as the database has it. It must not begin anything.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::delivery::{ChannelState, Target};
use crate::store::{Front, Pending, Store, StoreFault};

/// What waits.
#[derive(Debug, Default)]
pub struct Outlook {
    /// Leases that ended, and due posts that are of no use any more.
    pub overdue: Vec<i64>,
    /// Posts whose owners do not know yet that their target takes nothing, and what it said.
    pub shut_out: Vec<(i64, String)>,
    /// The next post of each target that takes it, with its priority; the most urgent first.
    pub posts: Vec<(i64, Target, i64)>,
    /// The next look-up of each target that can be read.
    pub look_ups: Vec<(i64, Target, i64)>,
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
        let Pending { channels, waiting, overdue, expired, edits, reports, later } = store.pending(now).await?;
        let channels = if channels { store.read_channels().await? } else { BTreeMap::new() };
        let state = |target: &Target| channels.get(target).unwrap_or(&ChannelState::OPEN);
        let fronts = if waiting { store.fronts(now).await? } else { Vec::new() };
        let mut busy: BTreeSet<Target> = fronts.iter().map(|front| front.target.clone()).collect();
        busy.extend(channels.iter().filter(|(_, state)| !state.is_idle(now)).map(|(target, _)| target.clone()));
        let may_go = |front: &Front| Some((front.id?, front.target.clone(), front.priority));
        let posts = fronts.iter().filter(|front| !front.busy).filter_map(may_go);
        let posts = posts.filter(|(_, target, priority)| state(target).opens(*priority) <= now).collect();
        let look_ups = if overdue { store.look_ups(now).await? } else { Vec::new() };
        let look_ups = look_ups.iter().filter_map(may_go);
        let look_ups = look_ups.filter(|(_, target, _)| state(target).opens_for_look_ups() <= now).collect();
        let overdue = if overdue || expired { store.overdue_posts(now).await? } else { Vec::new() };
        let mut seen = BTreeSet::new();
        let edits = if edits { store.due_edits(now).await? } else { Vec::new() };
        let edits = edits.into_iter().filter(|(_, target)| state(target).opens_for_edits() <= now);
        let edits = edits.filter(|(_, target)| seen.insert(target.clone())).collect();
        let reports = if reports { store.reports().await? } else { Vec::new() };
        let opens = channels.values().flat_map(ChannelState::opens_at).filter(|at| *at > now).min();
        let later = later.into_iter().chain(opens).min();
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
    let closed = |state: &ChannelState| state.closed.clone().filter(|closed| closed.probe_at > now);
    let closed: Vec<_> = channels.iter().filter_map(|(target, state)| Some((target, closed(state)?))).collect();
    let mut found = Vec::new();
    for (target, closed) in closed {
        let ids = store.shut_out(target, now).await?;
        found.extend(ids.into_iter().map(|id| (id, closed.why.clone())));
    }
    Ok(found)
}
