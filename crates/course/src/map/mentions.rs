//! What our comments and pages say about the Go source in passing: `` `generic.go: computeEvents` ``.
//!
//! Nobody looks such a name up before believing it, so each is held against the tables.

use std::path::{Path, PathBuf};

use super::check::ends_with_path;
use super::{Map, Problem, read};

/// One name of a Go file, with or without symbols of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mention {
    /// The line of ours on which its paragraph begins.
    line: usize,
    /// The end of a path: `pleg/generic.go`.
    file: String,
    symbols: Vec<String>,
}

impl Map {
    /// Mentions of Go files and symbols that are not in the tables.
    pub(super) fn check_mentions(&self, problems: &mut Vec<Problem>) {
        let mut sources = Vec::new();
        for krate in &self.crates {
            files_below(&self.root.join(&krate.folder).join("src"), "rs", &mut sources);
        }
        for pages in ["book/src", "labs"] {
            files_below(&self.root.join(pages), "md", &mut sources);
        }
        for source in sources {
            // Whoever cannot be read here is reported where it is read for its own sake.
            let Ok(text) = read(&source) else { continue };
            let mentions = if source.extension().is_some_and(|e| e == "md") {
                in_page(&text)
            } else {
                in_comments(&text)
            };
            let place = source.strip_prefix(&self.root).unwrap_or(&source).display();
            for mention in mentions {
                if let Some(text) = self.objection(&mention) {
                    problems.push(Problem::new(format!("{place}:{}", mention.line), text));
                }
            }
        }
    }

    fn objection(&self, mention: &Mention) -> Option<String> {
        let file = &mention.file;
        let paths: Vec<&str> = self
            .go
            .files()
            .map(|known| known.path.as_str())
            .filter(|path| ends_with_path(path, file))
            .collect();
        if paths.is_empty() {
            return Some(format!(
                "{file} is not in the tables of {}; add it to kubelet-map/more.tsv if it is right",
                self.version
            ));
        }
        let missing = mention
            .symbols
            .iter()
            .find(|symbol| !paths.iter().any(|path| self.go.symbol(path, symbol).is_some()))?;
        let elsewhere = self.go.symbols().iter().find(|known| known.is_called(missing));
        let hint = elsewhere.map_or_else(String::new, |known| format!("; it is in {}", known.path));
        Some(format!("{file} has no symbol {missing} in {}{hint}", self.version))
    }
}

/// Mentions in comments, which may go over several lines.
fn in_comments(source: &str) -> Vec<Mention> {
    let mut mentions = Vec::new();
    let mut comment = (0, String::new());
    for (number, line) in (1..).zip(source.lines()) {
        let text = ["//!", "///", "//"].into_iter().find_map(|mark| line.trim_start().strip_prefix(mark));
        match text {
            Some(text) if comment.1.is_empty() => comment = (number, text.to_owned()),
            Some(text) => {
                comment.1.push(' ');
                comment.1.push_str(text.trim_start());
            }
            None => mentions.extend(mentioned(std::mem::take(&mut comment))),
        }
    }
    mentions.extend(mentioned(comment));
    mentions
}

/// Mentions in paragraphs of a page; what stands between fences is somebody's output.
fn in_page(page: &str) -> Vec<Mention> {
    let mut mentions = Vec::new();
    let mut paragraph = (0, String::new());
    let mut fenced = false;
    for (number, line) in (1..).zip(page.lines()) {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fenced || fence || line.trim().is_empty() {
            mentions.extend(mentioned(std::mem::take(&mut paragraph)));
        } else if paragraph.1.is_empty() {
            paragraph = (number, line.to_owned());
        } else {
            paragraph.1.push(' ');
            paragraph.1.push_str(line.trim_start());
        }
    }
    mentions.extend(mentioned(paragraph));
    mentions
}

/// What stands between backticks and is a path that ends with `.go`, perhaps with symbols behind a colon. Paths with a
/// placeholder, and files of Go's tests, are not looked up.
fn mentioned((line, text): (usize, String)) -> Vec<Mention> {
    super::prose::quoted(&text)
        .into_iter()
        .filter_map(|token| {
            let (file, symbols) = token.split_once(':').unwrap_or((token, ""));
            let is_path = file.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            let counts = file.ends_with(".go") && file.len() > 3 && !file.ends_with("_test.go") && is_path;
            counts.then(|| Mention {
                line,
                file: file.to_owned(),
                symbols: symbols
                    .split(',')
                    .map(str::trim)
                    .filter(|name| {
                        !name.is_empty()
                            && name.chars().all(is_name)
                            && !name.starts_with(|c: char| c.is_ascii_digit())
                    })
                    .map(str::to_owned)
                    .collect(),
            })
        })
        .collect()
}

/// Every file with that extension, in a stable order. What is generated mentions nothing.
fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            if entry.file_name().is_none_or(|name| name != "generated") {
                files_below(&entry, extension, found);
            }
        } else if entry.extension().is_some_and(|e| e == extension) {
            found.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mentions: &[Mention]) -> Vec<String> {
        mentions.iter().map(|m| format!("{} {} {}", m.line, m.file, m.symbols.join("+"))).collect()
    }

    #[test]
    fn a_comment_mentions_files_and_symbols_over_several_lines() {
        let source = "//! Mirrors `a/b.go: f,\n//! g` and `c.go`.\nfn x() {}\n    // `d.go: T.m` but `e_test.go`, `x::y`, `.go`\n\
                      let s = \"`no.go`\";\n/// `f.go:12` has a line.\nfn y() {}\n";
        assert_eq!(shown(&in_comments(source)), ["1 a/b.go f+g", "1 c.go ", "4 d.go T.m", "6 f.go "]);
    }

    #[test]
    fn a_page_mentions_them_outside_of_its_fences() {
        let page = "# t\n\nIn `a.go`, `f` is\n(`b.go: g`).\n\n```console\n$ echo `c.go`\n```\n";
        assert_eq!(shown(&in_page(page)), ["3 a.go ", "3 b.go g"]);
    }
}
