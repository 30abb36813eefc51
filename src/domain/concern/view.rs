//! Which concerns are open.

use super::Concern;
use crate::domain::open::Open;
use crate::domain::refusal::Refusal;
use crate::domain::release::Release;

/// Concerns nobody has resolved.
pub fn open(release: &Release) -> impl Iterator<Item = &Concern> {
    release.concerns.iter().filter(|concern| concern.resolved.is_none())
}

/// What stands against go.
pub(in crate::domain) fn gaps(release: &Release) -> impl Iterator<Item = Open> {
    open(release).map(|concern| Open::Concern { n: concern.n, by: concern.by.clone(), text: concern.text.clone() })
}

/// The concern that is meant: by its number, or the only open one.
///
/// # Errors
/// None is open, several are, or the number is not one of them.
pub(in crate::domain) fn meant(release: &Release, typed: Option<&str>) -> Result<Concern, Refusal> {
    let number = |typed: &str| typed.trim().trim_start_matches('#').parse::<u32>().ok();
    let found: Vec<&Concern> =
        open(release).filter(|concern| typed.is_none_or(|typed| number(typed) == Some(concern.n))).collect();
    match (found.as_slice(), typed) {
        ([one], _) => Ok((*one).clone()),
        ([], None) => Err(Refusal::NothingOpen { what: "concern" }),
        (_, typed) => {
            let known = open(release).map(|concern| format!("#{} {}", concern.n, concern.text)).collect();
            Err(Refusal::UnknownItem { typed: typed.unwrap_or_default().to_owned(), known })
        }
    }
}
