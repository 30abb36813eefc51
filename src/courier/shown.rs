//! What a message shows, in short, so that an edit which changes nothing is not sent. It must not know words.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::store::DueEdit;

/// Parts of a message that an edit leaves as they are.
const KEPT: [&str; 2] = ["document", "reply_to"];

/// What a message shows once it has this rendering: its id and a hash.
pub(super) fn shows(message: &str, payload: &str, prompt: Option<&str>) -> String {
    let mut rendering: Value = serde_json::from_str(payload).unwrap_or_default();
    if let Some(fields) = rendering.as_object_mut() {
        fields.retain(|name, _| !KEPT.contains(&name.as_str()));
    }
    let mut hash = Sha256::new();
    for part in [rendering.to_string().as_str(), prompt.unwrap_or_default()] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    let short: String = hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("{message} {short}")
}

/// Whether the message shows the wanted rendering already, and nothing under way can change that.
pub(super) fn stands(edit: &DueEdit) -> bool {
    let of_this_message = |shown: &&String| shown.split(' ').next() == Some(edit.message.as_str());
    let posted = || shows(&edit.message, &edit.posted.0, edit.posted.1.as_deref());
    let shown = edit.shown.as_ref().filter(of_this_message).cloned().unwrap_or_else(posted);
    let wanted = shows(&edit.message, &edit.payload, edit.prompt.as_deref());
    shown == wanted && !edit.unsure && edit.attempt == 0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::ids::ChannelId;

    #[test]
    fn an_edit_stands_only_where_nothing_can_have_changed_the_message() {
        let edit = |payload: &str, shown: Option<String>| DueEdit {
            key: "k".to_owned(),
            channel: ChannelId::from("c"),
            message: "7".to_owned(),
            marker: "m".to_owned(),
            payload: payload.to_owned(),
            prompt: None,
            wanted: 3,
            attempt: 0,
            troubled: false,
            began: Timestamp::UNIX_EPOCH,
            posted: (r#"{"headline":"first","document":1}"#.to_owned(), None),
            shown,
            unsure: false,
        };
        let (first, second) = (r#"{"headline":"first"}"#, r#"{"headline":"second"}"#);
        assert!(stands(&edit(first, None)), "as it was posted");
        assert!(!stands(&edit(second, None)));
        let shown = || Some(shows("7", second, None));
        assert!(stands(&edit(second, shown())) && !stands(&edit(first, shown())));
        assert!(stands(&edit(first, Some(shows("6", second, None)))), "that was another message");
        assert!(!stands(&DueEdit { unsure: true, ..edit(second, shown()) }));
        assert!(!stands(&DueEdit { attempt: 1, ..edit(second, shown()) }));
        assert!(!stands(&DueEdit { prompt: Some("p".to_owned()), ..edit(second, shown()) }));
    }
}
