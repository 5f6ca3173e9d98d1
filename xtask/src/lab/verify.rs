//! `cargo xtask lab verify`: the labs proven, each of them red, green and red where they must be.
//!
//! ```text
//!   labs, crates ─▶ generated workspace ─▶ one build ─▶ each check with each variant ─▶ problems, and a table
//! ```
//!
//! Who takes a lab relies on its check: that it is red as long as something is wrong, and green when nothing is. Neither is
//! seen by looking at it, so it is tried: with nothing written, with the reference, and with answers that are wrong in a
//! known way.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use ::course::folder;
use ::course::lab::{Kind, Lab};
use ::course::layout::{self, Blocks};
use ::course::lock::{self, Lock};
use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use tokio::time::Instant;

mod agent;
mod compile;
mod course;
mod generated;
mod proof;
mod table;
mod trial;
mod trials;

use compile::{Compiled, Culprit, Programs};
use generated::Generated;

pub use self::course::Course;
pub use generated::LeftOut;

/// Prove the labs: for authors, and for CI.
///
/// For every lab: with its functions blank each case is red, as many as the README announces; with the reference each is
/// green; each mutant is caught by the case that it names; with another lab's functions blank nothing is red, unless the lab
/// says that it needs that one. And the folder is whole, nothing is locked otherwise, and regions do not overlap.
#[derive(Debug, Args)]
#[command(after_help = "\
--json prints one object:
  {\"ok\": true | false, \"problems\": [{\"lab\": \"04\" | \"\", \"problem\": …}],
   \"labs\": [{\"lab\": \"04\", \"title\": …, \"cases\": 36, \"red_at_the_start\": 36, \"mutants\": 10, \"caught\": 10,
             \"seconds\": 3.5, \"problems\": 0}],
   \"build_seconds\": 35.2, \"seconds\": 70.0}")]
pub struct Options {
    /// The labs, such as 04; all when none is given.
    labs: Vec<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Also write a workbook with all functions blank, compile it, solve it, and test the agent that is built from it.
    #[arg(long)]
    agent: bool,
    /// With --agent: also test it on real containerd (as root).
    #[arg(long, requires = "agent")]
    containerd: bool,
    /// The course to verify, if it is not this one.
    #[arg(long, hide = true, value_name = "DIR")]
    course: Option<PathBuf>,
}

/// A problem of a lab.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The lab's id; empty if it is about no single one.
    pub lab: String,
    /// What is wrong.
    pub problem: String,
}

impl Problem {
    fn new(lab: &str, problem: impl Into<String>) -> Self {
        Self { lab: lab.to_owned(), problem: problem.into() }
    }
}

