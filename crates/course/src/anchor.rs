//! Pieces of a source that a page shows: the pairs of `ANCHOR` lines that mark them, and the includes that name them.
//!
//! mdBook knows both, and is silent when a name does not exist: the page then has an empty block. Here it is an error,
//! with the line.
//!
//! ```text
//! // ANCHOR: compare            in a source, each on a line of its own
//! // ANCHOR_END: compare
//!
//! {{#include ../../../crates/pleg/src/lifecycle.rs:compare}}       in a page; `\{{#include …}}` is left alone
//! {{#include ../../deploy/manifests/web.yaml}}                     a whole file
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

#[cfg(test)]
mod tests;

/// A marked piece of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Its name, unique in the file.
    pub name: String,
    /// The line of `ANCHOR:`, counted from 1.
    pub start: usize,
    /// The line of `ANCHOR_END:`, counted from 1.
    pub end: usize,
}

/// The lines of an anchor, as a page shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The text without the lines of any anchor, and without the indentation that all its lines share. Ends with a newline.
    pub text: String,
    /// The first line after `ANCHOR:`, counted from 1.
    pub first: usize,
    /// The last line before `ANCHOR_END:`.
    pub last: usize,
}

/// An anchor that is not a pair of lines with a good name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// `ANCHOR:` without its end.
    #[error("line {line}: anchor {name} is opened and never ended; write `ANCHOR_END: {name}` behind it")]
    NotEnded {
        /// The anchor.
        name: String,
        /// The line of `ANCHOR:`.
        line: usize,
    },
    /// `ANCHOR_END:` without a beginning.
    #[error("line {line}: anchor {name} is ended and was not open; write `ANCHOR: {name}` before it")]
    NotOpen {
        /// The anchor.
        name: String,
        /// The line of `ANCHOR_END:`.
        line: usize,
    },
    /// One name twice in a file.
    #[error(
        "line {line}: anchor {name} is there already, at line {first}; a name stands for one piece of a file"
    )]
    Twice {
        /// The anchor.
        name: String,
        /// The line of the second one.
        line: usize,
        /// The line of the first one.
        first: usize,
    },
    /// A name that is not written like the others.
    #[error("line {line}: anchor {name:?} has to be lower case letters, digits and `_`")]
    Name {
        /// The anchor.
        name: String,
        /// Its line.
        line: usize,
    },
    /// No anchor of that name.
    #[error("there is no anchor {name}; the file has {}", if .known.is_empty() { "none" } else { .known })]
    Missing {
        /// The anchor that was asked for.
        name: String,
        /// Those that are there.
        known: String,
    },
}

impl AnchorError {
    /// The line that it is about, counted from 1; 1 when it is about the whole file.
    pub fn line(&self) -> usize {
        match self {
            Self::NotEnded { line, .. }
            | Self::NotOpen { line, .. }
            | Self::Twice { line, .. }
            | Self::Name { line, .. } => *line,
            Self::Missing { .. } => 1,
        }
    }
}

/// All anchors of a source, in the order in which they begin.
///
/// # Errors
/// An anchor that is not a pair, a name that is used twice or is badly written: the first one of them.
pub fn anchors(source: &str) -> Result<Vec<Anchor>, AnchorError> {
    let mut found: Vec<Anchor> = Vec::new();
    for (line, text) in (1..).zip(source.lines()) {
        let Some((mark, name)) = mark(text) else { continue };
        let name = name.to_owned();
        match mark {
            Mark::Start => {
                let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                if name.is_empty() || !name.chars().all(good) {
                    return Err(AnchorError::Name { name, line });
                }
                if let Some(first) = found.iter().find(|a| a.name == name) {
                    return Err(AnchorError::Twice { name, line, first: first.start });
                }
                found.push(Anchor { name, start: line, end: 0 });
            }
            Mark::End => match found.iter_mut().find(|a| a.name == name && a.end == 0) {
                Some(anchor) => anchor.end = line,
                None => return Err(AnchorError::NotOpen { name, line }),
            },
        }
    }
    match found.iter().find(|a| a.end == 0) {
        Some(open) => Err(AnchorError::NotEnded { name: open.name.clone(), line: open.start }),
        None => Ok(found),
    }
}

/// The lines of the anchor `name`.
///
/// # Errors
/// As [`anchors`], and when there is no such anchor.
pub fn excerpt(source: &str, name: &str) -> Result<Excerpt, AnchorError> {
    let all = anchors(source)?;
    let Some(anchor) = all.iter().find(|a| a.name == name) else {
        let known: Vec<&str> = all.iter().map(|a| a.name.as_str()).collect();
        return Err(AnchorError::Missing { name: name.to_owned(), known: known.join(", ") });
    };
    let lines: Vec<&str> = source
        .lines()
        .skip(anchor.start)
        .take(anchor.end - anchor.start - 1)
        .filter(|l| mark(l).is_none())
        .collect();
    Ok(Excerpt { text: without_common_indent(&lines), first: anchor.start + 1, last: anchor.end - 1 })
}

