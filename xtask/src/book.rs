//! `cargo xtask book`: the book, by its own builder.
//!
//! The builder is a package of its own (`book/builder`), because it takes mdBook and a browser's protocol to build; `up`
//! and `lab` do not wait for those.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::step::Outcome;
use crate::workspace;

/// Build, serve and check the book: `book build`, `serve --open`, `check --browser`, `screenshots DIR`; `book --help`
/// says more.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// What the builder is told.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// The builder's exit code for a check that had no browser to look with.
const NOT_RUN: i32 = 3;

pub fn run(options: &Options) -> Result<ExitCode> {
    let code = builder(&options.arguments)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// `ci`'s steps: the book and all checks that need no browser.
pub fn checked() -> Outcome {
    outcome(builder(&["check".into()]))
}

/// `ci`'s step: the book in a browser, or the news that there is none.
pub fn looked_at() -> Outcome {
    outcome(builder(&["check".into(), "--browser".into()]))
}

fn outcome(code: Result<i32>) -> Outcome {
    match code {
        Ok(0) => Outcome::Passed,
        Ok(NOT_RUN) => Outcome::NotRun("no browser; `cargo xtask doctor --install` gets one".to_owned()),
        Ok(_) => Outcome::Failed("see above".to_owned()),
        Err(e) => Outcome::Failed(format!("{e:#}")),
    }
}

fn builder(arguments: &[OsString]) -> Result<i32> {
    let in_a_browser = arguments.iter().any(|argument| argument == "--browser" || argument == "screenshots");
    let mut builder = workspace::cargo(["run", "--quiet", "-p", "book-builder"]);
    if in_a_browser {
        builder.args(["--features", "browser"]);
    }
    let status = builder.arg("--").args(arguments).status().context("cargo run -p book-builder")?;
    Ok(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_without_a_browser_is_not_passed() {
        assert_eq!(outcome(Ok(0)), Outcome::Passed);
        assert!(matches!(outcome(Ok(3)), Outcome::NotRun(_)));
        assert!(matches!(outcome(Ok(1)), Outcome::Failed(_)));
    }
}
