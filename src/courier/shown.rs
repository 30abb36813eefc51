//! What a message shows, in short, so that an edit which changes nothing is not sent. It must not know words.

use serde_json::Value;

use crate::delivery::{Edit, Rendering, hashed};

/// Part of a message that an edit leaves as it is.
const KEPT: &str = "reply_to";

/// What a message shows once it has this rendering: its id and a hash.
pub(super) fn shows(message: &str, rendering: &Rendering) -> String {
    let mut payload: Value = serde_json::from_str(&rendering.payload).unwrap_or_default();
    if let Some(fields) = payload.as_object_mut() {
        fields.remove(KEPT);
    }
    let hash = hashed(&[&payload.to_string(), rendering.prompt.as_deref().unwrap_or_default()]);
    format!("{message} {hash}")
}

/// Whether a message that was posted so shows what it is to show already, and nothing under way can change that.
pub(super) fn already_shown(posted: &Rendering, edit: &Edit, message: &str) -> bool {
    let of_this_message = |shown: &&String| shown.split(' ').next() == Some(message);
    let shown = edit.shown.as_ref().filter(of_this_message).cloned();
    let shown = shown.unwrap_or_else(|| shows(message, posted));
    shown == shows(message, &edit.rendering) && edit.again.is_none() && edit.attempt == 0
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn an_edit_is_left_out_only_where_nothing_changed_the_message() {
        let rendering = |payload: &str| Rendering { payload: payload.to_owned(), prompt: None };
        let (first, second) = (rendering(r#"{"headline":"first"}"#), rendering(r#"{"headline":"second"}"#));
        let posted = rendering(r#"{"headline":"first","reply_to":"case/1"}"#);
        let edit = |wanted: &Rendering, shown: Option<String>| Edit {
            shown,
            ..Edit::none(wanted.clone(), Timestamp::UNIX_EPOCH)
        };
        let already = |edit: &Edit| already_shown(&posted, edit, "7");
        assert!(already(&edit(&first, None)), "as it was posted");
        assert!(!already(&edit(&second, None)));
        let shown = || Some(shows("7", &second));
        assert!(already(&edit(&second, shown())) && !already(&edit(&first, shown())));
        assert!(already(&edit(&first, Some(shows("6", &second)))), "that was another message");
        assert!(!already(&Edit { again: Some(Timestamp::UNIX_EPOCH), ..edit(&second, shown()) }));
        assert!(!already(&Edit { attempt: 1, ..edit(&second, shown()) }));
        let prompted = Rendering { prompt: Some("p".to_owned()), ..second.clone() };
        assert!(!already(&edit(&prompted, shown())));
    }
}
