//! Words that the story does not reach.

use crate::domain::plan::{span_label, t_label};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::voice::{Message, refuse, system};

#[test]
fn labels_read_as_people_say_them() {
    let shown: Vec<String> = [0, -30, -120, -1440, 15, 90, 1440, 4320].into_iter().map(t_label).collect();
    assert_eq!(shown, ["T-0", "T-30m", "T-2h", "T-24h", "T+15m", "T+1h 30m", "T+24h", "T+3d"]);
    assert_eq!(span_label(0), "0m");
}

#[test]
fn nobody_is_shouted_at() {
    let check = |message: Message| {
        let text = message.to_string();
        assert!(!text.contains('!'), "{text}");
    };
    check(system::help());
    check(system::check(&Policy::default(), true));
    check(system::fault("42"));
    check(refuse(&Refusal::ReasonNeeded, &Policy::default(), None));
    check(refuse(&Refusal::NotAllowed { who: vec![] }, &Policy::default(), Some("REL-1 x")));
}
