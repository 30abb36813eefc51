//! The status pages of a configuration. It must not know how they are reached.

use std::path::PathBuf;

use super::reader::Section;
use super::value::Id;
use super::{HTTPS, NAME, SIGNING_SECRET, is_base, is_key, is_name, is_url, or, url};
use crate::domain::ids::WorkspaceId;
use crate::outside::{PageKind, StatusPage};

pub(super) fn pages(root: &Section<'_>) -> Vec<StatusPage> {
    let mut names = Vec::new();
    root.list("status_pages").into_iter().filter_map(|section| page(section, &mut names)).collect()
}

fn page(section: Section<'_>, names: &mut Vec<String>) -> Option<StatusPage> {
    let name = section.name(names, NAME, is_name);
    let server = section.must_id("guild_id", Id::Server);
    // Each kind has keys of its own; without the kind the rest cannot be judged.
    let kinds = ["statuspage", "git", "webhook"].map(|kind| (kind, kind));
    let kind = match section.must_one_of("kind", &kinds)?.value {
        "statuspage" => statuspage(&section),
        "git" => git(&section),
        _ => webhook(&section),
    };
    section.done();
    Some(StatusPage { name: name?.value, server: WorkspaceId(server?.value), kind: kind? })
}

fn statuspage(section: &Section<'_>) -> Option<PageKind> {
    const PAGE: &str = "the page's id, from the API info of the Statuspage account";
    let api_url = or(url(section, "api_url", HTTPS, is_base), "https://api.statuspage.io/v1".to_owned());
    section.must("page_id", PAGE);
    let page_id = section.get("page_id", PAGE, |raw| raw.text().filter(|text| is_name(text)).map(str::to_owned));
    let api_key = section.must_secret("api_key", "api_key_file", "a Statuspage API key");
    let components = section.each("component_ids", "a component id in quotes", |raw| {
        raw.text().filter(|text| is_name(text)).map(str::to_owned)
    });
    let component_ids = components.into_iter().map(|id| id.value).collect();
    Some(PageKind::Statuspage { api_url, page_id: page_id?.value, api_key: api_key?.value, component_ids })
}

fn git(section: &Section<'_>) -> Option<PageKind> {
    const PATH: &str = "the path of the git work tree the page is built from";
    const FOLDER: &str = "a folder inside the work tree such as content/issues";
    section.must("path", PATH);
    let path = section.text("path", PATH);
    if let Some(path) = &path
        && !PathBuf::from(&path.value).join(".git").exists()
    {
        section.wrong(path, "no git work tree is there", PATH);
    }
    let inside = |folder: &str| folder.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"));
    let tidy = |text: &str| text.trim_start_matches("./").trim_end_matches('/').to_owned();
    let folder = section.get("folder", FOLDER, |raw| raw.text().map(tidy).filter(|text| inside(text)));
    let push = or(section.flag("push"), false);
    let folder = or(folder, "content/issues".to_owned());
    Some(PageKind::Git { path: path?.value.into(), folder, push })
}

fn webhook(section: &Section<'_>) -> Option<PageKind> {
    section.must("url", HTTPS);
    let url = url(section, "url", HTTPS, is_url);
    let secret = section.must_secret("secret", "secret_file", SIGNING_SECRET);
    if let Some(secret) = secret.as_ref().filter(|secret| !is_key(&secret.value)) {
        section.wrong(secret, "not a signing key", SIGNING_SECRET);
    }
    Some(PageKind::Webhook { url: url?.value, secret: secret?.value })
}
