//! Markdown that nobody understood: it stands in the built page as it was typed.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use regex::{Captures, Regex};

use super::files_below;
use crate::problem::Problem;

/// What a reader must never see outside of code: directives, links, tables, emphasis, fences.
const TYPED: &str = r"\{\{#|\]\(|^\||\*\*|```";

/// Looks through the text of the built pages. `root` is the workspace's.
pub fn check(root: &Path, book: &Path) -> Result<Vec<Problem>> {
    let code = Regex::new(r"(?s)<pre\b.*?</pre>|<code\b.*?</code>")?;
    let tag = Regex::new(r"(?s)<[^>]*>")?;
    let typed = Regex::new(TYPED)?;
    // What is taken out leaves its line breaks, so that lines keep their numbers.
    let breaks = |found: &Captures<'_>| "\n".repeat(found[0].matches('\n').count());
    let mut problems = Vec::new();
    for file in files_below(book, Path::new(""), "html")? {
        let html = fs::read_to_string(book.join(&file)).with_context(|| file.display().to_string())?;
        let Some(start) = html.find("<main>") else { continue };
        let end = html.find("</main>").unwrap_or(html.len());
        let first = html[..start].matches('\n').count() + 1;
        let text = code.replace_all(&html[start..end], breaks);
        let text = tag.replace_all(&text, breaks);
        for (line, text) in (first..).zip(text.lines()).filter(|(_, text)| typed.is_match(text)) {
            let shown: String = text.trim().chars().take(60).collect();
            let file = book.strip_prefix(root).unwrap_or(book).join(&file);
            problems.push(Problem::new(file, line, format!("the page shows what was typed: {shown}")));
        }
    }
    Ok(problems)
}
