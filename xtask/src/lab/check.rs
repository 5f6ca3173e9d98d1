//! `cargo xtask lab check`: the learner's functions asked the lab's questions.
//!
//! ```text
//!   clone: check.rs, cases, snapshots ─┐                              ┌─▶ report for people, or JSON
//!   clone: versions, Cargo.lock ───────┼─▶ package ─▶ build ─▶ process ┤
//!   workbook: the crates ──────────────┘   (below target/)            └─▶ progress.txt
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use course::lab::{Kind, Lab};
use course::lock::Lock;

use super::desk::Desk;
use super::paint::{Paint, put, say};
use super::progress;

mod build;
mod package;
pub(super) mod process;
mod report;
mod summary;

use build::Built;
use summary::Summary;

/// Red: something is not as it must be.
const RED: u8 = 1;

/// How many files that are not as locked are named.
const MOST_DIFFERENCES: usize = 5;

/// Cannot run: nothing is said about the learner's code.
const CANNOT_RUN: u8 = 2;

/// Ask your functions the lab's cases, and say which rules they keep.
///
/// The cases shown in the README come first, then more of them, then properties: statements that must hold for hundreds of
/// values made from a seed. For the first ones that are red it says which rule of the kubelet was broken, where to read about
/// it in the Go source, and how your answer differs.
///
/// What is asked, and what must be answered, always comes from the clone; nothing in the workbook changes it.
///
/// Exit code: 0 green, 1 red (or it does not compile), 2 the check cannot run.
#[derive(Debug, Args)]
#[command(after_help = "\
--json prints one object:
  {\"lab\": \"04\", \"title\": …, \"green\": true | false, \"red\": 2, \"of\": 17,
   \"seed\": 1, \"reason\": … (unless finished),
   \"ended\": \"finished\" | \"does-not-compile\" | \"died\" | \"hung\" | \"overwritten\",
   \"cases\": [{\"name\": …, \"rule\": …, \"go\": …,
      \"kind\": \"case\" | \"hidden\" | \"property\" | \"observation\",
      \"outcome\": \"green\" | \"wrong\" | \"disproved\" | \"panicked\" | \"no-answer\" |
         \"unusable\" | \"missing\",
      and for a red one: \"input\", \"expected\", \"got\" | \"value\", \"why\" |
         \"message\", \"at\"}]}")]
