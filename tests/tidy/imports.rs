//! Which file names which: the graph of imports, and the circles in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Modules, by the modules they name.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The graph of files given as path and text; comments and tests are not in the text. A folder that is imported counts where something of
/// it is named, as the file that has it.
pub fn graph(files: &[(String, String)]) -> Graph {
    let modules: BTreeMap<String, &str> = files.iter().map(|(path, text)| (module(path), text.as_str())).collect();
    modules.iter().map(|(module, text)| (module.clone(), named(module, text, &modules))).collect()
}

/// `src/domain/signoff/mod.rs` is `domain::signoff`.
fn module(path: &str) -> String {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let path = Path::new(path);
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    match parts.split_last() {
        Some((last, folders)) if ["mod", "lib", "main"].contains(&last.as_str()) => folders.join("::"),
        _ => parts.join("::"),
    }
}

fn named(own: &str, text: &str, modules: &BTreeMap<String, &str>) -> BTreeSet<String> {
    let (uses, body) = split_uses(text);
    let mut local: BTreeMap<String, String> = BTreeMap::new();
    let mut found = BTreeSet::new();
    for path in uses.iter().flat_map(|used| expand("", used)) {
        let Some(full) = absolute(own, &path, modules) else { continue };
        let full = full.trim_end_matches("::self").to_owned();
        local.insert(full.rsplit("::").next().unwrap_or_default().to_owned(), full.clone());
        if !modules.contains_key(&full) {
            found.extend(deepest(&full, modules));
        }
    }
    let body = without_visibilities(&body);
    for path in body.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).filter(|word| word.contains("::"))
    {
        let path = path.trim_matches(':');
        let first = path.split("::").next().unwrap_or_default();
        let full = match local.get(first) {
            Some(full) => Some(format!("{full}{}", &path[first.len()..])),
            None => absolute(own, path, modules),
        };
        found.extend(full.and_then(|full| deepest(&full, modules)));
    }
    found.remove(own);
    found
}

/// `pub(in crate::chat)` names a folder that it is seen in, not one that it needs.
fn without_visibilities(text: &str) -> String {
    let mut parts = text.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.filter_map(|part| part.split_once(')')).fold(first, |all, (_, rest)| all + rest)
}

/// The trees behind `use`, and the rest of the text.
fn split_uses(text: &str) -> (Vec<String>, String) {
    let (mut uses, mut body, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].rsplit('\n').next().unwrap_or_default().trim();
        let starts = ["", "pub"].contains(&before) || before.starts_with("pub(") && before.ends_with(')');
        let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
        body.push_str(&rest[..at]);
        if starts {
            uses.push(rest[at + 4..end].to_owned());
            rest = &rest[end..];
        } else {
            body.push_str("use ");
            rest = &rest[at + 4..];
        }
    }
    body.push_str(rest);
    (uses, body)
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`; another name for something is left aside.
fn expand(before: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        return vec![format!("{before}{}", tree.split(" as ").next().unwrap_or_default().trim())];
    };
    let (head, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut paths, mut depth, mut begun) = (Vec::new(), 0_u32, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[begun..at].trim().is_empty() {
                    paths.extend(expand(&format!("{before}{head}"), &inner[begun..at]));
                }
                begun = (at + 1).min(inner.len());
            }
            _ => {}
        }
    }
    paths
}

/// A path from the crate's root; `None` for what is not of this crate.
fn absolute(own: &str, path: &str, modules: &BTreeMap<String, &str>) -> Option<String> {
    let mut here: Vec<&str> = own.split("::").filter(|part| !part.is_empty()).collect();
    let mut parts = path.split("::").peekable();
    match *parts.peek()? {
        "crate" => {
            parts.next();
            here.clear();
        }
        "super" | "self" => {
            while let Some(up) = parts.next_if(|part| ["super", "self"].contains(part)) {
                if up == "super" {
                    here.pop();
                }
            }
        }
        child => {
            let child = here.iter().copied().chain([child]).collect::<Vec<_>>().join("::");
            if !modules.contains_key(&child) {
                return None;
            }
        }
    }
    Some(here.into_iter().chain(parts).collect::<Vec<_>>().join("::"))
}

/// The file that has what a path names.
fn deepest(path: &str, modules: &BTreeMap<String, &str>) -> Option<String> {
    let mut path = path;
    loop {
        if modules.contains_key(path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// Files that name each other, directly or through others: each circle with all of its files.
pub fn circles(graph: &Graph) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(module) = next.pop() {
            for named in graph.get(module).into_iter().flatten() {
                if seen.insert(named.clone()) {
                    next.push(named);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|module| (module, reach(module))).collect();
    let circle = |module: &String| {
        let back = |other: &&String| reached.get(other).is_some_and(|from| from.contains(module));
        reached[module].iter().filter(back).cloned().collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<BTreeSet<String>> = graph.keys().map(circle).filter(|circle| circle.len() > 1).collect();
    all.into_iter().collect()
}

#[test]
fn a_circle_is_found_through_folders_and_bare_paths() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file("src/a/mod.rs", "pub mod rules;\n"),
        file("src/a/rules.rs", "use crate::{b, c::{self, C}};\nfn f() { b::go(C); }\n"),
        file("src/b.rs", "use crate::a;\npub fn go() { a::rules::f() }\n"),
        file("src/c.rs", "use std::fmt;\npub struct C;\n"),
    ];
    let circles = circles(&graph(&files));
    let expected: BTreeSet<String> = ["a::rules", "b"].map(str::to_owned).into();
    assert_eq!(circles, [expected]);
}
