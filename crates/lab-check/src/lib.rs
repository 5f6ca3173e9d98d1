//! Runs the cases of a lab against a learner's crate and reports on each.
//!
//! A lab's `check.rs` is a small program that says how an input becomes an answer. Everything else is here: which cases
//! there are, what their answers must be, what happens when the code under test panics, and how it is all reported.
//!
//! ```no_run
//! use lab_check::{Check, Error};
//!
//! #[derive(serde::Deserialize)]
//! struct Input {
//!     exit_code: i32,
//!     policy: String,
//! }
//!
//! #[derive(serde::Serialize)]
//! struct Answer {
//!     restart: bool,
//! }
//! # fn should_restart(_: i32, _: &str) -> bool { true }
//!
//! fn main() -> std::process::ExitCode {
//!     Check::new()
//!         .cases(|input: Input| -> Result<Answer, Error> {
//!             Ok(Answer { restart: should_restart(input.exit_code, &input.policy) })
//!         })
//!         .property(
//!             "always-restarts-whatever-the-code",
//!             "under Always the exit code does not matter",
//!             "pkg/kubelet/container/helpers.go#ShouldContainerBeRestarted",
//!             0..256i32,
//!             |code| if should_restart(code, "Always") { Ok(()) } else { Err("stayed down".to_owned()) },
//!         )
//!         .run()
//! }
//! ```
//!
//! # From a lab's folder to a report
//!
//! ```text
//! cases/*.yaml  ─┐ input                              ┌─ green
//! hidden/*.yaml ─┴──────▶ check.rs ──▶ answer ──▶ == ─┼─ wrong: input, expected, got
//! snapshots/CASE.snap ───────────────────────────▶    └─ panicked, or no answer: why
//! strategies and a seed ─▶ properties ──────────────────▶ green, or the smallest value for which it does not hold
//! ```
//!
//! Input and answer are YAML. An enum is written as a map with one entry (`killed: {why: probe}`), or as a string if its
//! variant has no fields; `!Tags` are not needed. The answer is compared as text with the snapshot, so derive `Serialize`
//! with the fields in the order in which a reader wants them, and keep answers small.
//!
//! Each case, each value of a property and each observation runs by itself: a panic makes that one red and the next one
//! runs. Properties are tried with [`VALUES`] values made from a seed; nothing in the environment changes how many.
//!
//! # The environment
//!
//! | variable | meaning |
//! |---|---|
//! | `LAB_DIR` | the lab's folder; required |
//! | `LAB_REPORT` | the file that receives the report, one JSON object a line ([`report::Event`]); without it, a text for humans goes to standard output |
//! | `LAB_SEED` | the seed of the properties, a number; [`SEED`] if absent |
//! | `LAB_SNAPSHOTS=write` | for authors: the answers become the snapshots instead of being compared with them |
//!
//! Exit codes: 0 all green, 1 something is red, 2 the check cannot run (the reason is on standard error). A report without
//! its `end` means that the check died, and everything without a verdict is red: the code under test may end the process.
//!
//! # Trying a lab by hand
//!
//! `cargo xtask lab check` and `cargo xtask lab snapshots` generate a package for `check.rs` under `target/`. By hand it is
//! the same: a package of its own, outside of the workspace, with `check.rs` as the path of its `[[bin]]`, and with
//! `lab-check`, the lab's crate and the lab's `dependencies`. Then `LAB_DIR=labs/04-… cargo run`, and once the answers
//! have been looked at, `LAB_DIR=labs/04-… LAB_SNAPSHOTS=write cargo run`.
//!
//! # Why comparing is done here
//!
//! Snapshots are insta's files and insta writes them. They are not compared by insta's assertions: those listen to
//! `INSTA_UPDATE` and its relatives, and a check that can be told to accept what it got is no check.

mod answer;
mod case;
mod caught;
mod property;
pub mod report;
mod session;
mod snapshot;

use std::fmt;
use std::process::ExitCode;

use proptest::strategy::Strategy;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::session::{Plan, Step};

pub use proptest;

/// How many values a property is tried with.
pub const VALUES: u32 = 256;

/// The seed of the properties, unless `LAB_SEED` names another.
pub const SEED: u64 = 1;

/// Why there is no answer. Any error becomes one with `?`.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// An error with a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// `Error` is not a `std::error::Error` itself: this conversion would then collide with the one of a type to itself.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What a lab asks for. Built by `check.rs`, then [`run`](Check::run).
#[derive(Default)]
pub struct Check {
    steps: Vec<Step>,
}

impl Check {
    /// A check that asks for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every case in `cases/` and `hidden/` is answered by `answer` and compared with its snapshot.
    ///
    /// An `Err` makes the case red. An error that the code under test is *meant* to return belongs into the answer.
    #[must_use]
    pub fn cases<I, A, F>(mut self, answer: F) -> Self
    where
        I: DeserializeOwned,
        A: Serialize,
        F: Fn(I) -> Result<A, Error> + 'static,
    {
        self.steps.push(Step::Cases(Box::new(move |input| answer::answer(input, &answer))));
        self
    }

    /// Something that holds for every value of `strategy`. On failure the smallest such value found is shown.
    ///
    /// `name` is in kebab case and unique in the lab, `rule` is one clause, `go` is `path#symbol` in the Go source.
    #[must_use]
    pub fn property<S, F>(mut self, name: &str, rule: &str, go: &str, strategy: S, holds: F) -> Self
    where
        S: Strategy + 'static,
        F: Fn(S::Value) -> Result<(), String> + 'static,
    {
        let name_of_run = name.to_owned();
        self.steps.push(Step::Property {
            plan: Plan::new(name, rule, go),
            run: Box::new(move |seed| property::outcome(&name_of_run, seed, &strategy, &holds)),
        });
        self
    }

    /// Something that is looked at as it is now: what a running agent shows, for a lab in which nothing is written.
    ///
    /// `Err` says what was seen instead and what to do about it.
    #[must_use]
    pub fn observation<F>(mut self, name: &str, rule: &str, go: &str, look: F) -> Self
    where
        F: Fn() -> Result<(), String> + 'static,
    {
        self.steps.push(Step::Observation { plan: Plan::new(name, rule, go), look: Box::new(look) });
        self
    }

    /// Runs everything, as the environment says, and returns how to exit.
    pub fn run(self) -> ExitCode {
        match session::run(self.steps) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(1),
            Err(why) => {
                eprintln!("lab-check: {why}");
                ExitCode::from(2)
            }
        }
    }
}
