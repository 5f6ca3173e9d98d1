//! The sync loop, and the wiring of everything below it
