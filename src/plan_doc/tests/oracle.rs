//! The block layer against another parser: on fixtures and mutated documents both must find the same boxes.

#![expect(clippy::print_stderr, reason = "a random test says what it tried")]

use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

use super::FIXTURES;
use super::hostile::Mutator;
use crate::plan_doc::blocks::{admit, body_start, parse};

/// Bytes of the symbols of task boxes, as the oracle sees them.
fn oracle(text: &str) -> Vec<usize> {
    let base = body_start(text);
    let body = &text[base..];
    let mut starts = vec![0];
    starts.extend(body.match_indices('\n').map(|(at, _)| at + 1));
    let mut options = Options::default();
    options.extension.tasklist = true;
    options.extension.table = true;
    let arena = Arena::new();
    let root = parse_document(&arena, body, &options);
    let mut found = Vec::new();
    for node in root.descendants() {
        if let NodeValue::TaskItem(task) = &node.data().value {
            let place = task.symbol_sourcepos.start;
            found.push(base + starts[place.line - 1] + place.column - 1);
        }
    }
    found.sort_unstable();
    found
}

fn agree(text: &str) -> bool {
    let Ok(text) = admit(text.as_bytes()) else { return true };
    let Ok(document) = parse(text) else { return true };
    let mut ours: Vec<usize> = document.boxes.iter().map(|check| check.at).collect();
    ours.sort_unstable();
    ours == oracle(text)
}

#[test]
fn boxes_stand_where_the_oracle_sees_them() {
    for (name, text, _) in FIXTURES {
        assert!(agree(text), "{name}");
        assert!(agree(&text.replace('\n', "\r\n")), "{name} with CRLF");
    }
}

/// 40,000 by default in the long proofs; here as many as keep the tests quick. The parsers differ by themselves in about one
/// of a thousand broken documents, so the share is held, not each document.
#[test]
fn boxes_agree_on_mutated_documents() {
    let mut mutator = Mutator::new("oracle");
    let rounds = mutator.rounds(4_000);
    let mut apart = Vec::new();
    for _ in 0..rounds {
        let text = mutator.document();
        if !agree(&text) {
            apart.push(text);
        }
    }
    eprintln!("{} of {rounds} mutated documents differ about boxes", apart.len());
    assert!(apart.len() * 500 <= rounds, "{} of {rounds}; the first:\n{}", apart.len(), apart[0]);
}
