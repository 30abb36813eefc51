//! T-Minus: a self-hosted chat bot that runs the communications of a software release.
//!
//! One way only: a command meets a pure decision (`domain`), its events, state and messages are committed in one
//! transaction (`desk`, `store`), and the courier brings the messages to the chat. `ARCHITECTURE.md` is the map.

pub mod app;
mod chat;
pub mod cli;
mod clock;
mod config;
mod control;
mod courier;
mod delivery;
mod desk;
mod domain;
mod intake;
mod outside;
pub mod plan_doc;
mod preview;
mod redact;
pub mod sandboxed;
mod sending;
mod signature;
mod store;
mod telemetry;
mod timecheck;
mod timekeeper;
mod voice;
