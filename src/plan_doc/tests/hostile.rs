//! Hostile and careless input: a seeded mutator over the fixtures and a dictionary of the grammars. Nothing may panic or
//! hang, and no span may lie outside the document or inside a character. `TMINUS_MUTATIONS` sets how many inputs,
//! `TMINUS_SEED` which.

#![expect(clippy::print_stderr, reason = "a random test says its seed and what it tried")]

use super::{FIXTURES, PLAN};
use crate::plan_doc::{Filled, Setting, export, fix, grammar, read, strip};

/// A small generator of its own, so that a seed means the same for ever (SplitMix64).
pub(super) struct Mutator {
    state: u64,
    seed: u64,
}

const DICTIONARY: &[&str] = &[
    "- [ ] ",
    "- [x] ",
    "- []",
    "-[x] ",
    "[❌] ",
    "[⚠️] ",
    "☐ ",
    "✅ ",
    "1. ",
    "> ",
    "## ",
    "### ",
    "---\n",
    "```\n",
    "<!-- ",
    " -->",
    "<details>\n",
    "| a | b |\n|---|---|\n",
    "|",
    "\\|",
    "**Risk Level:** ",
    "**Label**: ",
    "[value]",
    "___",
    "[Name]",
    "TBD",
    "\r\n",
    "\u{feff}",
    "\u{a0}",
    "\u{2011}",
    "\u{2212}",
    "＜",
    "漢字",
    "é",
    "👩‍🚀",
    "T-24h",
    "T+15 minutes",
    "T0",
    "T-",
    "800ms",
    "1,000",
    "1,5 %",
    "48K",
    "1e3",
    "1e309",
    "99.9%+",
    "2x baseline",
    "±20%",
    "for 5 minutes",
    "for 3 consecutive checks",
    "over",
    "exceeds",
    "drops by",
    "fails",
    "no data for 10 min",
    "or",
    "and",
    "(",
    ")",
    "→",
    "2026-12-08 14:00 Europe/Berlin",
    "2026-02-30",
    "24:00",
    "PST",
    "UTC+2",
    "<t:1796734800>",
    "@everyone",
    "<!-- tminus:begin log v1 sha256=00 -->\n",
    "<!-- tminus:end log -->\n",
    "~~",
    "`",
    "*",
    "_",
    "9999999999999999999999",
    "-",
    "0",
    "%",
    "&lt;",
    "&#0;",
    "\t",
    "    ",
    "\n\n",
    "## Success Criteria\n",
    "## Rollback Criteria\n",
    "**Automatic Rollback Triggers:**\n",
];

