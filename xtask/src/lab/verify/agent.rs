//! The whole way of a learner at once: a workbook with everything blank, everything solved, and the agent that comes of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::Course;
use crate::lab::workbook::Workbook;
use crate::{machine, workspace};

/// Goes the way; what is wrong on it.
///
/// # Errors
///
/// When the workbook cannot be written, or cargo cannot be run.
pub fn problems(course: &Course, on_containerd: bool) -> Result<Vec<String>> {
    if on_containerd {
        let lacking = machine::lacking_for_containerd();
        if !lacking.is_empty() {
            bail!("--containerd needs {}; `cargo xtask doctor` says more", lacking.join(", "));
        }
    }
    let book = Workbook::at(course.root.join("target/lab-verify-agent"), &course.root);
    book.write()?;
    let before = texts(course, &book)?;
    for lab in &course.labs {
        book.blank(lab)?;
    }
    eprintln!("building a workbook with the functions of all labs blank, in {}", book.dir.display());
    if !passes(&mut cargo(&book.dir, ["build", "--quiet", "--workspace"]))? {
        return Ok(vec!["a workbook in which everything is blank does not compile; see above".to_owned()]);
    }

    let mut problems = Vec::new();
    for lab in &course.labs {
        book.solve(lab)?;
        for place in book.places(lab)? {
            if book.own(&place)? != book.reference(&place)? {
                let anchor = &place.region.anchor;
                problems.push(format!("lab {}: {anchor}, solved, is not the reference's text", lab.id));
            }
        }
    }
    let after = texts(course, &book)?;
    let changed = before.iter().filter(|(file, text)| after.get(*file) != Some(*text));
    problems.extend(
        changed.map(|(file, _)| format!("{}, blanked and solved, is not what it was", file.display())),
    );

    eprintln!("building the agent of the workbook, solved");
    if !passes(&mut cargo(&book.dir, ["build", "--quiet", "-p", "podwright"]))? {
        problems.push("the agent of a workbook in which everything is solved does not build".to_owned());
        return Ok(problems);
    }
    let agent = book.target().join("debug/podwright");
    eprintln!("its end-to-end tests");
    for suite in [&["-p", "e2e"][..], &["-p", "xtask", "--test", "up_embedded"]] {
        let mut tests = cargo(&course.root, ["test", "--quiet"]);
        tests.args(suite);
        if on_containerd && suite.contains(&"e2e") {
            tests.args(["--features", "e2e/containerd"]);
        }
        // What the tests print belongs to standard error here: standard output is for the verdict.
        tests.env("PODWRIGHT_BIN", &agent).stdout(std::io::stderr());
        if !passes(&mut tests)? {
            problems.push(format!(
                "the agent of a solved workbook does not pass `cargo test {}`; see above",
                suite.join(" ")
            ));
        }
    }
    if !on_containerd {
        eprintln!("not run: its end-to-end tests on real containerd; --containerd adds them (as root)");
    }
    Ok(problems)
}

/// The files with regions, as they are in the workbook.
fn texts(course: &Course, book: &Workbook) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut texts = BTreeMap::new();
    for lab in &course.labs {
        for place in book.places(lab)? {
            let text = std::fs::read(book.dir.join(&place.path))
                .with_context(|| place.path.display().to_string())?;
            texts.insert(place.path, text);
        }
    }
    Ok(texts)
}

/// A cargo command for the workspace in a folder.
fn cargo<const N: usize>(dir: &Path, arguments: [&str; N]) -> Command {
    let mut command = workspace::cargo_in(dir, arguments);
    // It would name a manifest of the clone.
    command.env_remove("CARGO_MANIFEST_DIR");
    command
}

fn passes(command: &mut Command) -> Result<bool> {
    Ok(command.status().context("cargo")?.success())
}
