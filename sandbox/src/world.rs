//! What a sandbox begins with: one server, its roles, channels and people, and what stands on the page around it. Data only.

/// A server to simulate.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub guild: u64,
    pub name: String,
    /// The bot's name in the server.
    pub bot: String,
    pub roles: Vec<RoleSeed>,
    pub channels: Vec<ChannelSeed>,
    pub people: Vec<PersonSeed>,
    /// People of a second server, for tests of isolation.
    pub other_guild: Option<u64>,
    /// Channels of that server.
    pub other_channels: Vec<ChannelSeed>,
    /// Values of production that can be moved, and broken.
    pub signals: Vec<SignalSeed>,
    /// What a reader should know of those values: who tells the bot of them, and when.
    pub signals_note: String,
    /// Files to try by hand.
    pub samples: Vec<Sample>,
    /// Shown when a story is over: how to go on with a server of one's own.
    pub closing: Option<Closing>,
}

/// A file that is offered for trying by hand.
#[derive(Debug, Clone)]
pub struct Sample {
    pub name: String,
    /// What to do with it.
    pub about: String,
    pub bytes: Vec<u8>,
}

/// A role.
#[derive(Debug, Clone)]
pub struct RoleSeed {
    pub id: u64,
    pub name: String,
}

/// A text channel.
#[derive(Debug, Clone)]
pub struct ChannelSeed {
    pub id: u64,
    pub name: String,
    /// The heading it stands under in the list.
    pub category: String,
    pub topic: String,
}

/// A person; `manages` gives them the right to manage the server.
#[derive(Debug, Clone)]
pub struct PersonSeed {
    pub id: u64,
    pub username: String,
    pub name: String,
    pub roles: Vec<u64>,
    pub manages: bool,
}

/// A value of production: where it stands, and how far it can be moved.
#[derive(Debug, Clone)]
pub struct SignalSeed {
    /// As people call it.
    pub name: String,
    /// As the metrics source calls it, `checkout_error_ratio`.
    pub series: String,
    pub unit: String,
    pub min: f64,
    pub max: f64,
    pub step: f64,
    pub normal: f64,
    /// Where "break production" puts it.
    pub broken: f64,
}

/// The card after a story's end.
#[derive(Debug, Clone)]
pub struct Closing {
    pub title: String,
    /// Steps in order, plain text; words between backquotes are shown as code.
    pub steps: Vec<String>,
    /// A link with its label.
    pub link: Option<(String, String)>,
}

impl World {
    /// A person by username.
    pub fn person(&self, username: &str) -> Option<&PersonSeed> {
        self.people.iter().find(|p| p.username == username)
    }

    /// A person by id.
    pub fn by_id(&self, id: u64) -> Option<&PersonSeed> {
        self.people.iter().find(|p| p.id == id)
    }
}
