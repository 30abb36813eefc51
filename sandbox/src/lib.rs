//! A small simulated Discord on loopback.

mod clock;

pub use clock::{SimClock, wall_ms};
