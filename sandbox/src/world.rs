//! What a sandbox begins with: one server, its roles, channels and people. Data only.

/// A server to simulate.
#[derive(Debug, Clone)]
pub struct World {
    pub guild: u64,
    pub name: String,
    pub roles: Vec<RoleSeed>,
    pub channels: Vec<ChannelSeed>,
    pub people: Vec<PersonSeed>,
    /// People of a second server, for tests of isolation.
    pub other_guild: Option<u64>,
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

impl World {
    /// A person by username.
    pub fn person(&self, username: &str) -> Option<&PersonSeed> {
        self.people.iter().find(|p| p.username == username)
    }
    /// A channel by name, with or without `#`.
    pub fn channel(&self, name: &str) -> Option<&ChannelSeed> {
        let name = name.trim_start_matches('#');
        self.channels.iter().find(|c| c.name == name)
    }
}
