//! `cargo xtask lab hint`: the next of three.

use anyhow::{Result, bail};
use clap::Args;

use super::desk::Desk;
use super::paint::{Paint, folded, say};

/// Show the next hint. There are three: what to think about, where to look, and nearly the code, in words.
#[derive(Debug, Args)]
pub struct Options {
    /// The lab, such as 04; the current one when none is given.
    lab: Option<String>,
}

pub fn run(desk: &mut Desk, options: &Options) -> Result<()> {
    let lab = desk.lab(options.lab.as_deref())?;
    desk.need_workbook()?;
    if lab.hints.is_empty() {
        bail!(
            "lab {} has no hints; its README says everything: {}",
            lab.id,
            desk.short(&lab.dir.join("README.md"))
        );
    }
    if desk.progress.of(&lab.id).started.is_none() {
        bail!("lab {} is not started; its first hint stands in the code then", lab.id);
    }
    let entry = desk.progress.entry(&lab.id);
    let before = entry.hints;
    let taken = (before + 1).min(lab.hints.len());
    entry.hints = taken;
    desk.save()?;

    let paint = Paint::of_stdout();
    for (at, hint) in lab.hints.iter().take(taken).enumerate() {
        let line = folded(&format!("{}. ", at + 1), hint);
        // Those that were shown before stand there for the thread of thought.
        say!("{}", if at < before { paint.dim(&line) } else { line });
    }
    if taken == lab.hints.len() {
        say!(
            "\nThat is the last one. `cargo xtask lab solve {}` writes the reference into your workbook.",
            lab.id
        );
    }
    Ok(())
}
