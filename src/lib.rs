//! T-Minus: a self-hosted chat bot that runs the communications of a software release.

mod chat;
mod clock;
mod control;
mod courier;
mod desk;
mod domain;
mod plan_doc;
mod store;
mod timekeeper;
mod voice;
