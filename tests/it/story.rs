//! One release from import to the post-mortem, played through the front door; the transcript is compared line by line.

use std::fmt::Write as _;

use chat_sandbox::{Act, Seen};
use tminus::sandboxed::{STORIES, tale};

use crate::rig::{Rig, indent, shown};

/// Posts and pings a story may make in its release channel: `name, posts, pings`.
const BUDGET: [(&str, usize, usize); 4] =
    [("smooth", 24, 12), ("rollback", 12, 8), ("silence", 16, 12), ("scrub", 5, 2)];

/// What a story said, within its budget.
async fn played(name: &str) -> String {
    let mut rig = Rig::new().await;
    let mut transcript = String::new();
    for step in tale(name).steps {
        let seen = rig.sandbox().play(&step).await.unwrap_or_else(|why| panic!("{name}: {}: {why}", step.caption));
        let mut line = |text: String| {
            let _: Result<(), std::fmt::Error> = writeln!(transcript, "{text}");
        };
        line(format!("== {}", step.caption));
        if let Act::Slash { .. } | Act::Press { .. } = step.act {
            assert!(!matches!(seen, Seen::Nothing), "{}: no answer", step.caption);
            line(format!("to {} alone:\n{}", step.who, indent(&shown(&seen))));
        }
        line(rig.news());
    }
    let (posts, pings) = rig.said("releases");
    eprintln!("{name}: {posts} posts and {pings} pings in #releases");
    let (_, most, loudest) = BUDGET.into_iter().find(|(known, ..)| *known == name).unwrap();
    assert!(
        posts <= most && pings <= loudest,
        "{transcript}\n{name}: {posts} posts of {most}, {pings} pings of {loudest}"
    );
    rig.finish().await;
    transcript
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkout_4_2_from_plan_to_post_mortem() {
    insta::assert_snapshot!(played("smooth").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_stories_read_well() {
    for name in STORIES.iter().filter(|name| **name != "smooth") {
        insta::assert_snapshot!(*name, played(name).await);
    }
}