/// An include directive of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// The line that it stands on, counted from 1.
    pub line: usize,
    /// Where it stands in the page, in bytes, braces included.
    pub span: Range<usize>,
    /// The file, relative to the page's directory.
    pub path: String,
    /// The anchor; without one, the whole file.
    pub anchor: Option<String>,
}

/// An include that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum IncludeError {
    /// The file cannot be read.
    #[error("line {line}: include of {path}: {source}")]
    File {
        /// The line of the include in the page.
        line: usize,
        /// The file, as the page names it.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file's anchors are not in order, or it lacks the one that is asked for.
    #[error("line {line}: include of {path}: {source}")]
    Anchor {
        /// The line of the include in the page.
        line: usize,
        /// The file, as the page names it.
        path: String,
        /// What is wrong.
        source: AnchorError,
    },
}

impl IncludeError {
    /// The line of the include in the page, counted from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::File { line, .. } | Self::Anchor { line, .. } => *line,
        }
    }
}

const INCLUDE: &str = "{{#include ";

/// All includes of a page, in its order.
pub fn includes(page: &str) -> Vec<Include> {
    let mut found = Vec::new();
    for (start, _) in page.match_indices(INCLUDE) {
        let Some(length) = page[start..].find("}}") else { continue };
        if page[..start].ends_with('\\') {
            continue;
        }
        let what = page[start + INCLUDE.len()..start + length].trim();
        let (path, anchor) = match what.split_once(':') {
            Some((path, anchor)) => (path, Some(anchor.to_owned())),
            None => (what, None),
        };
        found.push(Include {
            line: page[..start].matches('\n').count() + 1,
            span: start..start + length + 2,
            path: path.to_owned(),
            anchor,
        });
    }
    found
}

impl Include {
    /// The file that is included, for a page in `directory`.
    pub fn file(&self, directory: &Path) -> PathBuf {
        directory.join(&self.path)
    }

    /// What is included, for a page in `directory`.
    ///
    /// # Errors
    /// The file cannot be read, or has no such anchor.
    pub fn read(&self, directory: &Path) -> Result<Excerpt, IncludeError> {
        let text = fs::read_to_string(self.file(directory)).map_err(|source| IncludeError::File {
            line: self.line,
            path: self.path.clone(),
            source,
        })?;
        let Some(name) = &self.anchor else {
            let lines: Vec<&str> = text.lines().filter(|l| mark(l).is_none()).collect();
            return Ok(Excerpt { text: lines.join("\n") + "\n", first: 1, last: text.lines().count() });
        };
        excerpt(&text, name).map_err(|source| IncludeError::Anchor {
            line: self.line,
            path: self.path.clone(),
            source,
        })
    }
}

/// A page with its includes resolved; `directory` is the page's own.
///
/// # Errors
/// The first include that cannot be made.
pub fn resolve(page: &str, directory: &Path) -> Result<String, IncludeError> {
    let mut resolved = String::with_capacity(page.len());
    let mut done = 0;
    for include in includes(page) {
        let excerpt = include.read(directory)?;
        resolved.push_str(&page[done..include.span.start]);
        resolved.push_str(excerpt.text.trim_end_matches('\n'));
        done = include.span.end;
    }
    resolved.push_str(&page[done..]);
    Ok(resolved)
}

enum Mark {
    Start,
    End,
}

/// What a line of an anchor says. It is a comment of its own: a string in the code that looks like one is none.
fn mark(line: &str) -> Option<(Mark, &str)> {
    let line = line.trim();
    let comment = match line.strip_prefix("<!--") {
        Some(rest) => rest.strip_suffix("-->")?,
        None => line.strip_prefix("//").or_else(|| line.strip_prefix('#'))?,
    };
    let comment = comment.trim();
    if let Some(name) = comment.strip_prefix("ANCHOR: ") {
        return Some((Mark::Start, name.trim()));
    }
    comment.strip_prefix("ANCHOR_END: ").map(|name| (Mark::End, name.trim()))
}

fn without_common_indent(lines: &[&str]) -> String {
    let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let common = lines.iter().filter(|l| !l.trim().is_empty()).map(indent).min().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        text.push_str(line.get(common..).unwrap_or_default());
        text.push('\n');
    }
    text
}
