//! A question to the map, answered both ways.

use super::check::ends_with_path;
use super::{Counterpart, Crate, GoFile, GoSymbol, Map, Omission, RustItem};

/// A Go symbol (or a whole file) and what mirrors it.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    /// The Go file.
    pub path: &'a str,
    /// The Go symbol; nothing when the file as a whole is meant.
    pub symbol: Option<&'a GoSymbol>,
    /// The crate.
    pub krate: &'a Crate,
    /// Its claim.
    pub counterpart: &'a Counterpart,
    /// The item that it names.
    pub item: Option<&'a RustItem>,
}

/// What the map knows about a question.
#[derive(Debug, Clone)]
pub enum Answer<'a> {
    /// The name of a crate of ours.
    Crate {
        /// The crate.
        krate: &'a Crate,
        /// What it mirrors.
        pairs: Vec<Pair<'a>>,
    },
    /// A Go file.
    File {
        /// The file.
        file: &'a GoFile,
        /// What of it has a counterpart.
        pairs: Vec<Pair<'a>>,
        /// Crates that claim the file or its directory.
        claimed_by: Vec<&'a Crate>,
        /// Why it has none.
        omission: Option<&'a Omission>,
    },
    /// A Go symbol.
    Symbol {
        /// The symbol.
        symbol: &'a GoSymbol,
        /// What mirrors it.
        pairs: Vec<Pair<'a>>,
        /// What else of its file has a counterpart, when the symbol itself has none.
        file_pairs: Vec<Pair<'a>>,
        /// Why its file is left out.
        omission: Option<&'a Omission>,
    },
    /// A Go directory.
    Directory {
        /// Its path.
        path: String,
        /// The files directly in it.
        files: Vec<&'a GoFile>,
        /// What of them has a counterpart.
        pairs: Vec<Pair<'a>>,
    },
    /// An item of ours.
    Item {
        /// Its crate.
        krate: &'a Crate,
        /// The item.
        item: &'a RustItem,
        /// What it mirrors.
        pairs: Vec<Pair<'a>>,
    },
}

