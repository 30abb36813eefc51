//! T-Minus: a self-hosted chat bot that runs the communications of a software release.

mod domain;
mod plan_doc;
mod store;
mod voice;
