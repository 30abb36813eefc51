//! One release from import to the post-mortem, played through the front door; the transcript is compared line by line.

use std::fmt::Write as _;

use tminus::sandboxed::smooth;
use tminus_sandbox::{Act, Seen};

use crate::rig::{Rig, indent, shown};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkout_4_2_from_plan_to_post_mortem() {
    let mut rig = Rig::new().await;
    let mut transcript = String::new();
    for step in smooth(&rig.pair.intake.clone()) {
        let seen = rig.sandbox().play(&step).await.unwrap_or_else(|why| panic!("{}: {why}", step.caption));
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
    insta::assert_snapshot!(transcript);
    rig.finish().await;
}
