//! The seeded server of the sandbox and the settings the bot has for it. Data only.

use tminus_sandbox::{ChannelSeed, PersonSeed, RoleSeed, World};

use crate::domain::ids::{Audience, ChannelId, RoleId};
use crate::domain::plan::SignoffRole;
use crate::domain::policy::{Policy, Route};

pub(super) const GUILD: u64 = 700_000_000_000_000_001;
const MANAGER: u64 = 700_000_000_000_000_011;
const LEAD: u64 = 700_000_000_000_000_012;
const PRODUCT: u64 = 700_000_000_000_000_013;
const SRE: u64 = 700_000_000_000_000_014;
const SECURITY: u64 = 700_000_000_000_000_015;
const ENGINEERING: u64 = 700_000_000_000_000_016;
const SUPPORT: u64 = 700_000_000_000_000_017;
const STATUS: u64 = 700_000_000_000_000_018;
const RELEASES: u64 = 700_000_000_000_000_101;
const SUPPORT_CHANNEL: u64 = 700_000_000_000_000_102;
const ENGINEERING_CHANNEL: u64 = 700_000_000_000_000_103;
const OPS: u64 = 700_000_000_000_000_104;

/// The seeded server: five roles that sign or steer, three audiences, nine people.
pub fn world() -> World {
    let role = |id, name: &str| RoleSeed { id, name: name.to_owned() };
    let channel = |id, name: &str| ChannelSeed { id, name: name.to_owned() };
    let person = |n: u64, username: &str, name: &str, roles: &[u64]| PersonSeed {
        id: 700_000_000_000_001_000 + n,
        username: username.to_owned(),
        name: name.to_owned(),
        roles: roles.to_vec(),
        manages: n == 1,
    };
    World {
        guild: GUILD,
        name: "Acme Shop".to_owned(),
        roles: vec![
            role(MANAGER, "Release Managers"),
            role(LEAD, "Engineering Leads"),
            role(PRODUCT, "Product"),
            role(SRE, "SRE"),
            role(SECURITY, "Security"),
            role(ENGINEERING, "Engineering"),
            role(SUPPORT, "Support"),
            role(STATUS, "Status Page"),
        ],
        channels: vec![
            channel(RELEASES, "releases"),
            channel(ENGINEERING_CHANNEL, "engineering"),
            channel(SUPPORT_CHANNEL, "support"),
            channel(OPS, "tminus-ops"),
        ],
        people: vec![
            person(1, "ana", "Ana Ferreira", &[MANAGER, ENGINEERING, LEAD]),
            person(2, "ben", "Ben Okafor", &[ENGINEERING]),
            person(3, "chloe", "Chloe Martin", &[LEAD, ENGINEERING]),
            person(4, "dev", "Dev Patel", &[PRODUCT]),
            person(5, "eva", "Eva Novak", &[SRE, ENGINEERING]),
            person(6, "farid", "Farid Rahimi", &[SECURITY]),
            person(7, "gwen", "Gwen Lee", &[SUPPORT, STATUS]),
            person(8, "hugo", "Hugo Weiss", &[]),
            person(9, "iris", "Iris Braun", &[MANAGER, LEAD]),
        ],
        other_guild: Some(700_000_000_000_000_002),
    }
}

pub(super) fn policy() -> Policy {
    let role = |id: u64| RoleId(id.to_string());
    let route =
        |channel: Option<u64>, id| Route { channel: channel.map(|c| ChannelId(c.to_string())), role: Some(role(id)) };
    Policy {
        release_channel: Some(ChannelId(RELEASES.to_string())),
        ops_channel: Some(ChannelId(OPS.to_string())),
        zone: Some("Europe/Berlin".to_owned()),
        signers: [
            (SignoffRole::EngineeringLead, vec![role(LEAD)]),
            (SignoffRole::ProductOwner, vec![role(PRODUCT)]),
            (SignoffRole::SreOps, vec![role(SRE)]),
            (SignoffRole::Security, vec![role(SECURITY)]),
        ]
        .into(),
        release_managers: vec![role(MANAGER)],
        audiences: [
            (Audience::engineering(), route(Some(ENGINEERING_CHANNEL), ENGINEERING)),
            (Audience::support(), route(Some(SUPPORT_CHANNEL), SUPPORT)),
            (Audience::status_page(), route(None, STATUS)),
        ]
        .into(),
        self_approval: false,
    }
}
