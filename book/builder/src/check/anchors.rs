//! Anchors: each is a pair, each is used, and what a page shows at once can be taken in at once.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use course::anchor;

use super::{Document, files_below};
use crate::link::normalise;
use crate::problem::Problem;
use crate::views::Views;

/// The lines of code that a page shows at once, at most.
const LINES: usize = 40;

/// The same for the region of a lab: it is whole functions, and cannot be cut.
const REGION_LINES: usize = 80;

/// Where anchors may stand.
const SOURCES: [(&str, &str); 2] = [("crates", "rs"), ("deploy", "yaml")];

/// The crate that reads anchors: those in its tests are examples.
const READER: &str = "crates/course";

pub fn check(root: &Path, documents: &[Document], views: &Views) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut used: BTreeSet<(PathBuf, String)> = BTreeSet::new();
    for document in documents {
        for include in anchor::includes(&document.text) {
            let file = normalise(&document.directory().join(&include.path));
            // What cannot be included was reported when the book was built; a document outside of it includes nothing.
            let Ok(excerpt) = include.read(&root.join(document.directory())) else { continue };
            let lines = excerpt.text.lines().count();
            let what = include.anchor.as_deref().unwrap_or("the whole file");
            let most = if what.starts_with("lab") { REGION_LINES } else { LINES };
            if lines > most {
                let text =
                    format!("{}: {what} is {lines} lines, more than {most}; show less of it", file.display());
                problems.push(Problem::new(&document.file, include.line, text));
            }
            used.extend(include.anchor.map(|name| (file, name)));
        }
    }
    for lab in views.labs().unwrap_or_default() {
        let Ok(Some(folder)) = lab.crate_dir(root) else { continue };
        let folder = folder.strip_prefix(root).unwrap_or(&folder);
        used.extend(lab.regions.iter().map(|r| (normalise(&folder.join(&r.file)), r.anchor.clone())));
    }
    for (folder, extension) in SOURCES {
        let files = files_below(root, Path::new(folder), extension)?;
        for file in files.into_iter().filter(|file| !file.starts_with(READER)) {
            let text = fs::read_to_string(root.join(&file)).with_context(|| file.display().to_string())?;
            match anchor::anchors(&text) {
                Err(e) => {
                    let said = e.to_string();
                    let said = said.split_once(": ").map_or(said.as_str(), |(_, rest)| rest);
                    problems.push(Problem::new(&file, e.line(), said));
                }
                Ok(anchors) => {
                    let idle =
                        anchors.into_iter().filter(|a| !used.contains(&(file.clone(), a.name.clone())));
                    problems.extend(idle.map(|a| {
                        let text = format!(
                            "no page shows anchor {} and no lab has it as a region; remove it",
                            a.name
                        );
                        Problem::new(&file, a.start, text)
                    }));
                }
            }
        }
    }
    Ok(problems)
}
