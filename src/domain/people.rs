//! Who acts. It must not know how a platform proves an identity; adapters hand over what they verified.

use serde::{Deserialize, Serialize};

use super::ids::{RoleId, UserId};

/// The posts of a plan that a person fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Post {
    Owner,
    OnCall,
}

/// Who sends a command, as verified at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person in the workspace's own server, with the roles of this very interaction.
    Person(Person),
    /// The timekeeper.
    Clock,
    /// The courier, reporting a delivery.
    Courier,
    /// The configuration file.
    File,
    /// A signed or token-bearing sender of the intake, by its configured name.
    Source(String),
}

/// A person as an interaction shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub user: UserId,
    pub name: String,
    pub roles: Vec<RoleId>,
    /// May manage the server; counts for `/tminus setup`, and for nothing else unless the workspace lets administrators
    /// pass the roles (`may`).
    pub manages_server: bool,
    pub standing: Standing,
}

/// Whether somebody may act in the server at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Member,
    /// Not of this server, or nobody says so.
    Outside,
    Bot,
    /// The server has silenced them for a while.
    TimedOut,
}

/// Who did something, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Person { user: UserId, name: String },
    Clock,
    Courier,
    Source { name: String },
}

impl Actor {
    /// The journal's form.
    pub fn by(&self) -> By {
        match self {
            Self::Person(p) => By::Person { user: p.user.clone(), name: p.name.clone() },
            Self::Clock => By::Clock,
            Self::Courier => By::Courier,
            Self::File => By::Source { name: "the configuration file".to_owned() },
            Self::Source(name) => By::Source { name: name.clone() },
        }
    }
    /// The person, if it is one.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Clock | Self::Courier | Self::File | Self::Source(_) => None,
        }
    }
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person { name, .. } => f.write_str(name),
            Self::Clock => f.write_str("the clock"),
            Self::Courier => f.write_str("T-Minus"),
            Self::Source { name } => f.write_str(name),
        }
    }
}
