//! What a message shows, in short, so that an edit which changes nothing is not sent. It must not know words.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::delivery::Rendering;
use crate::store::EditRow;

/// Part of a message that an edit leaves as it is.
const KEPT: &str = "reply_to";

/// What a message shows once it has this rendering: its id and a hash.
pub(super) fn shows(message: &str, rendering: &Rendering) -> String {
    let mut payload: Value = serde_json::from_str(&rendering.payload).unwrap_or_default();
    if let Some(fields) = payload.as_object_mut() {
        fields.remove(KEPT);
    }
    let mut hash = Sha256::new();
    for part in [payload.to_string().as_str(), rendering.prompt.as_deref().unwrap_or_default()] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let short: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("{message} {short}")
}

/// Whether the message shows the wanted rendering already, and nothing under way can change that.
pub(super) fn already_shown(row: &EditRow, message: &str) -> bool {
    let of_this_message = |shown: &&String| shown.split(' ').next() == Some(message);
    let shown = row.edit.shown.as_ref().filter(of_this_message).cloned();
    let shown = shown.unwrap_or_else(|| shows(message, &row.posted));
    shown == shows(message, &row.wanted) && row.edit.again.is_none() && row.edit.attempt == 0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::delivery::{Edit, Target};

    #[test]
    fn an_edit_is_left_out_only_where_nothing_changed_the_message() {
        let rendering = |payload: &str| Rendering { payload: payload.to_owned(), prompt: None };
        let (first, second) = (rendering(r#"{"headline":"first"}"#), rendering(r#"{"headline":"second"}"#));
        let row = |wanted: &Rendering, shown: Option<String>| EditRow {
            post: 1,
            target: Target::Page { name: "p".to_owned() },
            message: Some("7".to_owned()),
            marker: "m".to_owned(),
            posted: rendering(r#"{"headline":"first","reply_to":"case/1"}"#),
            wanted: wanted.clone(),
            awaited: false,
            edit: Edit { shown, ..Edit::first(Timestamp::UNIX_EPOCH) },
        };
        assert!(already_shown(&row(&first, None), "7"), "as it was posted");
        assert!(!already_shown(&row(&second, None), "7"));
        let shown = || Some(shows("7", &second));
        assert!(already_shown(&row(&second, shown()), "7") && !already_shown(&row(&first, shown()), "7"));
        assert!(already_shown(&row(&first, Some(shows("6", &second))), "7"), "that was another message");
        let mut unsure = row(&second, shown());
        unsure.edit.again = Some(Timestamp::UNIX_EPOCH);
        assert!(!already_shown(&unsure, "7"));
        let mut failed = row(&second, shown());
        failed.edit.attempt = 1;
        assert!(!already_shown(&failed, "7"));
        let prompted = Rendering { prompt: Some("p".to_owned()), ..second.clone() };
        assert!(!already_shown(&row(&prompted, shown()), "7"));
    }
}
