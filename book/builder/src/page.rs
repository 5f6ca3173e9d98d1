//! A page as it is written → the page that mdBook renders.
//!
//! ```text
//! page.md ─▶ expand: includes, captions, directives ─▶ dress: consoles, diagrams ─▶ mdBook
//! ```
//!
//! Each problem is noted with its place, and the page goes on: one look should show everything.

use std::ops::Range;
use std::path::{Path, PathBuf};

use course::anchor::{self, IncludeError};

use crate::directive::{Found, directives};
use crate::fence::{Fence, fences};
use crate::link::{self, Rewrite};
use crate::minutes;
use crate::problem::Problem;
use crate::views::Views;

mod dress;

/// Makes pages, and collects what is wrong with them.
#[derive(Debug)]
pub struct Pages<'a> {
    views: &'a Views,
    /// What was wrong so far.
    pub problems: Vec<Problem>,
}

/// A text with the place that its problems are reported for.
struct Source<'a> {
    /// The file, from the workspace's root.
    file: &'a Path,
    text: &'a str,
}

/// What an include put into a block.
struct Piece {
    /// The number of the block on the page.
    block: usize,
    /// The file that it is from, from the workspace's root.
    file: PathBuf,
    /// Its first and last line, when it is not the whole file.
    lines: Option<(usize, usize)>,
}

impl<'a> Pages<'a> {
    /// Pages whose tables come from `views`.
    pub fn new(views: &'a Views) -> Self {
        Self { views, problems: Vec::new() }
    }

    /// The page at `path` (from `book/src`), with everything in place.
    pub fn make(&mut self, path: &Path, text: &str) -> String {
        let file = Path::new("book/src").join(path);
        let expanded = self.expand(&Source { file: &file, text }, path);
        dress::dress(&expanded)
    }

    fn expand(&mut self, source: &Source<'_>, page: &Path) -> String {
        let directory = self.views.root().join(source.file.parent().unwrap_or(source.file));
        let blocks = fences(source.text);
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let mut shown: Vec<Piece> = Vec::new();
        for include in anchor::includes(source.text) {
            let excerpt = match include.read(&directory) {
                Ok(excerpt) => excerpt,
                Err(e) => {
                    let line = e.line();
                    let text = match e {
                        IncludeError::File { path, source, .. } => format!("include of {path}: {source}"),
                        IncludeError::Anchor { path, source, .. } => format!("include of {path}: {source}"),
                    };
                    self.problems.push(Problem::new(source.file, line, text));
                    continue;
                }
            };
            let block = blocks.iter().position(|b| b.body.contains(&include.span.start));
            let indent = block.map(|b| blocks[b].indent.as_str()).unwrap_or_default();
            let text = excerpt.text.trim_end().replace('\n', &format!("\n{indent}"));
            if let Some(block) = block {
                let file = link::normalise(&source.file.parent().unwrap_or(source.file).join(&include.path));
                let lines = include.anchor.is_some().then_some((excerpt.first, excerpt.last));
                shown.push(Piece { block, file, lines });
            }
            edits.push((include.span, text));
        }
        for (number, block) in blocks.iter().enumerate() {
            let here: Vec<&Piece> = shown.iter().filter(|piece| piece.block == number).collect();
            if !here.is_empty() && only_includes(&source.text[block.body.clone()]) {
                edits.extend(captioned(block, &caption(block, &here)));
            }
        }
        for found in directives(source.text) {
            match found {
                Found::Escaped(backslash) => edits.push((backslash, String::new())),
                Found::Directive(directive) if directive.name == "include" => {}
                Found::Directive(directive)
                    if blocks.iter().any(|b| b.body.contains(&directive.span.start)) => {}
                Found::Directive(directive) => {
                    let line = source.text[..directive.span.start].matches('\n').count() + 1;
                    let made = match (directive.name, directive.argument) {
                        ("minutes", "") => Ok(self.minutes(source.text, &directory)),
                        ("lab", id) => self.lab(id, page),
                        (name, argument) => self.views.render(name, argument, page),
                    };
                    match made {
                        Ok(text) => edits.push((directive.span, text)),
                        Err(why) => {
                            let said = &source.text[directive.span.clone()];
                            self.problems.push(Problem::new(source.file, line, format!("{said}: {why}")));
                        }
                    }
                }
            }
        }
        apply(source.text, edits)
    }

