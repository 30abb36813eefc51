//! The front door: the real bot, the real serenity client, a real SQLite file, the simulated Discord. Every test ends in
//! silence: nothing left to deliver, no rule of Discord's broken, a journal whose replay is the state.

#![expect(clippy::unwrap_used, reason = "a test ends where its ground gives way")]
#![expect(clippy::print_stderr, reason = "a random test prints its seed")]

mod acknowledged;
mod alerts;
mod amend;
mod canary;
mod child;
mod clock;
mod connection;
mod consent;
mod countdown;
mod crossed;
mod delivery;
mod faults;
mod flood;
mod go;
mod intake;
mod kill;
mod monitoring;
mod notices;
mod pages;
mod plans;
mod policy;
mod rig;
mod schedule;
mod server;
mod service;
mod signoff;
mod story;
mod truth;
