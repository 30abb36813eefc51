//! What became of the release, for every audience that had a notice: one line in its own channel. The release channel has
//! the announcements themselves.

use std::collections::BTreeSet;

use super::{LadderNotice, Outcome, rung};
use crate::domain::ids::{Audience, ChannelId, Destination};
use crate::domain::work::Work;

/// Tells every audience that had a notice and reads elsewhere than in the release channel.
pub(in crate::domain) fn tell(work: &mut Work<'_>, outcome: Outcome) {
    let key = work.unique("outcome");
    let mut read = BTreeSet::new();
    for (audience, channel) in readers(work) {
        let role = work.release.policy.audiences.get(&audience).and_then(|route| route.role.clone());
        // Nobody reads it twice in one channel, unless somebody else is mentioned there.
        if !read.insert((channel, role.filter(|_| outcome.pings()))) {
            continue;
        }
        let notice = LadderNotice::Outcome { outcome, audience: audience.clone() };
        let posting = work.post(format!("{key}/{audience}"), Destination::Audience(audience), notice);
        posting.ping = outcome.pings();
    }
}

/// Audiences that were told, with their own channels.
fn readers(work: &Work<'_>) -> Vec<(Audience, ChannelId)> {
    let policy = &work.release.policy;
    let own = |audience: Audience| {
        let channel = policy.audiences.get(&audience)?.channel.clone()?;
        (Some(&channel) != policy.release_channel.as_ref()).then_some((audience, channel))
    };
    rung::told(&work.release).into_iter().filter_map(own).collect()
}
