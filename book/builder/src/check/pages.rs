//! Pages: each is listed, has a title and says how long it takes; each crate and each lab has one.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Document;
use crate::directive::{Found, directives};
use crate::link;
use crate::problem::Problem;
use crate::views::Views;

const SUMMARY: &str = "book/src/SUMMARY.md";

pub fn check(root: &Path, documents: &[Document], views: &Views) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let summary =
        documents.iter().find(|d| d.file == Path::new(SUMMARY)).context("there is no book/src/SUMMARY.md")?;
    let links = link::links(&summary.text);
    let listed: Vec<PathBuf> = links.iter().map(|l| PathBuf::from(&l.to)).collect();
    let pages = documents.iter().filter(|d| d.file != Path::new(SUMMARY));
    for (document, page) in pages.filter_map(|d| Some((d, d.page()?))) {
        if !listed.iter().any(|l| l == page) {
            let text = format!("SUMMARY.md does not list {}: nobody finds it", page.display());
            problems.push(Problem::new(&document.file, 1, text));
        }
        problems.extend(head(document));
    }
    for name in crates(root)? {
        let page = PathBuf::from(format!("crates/{name}.md"));
        if !listed.contains(&page) {
            problems.push(Problem::new(
                SUMMARY,
                1,
                format!("crate {name} has no chapter; write book/src/{}", page.display()),
            ));
        }
    }
    for lab in views.labs().unwrap_or_default() {
        let page = format!("labs/{}.md", lab.id);
        let title = format!("{} · {}", lab.id, lab.title);
        match links.iter().find(|l| l.to == page) {
            None => {
                let text =
                    format!("lab {} has no page; write {{{{#lab {}}}}} into book/src/{page}", lab.id, lab.id);
                problems.push(Problem::new(SUMMARY, 1, text));
            }
            Some(link) if summary.text[link.text.clone()] != title => {
                problems.push(Problem::new(SUMMARY, link.line, format!("the lab is called {title:?}")));
            }
            Some(_) => {}
        }
    }
    Ok(problems)
}

/// A page begins with its title and, under it, the time that it takes. The page of a lab is the lab's README, which has
/// both.
fn head(document: &Document) -> Vec<Problem> {
    let asks_for = |name: &str| {
        directives(&document.text).into_iter().any(|f| matches!(f, Found::Directive(d) if d.name == name))
    };
    let mut problems = Vec::new();
    if asks_for("lab") {
        return problems;
    }
    let mut lines = document.text.lines().filter(|l| !l.trim().is_empty());
    if !lines.next().is_some_and(|l| l.starts_with("# ")) {
        problems.push(Problem::new(&document.file, 1, "the page has no title; begin it with `# …`"));
    }
    if !lines.next().is_some_and(|l| l.contains("{{#minutes}}")) {
        let text = "the page does not say how long it takes; write {{#minutes}} on the line under the title";
        problems.push(Problem::new(&document.file, 1, text));
    }
    problems
}

/// The crates that are part of a node, by their folders: all but those that only help to build and test it.
fn crates(root: &Path) -> Result<Vec<String>> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(["--offline".to_owned()])
        .no_deps()
        .exec()
        .context("cargo metadata")?;
    let mut names = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        let helps = package.metadata["podwright"]["floor"].as_str() == Some("dev");
        if folder.parent().is_some_and(|p| p.ends_with("crates")) && !helps {
            names.extend(folder.file_name().map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}
