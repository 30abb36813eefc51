//! The front door: the real bot, the real serenity client, a real SQLite file, the simulated Discord. Every test ends in
//! silence: nothing left to deliver, no rule of Discord's broken, a journal whose replay is the state.

mod alerts;
mod delivery;
mod kill;
mod plans;
mod rig;
mod service;
mod signoff;
mod story;
