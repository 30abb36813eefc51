//! How often one person and one server may ask, so that nobody waits behind somebody else's flood. It
//! must not know what is asked, only what kind of thing it is.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::domain::ids::{UserId, WorkspaceId};

/// Lists that are asked for while somebody types are this many times as many as commands.
const TYPING: u32 = 5;
/// A check asks Discord about a server's rights no more often than this (S18).
const LOOK: Duration = Duration::from_secs(15);
/// Somebody who asks too often stands in the log once in this time.
const NOTED: Duration = Duration::from_secs(60);
/// People of whom something is remembered, before those who have been still for long are forgotten.
const KEPT: usize = 10_000;

/// What may be asked in a minute. Half of it may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands, buttons and forms of one person.
    pub person_per_minute: NonZeroU32,
    /// The same of a whole server.
    pub server_per_minute: NonZeroU32,
}

/// What somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A command, a button, a form.
    Act,
    /// A list to choose from, while somebody types.
    Typing,
}

/// Whose asking is too much, and how long until it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooOften {
    Person(Duration),
    Server(Duration),
}

/// Counts who asks.
#[derive(Debug)]
pub struct Rate {
    clock: DefaultClock,
    people: DefaultKeyedRateLimiter<UserId>,
    /// What a person may ask whatever else their server asks: whoever must decide is not kept from it by others.
    own: DefaultKeyedRateLimiter<UserId>,
    servers: DefaultKeyedRateLimiter<WorkspaceId>,
    typing: DefaultKeyedRateLimiter<UserId>,
    looks: DefaultKeyedRateLimiter<WorkspaceId>,
    noted: DefaultKeyedRateLimiter<UserId>,
}

impl Rate {
    /// Nobody has asked yet.
    pub fn new(limits: Limits) -> Self {
        let minute = |n: NonZeroU32| Quota::per_minute(n).allow_burst(n.div_ceil(NonZeroU32::new(2).unwrap_or(n)));
        let each =
            |length| RateLimiter::keyed(Quota::with_period(length).unwrap_or(Quota::per_minute(NonZeroU32::MIN)));
        let lists = limits.person_per_minute.saturating_mul(NonZeroU32::new(TYPING).unwrap_or(NonZeroU32::MIN));
        let sixth = limits.person_per_minute.div_ceil(NonZeroU32::new(6).unwrap_or(NonZeroU32::MIN));
        Self {
            clock: DefaultClock::default(),
            people: RateLimiter::keyed(minute(limits.person_per_minute)),
            own: RateLimiter::keyed(minute(sixth)),
            servers: RateLimiter::keyed(minute(limits.server_per_minute)),
            typing: RateLimiter::keyed(minute(lists)),
            looks: each(LOOK),
            noted: RateLimiter::keyed(Quota::with_period(NOTED).unwrap_or(Quota::per_minute(NonZeroU32::MIN))),
        }
    }

    /// Counts one more. A person's flood is stopped before it counts against their server, and a few a minute never do.
    ///
    /// # Errors
    /// It is too much, and is not to be done.
    pub fn take(&self, person: &UserId, server: Option<&WorkspaceId>, kind: Kind) -> Result<(), TooOften> {
        let wait = |until: governor::NotUntil<_>| until.wait_time_from(self.clock.now());
        let people = match kind {
            Kind::Act => &self.people,
            Kind::Typing => &self.typing,
        };
        if people.len() > KEPT {
            people.retain_recent();
            self.own.retain_recent();
        }
        people.check_key(person).map_err(|until| TooOften::Person(wait(until)))?;
        match (server, kind) {
            (Some(server), Kind::Act) if self.own.check_key(person).is_err() => {
                self.servers.check_key(server).map_err(|until| TooOften::Server(wait(until)))
            }
            _ => Ok(()),
        }
    }

    /// Whether Discord may be asked about a server's rights now, or how long not.
    ///
    /// # Errors
    /// It was asked a moment ago.
    pub fn look(&self, server: &WorkspaceId) -> Result<(), Duration> {
        self.looks.check_key(server).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Whether it is time to note in the log that somebody asks too often.
    pub fn is_news(&self, person: &UserId) -> bool {
        if self.noted.len() > KEPT {
            self.noted.retain_recent();
        }
        self.noted.check_key(person).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate() -> Rate {
        let n = |n| NonZeroU32::new(n).unwrap();
        Rate::new(Limits { person_per_minute: n(20), server_per_minute: n(60) })
    }

    #[test]
    fn a_persons_flood_is_theirs_alone_and_costs_their_server_only_what_they_may_ask() {
        let (rate, server) = (rate(), WorkspaceId::from("g"));
        let flood = UserId::from("flood");
        let done = (0..100_000).filter(|_| rate.take(&flood, Some(&server), Kind::Act).is_ok()).count();
        // What a minute's twenty give back while the loop runs is a few more than the ten that may come at once.
        assert!((10..20).contains(&done), "{done}");
        assert!(
            matches!(rate.take(&flood, Some(&server), Kind::Act), Err(TooOften::Person(wait)) if wait <= Duration::from_secs(3))
        );
        assert_eq!(rate.take(&UserId::from("other"), Some(&server), Kind::Act), Ok(()));
        assert_eq!(rate.take(&flood, Some(&server), Kind::Typing), Ok(()), "lists are counted by themselves");
        assert!(rate.is_news(&flood) && !rate.is_news(&flood), "one line of the log a minute");
    }

    #[test]
    fn a_servers_flood_is_its_own_and_leaves_everybody_a_few() {
        let (rate, server) = (rate(), WorkspaceId::from("g"));
        let person = |n: usize| UserId::from(n.to_string().as_str());
        let asked = |n, times| (0..times).filter_map(|_| rate.take(&person(n), Some(&server), Kind::Act).err()).count();
        // Two of each person's are their own; thirty of the others are the server's, and what comes back meanwhile.
        let refused: usize = (0..30).map(|n| asked(n, 5)).sum();
        assert!((50..=60).contains(&refused), "{refused}");
        assert!(matches!(rate.take(&person(1), Some(&server), Kind::Act), Err(TooOften::Server(_))));
        assert_eq!(asked(99, 2), 0, "whoever has not asked yet is heard");
        assert_eq!(rate.take(&person(1), Some(&WorkspaceId::from("h")), Kind::Act), Ok(()));
        assert_eq!(rate.take(&person(1), None, Kind::Act), Ok(()));
    }

    #[test]
    fn discord_is_asked_about_a_server_every_fifteen_seconds_at_most() {
        let rate = rate();
        assert_eq!(rate.look(&WorkspaceId::from("g")), Ok(()));
        assert!(rate.look(&WorkspaceId::from("g")).unwrap_err() > Duration::from_secs(10));
        assert_eq!(rate.look(&WorkspaceId::from("h")), Ok(()));
    }
}
