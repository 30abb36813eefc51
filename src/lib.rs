//! T-Minus: a self-hosted chat bot that runs the communications of a software release.

pub mod app;
mod chat;
mod clock;
pub mod cli;
mod config;
mod control;
mod courier;
mod desk;
mod domain;
mod intake;
mod plan_doc;
mod store;
mod telemetry;
mod timekeeper;
mod voice;