/// What is said of one lab at the end.
#[derive(Debug, Default, Serialize)]
struct Row {
    lab: String,
    title: String,
    /// Cases, properties and observations.
    cases: usize,
    red_at_the_start: usize,
    mutants: usize,
    caught: usize,
    seconds: f64,
    problems: usize,
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Found {
    ok: bool,
    problems: Vec<Problem>,
    labs: Vec<Row>,
    build_seconds: f64,
    seconds: f64,
}

pub async fn run(options: &Options) -> Result<ExitCode> {
    let began = Instant::now();
    let course = Course::open(options.course.as_deref())?;
    let asked = course.asked(&options.labs)?;
    let (mut problems, mut left_out) = looked_at(&course, &asked)?;
    let building = Instant::now();
    let (generated, programs) = built(&course, &asked, &mut left_out, &mut problems)?;
    let build_seconds = building.elapsed().as_secs_f64();
    let mut rows = trials::tried(&course, &asked, &left_out, &generated, &programs, &mut problems).await?;
    if options.agent {
        let said = agent::problems(&course, options.containerd)?;
        problems.extend(said.into_iter().map(|problem| Problem::new("", problem)));
    }
    problems.sort();
    problems.dedup();
    for row in &mut rows {
        row.problems = problems.iter().filter(|problem| problem.lab == row.lab).count();
    }
    let seconds = began.elapsed().as_secs_f64();
    let found = Found { ok: problems.is_empty(), problems, labs: rows, build_seconds, seconds };
    if options.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", table::text(&found));
    }
    Ok(if found.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is seen without running anything, and what cannot be compiled because of it.
fn looked_at(course: &Course, asked: &[&Lab]) -> Result<(Vec<Problem>, LeftOut)> {
    let Course { root, labs } = course;
    let lock = Lock::load(root)?;
    let mut problems = Vec::new();
    for lab in asked {
        let mut problem = |what: String| problems.push(Problem::new(&lab.id, what));
        folder::problems(lab).into_iter().for_each(&mut problem);
        for difference in lock.differences(lab)? {
            problem(format!("{}: {difference}; if it is meant, `cargo xtask lab lock`", lock::FILE));
        }
        if !is_formatted(root, &lab.dir.join("check.rs")) {
            problem("check.rs: rustfmt would change it".to_owned());
        }
        for need in &lab.needs {
            match labs.iter().find(|other| other.id == *need) {
                Some(other) if other.id != lab.id && other.kind == Kind::Code => {}
                _ => problem(format!("lab.toml: needs has {need}, which is no other lab with regions")),
            }
        }
    }
    if asked.len() == labs.len() {
        for folder in lock.strangers(labs) {
            let what =
                format!("{}: labs/{folder} is locked and not there; `cargo xtask lab lock`", lock::FILE);
            problems.push(Problem::new("", what));
        }
    }
    let mut left_out = LeftOut::default();
    for layout::Problem { lab, what, .. } in leave_out_what_blocks(course, &mut left_out) {
        if asked.iter().any(|asked| asked.id == lab) {
            problems.push(Problem { lab, problem: what });
        }
    }
    Ok((problems, left_out))
}

/// Whether a `check.rs` is as rustfmt leaves it. `cargo fmt` does not see it: it is in no package of the workspace.
fn is_formatted(root: &Path, check: &Path) -> bool {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--check", "--quiet", "--edition", "2024"]).arg(check);
    let settings = root.join("rustfmt.toml");
    if settings.exists() {
        rustfmt.arg("--config-path").arg(settings);
    }
    let looked = rustfmt.stdout(Stdio::null()).stderr(Stdio::null()).status();
    // Where there is no rustfmt, and no check.rs, this is not the problem.
    !check.exists() || looked.is_ok_and(|status| status.success()) || !has_rustfmt()
}

fn has_rustfmt() -> bool {
    Command::new("rustfmt")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What is wrong with the regions and mutants of all labs; what cannot be compiled because of it is left out.
pub fn leave_out_what_blocks(course: &Course, left_out: &mut LeftOut) -> Vec<layout::Problem> {
    let problems = layout::problems(&course.root, &course.labs);
    for layout::Problem { lab, blocks, .. } in &problems {
        match blocks {
            Blocks::Nothing => {}
            Blocks::Mutant(file) => {
                left_out.mutants.insert((lab.clone(), file.clone()));
            }
            Blocks::Lab => {
                left_out.labs.insert(lab.clone());
            }
        }
    }
    let without_check = course.labs.iter().filter(|lab| !lab.dir.join("check.rs").exists());
    left_out.labs.extend(without_check.map(|lab| lab.id.clone()));
    problems
}

/// Builds the checks of `asked`. What does not compile becomes a problem and is left out, so that the rest is still tried.
///
/// # Errors
///
/// When the reference does not compile, or cargo fails.
pub fn built(
    course: &Course,
    asked: &[&Lab],
    left_out: &mut LeftOut,
    problems: &mut Vec<Problem>,
) -> Result<(Generated, Programs)> {
    let target = course.target()?;
    loop {
        let generated = generated::write(&course.root, &course.labs, asked, left_out)?;
        let plural = if asked.len() == 1 { "" } else { "s" };
        eprintln!("building the checks of {} lab{plural} in {}", asked.len(), generated.dir.display());
        let refused = match compile::compile(&generated, &target, asked, left_out)? {
            Compiled::Programs(programs) => return Ok((generated, programs)),
            Compiled::Refused(refused) => refused,
        };
        let mut is_news = false;
        for compile::Refused { culprit, said } in &refused {
            let first = said.lines().next().unwrap_or_default();
            let (lab, problem, is_new) = match culprit {
                Culprit::Mutant((lab, file)) => {
                    let is_new = left_out.mutants.insert((lab.clone(), file.clone()));
                    (lab, format!("mutants/{file}: it does not compile: {first}"), is_new)
                }
                Culprit::Check(lab) => {
                    let is_new = left_out.labs.insert(lab.clone());
                    (lab, format!("check.rs: it does not compile: {first}"), is_new)
                }
                Culprit::Reference => continue,
            };
            eprintln!("{said}");
            is_news |= is_new;
            if is_new {
                problems.push(Problem::new(lab, problem));
            }
        }
        if !is_news {
            let said: Vec<&str> = refused.iter().map(|refused| refused.said.as_str()).collect();
            bail!("the crates with the variants of their regions do not compile:\n{}", said.join("\n"));
        }
    }
}
