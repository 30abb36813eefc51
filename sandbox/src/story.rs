//! Stories: lists of steps that the page, the command line and tests play alike. What happens in them is the caller's data.

/// A story by name.
#[derive(Debug, Clone, Default)]
pub struct Tale {
    /// As `--story` and the page's address name it.
    pub name: String,
    pub title: String,
    pub steps: Vec<Step>,
    /// Other stories that can be asked for: name and title.
    pub others: Vec<(String, String)>,
}

/// One step of a story.
#[derive(Debug, Clone)]
pub struct Step {
    pub caption: String,
    pub who: String,
    pub channel: String,
    pub act: Act,
    /// The bot is expected to refuse this; elsewhere a refusal stops the story.
    pub refused: bool,
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Act {
    /// A slash command with its options, and a file for an attachment.
    Slash { path: String, options: Vec<(String, String)>, file: Option<(String, Vec<u8>)> },
    /// A button; a form that opens is filled with these values.
    Press { label: String, fill: Vec<(String, String)> },
    /// The clock moves to this instant, visiting every mark on the way.
    Advance { to_ms: i64 },
    /// An HTTP POST with a JSON body and a bearer token, such as an alert.
    Post { url: String, bearer: String, body: serde_json::Value },
    /// Values of production move, by name.
    Signals(Vec<(String, f64)>),
    /// A person says something in the channel.
    Say(String),
    /// A person posts on the status page: the state, and what customers read.
    Publish { state: String, text: String },
}

impl Act {
    /// What the step is, in a word or two.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Slash { path, .. } => format!("/{path}"),
            Self::Press { label, .. } => format!("“{label}”"),
            Self::Advance { .. } => "clock moves forward".to_owned(),
            Self::Post { .. } => "alert".to_owned(),
            Self::Signals(_) => "production values change".to_owned(),
            Self::Say(_) => "message".to_owned(),
            Self::Publish { .. } => "status page post".to_owned(),
        }
    }
}

/// A story being played.
#[derive(Debug, Default)]
pub(crate) struct Player {
    pub(crate) tale: Tale,
    /// The step that comes next, from 0.
    pub(crate) next: usize,
    /// Why the last step could not be done.
    pub(crate) stuck: Option<String>,
    /// A step is being played.
    pub(crate) busy: bool,
    /// The clock ran before, and stands still while the story is played: a step finds what its writer found.
    pub(crate) holds_clock: bool,
    /// The how manieth story this is, so that a page knows when the one it asked for has begun.
    pub(crate) told: u64,
}
