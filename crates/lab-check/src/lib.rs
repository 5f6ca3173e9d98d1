//! Runs the cases of a lab against a learner's crate and reports on each.
