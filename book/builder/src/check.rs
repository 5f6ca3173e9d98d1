//! What is wrong with the book, page by page: what a reader would stumble over, and what would drift unseen.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::press::Built;
use crate::problem::Problem;
use crate::views::Views;

mod anchors;
mod glossary;
mod leftovers;
mod links;
mod pages;

/// Documents outside of the book whose links are held too.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "book/README.md",
    "recordings/README.md",
    "kubelet-map/README.md",
];

/// A Markdown file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file, from the workspace's root.
    pub file: PathBuf,
    /// Its text.
    pub text: String,
}

impl Document {
    /// Its path within `book/src`, when it is a page of the book.
    pub fn page(&self) -> Option<&Path> {
        self.file.strip_prefix("book/src").ok()
    }

    fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(&self.file)
    }
}

/// Everything that is wrong with the book that was built from the workspace at `root`.
///
/// # Errors
/// The workspace cannot be read.
pub fn check(root: &Path, built: &Built) -> Result<Vec<Problem>> {
    let documents = documents(root)?;
    let views = Views::read(root);
    let mut problems = built.problems.clone();
    problems.extend(anchors::check(root, &documents, &views)?);
    let of_links = links::check(root, &documents, &built.directory);
    // What is wrong in a source is wrong in what is made from it: say it once, with the line.
    let rendered = if of_links.is_empty() && built.problems.is_empty() {
        links::rendered(root, &built.directory)?
    } else {
        Vec::new()
    };
    problems.extend(of_links);
    problems.extend(rendered);
    problems.extend(leftovers::check(root, &built.directory)?);
    problems.extend(pages::check(root, &documents, &views)?);
    problems.extend(glossary::check(&documents));
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// All pages of the book, the labs' READMEs and the documents at the top.
fn documents(root: &Path) -> Result<Vec<Document>> {
    let mut files: Vec<PathBuf> = files_below(root, Path::new("book/src"), "md")?;
    files.extend(files_below(root, Path::new("labs"), "md")?);
    files.extend(DOCUMENTS.iter().map(PathBuf::from));
    let read = |file: PathBuf| -> Result<Document> {
        let text = fs::read_to_string(root.join(&file)).with_context(|| file.display().to_string())?;
        Ok(Document { file, text })
    };
    files.into_iter().map(read).collect()
}

/// The files below a folder whose names end in `.extension`, from `root`, in order.
///
/// # Errors
/// A folder cannot be read.
pub fn files_below(root: &Path, folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder)).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry.with_context(|| folder.display().to_string())?;
            let path = folder.join(entry.file_name());
            if entry.file_type().with_context(|| path.display().to_string())?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests;
