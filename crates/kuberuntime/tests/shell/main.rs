//! The part of the crate that acts, against the in-memory runtime, in paused time.

mod collecting;
mod failing;
mod harness;
mod killing;
mod places;
mod replacing;
mod starting;