impl Mutator {
    /// The seed is printed, and mixed with the test's name.
    pub(super) fn new(name: &str) -> Self {
        let seed: u64 = std::env::var("TMINUS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_124);
        eprintln!("{name}: TMINUS_SEED={seed}");
        let state = name.bytes().fold(seed, |state: u64, byte| state.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Self { state, seed }
    }

    /// How many inputs to try.
    pub(super) fn rounds(&self, default: usize) -> usize {
        std::env::var("TMINUS_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// A fixture's slice with a few edits.
    pub(super) fn document(&mut self) -> String {
        let (_, text, _) = FIXTURES[self.below(FIXTURES.len())];
        // Mostly a part of it: short inputs reach more odd places in the same time.
        let mut text = if self.below(4) == 0 {
            text.to_owned()
        } else {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let from = self.below(lines.len());
            let to = (from + 1 + self.below(30)).min(lines.len());
            lines[from..to].concat()
        };
        for _ in 0..=self.below(4) {
            self.edit(&mut text);
        }
        text
    }

    pub(super) fn edit(&mut self, text: &mut String) {
        let (a, b) = (self.place(text), self.place(text));
        match self.below(6) {
            0 => {
                let word = DICTIONARY[self.below(DICTIONARY.len())];
                text.insert_str(a, word);
            }
            1 => {
                let end = a.max(b).min(a.min(b) + 40);
                let mut end = end;
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                text.replace_range(a.min(b)..end, "");
            }
            2 => {
                let word = DICTIONARY[self.below(DICTIONARY.len())];
                let mut end = (a + word.len()).min(text.len());
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                text.replace_range(a..end, word);
            }
            3 => {
                let mut end = (a + 60).min(text.len());
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                let copy = text[a..end].to_owned();
                text.insert_str(b, &copy);
            }
            4 => {
                let c = char::from_u32(u32::try_from(self.next() % 0x3000).unwrap_or(32)).unwrap_or('x');
                text.insert(a, c);
            }
            _ => {
                let times = 1 + self.below(20);
                let word = DICTIONARY[self.below(DICTIONARY.len())];
                text.insert_str(a, &word.repeat(times));
            }
        }
    }

    /// A line of the grammars' words.
    pub(super) fn phrase(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..1 + self.below(8) {
            text.push_str(DICTIONARY[self.below(DICTIONARY.len())]);
            if self.below(2) == 0 {
                text.push(' ');
            }
        }
        self.edit(&mut text);
        text
    }
}

fn spans_fit(bytes: &[u8]) {
    let reading = read(bytes, &Setting { zone: Some("UTC".to_owned()), ..Setting::default() });
    let text = std::str::from_utf8(bytes);
    for diagnostic in &reading.diagnostics {
        let spans = std::iter::once(&diagnostic.span).chain(diagnostic.suggestions.iter().map(|s| &s.span));
        for span in spans {
            assert!(span.start <= span.end && span.end <= bytes.len(), "{}: {span:?}", diagnostic.code);
            if let Ok(text) = text {
                assert!(text.get(span.clone()).is_some(), "{}: {span:?} cuts a character", diagnostic.code);
            }
        }
    }
    if let (Ok(text), Some(first)) = (text, reading.diagnostics.first()) {
        crate::plan_doc::render_text(first, text, "plan.md", 72, false);
    }
    for (id, check) in &reading.items {
        assert!(text.is_ok_and(|text| text.get(check.range()).is_some()), "{id}");
    }
}

#[test]
fn mutated_documents_never_panic_and_spans_fit() {
    let mut mutator = Mutator::new("import");
    let rounds = mutator.rounds(6_000);
    for _ in 0..rounds {
        spans_fit(mutator.document().as_bytes());
    }
    eprintln!("{rounds} documents read, seed {}", mutator.seed);
}

#[test]
fn broken_bytes_never_panic() {
    let mut mutator = Mutator::new("bytes");
    for _ in 0..mutator.rounds(2_000).min(100_000) {
        let mut bytes = mutator.document().into_bytes();
        for _ in 0..mutator.below(3) {
            let at = mutator.below(bytes.len() + 1);
            bytes.insert(at, mutator.next() as u8);
        }
        spans_fit(&bytes);
        export(&bytes, &Filled::default());
        strip(&bytes);
    }
}

#[test]
fn grammars_never_panic() {
    let mut mutator = Mutator::new("grammar");
    let rounds = mutator.rounds(20_000);
    for _ in 0..rounds {
        let text = mutator.phrase();
        let cell = grammar::cell(&text);
        grammar::trigger(&text);
        grammar::stages(&text);
        grammar::find_duration(&text);
        grammar::percent(&text);
        if let Some((_, span)) = grammar::offset(&text) {
            assert!(text.get(span).is_some(), "{text}");
        }
        let when = crate::plan_doc::parse_when(&text, Some("UTC"));
        assert!(when.is_ok() || when.is_err_and(|problem| !problem.message.is_empty()));
        // What was understood, written down, means the same again.
        if let Ok(grammar::Cell::Bounds { bounds, .. }) = cell {
            for bound in bounds {
                let written = bound.to_string();
                let again = grammar::cell(&written);
                let same = matches!(&again, Ok(grammar::Cell::Bounds { bounds, .. }) if bounds.len() == 1 && agree(&bounds[0], &bound));
                assert!(same, "{text:?} is {bound:?}, written {written:?}, read {again:?}");
            }
        }
    }
    eprintln!("{rounds} phrases read, seed {}", mutator.seed);
}

/// The same value; a scope is not written, and a unit may be spelled in its short form.
fn agree(a: &grammar::Part, b: &grammar::Part) -> bool {
    a.cmp == b.cmp && a.operand == b.operand && a.stat == b.stat && a.window == b.window
}

#[test]
fn write_back_never_panics_and_keeps_its_laws() {
    let mut mutator = Mutator::new("write-back");
    let rounds = mutator.rounds(1_500);
    for _ in 0..rounds {
        let text = mutator.document();
        let reading = read(text.as_bytes(), &Setting::default());
        let done = reading.items.keys().filter(|_| mutator.below(2) == 0).cloned().collect();
        let filled = Filled { done, log: vec!["a line".to_owned()], ..Filled::default() };
        let once = export(text.as_bytes(), &filled).bytes;
        assert_eq!(export(&once, &filled).bytes, once, "twice is once:\n{text}");
        if reading.plan.is_some() && !text.contains("tminus:") {
            assert_eq!(String::from_utf8_lossy(&strip(&once)), text, "strip");
        }
        if let Ok((fixed, _)) = fix(text.as_bytes()) {
            read(fixed.as_bytes(), &Setting::default());
        }
    }
    eprintln!("{rounds} documents written back, seed {}", mutator.seed);
}

#[test]
fn caps_give_one_clear_refusal() {
    let wide = |n: usize| format!("# T\n\n{}\n{}\n", "| a ".repeat(n) + "|", "|---".repeat(n) + "|");
    let deep = |n: usize| (0..n).map(|i| format!("{}- item\n", "  ".repeat(i))).collect::<String>();
    for (name, text, refused) in [
        ("size", "a line\n".repeat(40_000), true),
        ("line", format!("# T\n\n{}\n", "x".repeat(9_000)), true),
        ("line that fits", format!("# T\n\n{}\n", "x".repeat(8_000)), false),
        ("columns", wide(33), true),
        ("columns that fit", wide(32), false),
        ("nesting", deep(18), true),
        ("nesting that fits", deep(16), false),
        ("quotes", ">".repeat(40) + " x\n", true),
        ("bars in code", format!("# T\n\n```\n{}\n```\n", "| ".repeat(60)), false),
        ("a broken rule", format!("# T\n\n{}\n", "- ".repeat(40)), false),
    ] {
        let reading = read(text.as_bytes(), &Setting::default());
        assert_eq!(reading.plan.is_none(), refused, "{name}: {:?}", reading.diagnostics.first());
        if refused {
            assert_eq!(reading.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["TM002"], "{name}");
        }
    }
    for (bytes, at) in
        [(b"# T\n\xff\n".to_vec(), 4), ("# T\n\u{202e}x\n".as_bytes().to_vec(), 4), (b"# T\n\0\n".to_vec(), 4)]
    {
        let reading = read(&bytes, &Setting::default());
        assert_eq!(reading.diagnostics.iter().map(|d| (d.code, d.span.start)).collect::<Vec<_>>(), [("TM001", at)]);
    }
}

/// Documents made to cost: each is held to a generous multiple of a plain one of its size, in one run.
#[test]
fn hostile_documents_end() {
    let half = 128 * 1024;
    let fill = |unit: &str| format!("# T\n\n{}", unit.repeat(half / unit.len()));
    for text in [
        fill("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n"),
        fill("**a _b `c [d](e) \n"),
        fill("- [ ] a\n"),
        fill("| a | b |\n|---|---|\n| c | d |\n\n"),
        fill("<!-- tminus:begin log v1 sha256=0 -->\n"),
        fill("**Trigger:** a or b and c or > 5% (for 3\n"),
        fill("## Success Criteria\n| Metric | Target |\n|--|--|\n| a | < 5 and > 3 or 1,5 % |\n"),
        PLAN.repeat(50).chars().take(250_000).collect(),
    ] {
        read(text.as_bytes(), &Setting::default());
        strip(text.as_bytes());
    }
}
