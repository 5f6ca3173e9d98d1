//! `cargo xtask lab run`: the learner's own agent at work.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use course::lab::{Kind, Lab};

use super::desk::Desk;
use super::paint::say;
use super::progress::State;
use super::workbook::Workbook;
use crate::workspace;

/// Build the agent from your workbook and watch it run pods, as `cargo xtask up` does with the reference.
///
/// What stands after `--` is for `up`: `cargo xtask lab run -- --for 30`, `-- --manifests DIR`, `-- --root DIR`;
/// `cargo xtask up --help` has them all. A function that is not written yet panics when the agent comes to it: the log says where.
#[derive(Debug, Args)]
pub struct Options {
    /// The lab whose effect you want to see, such as 04; the current one when none is given. Your agent has all of them.
    lab: Option<String>,
    /// Run a lab's wrong answer instead of your workbook, to see what it does: a file of labs/NN-…/mutants.
    #[arg(long, value_name = "FILE")]
    mutant: Option<PathBuf>,
    /// What `up` is to be told.
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

pub fn run(desk: &Desk, options: &Options) -> Result<ExitCode> {
    let book = match &options.mutant {
        Some(file) => with_mutant(desk, file, options.lab.as_deref())?,
        None => {
            desk.need_workbook()?;
            desk.note_if_behind();
            say_whose(desk)?;
            if options.lab.is_some() || desk.progress.current.is_some() {
                let lab = desk.lab(options.lab.as_deref())?;
                let readme = lab.dir.join("README.md");
                say!("What there is to see of lab {}: \"See it live\" in {}", lab.id, desk.short(&readme));
            }
            desk.workbook.clone()
        }
    };
    let agent = build(&book)?;
    // This program becomes `up`: signals and the terminal are its own then. /proc names the file that is open, so it runs
    // even if cargo has built another one in its place meanwhile.
    let mut up = Command::new("/proc/self/exe");
    up.arg("up").args(&options.arguments).env("PODWRIGHT_BIN", agent);
    // A panic says where it was; what called it there is tokio.
    up.env("RUST_BACKTRACE", "0");
    let error = up.exec();
    Err(error).context("cargo xtask up")
}

/// Says which functions of the agent are the learner's.
fn say_whose(desk: &Desk) -> Result<()> {
    let mut own = Vec::new();
    for lab in desk.labs()?.iter().filter(|lab| lab.kind == Kind::Code) {
        let entry = desk.progress.of(&lab.id);
        if !entry.is_under_way() {
            continue;
        }
        let state = match entry.state() {
            State::Green(_) => "green".to_owned(),
            State::Red(count) => format!("red {} of {}", count.red, count.of),
            _ => "not checked yet".to_owned(),
        };
        let functions: Vec<&str> =
            lab.regions.iter().flat_map(|region| &region.functions).map(String::as_str).collect();
        own.push(format!("  lab {} ({state})  {}", lab.id, functions.join(", ")));
    }
    if own.is_empty() {
        say!("No lab is under way: this agent is the reference, built from your workbook.");
    } else {
        say!("In this agent these are yours:\n{}", own.join("\n"));
    }
    Ok(())
}

/// The reference with one mutant in it, in a workbook that nobody works in.
fn with_mutant(desk: &Desk, file: &Path, named: Option<&str>) -> Result<Workbook> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A bare name means a mutant of the current lab.
    let lab = match file.canonicalize() {
        Ok(file) => {
            let folder = file.parent().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
            let is_its = |lab: &Lab| lab.dir.canonicalize().is_ok_and(|dir| dir == folder);
            desk.labs()?.into_iter().find(is_its)
        }
        Err(_) => Some(desk.lab(named)?),
    };
    let Some((lab, mutant)) = lab.as_ref().and_then(|lab| {
        let mutant = lab.mutants.iter().find(|mutant| mutant.file == name)?;
        Some((lab, mutant))
    }) else {
        bail!("{} is no mutant of a lab: they are in labs/NN-…/mutants", file.display());
    };
    let path = lab.dir.join("mutants").join(&name);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let book = Workbook::at(desk.clone.join("target/mutant-workbook"), &desk.clone);
    // What another mutant left there is put right; what is right keeps its age, so that cargo builds only the rest.
    book.write()?;
    book.put_region(lab, &mutant.region, &text)?;
    say!("The reference, but it {}.", mutant.wrong);
    Ok(book)
}

/// Builds a workbook's agent; where it is.
fn build(book: &Workbook) -> Result<PathBuf> {
    let mut command = workspace::cargo_in(&book.dir, ["build", "-p", "podwright", "--target-dir"]);
    command.arg(book.target());
    // It would name a manifest of the clone.
    command.env_remove("CARGO_MANIFEST_DIR");
    let status = command.status().context("cargo build -p podwright")?;
    if !status.success() {
        bail!(
            "your agent does not build; the errors are above. `cargo xtask lab check` explains those of one lab"
        );
    }
    Ok(book.target().join("debug/podwright"))
}
