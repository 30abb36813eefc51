//! Topic: what became of the release, for every audience that had a notice: one line in its own channel. The release channel has
//! the announcements themselves.

use std::collections::BTreeSet;

use super::decide::Work;
use super::effect::Destination;
use super::ids::{Audience, ChannelId};
use super::notice::Notice;
use super::rung;

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Live,
    /// Go was taken back within its minute.
    GoUndone,
    /// For longer than the present stage was planned to take.
    OnHold,
    /// After audiences were told of a hold.
    Resumed,
    RolledBack,
    AllClear,
    /// The all-clear was taken back.
    Rewatched,
}

impl Outcome {
    /// Whether it changes what the audience's people tell others now.
    fn pings(self) -> bool {
        match self {
            Self::Live | Self::GoUndone | Self::OnHold | Self::RolledBack | Self::Rewatched => true,
            Self::Resumed | Self::AllClear => false,
        }
    }
}

/// Tells every audience that had a notice and reads elsewhere than in the release channel.
pub(super) fn tell(work: &mut Work<'_>, outcome: Outcome) {
    let key = work.unique("outcome");
    let mut read = BTreeSet::new();
    for (audience, channel) in readers(work) {
        let role = work.release.policy.audiences.get(&audience).and_then(|route| route.role.clone());
        // Nobody reads it twice in one channel, unless somebody else is mentioned there.
        if !read.insert((channel, role.filter(|_| outcome.pings()))) {
            continue;
        }
        let notice = Notice::Outcome { outcome, audience: audience.clone() };
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
