//! What reading a plan costs, beside a bare pass of the Markdown parser over the same bytes: the filled template, ten times
//! its text, and hostile documents at the size limit. Ratios in one run; the machine's noise is in both.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark speaks to its reader")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures with the machine's own clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tminus::plan_doc::{self, Setting};

const PLAN: &str = include_str!("../tests/data/plans/checkout-4.2.md");

/// The median of several runs; one that takes long is run less often.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn bare(text: &str) -> usize {
    let options = pulldown_cmark::Options::ENABLE_TABLES | pulldown_cmark::Options::ENABLE_TASKLISTS;
    pulldown_cmark::Parser::new_ext(text, options).into_offset_iter().count()
}

fn main() {
    let setting = Setting { zone: None, ladder: Vec::new(), now: Some("2026-12-01T08:00:00Z".parse().unwrap()) };
    // Ten times the text, as one plan: the template, then its sections again under other headings.
    let ten = PLAN.to_owned() + &PLAN.replace("# ", "# Part of ").repeat(9);
    let fill = |unit: &str| format!("# T\n\n{}", unit.repeat((plan_doc::MAX_BYTES - 8) / unit.len()));
    let documents = [
        ("filled template", PLAN.to_owned()),
        ("ten times the text", ten),
        ("256 kB of brackets", fill(&"[".repeat(50)).replace("[[[[[[[[[[", "[[[[[[[[[\n")),
        ("256 kB of boxes", "# T\n\n".to_owned() + &"- [ ] a box with some words to make it long enough to reach the limit\n".repeat(3_600)),
        ("256 kB of table rows", "# T\n\n## Success Criteria\n\n| Metric | Baseline | Success Threshold | Alert Threshold |\n|---|---|---|---|\n".to_owned() + &"| name of it | 200ms | < 250ms | > 400ms |\n".repeat(4_900)),
        ("256 kB of triggers", "# T\n\n## Rollback Triggers\n\n".to_owned() + &"- Error rate exceeds 5% or latency > 2x baseline and ( x\n".repeat(4_600)),
        ("256 kB of emphasis", fill("**a _b `c [d](e) *f* ~~g~~ \n")),
        ("256 kB of pipes", fill(&("|".repeat(31) + "\n"))),
    ];
    // What readers with fresh eyes found: many notices, long lines of prose, crooked rows, mentions, headings, open comments.
    let numbered = |unit: &dyn Fn(usize) -> String| (0..20_000).map(unit).collect::<String>();
    let worst = [
        (
            "256 kB of notices",
            format!(
                "# T\n\n## Communication Plan\n\n**Pre-Release:**\n{}",
                numbered(&|n| format!("- [ ] a (T-{n}m)\n"))
            ),
        ),
        (
            "256 kB of long triggers",
            format!(
                "# T\n\n## Rollback Triggers\n\n{}",
                ("- ".to_owned() + &"a drops ".repeat(1000) + "\n").repeat(32)
            ),
        ),
        (
            "256 kB of short triggers",
            format!("# T\n\n## Rollback Triggers\n\n{}", ("- ".to_owned() + &"a drops ".repeat(60) + "\n").repeat(530)),
        ),
        ("256 kB of crooked rows", format!("# T\n\n| a | b |\n|---|---|\n{}", "| a\n".repeat(60_000))),
        ("256 kB of mentions", format!("# T\n\n{}", "@here a\n".repeat(30_000))),
        (
            "256 kB of gates",
            PLAN.replace("- [x] All tests passing in CI/CD pipeline\n", &numbered(&|n| format!("- [ ] gate {n}\n"))),
        ),
        ("256 kB of headings", format!("# T\n\n{}", numbered(&|n| format!("## h{n}\n")))),
        ("256 kB of open blocks", "<!-- tminus:begin log v1 sha256=0 -->\n".repeat(6_800)),
        ("256 kB of fields", format!("# T\n\n{}", "**Release Owner:** a\n\n**Risk Level:** b\n\n".repeat(6_000))),
        ("256 kB of metrics", format!("# T\n\n## Success Criteria\n\n{}", numbered(&|n| format!("- m{n} < 5%\n")))),
        ("256 kB of tasks", format!("# T\n\n## Things\n\n{}", numbered(&|n| format!("- [ ] t{n}\n")))),
        ("256 kB of stages", format!("# T\n\n## Rollout Stages\n\n{}", numbered(&|n| format!("{n}. 5% - 1h\n")))),
    ];
    let documents = documents.into_iter().chain(worst);
    println!("{:<24} {:>9} {:>12} {:>12} {:>8}", "document", "bytes", "read + lint", "bare parse", "ratio");
    let mut times = Vec::new();
    for (name, text) in documents {
        let text = &text[..text.len().min(plan_doc::MAX_BYTES)];
        let read = median(|| {
            black_box(plan_doc::read(black_box(text.as_bytes()), &setting));
        });
        let parse = median(|| {
            black_box(bare(black_box(text)));
        });
        let ratio = read.as_secs_f64() / parse.as_secs_f64();
        println!("{name:<24} {:>9} {read:>12.2?} {parse:>12.2?} {ratio:>7.1}x", text.len());
        times.push(read);
    }
    println!("ten times the text costs {:.1} times the time", times[1].as_secs_f64() / times[0].as_secs_f64());
}
