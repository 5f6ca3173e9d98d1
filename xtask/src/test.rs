//! `cargo xtask test`: the tests, and an honest list of those that did not run.

use std::io::{BufRead as _, BufReader};
use std::process::{ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::libtest::Tally;
use crate::{machine, workspace};

/// Run the tests.
///
/// There are four depths: decisions (pure functions), one crate against an in-memory runtime, the assembled agent on its
/// embedded runtime, and the assembled agent on real containerd, runc and CNI. The first three run anywhere and need no
/// root. The fourth needs root and what `cargo xtask doctor` lists for it; --containerd adds it.
///
/// At the end stands what was not run. It is never counted as passed.
#[derive(Debug, Args)]
pub struct Options {
    /// Also run the tests on real containerd (as root).
    #[arg(long)]
    containerd: bool,
    /// Run the long rounds in full; otherwise they are shortened.
    #[arg(long)]
    full: bool,
    /// Run only tests whose name has this in it; after `--`, whatever `cargo test` takes there.
    #[arg(trailing_var_arg = true)]
    filter: Vec<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    Ok(if passed(options)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All four depths, as CI does. Returns whether everything passed.
pub fn everything(full: bool) -> Result<bool> {
    passed(&Options { containerd: true, full, filter: Vec::new() })
}

fn passed(options: &Options) -> Result<bool> {
    if options.containerd {
        let lacking = machine::lacking_for_containerd();
        if !lacking.is_empty() {
            bail!(
                "--containerd needs {}; `cargo xtask doctor` says more, and --install installs it",
                lacking.join(", ")
            );
        }
    }
    // The tests of the assembled agent start its binary, which `cargo test` alone would not build.
    let built =
        workspace::cargo(["build", "-p", "podwright"]).status().context("cargo build -p podwright")?;
    if !built.success() {
        bail!("the agent does not build: cargo build -p podwright: {built}");
    }

    let mut test = workspace::cargo(["test", "--workspace", "--no-fail-fast"]);
    if options.containerd {
        test.args(["--features", "e2e/containerd"]);
    }
    if options.full {
        test.env("PODWRIGHT_FULL", "1");
    }
    if !options.filter.is_empty() {
        test.arg("--").args(&options.filter);
    }
    let mut running = test.stdout(Stdio::piped()).spawn().context("cargo test")?;
    let mut tally = Tally::default();
    for line in BufReader::new(running.stdout.take().context("cargo test's output")?).lines() {
        let line = line.context("cargo test's output")?;
        println!("{line}");
        tally.read(&line);
    }
    let status = running.wait().context("cargo test")?;
    println!("\n{} tests passed, {} failed.", tally.passed, tally.failed);
    for line in not_run(options, &tally) {
        println!("{line}");
    }
    Ok(status.success())
}

/// What was not run, and why; one line each.
fn not_run(options: &Options, tally: &Tally) -> Vec<String> {
    let mut lines = Vec::new();
    if !options.containerd {
        lines.push("Not run: the tests on real containerd. Add --containerd (as root).".to_owned());
    }
    if !options.full {
        lines.push("Shortened: the long rounds. Add --full.".to_owned());
    }
    if tally.filtered_out > 0 {
        lines.push(format!("Not run: {} tests that the filter left out.", tally.filtered_out));
    }
    lines.extend(tally.ignored.iter().map(|name| format!("Not run: {name} (marked as ignored).")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_run_is_said() {
        let options = |containerd, full| Options { containerd, full, filter: Vec::new() };
        let all_ran = Tally { passed: 3, ..Tally::default() };
        assert_eq!(not_run(&options(true, true), &all_ran), Vec::<String>::new());
        let some_ran = Tally { filtered_out: 2, ignored: vec!["a::b".to_owned()], ..all_ran };
        assert_eq!(
            not_run(&options(false, false), &some_ran),
            [
                "Not run: the tests on real containerd. Add --containerd (as root).",
                "Shortened: the long rounds. Add --full.",
                "Not run: 2 tests that the filter left out.",
                "Not run: a::b (marked as ignored).",
            ]
        );
    }
}
