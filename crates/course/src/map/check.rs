//! What does not hold on the map.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use super::{Crate, Floor, GoFile, Map, find, go_index, prose};
use crate::lab::Lab;

/// Something that is not true, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A file of ours, with or without a line.
    pub place: String,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

const LEFT_OUT: &str = "kubelet-map/left-out.toml";

impl Map {
    /// Everything that does not hold. Nothing means that the map can be believed.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.unreadable_labs.clone();
        for krate in &self.crates {
            self.check_claims(krate, &mut problems);
            self.check_top(krate, &mut problems);
            self.check_lab_of(krate, &mut problems);
        }
        self.check_left_out(&mut problems);
        self.check_files(&mut problems);
        for lab in &self.labs {
            self.check_lab(lab, &mut problems);
        }
        self.check_mentions(&mut problems);
        problems
    }

    /// Each name in a crate's metadata is there, in Go and in the crate.
    fn check_claims(&self, krate: &Crate, problems: &mut Vec<Problem>) {
        let manifest = format!("{}/Cargo.toml", krate.folder);
        for claim in &krate.go {
            if self.go.file(claim).is_none() && !self.go.has_directory(claim) {
                problems.push(Problem::new(&manifest, self.no_such_path(claim)));
            }
        }
        let mut seen = BTreeSet::new();
        for counterpart in &krate.symbols {
            problems.extend(self.dangling(&counterpart.go).map(|text| Problem::new(&manifest, text)));
            if !seen.insert((&counterpart.go, &counterpart.rust)) {
                problems.push(Problem::new(&manifest, format!("{} stands there twice", counterpart.go)));
            }
            let items: Vec<&str> =
                krate.items_called(&counterpart.rust).map(|item| item.file.as_str()).collect();
            match items[..] {
                [_] => {}
                [] => {
                    let near =
                        find::nearest(&counterpart.rust, krate.items.iter().map(|i| i.segments.join("::")));
                    let text =
                        format!("{} has no item {}{}", krate.name, counterpart.rust, find::perhaps(&near));
                    problems.push(Problem::new(&manifest, text));
                }
                _ => problems.push(Problem::new(
                    &manifest,
                    format!(
                        "{} means several items of {} ({}); write more of its path",
                        counterpart.rust,
                        krate.name,
                        items.join(", ")
                    ),
                )),
            }
        }
    }

    /// The table at the top of a crate and its metadata name the same Go files, and what the table names is in the metadata.
    fn check_top(&self, krate: &Crate, problems: &mut Vec<Problem>) {
        let top = format!("{}/{}", krate.folder, krate.top);
        let column = krate.go_column();
        let mut named = Vec::new();
        for &(line, ref cell) in &column {
            for token in prose::quoted(cell) {
                let (file, symbols) = match token.split_once(": ") {
                    Some((file, symbols)) => (Some(file), symbols),
                    None if token.contains(['/', '.']) || !is_symbol(token) => (Some(token), ""),
                    None => (None, token),
                };
                named.extend(file);
                if let Some(file) = file
                    && file.ends_with(".go")
                    && !krate.symbols.iter().any(|counterpart| ends_with_path(counterpart.path(), file))
                {
                    problems.push(unknown_to_cargo(&top, line, file));
                }
                for symbol in symbols.split(", ").filter(|symbol| !symbol.is_empty()) {
                    named.push(symbol);
                    let known = krate.symbols.iter().any(|counterpart| {
                        let called = counterpart.symbol().unwrap_or_default();
                        let path = counterpart.path();
                        let in_file =
                            |file| ends_with_path(path, file) || ends_with_path(go_index::parent(path), file);
                        (called == symbol || called.ends_with(&format!(".{symbol}")))
                            && file.is_none_or(in_file)
                    });
                    if !known {
                        problems.push(unknown_to_cargo(&top, line, token));
                    }
                }
            }
        }
        for counterpart in &krate.symbols {
            let path = counterpart.path();
            let in_table = named.iter().any(|name| {
                ends_with_path(path, name)
                    || ends_with_path(go_index::parent(path), name)
                    || counterpart.symbol() == Some(*name)
            });
            if !in_table {
                let text = format!(
                    "Cargo.toml names {}, and the table at the top does not mention its file",
                    counterpart.go
                );
                problems.push(Problem::new(&top, text));
            }
        }
    }

    /// A crate of the agent has a lab, or says why not.
    fn check_lab_of(&self, krate: &Crate, problems: &mut Vec<Problem>) {
        let manifest = format!("{}/Cargo.toml", krate.folder);
        let has_lab = self.labs_of(krate).next().is_some();
        match (&krate.no_lab, has_lab) {
            (Some(reason), false) if reason.trim().is_empty() => {
                problems.push(Problem::new(manifest, "no_lab gives no reason"));
            }
            (Some(_), true) => {
                problems.push(Problem::new(manifest, "it says no_lab, and there is one; take the line out"));
            }
            (None, false) if krate.floor < Floor::At(4, 0) => problems.push(Problem::new(
                manifest,
                "no lab is about this crate; write one, or say why not: [package.metadata.podwright] no_lab = \"…\"",
            )),
            _ => {}
        }
    }

    fn check_left_out(&self, problems: &mut Vec<Problem>) {
        let left_out = &self.left_out;
        let mut seen = BTreeSet::new();
        for omission in &left_out.omissions {
            let path = &omission.path;
            if !seen.insert(path) {
                problems.push(Problem::new(LEFT_OUT, format!("{path} stands there twice")));
            }
            if omission.reason.trim().is_empty() {
                problems.push(Problem::new(LEFT_OUT, format!("{path} has no reason")));
            }
            if let Some(name) = &omission.comes_with
                && self.krate(name).is_none()
                && !left_out.planned.contains_key(name)
            {
                let text = format!("{path} comes with {name}, which is neither a crate nor in [planned]");
                problems.push(Problem::new(LEFT_OUT, text));
            }
            let place = omission.place();
            if self.go.file(place).is_none() && !self.go.has_directory(place) {
                problems.push(Problem::new(LEFT_OUT, self.no_such_path(place)));
            } else if self.crates.iter().any(|krate| krate.go.iter().any(|claim| claim == place)) {
                problems.push(Problem::new(
                    LEFT_OUT,
                    format!("{path} is left out, and a crate says that it mirrors it"),
                ));
            } else if omission.is_file() && !self.mirrors(place).is_empty() {
                problems.push(Problem::new(
                    LEFT_OUT,
                    format!("{path} is left out, and a crate mirrors a symbol of it"),
                ));
            } else if !self.to_account_for().any(|file| left_out.of(file) == Some(omission)) {
                problems.push(Problem::new(
                    LEFT_OUT,
                    format!("{path} says nothing that another entry or a crate does not say"),
                ));
            }
        }
        for name in left_out.planned.keys() {
            if self.krate(name).is_some() {
                problems
                    .push(Problem::new(LEFT_OUT, format!("{name} is in [planned], and it is there by now")));
            } else if !left_out.omissions.iter().any(|o| o.comes_with.as_ref() == Some(name)) {
                problems.push(Problem::new(
                    LEFT_OUT,
                    format!("{name} is in [planned], and nothing comes with it"),
                ));
            }
        }
    }

    /// Every file of the kubelet is mirrored or left out.
    fn check_files(&self, problems: &mut Vec<Problem>) {
        for file in self.to_account_for() {
            if self.mirrors(&file.path).is_empty() && self.left_out.of(file).is_none() {
                problems.push(Problem::new(
                    LEFT_OUT,
                    format!("{} is neither mirrored by a crate nor left out; say which", file.path),
                ));
            }
        }
    }

    fn to_account_for(&self) -> impl Iterator<Item = &GoFile> {
        self.go.files().filter(|file| file.in_kubelet && file.exempt.is_none())
    }

    /// What a lab says about the Go source is there: in `lab.toml`, in its cases, and in `check.rs`.
    fn check_lab(&self, lab: &Lab, problems: &mut Vec<Problem>) {
        let folder = format!("labs/{}", lab.name);
        if let Some(name) = &lab.crate_name
            && self.krate(name).is_none()
        {
            problems.push(Problem::new(format!("{folder}/lab.toml"), format!("there is no crate {name}")));
        }
        for go in &lab.go {
            problems.extend(self.dangling(go).map(|text| Problem::new(format!("{folder}/lab.toml"), text)));
        }
        for (place, text) in lab_files(lab) {
            let place = format!("{folder}/{place}");
            let references =
                if place.ends_with(".rs") { references_in_code(&text) } else { references_in_cases(&text) };
            match references {
                Ok(references) => {
                    let dangling = references.iter().filter_map(|reference| self.dangling(reference));
                    problems.extend(dangling.map(|text| Problem::new(&place, text)));
                }
                Err(text) => problems.push(Problem::new(place, text)),
            }
        }
    }

    /// What is wrong with `path#symbol`, or with a path alone.
    fn dangling(&self, reference: &str) -> Option<String> {
        let (path, symbol) = match reference.split_once('#') {
            Some((path, symbol)) => (path, Some(symbol)),
            None => (reference, None),
        };
        if self.go.file(path).is_none() {
            return Some(self.no_such_path(path));
        }
        let symbol = symbol?;
        if self.go.symbol(path, symbol).is_some() {
            return None;
        }
        let in_file = self.go.symbols().iter().filter(|known| known.path == path);
        let near = find::nearest(symbol, in_file.map(super::GoSymbol::full_name));
        Some(format!("{path} has no symbol {symbol} in {}{}", self.version, find::perhaps(&near)))
    }

    fn no_such_path(&self, path: &str) -> String {
        let near = find::nearest(path, self.go.files().map(|file| file.path.clone()));
        format!("there is no {path} in the tables of {}{}", self.version, find::perhaps(&near))
    }
}

