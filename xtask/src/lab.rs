//! `cargo xtask lab`: the labs of the course, from the first start to the last green check.
//!
//! ```text
//!   clone (labs, reference) ──▶ desk ◀── workbook (the learner's crates, progress.txt)
//!                                 │
//!   list next   start reset update │ check   hint diff solve   run
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

mod board;
mod check;
mod compare;
mod desk;
mod hint;
mod if_changed;
mod lock;
mod paint;
mod progress;
mod run;
mod snapshots;
mod start;
mod verify;
pub mod workbook;

use desk::Desk;

/// Write parts of a kubelet yourself, lab by lab, and have them checked.
///
/// A lab takes a few functions out of a crate; you write them in your workbook, a copy of everything else, and the lab's check
/// asks them its cases. Labs can be taken in any order: what you have not written is the reference.
#[derive(Debug, Args)]
#[command(after_help = "Start with `cargo xtask lab next`. A lab goes like this:\n\n  \
                  cargo xtask lab start 01   makes your workbook, takes the functions out\n  \
                  …read labs/01-…/README.md, predict, write…\n  \
                  cargo xtask lab check      asks your functions; red says which rule broke\n  \
                  cargo xtask lab hint       when you are stuck\n  \
                  cargo xtask lab run        your own agent at work\n  \
                  cargo xtask lab diff       your text beside the reference\n\n\
                  PODWRIGHT_WORKBOOK names another workbook, as --workbook does.")]
pub struct Options {
    /// Your workbook; otherwise $PODWRIGHT_WORKBOOK, or workbook/ in the clone.
    #[arg(long, global = true, value_name = "DIR")]
    workbook: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Learner(LearnerVerb),
    Check(check::Options),
    #[command(flatten)]
    Author(AuthorVerb),
}

#[derive(Debug, Subcommand)]
enum LearnerVerb {
    List(board::Options),
    /// Say what to do next.
    Next,
    Start(start::Options),
    Hint(hint::Options),
    Diff(compare::DiffOptions),
    Run(run::Options),
    Reset(start::ResetOptions),
    Solve(compare::SolveOptions),
    Update(start::UpdateOptions),
}

/// What authors do needs no workbook.
#[derive(Debug, Subcommand)]
enum AuthorVerb {
    Verify(verify::Options),
    Snapshots(snapshots::Options),
    Lock(lock::Options),
}

pub async fn run(options: Options) -> Result<ExitCode> {
    let verb = match options.verb {
        Verb::Learner(verb) => verb,
        Verb::Check(check) => return Ok(check::run(options.workbook.as_deref(), &check).await),
        Verb::Author(AuthorVerb::Verify(options)) => return verify::run(&options).await,
        Verb::Author(AuthorVerb::Snapshots(options)) => return snapshots::run(&options).await,
        Verb::Author(AuthorVerb::Lock(options)) => return lock::run(&options),
    };
    let mut desk = Desk::open(options.workbook.as_deref())?;
    match verb {
        LearnerVerb::List(options) => board::list(&desk, &options),
        LearnerVerb::Next => board::next(&desk),
        LearnerVerb::Start(options) => start::start(&mut desk, &options),
        LearnerVerb::Hint(options) => hint::run(&mut desk, &options),
        LearnerVerb::Diff(options) => compare::diff(&desk, &options),
        LearnerVerb::Run(options) => return run::run(&desk, &options),
        LearnerVerb::Reset(options) => start::reset(&mut desk, &options),
        LearnerVerb::Solve(options) => compare::solve(&mut desk, &options),
        LearnerVerb::Update(options) => start::update(&mut desk, &options),
    }
    .map(|()| ExitCode::SUCCESS)
}