impl Map {
    /// All pairs, crate by crate.
    pub fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        self.crates.iter().flat_map(move |krate| {
            krate.symbols.iter().map(move |counterpart| Pair {
                path: counterpart.path(),
                symbol: counterpart.symbol().and_then(|name| self.go.symbol(counterpart.path(), name)),
                krate,
                counterpart,
                item: self.item_of(krate, counterpart),
            })
        })
    }

    /// What is meant by `asked`: a crate, a Go path or the end of one, a Go symbol, or an item of ours. Several answers when
    /// several things are called so; none when nothing is.
    pub fn find(&self, asked: &str) -> Vec<Answer<'_>> {
        let asked = asked.trim().trim_end_matches('/');
        if let Some(krate) = self.krate(asked) {
            let pairs = self.pairs().filter(|pair| pair.krate.name == krate.name).collect();
            return vec![Answer::Crate { krate, pairs }];
        }
        let (path, symbol) = match asked.split_once('#') {
            Some((path, symbol)) => (Some(path), Some(symbol)),
            None if asked.contains('/') || asked.ends_with(".go") => (Some(asked), None),
            None => (None, Some(asked)),
        };
        match (path, symbol) {
            (Some(path), None) => self.find_path(path),
            (path, Some(symbol)) => self.find_symbol(path, symbol),
            (None, None) => Vec::new(),
        }
    }

    fn find_path(&self, path: &str) -> Vec<Answer<'_>> {
        let files: Vec<Answer<'_>> = self
            .go
            .files()
            .filter(|file| ends_with_path(&file.path, path))
            .map(|file| self.file_answer(file))
            .collect();
        if !files.is_empty() {
            return files;
        }
        let mut directories: Vec<&str> = self
            .go
            .files()
            .map(GoFile::directory)
            .filter(|directory| ends_with_path(directory, path))
            .collect();
        directories.dedup();
        directories
            .into_iter()
            .map(|directory| Answer::Directory {
                path: directory.to_owned(),
                files: self.go.files().filter(|file| file.directory() == directory).collect(),
                pairs: self.pairs().filter(|pair| super::go_index::parent(pair.path) == directory).collect(),
            })
            .collect()
    }

    fn file_answer<'a>(&'a self, file: &'a GoFile) -> Answer<'a> {
        let claims = |krate: &&Crate| krate.go.iter().any(|c| *c == file.path || c == file.directory());
        Answer::File {
            file,
            pairs: self.pairs().filter(|pair| pair.path == file.path).collect(),
            claimed_by: self.crates.iter().filter(claims).collect(),
            omission: self.omission(file),
        }
    }

    fn omission(&self, file: &GoFile) -> Option<&Omission> {
        if self.mirrors(&file.path).is_empty() { self.left_out.of(file) } else { None }
    }

    fn find_symbol(&self, path: Option<&str>, name: &str) -> Vec<Answer<'_>> {
        let wanted = |symbol: &&GoSymbol| path.is_none_or(|path| ends_with_path(&symbol.path, path));
        let mut symbols: Vec<&GoSymbol> =
            self.go.symbols().iter().filter(|symbol| symbol.is_called(name)).filter(wanted).collect();
        if symbols.is_empty() {
            symbols = self
                .go
                .symbols()
                .iter()
                .filter(|s| s.name.eq_ignore_ascii_case(name))
                .filter(wanted)
                .collect();
        }
        // An interface and its one implementation are two symbols; the one with a body is the one to read.
        if symbols.iter().any(|symbol| symbol.kind != "imethod") {
            symbols.retain(|symbol| symbol.kind != "imethod");
        }
        // Names such as `Get` are everywhere; those that have a counterpart come first.
        symbols.sort_by_key(|symbol| !self.pairs().any(|pair| pair.symbol == Some(*symbol)));
        let mut answers: Vec<Answer<'_>> = symbols
            .into_iter()
            .map(|symbol| {
                let pairs: Vec<Pair<'_>> = self.pairs().filter(|pair| pair.symbol == Some(symbol)).collect();
                let file_pairs = if pairs.is_empty() {
                    self.pairs().filter(|pair| pair.path == symbol.path).collect()
                } else {
                    Vec::new()
                };
                let omission = self.go.file(&symbol.path).and_then(|file| self.omission(file));
                Answer::Symbol { symbol, pairs, file_pairs, omission }
            })
            .collect();
        if path.is_none() {
            answers.extend(self.items_called(name));
        }
        answers
    }

    fn items_called<'a>(&'a self, name: &str) -> Vec<Answer<'a>> {
        let mut answers = Vec::new();
        for krate in &self.crates {
            for item in krate.items.iter().filter(|item| item.is_called(name)) {
                let means = |pair: &Pair<'_>| pair.krate.name == krate.name && pair.item == Some(item);
                answers.push(Answer::Item { krate, item, pairs: self.pairs().filter(means).collect() });
            }
        }
        // A common name (`new`) is only worth listing where it mirrors something.
        if answers.len() > 3 {
            answers.retain(|answer| matches!(answer, Answer::Item { pairs, .. } if !pairs.is_empty()));
        }
        answers
    }

    /// What may have been meant when nothing is called `asked`.
    pub fn suggestions(&self, asked: &str) -> Vec<String> {
        let crates = self.crates.iter().map(|krate| krate.name.clone());
        if asked.contains('/') || asked.ends_with(".go") {
            let ends = self.go.files().flat_map(|file| {
                let count = asked.matches('/').count() + 1;
                let parts: Vec<&str> = file.path.split('/').collect();
                let end = parts[parts.len().saturating_sub(count)..].join("/");
                let directory = file.directory();
                let directory_parts: Vec<&str> = directory.split('/').collect();
                let directory = directory_parts[directory_parts.len().saturating_sub(count)..].join("/");
                [end, directory]
            });
            return nearest(asked, ends);
        }
        let items =
            self.crates.iter().flat_map(|krate| krate.items.iter().map(|item| item.name().to_owned()));
        nearest(asked, crates.chain(self.go.symbols().iter().map(|symbol| symbol.name.clone())).chain(items))
    }
}

/// The up to three names that are nearest to `word`, if they are near at all.
pub(super) fn nearest(word: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let bound = (word.chars().count() / 3).max(1);
    let mut near: Vec<(usize, String)> = names
        .filter(|name| name.len().abs_diff(word.len()) <= bound)
        .map(|name| (distance(word, &name), name))
        .filter(|(distance, _)| *distance <= bound)
        .collect();
    near.sort();
    near.dedup();
    near.truncate(3);
    near.into_iter().map(|(_, name)| name).collect()
}

/// `; perhaps a or b`, or nothing.
pub(super) fn perhaps(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; perhaps {}", near.join(" or ")) }
}

/// How many letters have to be changed, put in or left out to make one word of the other; case does not count.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
