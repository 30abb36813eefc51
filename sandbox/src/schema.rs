//! Holds bodies both ways against Discord's published OpenAPI document, where a run is given it.

use std::collections::HashMap;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

/// Validators by route and direction.
#[derive(Debug)]
pub(crate) struct Checker {
    requests: HashMap<&'static str, Validator>,
    answers: HashMap<&'static str, Validator>,
}

/// Our names of the routes, with the document's path and method.
const ROUTES: [(&str, &str, &str); 6] = [
    ("create", "/channels/{channel_id}/messages", "post"),
    ("edit", "/channels/{channel_id}/messages/{message_id}", "patch"),
    ("commands", "/applications/{application_id}/guilds/{guild_id}/commands", "put"),
    ("callback", "/interactions/{interaction_id}/{interaction_token}/callback", "post"),
    ("edit original", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", "patch"),
    ("history", "/channels/{channel_id}/messages", "get"),
];

impl Checker {
    /// Reads the document.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let document: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let build = |schema: &Value| {
            let mut root = schema.clone();
            root["components"] = document["components"].clone();
            jsonschema::validator_for(&root).map_err(|e| e.to_string())
        };
        let (mut requests, mut answers) = (HashMap::new(), HashMap::new());
        for (name, path, method) in ROUTES {
            let route = &document["paths"][path][method];
            let body = &route["requestBody"]["content"]["application/json"]["schema"];
            if body.is_object() {
                requests.insert(name, build(body)?);
            }
            let answer = &route["responses"]["200"]["content"]["application/json"]["schema"];
            if answer.is_object() && name != "commands" && name != "callback" {
                answers.insert(name, build(answer)?);
            }
        }
        Ok(Self { requests, answers })
    }

    pub(crate) fn request(&self, route: &str, body: &Value) -> Vec<String> {
        Self::check(self.requests.get(route), body, route, "request")
    }

    pub(crate) fn answer(&self, route: &str, body: &Value) -> Vec<String> {
        Self::check(self.answers.get(route), body, route, "answer")
    }

    fn check(validator: Option<&Validator>, body: &Value, route: &str, what: &str) -> Vec<String> {
        let Some(validator) = validator else {
            return Vec::new();
        };
        let name = |e: jsonschema::ValidationError<'_>| {
            let text: String = e.to_string().chars().take(300).collect();
            json!({ "schema": format!("{what} of {route}"), "at": e.instance_path().to_string(), "says": text })
                .to_string()
        };
        validator.iter_errors(body).take(5).map(name).collect()
    }
}