fn unknown_to_cargo(top: &str, line: usize, named: &str) -> Problem {
    let text = format!("the table names {named}, which no `symbols` entry of the crate's Cargo.toml has");
    Problem::new(format!("{top}:{line}"), text)
}

/// Whether `path` is `end`, or ends with it at a `/`.
pub(super) fn ends_with_path(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Whether a word of the table is a Go name, perhaps several of them.
fn is_symbol(token: &str) -> bool {
    token.split(", ").all(|word| word.chars().any(char::is_uppercase))
}

/// The cases and the check of a lab: file name and text. What cannot be read is the lab engine's business to report.
fn lab_files(lab: &Lab) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["cases", "hidden"] {
        let Ok(entries) = std::fs::read_dir(lab.dir.join(folder)) else { continue };
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name.ends_with(".yaml"));
        names.sort();
        files.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
    }
    files.push("check.rs".to_owned());
    files
        .into_iter()
        .filter_map(|name| Some((name.clone(), std::fs::read_to_string(lab.dir.join(name)).ok()?)))
        .collect()
}

#[derive(Deserialize)]
struct Case {
    case: String,
    go: Option<String>,
}

fn references_in_cases(text: &str) -> Result<Vec<String>, String> {
    let cases: Vec<Case> = serde_yaml_ng::from_str(text).map_err(|e| format!("not a list of cases: {e}"))?;
    cases
        .into_iter()
        .map(|case| case.go.ok_or_else(|| format!("case {} names no `go: path#symbol`", case.case)))
        .collect()
}

/// Text in quotes that reads `….go#…`.
fn references_in_code(source: &str) -> Result<Vec<String>, String> {
    Ok(source
        .split('"')
        .filter(|text| text.contains(".go#") && !text.contains(char::is_whitespace))
        .map(str::to_owned)
        .collect())
}
