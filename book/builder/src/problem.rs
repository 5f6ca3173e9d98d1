//! Something that is wrong with the book, and where.

use std::fmt;
use std::path::PathBuf;

/// Something that is wrong, at a line of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, from the workspace's root.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Problem {
    /// A problem at a line of a file.
    pub fn new(file: impl Into<PathBuf>, line: usize, text: impl Into<String>) -> Self {
        Self { file: file.into(), line, text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.text)
    }
}
