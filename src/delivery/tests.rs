//! The rules of delivery as properties: in any order of events, a second attempt follows an attempt of unknown outcome only where the
//! target allows it; and what each event makes of a message.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::domain::delivery::Trouble;

const NONCE: NonceWindow =
    NonceWindow { trusted: SignedDuration::from_secs(44), repeats: SignedDuration::from_secs(4) };
const REPEATS: [Repeat; 4] = [
    Repeat::LookUpFirst { nonce: Some(NONCE) },
    Repeat::LookUpFirst { nonce: None },
    Repeat::Idempotent,
    Repeat::Never,
];

fn can(repeat: Repeat) -> Capability {
    Capability { repeat, settle: Capabilities::SETTLE }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn why() -> String {
    "why".to_owned()
}

/// The `n`th thing that can happen to a post.
fn event(n: u8, post: &Post, now: Timestamp) -> PostEvent {
    let attempt = post.attempt;
    let outcome = |outcome| PostEvent::Attempted { attempt, outcome };
    let found = |found| PostEvent::LookedUp { attempt, found };
    match n {
        0..=7 => PostEvent::Due,
        8 => outcome(Outcome::Sent { message: "7".to_owned() }),
        9 => outcome(Outcome::NoRoom { at: now + SignedDuration::from_secs(3) }),
        10 => outcome(Outcome::Failed { wait: None, why: why() }),
        11..=13 => outcome(Outcome::Unknown { era: at(0), why: why() }),
        14 => outcome(Outcome::Closed { why: why(), gone: false }),
        15 => outcome(Outcome::Simplified { why: why() }),
        16 => outcome(Outcome::Refused { why: why() }),
        17 | 18 => found(Found::NotThere),
        19 => found(Found::Unreadable { era: at(0) }),
        20 => found(Found::Failed { wait: None }),
        21 => found(Found::Closed { why: why(), gone: false }),
        22 => PostEvent::Crashed,
        23 => PostEvent::Started,
        24 => PostEvent::ShutOut { why: why() },
        25 => PostEvent::Withdrawn,
        _ => PostEvent::SentAgain { moved: false, closed: false },
    }
}

/// When a repeat of the attempts so far does no harm: what a far end that remembers its own promises would say.
#[derive(Default)]
struct Witness {
    /// The first attempt that may have had an effect, and that nobody has cleared for good.
    first: Option<Timestamp>,
    /// The last look-up that found nothing.
    absent: Option<Timestamp>,
    person: bool,
}

impl Witness {
    fn sees(&mut self, before: &Post, event: &PostEvent, now: Timestamp) {
        if let PostState::Sending { began, until } = before.state {
            let unknown = matches!(event, PostEvent::Attempted { outcome: Outcome::Unknown { .. }, .. });
            let lost = matches!(event, PostEvent::Crashed | PostEvent::Started);
            if unknown || lost || (*event == PostEvent::Due && until <= now) {
                self.first = self.first.or(Some(began));
            }
        }
        if let (PostState::Unknown { .. }, PostEvent::LookedUp { found: Found::NotThere, .. }) = (&before.state, event)
        {
            self.absent = Some(now);
        }
        if let (PostState::Held, PostEvent::SentAgain { .. }) = (&before.state, event) {
            self.person = true;
        }
    }

    fn allows(&self, repeat: Repeat, now: Timestamp) -> bool {
        let Some(first) = self.first else { return true };
        let looked = self.absent.is_some_and(|absent| absent + FRESH >= now);
        self.person
            || match repeat {
                Repeat::LookUpFirst { nonce } => looked || nonce.is_some_and(|nonce| first + nonce.trusted >= now),
                Repeat::Idempotent => true,
                Repeat::Never => false,
            }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// No path leads from an unknown outcome to another attempt but through what the target allows.
    #[test]
    fn a_second_attempt_needs_the_targets_permission(
        steps in proptest::collection::vec((0_u8..27, 0_i64..40), 1..60),
        repeat in 0_usize..REPEATS.len(),
        useful in proptest::option::of(0_i64..300),
    ) {
        let (repeat, mut now) = (REPEATS[repeat], at(0));
        let mut post = Post::new(now, useful.map(at), true);
        let mut witness = Witness::default();
        for (n, seconds) in steps {
            now += SignedDuration::from_secs(seconds);
            let (event, before) = (event(n, &post, now), post.clone());
            witness.sees(&before, &event, now);
            post.report = None;
            post.next(event.clone(), now, &can(repeat));
            let report = post.report;
            if post.attempt > before.attempt {
                prop_assert!(witness.allows(repeat, now), "{repeat:?}: {event:?} began another attempt of {before:?}");
            }
            let settled = before.next_at().is_none() && !matches!(before.state, PostState::Held | PostState::Dead);
            prop_assert!(!settled || before.state == post.state, "{event:?} woke {before:?}");
            // A reported problem is reported as solved, too.
            prop_assert!(!matches!(report, Some(Report::Stuck(_))) || post.awaited);
            let stuck = matches!(post.state, PostState::Held | PostState::Dead | PostState::Skipped);
            prop_assert!(!stuck || before.state == post.state || report.is_some() || post.withdrawn, "{event:?} ends {before:?} silently");
        }
    }

    /// A post that is due and not settled does something at its instant, or waits for the courier: never for ever.
    #[test]
    fn a_due_event_is_never_without_effect(
        steps in proptest::collection::vec((0_u8..27, 0_i64..40), 0..40),
        repeat in 0_usize..REPEATS.len(),
        useful in proptest::option::of(0_i64..300),
    ) {
        let (repeat, mut now) = (REPEATS[repeat], at(0));
        let mut post = Post::new(now, useful.map(at), false);
        for (n, seconds) in steps {
            now += SignedDuration::from_secs(seconds);
            let event = event(n, &post, now);
            post.next(event, now, &can(repeat));
        }
        let waits = matches!(post.state, PostState::Waiting { .. } | PostState::Sending { .. });
        if let Some(next) = post.next_at().filter(|_| waits) {
            let (now, before) = (now.max(next), post.clone());
            post.next(PostEvent::Due, now, &can(repeat));
            prop_assert!(post != before, "nothing happens to {before:?}");
            prop_assert!(post.next_at().is_none_or(|next| next > now || post.state != before.state));
        }
    }
}

/// A post after some events, a second apart; with what was reported of the last.
fn after(repeat: Repeat, events: &[u8]) -> (Post, Option<Report>) {
    let mut post = Post::new(at(0), None, true);
    for (n, seconds) in events.iter().zip(1..) {
        let event = event(*n, &post, at(seconds));
        post.report = None;
        post.next(event, at(seconds), &can(repeat));
    }
    let report = post.report;
    (post, report)
}

const DUE: u8 = 0;
const SENT: u8 = 8;
const UNKNOWN: u8 = 11;
const NOT_THERE: u8 = 17;

#[test]
fn each_target_has_its_own_way_out_of_the_unknown() {
    let [nonce, history, idempotent, never] = REPEATS;
    let unknown = |repeat| after(repeat, &[DUE, UNKNOWN]);
    assert!(matches!(unknown(nonce).0.state, PostState::Waiting { .. }), "the nonce makes a repeat harmless");
    assert!(
        matches!(unknown(history).0.state, PostState::Unknown { look_up_at } if look_up_at == at(2) + Capabilities::SETTLE)
    );
    assert!(matches!(unknown(idempotent), (Post { state: PostState::Waiting { .. }, doubt: None, .. }, None)));
    assert!(matches!(unknown(never), (Post { state: PostState::Held, .. }, Some(Report::Stuck(Trouble::Held)))));
    let mut late = unknown(nonce).0;
    late.next(PostEvent::Due, at(4), &can(nonce));
    let (attempt, outcome) = (late.attempt, Outcome::Unknown { era: at(0), why: why() });
    late.next(PostEvent::Attempted { attempt, outcome }, at(5), &can(nonce));
    assert!(matches!(late.state, PostState::Unknown { .. }), "the next repeat would be too late for the nonce");
}

#[test]
fn a_post_arrives_once_and_its_owner_hears_it() {
    let (post, report) = after(REPEATS[1], &[DUE, SENT]);
    assert_eq!((post.message_id(), report, post.awaited), (Some("7"), Some(Report::Arrived), false));
    let (post, _) = after(REPEATS[1], &[DUE, UNKNOWN, NOT_THERE, DUE, SENT]);
    assert_eq!((post.message_id(), post.attempt), (Some("7"), 2));
}

#[test]
fn a_post_that_crashes_the_process_is_given_up() {
    let mut post = Post::new(at(0), None, false);
    let can = can(REPEATS[1]);
    for n in 0..4 {
        let (now, then) = (at(n * 30), at((n + 1) * 30));
        post.next(PostEvent::Due, now, &can);
        assert!(matches!(post.state, PostState::Sending { .. }), "attempt {n}: {post:?}");
        post.next(PostEvent::Started, now, &can);
        let attempt = post.attempt;
        post.next(PostEvent::LookedUp { attempt, found: Found::NotThere }, then, &can);
    }
    assert_eq!(post.state, PostState::Dead);
}

#[test]
fn a_late_result_of_an_older_attempt_changes_nothing() {
    let (mut post, _) = after(REPEATS[1], &[DUE, UNKNOWN, NOT_THERE, DUE]);
    let before = post.clone();
    let stale = Outcome::Sent { message: "8".to_owned() };
    post.next(PostEvent::Attempted { attempt: 1, outcome: stale }, at(9), &can(REPEATS[1]));
    assert_eq!(post, before);
}

#[test]
fn a_restart_doubts_what_is_overdue() {
    let [nonce, _, idempotent, never] = REPEATS;
    let overdue = |repeat| {
        let mut post = Post::new(at(0), None, false);
        post.next(PostEvent::Started, at(60), &can(repeat));
        (post.state, post.report)
    };
    assert_eq!(overdue(nonce), (PostState::Unknown { look_up_at: at(60) }, None));
    assert_eq!(overdue(idempotent).0, PostState::Waiting { at: at(60) });
    assert_eq!(overdue(never), (PostState::Held, Some(Report::Stuck(Trouble::Held))));
}

#[test]
fn a_wrong_clock_delays_nothing_for_long() {
    let can = can(REPEATS[1]);
    let mut post = Post::new(at(0), None, false);
    post.state = PostState::Waiting { at: at(90_000) };
    post.due = at(60);
    post.next(PostEvent::Started, at(10), &can);
    assert_eq!(post.state, PostState::Waiting { at: at(60) }, "not before it is due");
}

#[test]
fn a_useless_post_is_looked_up_before_it_is_skipped() {
    let can = can(REPEATS[0]);
    let doubtful = |first: Option<i64>, cleared: Option<i64>| {
        let mut post = Post::new(at(5), Some(at(9)), false);
        post.doubt = Some(Doubt { first: first.map(at), cleared: cleared.map(at) });
        post.next(PostEvent::Due, at(60), &can);
        post.state
    };
    assert_eq!(doubtful(Some(1), None), PostState::Unknown { look_up_at: at(60) });
    assert_eq!(doubtful(None, Some(60)), PostState::Skipped);
    assert_eq!(doubtful(Some(1), Some(60)), PostState::Skipped);
    assert_eq!(
        doubtful(Some(59), Some(60)),
        PostState::Waiting { at: at(59) + NONCE.trusted },
        "the nonce says nothing"
    );
}

#[test]
fn a_person_who_sends_again_gets_another_try_or_news() {
    let can = can(REPEATS[1]);
    let stuck = [PostState::Held, PostState::Dead, PostState::Waiting { at: at(900) }];
    for state in stuck {
        let mut post = Post { state, told: true, useful_until: Some(at(1)), ..Post::new(at(0), None, false) };
        post.next(PostEvent::SentAgain { moved: true, closed: true }, at(60), &can);
        assert_eq!((post.state, post.told, post.useful_until), (PostState::Waiting { at: at(60) }, false, None));
        assert!(post.doubt.is_some(), "the new channel is asked first");
    }
    for (closed, moves) in [(false, false), (true, true)] {
        let mut post = Post::new(at(0), None, false);
        post.state = PostState::Unknown { look_up_at: at(900) };
        post.next(PostEvent::SentAgain { moved: true, closed }, at(60), &can);
        assert_eq!(matches!(post.state, PostState::Waiting { .. }), moves);
        assert!(!post.told, "a failure is told again");
    }
}

#[test]
fn a_closed_target_is_probed_less_often_after_an_hour() {
    let mut channel = ChannelState::OPEN;
    let (mut now, mut probes) = (at(0), Vec::new());
    while now < at(7_200) {
        channel.refused(why(), false, now);
        now = channel.opens(0);
        probes.push(now.as_second() - at(0).as_second());
    }
    assert_eq!(probes.len(), 13 + 4, "{probes:?}");
    channel.probed(at(7_000));
    assert!(channel.opens(0) <= at(7_000));
    channel.took();
    assert_eq!(channel, ChannelState::OPEN);
    channel.filled(1, at(9));
    assert_eq!(
        (channel.opens(0), channel.opens(1), channel.opens(3)),
        (Timestamp::MIN, at(9), at(9)),
        "the urgent pass"
    );
}

#[test]
fn a_restart_ends_pauses_and_tries_a_closed_target_now() {
    let mut channel = ChannelState::OPEN;
    channel.filled(1, at(900));
    channel.without_edits(Some(at(900)), at(0));
    channel.restarted(at(1));
    assert_eq!(channel, ChannelState::OPEN);
    channel.refused(why(), false, at(2));
    channel.without_edits(None, at(2));
    channel.restarted(at(3));
    assert_eq!((channel.opens(0), channel.opens_for_edits()), (at(3), Timestamp::MIN));
    assert!(channel.closed.is_some(), "what is known stays until something is taken");
}

#[test]
fn an_edit_that_may_still_take_effect_is_repeated_once() {
    let rendering = |payload: &str| Rendering { payload: payload.to_owned(), prompt: None };
    let wanted =
        |payload: &str| EditEvent::Wanted { rendering: rendering(payload), apart: SignedDuration::from_secs(30) };
    let mut edit = Edit::none(rendering("posted"), at(0));
    edit.next(wanted("posted"), at(0));
    assert_eq!(edit.next_at(), None, "it shows that already");
    edit.next(wanted("first"), at(0));
    edit.next(EditEvent::Failed { at: at(1), unsure_until: Some(at(31)) }, at(0));
    edit.next(EditEvent::Done { n: 1, began: at(1), shows: None }, at(1));
    assert_eq!(edit.next_at(), Some(at(31)), "the lost attempt may undo it");
    edit.next(EditEvent::Done { n: 1, began: at(31), shows: None }, at(31));
    assert_eq!(edit.next_at(), None);
    edit.next(wanted("second"), at(40));
    assert_eq!(edit.next_at(), Some(at(61)), "edits keep apart");
    edit.next(EditEvent::Started { settle: Some(Capabilities::SETTLE) }, at(70));
    edit.next(EditEvent::Done { n: 2, began: at(70), shows: None }, at(70));
    assert_eq!(edit.next_at(), Some(at(100)), "it may have been under way when the process ended");
}
