//! Reads settings one by one, each with its place: a variable of the environment, a line of the file, or the default. Collects
//! every mistake. It must not know what a setting means.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Origin, Problem, Setting};
use super::syntax::line;
use super::value::{Id, LONGEST_SHOWN, Raw, shown_key, written};

/// A value that was understood, and its place.
#[derive(Debug)]
pub(super) struct Given<T> {
    pub(super) value: T,
    pub(super) key: String,
    pub(super) origin: Origin,
}

/// A secret as it was given.
pub(super) enum Secret {
    /// And the file it was read from, if it was.
    Given(Given<SecretString>, Option<PathBuf>),
    Missing,
    /// Reported already.
    Wrong,
}

/// Where mistakes and settings are collected.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    environment: &'a BTreeMap<String, String>,
    /// Whether other machines reach the intake: then every placeholder is refused as a secret.
    pub(super) open: Cell<bool>,
    /// The variables there are.
    variables: RefCell<BTreeSet<String>>,
    pub(super) problems: RefCell<Vec<Problem>>,
    settings: RefCell<Vec<Setting>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, text: &'a str, environment: &'a BTreeMap<String, String>) -> Self {
        Self {
            file,
            text,
            environment,
            open: Cell::new(false),
            variables: RefCell::default(),
            problems: RefCell::default(),
            settings: RefCell::default(),
        }
    }

    pub(super) fn set_open(&self, open: bool) {
        self.open.set(open);
    }

    /// Every mistake in the order of the file, and every setting.
    pub(super) fn end(self) -> (Vec<Problem>, Vec<Setting>) {
        let known = self.variables.into_inner();
        let mut problems = self.problems.into_inner();
        for name in self.environment.keys().filter(|name| name.starts_with("TMINUS_") && !known.contains(*name)) {
            let upper = name.to_uppercase();
            let near = nearest(&upper, 2, known.iter().map(String::as_str));
            // Other variables may begin with TMINUS_, so one underscore is a slip only where the rest fits.
            if name.contains("__") || near.is_some_and(|near| strsim::damerau_levenshtein(near, &upper) <= 1) {
                let all = || format!("one of {}", known.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
                problems.push(Problem {
                    origin: Origin::Variable(name.clone()),
                    key: String::new(),
                    found: "unknown variable".to_owned(),
                    expected: near.map_or_else(all, str::to_owned),
                });
            }
        }
        problems.sort_by_key(|problem| problem.origin.clone());
        (problems, self.settings.into_inner())
    }

    fn place(&self, span: Range<usize>) -> Origin {
        Origin::Line(self.file.to_owned(), line(self.text, span.start))
    }

    pub(super) fn problem(&self, origin: &Origin, key: &str, found: impl Into<String>, expected: impl Into<String>) {
        let problem =
            Problem { origin: origin.clone(), key: key.to_owned(), found: found.into(), expected: expected.into() };
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn setting(&self, key: &str, value: String, origin: &Origin) {
        self.settings.borrow_mut().push(Setting { key: key.to_owned(), value, origin: origin.clone() });
    }
}

/// The name among `known` that was probably meant: the beginning of one, or one at most `limit` slips away.
fn nearest<'n>(name: &str, limit: usize, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let slips = |known: &str| strsim::damerau_levenshtein(known, name);
    let near = known.filter(|known| slips(known) <= limit || (name.len() > 2 && known.starts_with(name)));
    near.min_by_key(|known| slips(known))
}

