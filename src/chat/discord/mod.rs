//! Discord. serenity gives the gateway and the models of what comes in; everything that is sent goes through our own
//! transport (`rest`). It must not decide anything: it parses, asks the desk, renders.

pub mod attachment;
pub mod commands;
pub mod doctor;
mod forms;
pub mod gateway;
mod handle;
mod lists;
mod missed;
mod own;
mod owner;
pub mod pace;
mod parse;
mod plans;
mod record;
pub mod registration;
pub mod render;
mod reply;
pub mod rest;
mod sections;
pub mod send;
mod setup;
mod standing;
#[cfg(test)]
mod tests;
