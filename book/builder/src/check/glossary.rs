//! The glossary: each term is used in the book, is explained once, stands in its place and leads to where it is taught.

use std::path::Path;

use super::Document;
use crate::link;
use crate::problem::Problem;

const GLOSSARY: &str = "book/src/glossary.md";

/// A term with its explanation, written as
///
/// ```text
/// back-off
/// : How long … See [kuberuntime](crates/kuberuntime.md).
/// ```
struct Term<'a> {
    line: usize,
    name: &'a str,
    meaning: &'a str,
}

pub fn check(documents: &[Document]) -> Vec<Problem> {
    let Some(glossary) = documents.iter().find(|d| d.file == Path::new(GLOSSARY)) else { return Vec::new() };
    let others: Vec<String> = documents
        .iter()
        .filter(|d| d.file != glossary.file && (d.page().is_some() || d.file.starts_with("labs")))
        .map(|d| letters(&d.text))
        .collect();
    let terms = terms(&glossary.text);
    let mut problems = Vec::new();
    let mut note = |line, text: String| problems.push(Problem::new(GLOSSARY, line, text));
    for (i, term) in terms.iter().enumerate() {
        let key = term.name.to_lowercase();
        if let Some(before) = terms[..i].iter().find(|t| t.name.to_lowercase() == key) {
            note(term.line, format!("{} is explained already, at line {}", term.name, before.line));
        } else if let Some(before) =
            i.checked_sub(1).map(|b| &terms[b]).filter(|b| b.name.to_lowercase() > key)
        {
            note(term.line, format!("{} belongs before {}", term.name, before.name));
        }
        if !others.iter().any(|text| text.contains(&letters(term.name))) {
            note(term.line, format!("no page uses {}; remove it, or use it", term.name));
        }
        if link::links(term.meaning).is_empty() {
            note(term.line, format!("{} leads to no page that teaches it", term.name));
        }
    }
    problems
}

/// The letters and digits only: `qos_class`, `QoS class` and `qosClass` are one word.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn terms(text: &str) -> Vec<Term<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let term = |i: usize| {
        let meaning = lines.get(i + 1)?.strip_prefix(": ")?;
        Some(Term { line: i + 1, name: lines[i].trim(), meaning })
    };
    (0..lines.len()).filter_map(term).collect()
}
