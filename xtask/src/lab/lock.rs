//! `cargo xtask lab lock`: what authors changed in the labs is meant. For authors.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use course::lab::Lab;
use course::lock::{self, Lock};
use course::{layout, readme};

use super::if_changed;
use super::verify::Course;

/// Write down what the labs ask and must be answered, after it was changed on purpose: for authors.
///
/// Writes labs/snapshots.lock, the line below the title of each README, and the digest of the region that each mutant was
/// made from. When a region changed since a mutant was written, look at the mutant first: it may do something else now, or
/// nothing wrong any more. The verb asks about each, or takes --yes.
#[derive(Debug, Args)]
pub struct Options {
    /// The mutants of changed regions were looked at.
    #[arg(long)]
    yes: bool,
    /// The course that the labs are in, if it is not this one.
    #[arg(long, hide = true, value_name = "DIR")]
    course: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let course = Course::open(options.course.as_deref())?;
    let mut all_locked = true;
    for lab in &course.labs {
        all_locked &= lock_mutants(&course.root, lab, options.yes)?;
        write_line(lab)?;
    }
    let path = course.root.join(lock::FILE);
    if if_changed::write(&path, Lock::of(&course.labs)?.text())? {
        println!("wrote {}", lock::FILE);
    }
    Ok(if all_locked { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the digests into `lab.toml`. Whether all of them could be.
fn lock_mutants(root: &Path, lab: &Lab, yes: bool) -> Result<bool> {
    let mut digests = Vec::new();
    let mut all_locked = true;
    for mutant in &lab.mutants {
        let Some(region) = lab.region(&mutant.region) else { continue };
        let digest = match layout::digest(root, lab, region) {
            Ok(digest) => digest,
            Err(e) => {
                println!("lab {}: mutants/{}: {e}", lab.id, mutant.file);
                all_locked = false;
                continue;
            }
        };
        if mutant.reference == digest {
            continue;
        }
        let question = format!(
            "lab {}: {} changed since mutants/{} was written. Does the mutant still do this wrong: {}?",
            lab.id, mutant.region, mutant.file, mutant.wrong
        );
        if mutant.reference.is_empty() || yes || confirmed(&question)? {
            digests.push((mutant.file.as_str(), digest));
        } else {
            all_locked = false;
        }
    }
    if !digests.is_empty() {
        let path = lab.dir.join("lab.toml");
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let digest_of =
            |file: &str| digests.iter().find(|(of, _)| *of == file).map(|(_, digest)| digest.clone());
        if_changed::write(&path, layout::with_references(&text, digest_of))?;
        println!("lab {}: {} mutants go with their region as it is now", lab.id, digests.len());
    }
    Ok(all_locked)
}

/// Asks on a terminal. Elsewhere the answer is no, with what to do.
fn confirmed(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        println!("{question} Look at it, then add --yes.");
        return Ok(false);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Brings the line of the README up to date.
fn write_line(lab: &Lab) -> Result<()> {
    let path = lab.dir.join("README.md");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("lab {}: it has no README.md yet", lab.id);
        return Ok(());
    };
    match readme::with_line(&text, lab) {
        Some(current) => {
            if if_changed::write(&path, &current)? {
                println!("lab {}: README.md: {}", lab.id, readme::line(lab));
            }
        }
        None => println!("lab {}: README.md has no <!-- lab --> and <!-- /lab --> for its line", lab.id),
    }
    Ok(())
}
