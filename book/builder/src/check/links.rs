//! Links: each leads to something that is there. Those that leave the machine are not followed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Document, files_below};
use crate::link::{self, Link};
use crate::problem::Problem;

/// Links of documents and pages, with their lines. `book` is the built book: its ids are those that pages really have.
pub fn check(root: &Path, documents: &[Document], book: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    for document in documents {
        for link in link::links(&document.text) {
            if let Some(why) = wrong(root, document, &link, documents, book) {
                problems.push(Problem::new(&document.file, link.line, format!("link to {}: {why}", link.to)));
            }
        }
    }
    problems
}

fn wrong(
    root: &Path,
    document: &Document,
    link: &Link,
    documents: &[Document],
    book: &Path,
) -> Option<String> {
    if link::is_external(&link.to) {
        return external(&link.to);
    }
    let (path, fragment) = link::split(&link.to);
    if path.starts_with('/') {
        return Some("a path from the root is right on no reader's machine; make it relative".to_owned());
    }
    let file = match path {
        "" => document.file.clone(),
        path => link::normalise(&document.directory().join(path)),
    };
    if document.page().is_some() && !file.starts_with("book/src") {
        return Some(
            "it leads out of the book, where a reader of the built book cannot go; name the path in the text"
                .to_owned(),
        );
    }
    if !root.join(&file).exists() {
        return Some(format!("there is no {}", file.display()));
    }
    let is_lab = document.file.starts_with("labs");
    if is_lab && !link.inline {
        return Some("write it as [text](path), so that the book can lead it elsewhere".to_owned());
    }
    let fragment = fragment?;
    let known = match file.strip_prefix("book/src") {
        Ok(page) => {
            fs::read_to_string(book.join(page).with_extension("html")).map(|html| link::html_ids(&html)).ok()
        }
        Err(_) => documents.iter().find(|d| d.file == file).map(|d| link::ids(&d.text)),
    };
    match known {
        Some(ids) if ids.iter().any(|id| id == fragment) => None,
        Some(_) => Some(format!("{} has no heading #{fragment}", file.display())),
        None => Some(format!("{} is no page, so it has no #{fragment}", file.display())),
    }
}

/// What is wrong with an address, seen without a network.
fn external(to: &str) -> Option<String> {
    let rest = to
        .strip_prefix("https://")
        .or_else(|| to.strip_prefix("http://"))
        .or_else(|| to.strip_prefix("mailto:"));
    match rest {
        None => Some("its scheme is neither https nor http".to_owned()),
        Some(host) if host.is_empty() || host.contains(char::is_whitespace) => {
            Some("it is no address".to_owned())
        }
        Some(_) => None,
    }
}

/// Links of the pages as they were built: those that a table or list of ours made, too.
pub fn rendered(root: &Path, book: &Path) -> Result<Vec<Problem>> {
    let files = files_below(book, Path::new(""), "html")?;
    let mut pages: BTreeMap<PathBuf, (String, Vec<String>)> = BTreeMap::new();
    for file in files {
        let html = fs::read_to_string(book.join(&file)).with_context(|| file.display().to_string())?;
        let ids = link::html_ids(&html);
        pages.insert(file, (html, ids));
    }
    let shown = book.strip_prefix(root).unwrap_or(book);
    let mut problems = Vec::new();
    // 404.html is served for any address, and toc.html only stands in where there is no script.
    for (file, (html, _)) in
        pages.iter().filter(|(f, _)| !["404.html", "toc.html"].iter().any(|n| f.as_path() == Path::new(n)))
    {
        for (line, text) in (1..).zip(html.lines()) {
            for to in attributes(text) {
                let to = to.replace("&amp;", "&");
                if link::is_external(&to) || to.starts_with("data:") {
                    continue;
                }
                let (path, fragment) = link::split(&to);
                let target = match path {
                    "" => file.clone(),
                    path => link::normalise(&file.parent().unwrap_or(file).join(path)),
                };
                let why = match (pages.get(&target), fragment) {
                    (None, _) if book.join(&target).is_file() => continue,
                    (None, _) => format!("there is no {}", target.display()),
                    (Some(_), None | Some("")) => continue,
                    (Some((_, ids)), Some(fragment)) if ids.iter().any(|id| id == fragment) => continue,
                    (Some(_), Some(fragment)) => format!("{} has no #{fragment}", target.display()),
                };
                problems.push(Problem::new(shown.join(file), line, format!("link to {to}: {why}")));
            }
        }
    }
    Ok(problems)
}

/// The values of `href` and `src` on a line of HTML.
fn attributes(line: &str) -> Vec<&str> {
    let after = |name: &'static str| line.split(name).skip(1).filter_map(|rest| rest.split('"').next());
    after(" href=\"").chain(after(" src=\"")).collect()
}