/// A table of the file: its keys are read one by one, the rest are unknown.
pub(super) struct Section<'a> {
    pub(super) reader: &'a Reader<'a>,
    path: String,
    /// Where it begins; a missing key is missing there.
    origin: Origin,
    table: Option<&'a DeTable<'a>>,
    defaults: Option<&'a DeTable<'a>>,
    /// Whether `TMINUS_SECTION__KEY` sets its keys.
    variables: bool,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader<'a>, table: &'a DeTable<'a>, defaults: Option<&'a DeTable<'a>>) -> Self {
        let origin = Origin::File(reader.file.to_owned());
        Self {
            reader,
            path: String::new(),
            origin,
            table: Some(table),
            defaults,
            variables: false,
            asked: RefCell::default(),
        }
    }

    /// The section `[name]`; empty where the file has none.
    pub(super) fn section(&self, name: &'static str) -> Self {
        self.asked.borrow_mut().push(name);
        let path = self.key(name);
        let given = self.table.and_then(|table| table.get(name));
        let table = given.and_then(|value| value.get_ref().as_table());
        let origin = given.map_or_else(|| self.origin.clone(), |value| self.reader.place(value.span()));
        if let Some(value) = given.filter(|_| table.is_none()) {
            let found = format!("found {}", written(value.get_ref(), LONGEST_SHOWN));
            self.reader.problem(&origin, &path, found, format!("a section that begins with [{path}]"));
        }
        let defaults = self.defaults.and_then(|table| table.get(name)).and_then(|value| value.get_ref().as_table());
        let variables = self.path.is_empty();
        Self { reader: self.reader, path, origin, table, defaults, variables, asked: RefCell::default() }
    }

    /// The blocks `[[name]]`.
    pub(super) fn list(&self, name: &'static str) -> Vec<Self> {
        self.asked.borrow_mut().push(name);
        let path = self.key(name);
        let wrong = |value: &Spanned<DeValue<'_>>| {
            let found = format!("found {}", written(value.get_ref(), LONGEST_SHOWN));
            let expected = format!("blocks that begin with [[{path}]], in double brackets");
            self.reader.problem(&self.reader.place(value.span()), &path, found, expected);
        };
        let mut sections = Vec::new();
        let Some(given) = self.table.and_then(|table| table.get(name)) else { return sections };
        let DeValue::Array(items) = given.get_ref() else {
            wrong(given);
            return sections;
        };
        for item in items.iter() {
            match item.get_ref().as_table() {
                Some(table) => sections.push(self.inner(path.clone(), item.span(), table)),
                None => wrong(item),
            }
        }
        sections
    }

    /// The sections `[name.NAME]`, where people choose NAME.
    pub(super) fn named(&self, name: &'static str) -> Vec<(String, Self)> {
        let section = self.section(name);
        let mut sections = Vec::new();
        for (key, value) in section.table.into_iter().flat_map(|table| table.iter()) {
            let key = key.get_ref().to_string();
            let path = section.key(&shown_key(&key));
            match value.get_ref().as_table() {
                Some(table) => sections.push((key, self.inner(path, value.span(), table))),
                None => {
                    let found = format!("found {}", written(value.get_ref(), LONGEST_SHOWN));
                    let expected = format!("a section that begins with [{path}]");
                    self.reader.problem(&self.reader.place(value.span()), &path, found, expected);
                }
            }
        }
        sections
    }

    fn inner(&self, path: String, span: Range<usize>, table: &'a DeTable<'a>) -> Self {
        Self {
            reader: self.reader,
            path,
            origin: self.reader.place(span),
            table: Some(table),
            defaults: None,
            variables: false,
            asked: RefCell::default(),
        }
    }

    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether the file has a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.get(key).is_some())
    }

    fn default(&self, key: &str) -> Option<Raw<'a>> {
        self.defaults.and_then(|table| table.get(key)).map(|value| Raw::Toml(value.get_ref()))
    }

    pub(super) fn raw(&self, key: &'static str) -> Option<(Raw<'a>, Origin)> {
        self.asked.borrow_mut().push(key);
        if self.variables {
            let reader = self.reader;
            let name = format!("TMINUS_{}__{key}", self.path).to_uppercase();
            reader.variables.borrow_mut().insert(name.clone());
            // An empty variable is one that is not set.
            let given = reader.environment.get(&name).map(|text| text.trim()).filter(|text| !text.is_empty());
            if let Some(text) = given {
                return Some((Raw::Variable(text), Origin::Variable(name)));
            }
        }
        let own = self.table.and_then(|table| table.get(key));
        let own = own.map(|value| (Raw::Toml(value.get_ref()), self.reader.place(value.span())));
        own.or_else(|| self.default(key).map(|raw| (raw, Origin::Default)))
    }

    /// The value of `key` as `read` understands it. Otherwise the mistake is reported, and the default counts.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Raw<'a>) -> Option<T>,
    ) -> Option<Given<T>> {
        let (raw, origin) = self.raw(key)?;
        let key_path = self.key(key);
        if let Some(value) = read(&raw) {
            self.reader.setting(&key_path, raw.written(usize::MAX), &origin);
            return Some(Given { value, key: key_path, origin });
        }
        self.reader.problem(&origin, &key_path, format!("found {}", raw.written(LONGEST_SHOWN)), expected);
        let value = read(&self.default(key)?)?;
        Some(Given { value, key: key_path, origin: Origin::Default })
    }

    /// The same, of a value that `config show` does not print: it may hold a secret.
    pub(super) fn private<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Raw<'a>) -> Option<T>,
    ) -> Option<Given<T>> {
        let (raw, origin) = self.raw(key)?;
        let path = self.key(key);
        match read(&raw) {
            Some(value) => {
                let shown = if origin == Origin::Default { raw.written(usize::MAX) } else { "(not shown)".to_owned() };
                self.reader.setting(&path, shown, &origin);
                Some(Given { value, key: path, origin })
            }
            None => {
                self.reader.problem(&origin, &path, "the value does not fit", expected);
                None
            }
        }
    }

    /// Each value of a list.
    pub(super) fn each<T>(
        &self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Raw<'a>) -> Option<T>,
    ) -> Vec<Given<T>> {
        let Some((raw, origin)) = self.raw(key) else { return Vec::new() };
        let path = self.key(key);
        let Raw::Toml(DeValue::Array(items)) = raw else {
            let found = format!("found {}", raw.written(LONGEST_SHOWN));
            self.reader.problem(&origin, &path, found, format!("a list in square brackets, each entry {expected}"));
            return Vec::new();
        };
        self.reader.setting(&path, raw.written(LONGEST_SHOWN), &origin);
        let mut all = Vec::new();
        for item in items.iter() {
            let (raw, origin) = (Raw::Toml(item.get_ref()), self.reader.place(item.span()));
            match read(&raw) {
                Some(value) => all.push(Given { value, key: path.clone(), origin }),
                None => {
                    self.reader.problem(&origin, &path, format!("found {}", raw.written(LONGEST_SHOWN)), expected);
                }
            }
        }
        all
    }

    /// Reports a key the file lacks.
    pub(super) fn must(&self, key: &'static str, expected: &str) {
        if !self.has(key) {
            self.reader.problems.borrow_mut().push(self.missing(key, expected));
        }
    }

    /// The report of a missing key.
    pub(super) fn missing(&self, key: &'static str, expected: &str) -> Problem {
        Problem {
            origin: self.origin.clone(),
            key: self.key(key),
            found: "missing".to_owned(),
            expected: expected.to_owned(),
        }
    }

    /// Reports a value that was understood and does not fit.
    pub(super) fn wrong<T>(&self, given: &Given<T>, found: impl Into<String>, expected: impl Into<String>) {
        self.reader.problem(&given.origin, &given.key, found, expected);
    }

    /// A mistake that only the machine it runs on shows: it is for the caller to report.
    pub(super) fn note<T>(&self, given: &Given<T>, found: &str, expected: &str) -> Problem {
        let (origin, key) = (given.origin.clone(), given.key.clone());
        Problem { origin, key, found: found.to_owned(), expected: expected.to_owned() }
    }

    /// Reports the section itself.
    pub(super) fn refuse(&self, found: impl Into<String>, expected: impl Into<String>) {
        self.reader.problem(&self.origin, &self.path, found, expected);
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<Given<bool>> {
        self.get(key, "true or false", |raw| raw.flag())
    }

    /// Text that is not empty.
    pub(super) fn text(&self, key: &'static str, expected: &str) -> Option<Given<String>> {
        let filled = |raw: &Raw<'a>| raw.text().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        self.get(key, expected, filled)
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&self, key: &'static str, choices: &[(impl AsRef<str>, T)]) -> Option<Given<T>> {
        self.get(key, &words(choices), |raw| {
            let text = raw.text()?.trim();
            choices.iter().find(|(word, _)| word.as_ref().eq_ignore_ascii_case(text)).map(|(_, value)| *value)
        })
    }

    pub(super) fn must_one_of<T: Copy>(&self, key: &'static str, choices: &[(impl AsRef<str>, T)]) -> Option<Given<T>> {
        self.must(key, &words(choices));
        self.one_of(key, choices)
    }

    pub(super) fn id(&self, key: &'static str, id: Id) -> Option<Given<String>> {
        self.get(key, id.expected(), |raw| raw.id())
    }

    pub(super) fn must_id(&self, key: &'static str, id: Id) -> Option<Given<String>> {
        self.must(key, id.expected());
        self.id(key, id)
    }

    pub(super) fn ids(&self, key: &'static str, id: Id) -> Vec<Given<String>> {
        self.each(key, id.expected(), |raw| raw.id())
    }

    /// A name that no other section in `taken` has.
    pub(super) fn name(
        &self,
        taken: &mut Vec<String>,
        expected: &str,
        good: fn(&str) -> bool,
    ) -> Option<Given<String>> {
        self.must("name", expected);
        let name = self.get("name", expected, |raw| raw.text().filter(|text| good(text)).map(str::to_owned))?;
        if taken.contains(&name.value) {
            self.wrong(&name, format!("found {:?} twice", name.value), "a name that no other block has");
        }
        taken.push(name.value.clone());
        Some(name)
    }

    /// Reports the keys nobody asked for.
    pub(super) fn done(&self) {
        let mut known = self.asked.borrow().clone();
        known.sort_unstable();
        known.dedup();
        for key in self.table.into_iter().flat_map(|table| table.keys()) {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let all =
                || format!("one of {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "));
            let limit = (name.chars().count() / 3).max(1);
            let expected = nearest(name, limit, known.iter().copied()).map_or_else(all, |near| format!("`{near}`"));
            self.reader.problem(&self.reader.place(key.span()), &self.key(&shown_key(name)), "unknown key", expected);
        }
    }
}

/// Words to choose from, as they are written.
fn words<T>(choices: &[(impl AsRef<str>, T)]) -> String {
    let words: Vec<String> = choices.iter().map(|(word, _)| format!("{:?}", word.as_ref())).collect();
    words.join(" or ")
}