    /// How long the page takes: its own words and what it includes, without the tables that are made for it, for those
    /// are looked things up in.
    fn minutes(&self, text: &str, directory: &Path) -> String {
        let whole = anchor::resolve(text, directory).unwrap_or_else(|_| text.to_owned());
        minutes::said(minutes::minutes(&whole))
    }

    /// The README of a lab, with links that are right on `page`.
    fn lab(&mut self, id: &str, page: &Path) -> Result<String, String> {
        let lab = self.views.lab(id)?;
        let folder = Path::new("labs").join(&lab.name);
        let file = folder.join("README.md");
        let text = std::fs::read_to_string(self.views.root().join(&file))
            .map_err(|e| format!("{}: {e}", file.display()))?;
        let expanded = self.expand(&Source { file: &file, text: &text }, page);
        let rules = self.views.rules(lab)?;
        let here = page.parent().unwrap_or(page);
        let readme = link::rewrite(&expanded, |link| self.lead_from_lab(&link.to, &folder, here));
        Ok(readme + &rules)
    }

    /// A link of a lab's README leads to a page of the book, or becomes text: the book does not hold the sources.
    fn lead_from_lab(&self, to: &str, folder: &Path, here: &Path) -> Rewrite {
        let (path, fragment) = link::split(to);
        if link::is_external(to) || path.is_empty() {
            return Rewrite::Keep;
        }
        let target = link::normalise(&folder.join(path));
        match self.page_of(&target) {
            Some(page) => {
                let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
                Rewrite::To(link::relative(here, &page) + &fragment)
            }
            None => Rewrite::Text,
        }
    }

    /// The page of the book that shows a file of the workspace, from `book/src`.
    fn page_of(&self, file: &Path) -> Option<PathBuf> {
        if let Ok(page) = file.strip_prefix("book/src") {
            return Some(page.to_owned());
        }
        let lab = file.strip_prefix("labs").ok()?.components().next()?.as_os_str().to_str()?;
        let rest = file.strip_prefix("labs").ok()?.strip_prefix(lab).ok()?;
        let is_readme = rest.as_os_str().is_empty() || rest == Path::new("README.md");
        let lab = self.views.lab(lab).ok().filter(|_| is_readme)?;
        Some(PathBuf::from(format!("labs/{}.md", lab.id)))
    }
}

/// Whether all that a block holds comes from files: then it can say from where.
fn only_includes(body: &str) -> bool {
    body.lines().map(str::trim).all(|l| l.is_empty() || l.starts_with("{{#include ") && l.ends_with("}}"))
}

/// What stands over a block whose text comes from files, piece by piece.
fn caption(block: &Fence, pieces: &[&Piece]) -> String {
    match (block.attribute("workbook"), block.attribute("function")) {
        (Some(file), Some(function)) => {
            return format!("you write <code>{function}</code> in <code>workbook/{file}</code>");
        }
        (Some(file), None) => return format!("you write in <code>workbook/{file}</code>"),
        (None, _) => {}
    }
    let mut said = String::new();
    let mut last_file = None;
    for Piece { file, lines, .. } in pieces {
        if last_file != Some(file) {
            let between = if said.is_empty() { "" } else { "; " };
            said += &format!("{between}<code>{}</code>", file.display());
        }
        let and = if last_file == Some(file) { " and" } else { ", lines" };
        if let Some((first, last)) = lines {
            said += &format!("{and} {first} to {last}");
        }
        last_file = Some(file);
    }
    said
}

/// The edits that put a block into a box with a caption.
fn captioned(block: &Fence, caption: &str) -> [(Range<usize>, String); 2] {
    let indent = &block.indent;
    let before = format!("{indent}<div class=\"listing\"><p class=\"caption\">{caption}</p>\n\n");
    let after = format!("\n{indent}</div>\n\n");
    [(block.whole.start..block.whole.start, before), (block.whole.end..block.whole.end, after)]
}

/// The text with its edits made; none overlaps another.
fn apply(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut made = String::with_capacity(text.len());
    let mut done = 0;
    for (span, new) in edits {
        made.push_str(&text[done..span.start]);
        made.push_str(&new);
        done = span.end;
    }
    made.push_str(&text[done..]);
    made
}

#[cfg(test)]
mod tests;