pub struct Options {
    /// The lab, such as 04; the current one when none is given.
    lab: Option<String>,
    /// Print one JSON object instead, for graders.
    #[arg(long)]
    json: bool,
    /// Make the values of the properties from this number.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub async fn run(workbook: Option<&Path>, options: &Options) -> ExitCode {
    let checked = match Desk::open(workbook) {
        Ok(mut desk) => check(&mut desk, options).await,
        Err(e) => Err(e),
    };
    match checked {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(RED),
        Err(e) => {
            eprintln!("lab check: {e:#}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// Whether all was green.
async fn check(desk: &mut Desk, options: &Options) -> Result<bool> {
    let lab = desk.lab(options.lab.as_deref())?;
    desk.need_workbook()?;
    desk.note_if_behind();
    if lab.kind == Kind::Code && desk.progress.of(&lab.id).started.is_none() {
        if !is_written_in(desk, &lab)? {
            bail!(
                "lab {} is not started: all of it is still the reference. `cargo xtask lab start {}` takes it out",
                lab.id,
                lab.id
            );
        }
        // What is known of it was lost, the learner's text was not.
        let today = desk.today();
        desk.progress.entry(&lab.id).started = Some(today);
        eprintln!("lab check: {} had nothing about lab {}; noted as started today", progress::FILE, lab.id);
    }
    as_locked(desk, &lab)?;
    let package = package::write(&desk.clone, &desk.workbook.dir, &lab)?;
    let paint = Paint::of_stdout();
    let built = build::build(&package, &desk.clone.join("target"), paint.is_on() && !options.json).await?;
    let summary = match built {
        Built::Refused(refusals) => Summary::does_not_compile(&lab, refusals),
        Built::Program(program) => {
            // A build runs code too: build scripts.
            as_locked(desk, &lab)?;
            let ran = process::run(&program, &lab.dir, options.seed).await?;
            if ran.events.is_empty() && ran.ended == process::Ended::Exited(i32::from(CANNOT_RUN)) {
                bail!("the check of lab {} cannot run: {}", lab.id, ran.printed.trim_end());
            }
            Summary::of(&lab, ran)
        }
    };
    if let Some(unusable) = summary.unusable() {
        bail!("labs/{}: {unusable}", lab.name);
    }

    let today = desk.today();
    if summary.ended.is_about_cases() {
        desk.progress.entry(&lab.id).checked(summary.count(&lab), today);
    }
    // Whoever asks for another lab goes on with that one.
    desk.progress.current = Some(lab.id.clone());
    desk.save()?;
    if options.json {
        say!("{}", serde_json::to_string_pretty(&summary.json(&lab)).context("the report as JSON")?);
    } else {
        let places = desk.workbook.places(&lab)?;
        let short = |path: PathBuf| path.strip_prefix(&desk.clone).map(Path::to_owned).unwrap_or(path);
        let files: Vec<PathBuf> =
            places.iter().map(|place| short(desk.workbook.dir.join(&place.path))).collect();
        put(&report::render(&lab, &summary, &files, &desk.workbook.dir, paint));
    }
    Ok(summary.is_green())
}

/// Refuses questions and answers that are not those of the clone's lock.
fn as_locked(desk: &Desk, lab: &Lab) -> Result<()> {
    let differences = Lock::load(&desk.clone)?.differences(lab)?;
    if differences.is_empty() {
        return Ok(());
    }
    let mut lines: Vec<String> =
        differences.iter().take(MOST_DIFFERENCES).map(|difference| format!("  {difference}")).collect();
    if let Some(more) = differences.len().checked_sub(MOST_DIFFERENCES).filter(|more| *more > 0) {
        let all = format!("`git checkout -- labs/{}` restores all that is edited or missing", lab.name);
        lines.push(format!("  and {more} more; {all}"));
    }
    bail!(
        "what lab {} asks is not what labs/snapshots.lock says, so its verdict would mean nothing:\n{}\n\
         (if you are writing this lab: cargo xtask lab lock)",
        lab.id,
        lines.join("\n")
    )
}

/// Whether the learner has written in a lab's regions, whatever their progress says.
fn is_written_in(desk: &Desk, lab: &Lab) -> Result<bool> {
    for place in desk.workbook.places(lab)? {
        if !desk.workbook.is_untouched(&place)? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::progress::Progress;
    use crate::lab::workbook::Workbook;

    #[test]
    fn a_snapshot_that_was_edited_or_deleted_stops_the_check_and_says_how_to_restore_it() {
        let root = tempfile::tempdir().expect("a directory");
        let dir = root.path().join("labs/00-tour");
        std::fs::create_dir_all(dir.join("snapshots")).expect("made");
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("written");
        write("lab.toml", "id = \"00\"\ntitle = \"Look\"\nkind = \"tour\"\nminutes = 30\n");
        write("check.rs", "fn main() {}");
        write("snapshots/a.snap", "---\n---\nright\n");
        write("snapshots/b.snap", "---\n---\nright\n");
        let lab = course::lab::one(root.path(), "00").expect("a lab");
        let desk = Desk {
            clone: root.path().to_owned(),
            workbook: Workbook::at(root.path().join("workbook"), root.path()),
            progress: Progress::default(),
        };
        let lock = Lock::of(std::slice::from_ref(&lab)).expect("a lock");
        std::fs::write(root.path().join(course::lock::FILE), lock.text()).expect("written");
        as_locked(&desk, &lab).expect("as locked");

        write("snapshots/a.snap", "---\n---\nwrong\n");
        std::fs::remove_file(dir.join("snapshots/b.snap")).expect("removed");
        let said = format!("{:#}", as_locked(&desk, &lab).expect_err("edited"));
        for name in ["a.snap", "b.snap"] {
            assert!(said.contains(&format!("git checkout -- labs/00-tour/snapshots/{name}")), "{said}");
        }
        // Nor does it help to take the lock away.
        std::fs::remove_file(root.path().join(course::lock::FILE)).expect("removed");
        as_locked(&desk, &lab).expect_err("nothing is locked");
    }
}
