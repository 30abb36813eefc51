//! Autocomplete: names of releases, metrics and items, from the store, for this server only.

use serde_json::{Value, json};

use super::parse::Typed;
use super::render::cut;
use crate::desk::Desk;
use crate::domain::closing::view::{open_items, waivable_items};
use crate::domain::concern;
use crate::domain::ids::WorkspaceId;
use crate::domain::release::Release;
use crate::store::{Store, StoreFault};

/// The answer to an autocomplete interaction: at most 25 choices that contain what was typed.
pub(super) async fn complete(desk: &Desk, guild: &WorkspaceId, typed: &Typed) -> Result<Value, StoreFault> {
    let (option, text) = typed.focus.clone().unwrap_or_default();
    let found: Vec<(String, String)> = match option.as_str() {
        "release" => {
            let releases = desk.store().list_releases(guild).await?;
            releases.into_iter().map(|head| (format!("{} {}", head.no, head.title), head.no.to_string())).collect()
        }
        "name" => {
            let workspace = desk.store().read_workspace(guild).await?;
            let names: Vec<String> = if typed.path.starts_with("tminus train") {
                workspace.trains.into_keys().collect()
            } else if typed.path.starts_with("tminus audience") {
                workspace.policy.audiences.into_keys().map(|audience| audience.0).collect()
            } else if typed.path.starts_with("tminus rule") {
                workspace.policy.rules.into_iter().map(|rule| rule.name).collect()
            } else {
                workspace.policy.freezes.into_iter().map(|freeze| freeze.name).collect()
            };
            names.into_iter().map(|name| (name.clone(), name)).collect()
        }
        "metric" => match release(desk, guild, typed.text("release")).await? {
            Some(release) => release.plan.metrics.iter().map(|m| (m.name.clone(), m.name.clone())).collect(),
            None => Vec::new(),
        },
        "concern" => match release(desk, guild, typed.text("release")).await? {
            Some(release) => concern::view::open(&release)
                .map(|concern| (format!("#{} {}", concern.n, concern.text), concern.n.to_string()))
                .collect(),
            None => Vec::new(),
        },
        "text" => match release(desk, guild, typed.text("release")).await? {
            Some(release) if typed.path == "release item waive" => {
                waivable_items(&release).into_iter().map(|(id, text)| (text, id)).collect()
            }
            Some(release) => open_items(&release).into_iter().map(|(id, text)| (text, id)).collect(),
            None => Vec::new(),
        },
        _ => Vec::new(),
    };
    let wanted = text.to_lowercase();
    let choices: Vec<Value> = found
        .into_iter()
        .filter(|(name, _)| name.to_lowercase().contains(&wanted))
        .take(25)
        .map(|(name, value)| json!({ "name": cut(&name, 100), "value": cut(&value, 100) }))
        .collect();
    Ok(json!({ "type": 8, "data": { "choices": choices } }))
}

/// No choice at all.
pub(super) fn nothing() -> Value {
    json!({ "type": 8, "data": { "choices": [] } })
}

/// The release a person means, for reading: by number, or the only one open; when none is open, the newest.
pub(super) async fn release(
    desk: &Desk,
    guild: &WorkspaceId,
    typed: Option<String>,
) -> Result<Option<Release>, StoreFault> {
    let mut connection = desk.store().reader().await?;
    let id = match typed {
        Some(typed) => match typed.parse() {
            Ok(no) => Store::release_numbered(&mut connection, guild, no).await?,
            Err(()) => None,
        },
        None => match Store::open_releases(&mut connection, guild).await?.as_slice() {
            [only] => Some(only.id),
            [] => desk.store().list_releases(guild).await?.first().map(|newest| newest.id),
            _ => None,
        },
    };
    match id {
        Some(id) => Ok(Store::release(&mut connection, id).await?.map(|(release, _)| release)),
        None => Ok(None),
    }
}
