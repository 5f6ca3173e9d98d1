//! `cargo xtask ci`: everything that a change must pass.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::step::{Outcome, Steps};
use crate::{book, test, workspace};

/// Everything that a change must pass, with the time that each step took.
///
/// Formatting, lints, each crate by itself, every test (containerd's too: as root, with what `cargo xtask doctor` lists
/// for it), the documentation, the labs with their wrong answers, the book and all that its pages run, and licences when
/// cargo-deny is installed. All steps run, also after one has failed.
#[derive(Debug, Args)]
pub struct Options {
    /// Run the long rounds in full.
    #[arg(long)]
    full: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let crates = members()?;
    let mut steps = Steps::default();
    steps.run("fmt", || Outcome::of(&mut workspace::cargo(["fmt", "--all", "--check"])));
    steps.run("clippy", || {
        let lint = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
        Outcome::of(&mut workspace::cargo(lint))
    });
    steps.run("each crate alone", || {
        // In a workspace a crate can lean on features that only another member asked for. Alone it cannot.
        let failed: Vec<&str> = crates
            .iter()
            .filter(|name| {
                Outcome::of(&mut workspace::cargo(["check", "--quiet", "-p", name])) != Outcome::Passed
            })
            .map(String::as_str)
            .collect();
        if failed.is_empty() { Outcome::Passed } else { Outcome::Failed(failed.join(", ")) }
    });
    steps.run("test", || match test::everything(options.full) {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed("see above".to_owned()),
        Err(e) => Outcome::Failed(format!("{e:#}")),
    });
    steps.run("doc", || {
        let mut doc = workspace::cargo(["doc", "--workspace", "--no-deps"]);
        Outcome::of(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    steps.run("labs", || {
        Outcome::of(&mut workspace::cargo(["xtask", "lab", "verify", "--agent", "--containerd"]))
    });
    steps.run("book", book::checked);
    steps.run("book in a browser", book::looked_at);
    // A process of its own: it has its own pages, directories and processes to end, and its own runtime for them.
    steps.run("console", || Outcome::of(&mut workspace::cargo(["xtask", "console", "--patience", "2"])));
    steps.run("deny", || {
        let installed = workspace::cargo(["deny", "--version"]).output().is_ok_and(|o| o.status.success());
        if !installed {
            return Outcome::NotRun("cargo-deny is not installed".to_owned());
        }
        // Not `advisories`: their database is fetched from the network, which a build machine may not reach.
        Outcome::of(&mut workspace::cargo(["deny", "check", "licenses", "bans", "sources"]))
    });
    Ok(steps.finish())
}

/// The workspace's packages, by name.
fn members() -> Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    Ok(metadata.packages.iter().map(|p| p.name.to_string()).collect())
}
