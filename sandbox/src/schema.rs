//! Holds bodies both ways against Discord's published OpenAPI document, where a run is given it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

/// The document, and the validators built from it so far.
#[derive(Debug)]
pub(crate) struct Checker {
    document: Value,
    built: Mutex<HashMap<(Side, String), Built>>,
}

/// Absent where the document has no schema, or one that cannot be used.
type Built = Option<Arc<Validator>>;

/// Which body of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Request,
    Answer,
}

/// The routes that are held against the document.
const ROUTES: [&str; 22] = [
    "POST /channels/{}/messages",
    "GET /channels/{}/messages",
    "PATCH /channels/{}/messages/{}",
    "GET /channels/{}/messages/{}",
    "GET /channels/{}",
    "PUT /applications/{}/guilds/{}/commands",
    "PUT /applications/{}/commands",
    "POST /interactions/{}/{}/callback",
    "PATCH /webhooks/{}/{}/messages/{}",
    "POST /webhooks/{}/{}",
    "POST /channels/{}/messages/{}/threads",
    "GET /guilds/{}/members/search",
    "GET /guilds/{}/members/{}",
    "POST /guilds/{}/scheduled-events",
    "PATCH /guilds/{}/scheduled-events/{}",
    "GET /guilds/{}/roles",
    "GET /users/@me",
    "GET /applications/@me",
    "GET /guilds/{}",
    "GET /guilds/{}/channels",
    "GET /guilds/{}/scheduled-events",
    "GET /channels/{}/messages/pins",
];

/// Answers the document types more tightly than Discord answers: numbers for what are strings, unions by title only.
const UNTOLD_ANSWERS: [&str; 3] =
    ["PUT /applications/{}/guilds/{}/commands", "PUT /applications/{}/commands", "POST /interactions/{}/{}/callback"];

/// Documents read by this process: a run of tests starts many sandboxes.
static READ: Mutex<Vec<(PathBuf, Arc<Checker>)>> = Mutex::new(Vec::new());

impl Checker {
    /// Reads the document.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, String> {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = read.iter().find(|(known, _)| known == path) {
            return Ok(Arc::clone(known));
        }
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let document: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let checker = Arc::new(Self { document, built: Mutex::default() });
        read.push((path.to_owned(), Arc::clone(&checker)));
        Ok(checker)
    }

    pub(crate) fn request(&self, route: &str, body: &Value) -> Vec<String> {
        self.check(Side::Request, route, body)
    }

    pub(crate) fn answer(&self, route: &str, body: &Value) -> Vec<String> {
        if UNTOLD_ANSWERS.contains(&route) { Vec::new() } else { self.check(Side::Answer, route, body) }
    }

    /// The schema of a route's body, if the document has one.
    fn schema(&self, side: Side, route: &str) -> Option<&Value> {
        let (method, path) = route.split_once(' ')?;
        let paths = self.document["paths"].as_object()?;
        let (_, methods) = paths.iter().find(|(known, methods)| {
            bare(known) == path && methods.get(method.to_lowercase()).is_some() && !known.ends_with("@original")
        })?;
        let operation = &methods[method.to_lowercase()];
        let held = match side {
            Side::Request => &operation["requestBody"],
            Side::Answer => &operation["responses"]["200"],
        };
        let schema = &held["content"]["application/json"]["schema"];
        schema.is_object().then_some(schema)
    }

    fn check(&self, side: Side, route: &str, body: &Value) -> Vec<String> {
        if !ROUTES.contains(&route) {
            return Vec::new();
        }
        let validator = {
            let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
            built
                .entry((side, route.to_owned()))
                .or_insert_with(|| {
                    let mut root = self.schema(side, route)?.clone();
                    root["components"] = self.document["components"].clone();
                    match jsonschema::validator_for(&root) {
                        Ok(validator) => Some(Arc::new(validator)),
                        Err(error) => {
                            tracing::error!(route, %error, "cannot use the published schema of a route");
                            None
                        }
                    }
                })
                .clone()
        };
        let Some(validator) = validator else { return Vec::new() };
        let name = |e: jsonschema::ValidationError<'_>| {
            let text: String = e.to_string().chars().take(300).collect();
            json!({ "schema": format!("{side:?}"), "at": e.instance_path().to_string(), "says": text }).to_string()
        };
        validator.iter_errors(body).take(5).map(name).collect()
    }
}

/// A path without the names of its parts. `@original` is a message of its own in the document.
fn bare(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') || part == "@original" { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}
