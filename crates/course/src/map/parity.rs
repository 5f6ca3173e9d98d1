//! How much of each Go directory has a counterpart, and what recordings of a real kubelet prove.

use std::collections::{BTreeMap, BTreeSet};

use super::{Crate, GoFile, Map, MapError, Omission, go_index, read};

/// What became of one directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Each of its files has a counterpart.
    Mirrored,
    /// Some of its files have one.
    Partly,
    /// None has, and a crate for it is planned.
    ToCome,
    /// None has, and none will.
    LeftOut,
}

impl Status {
    /// As the table says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mirrored => "mirrored",
            Self::Partly => "partly",
            Self::ToCome => "to come",
            Self::LeftOut => "left out",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct DirectoryParity<'a> {
    /// The Go directory.
    pub directory: &'a str,
    /// Its files that count: with code, not generated, no helpers of tests, and for Linux.
    pub files: usize,
    /// Those of them that have a counterpart.
    pub mirrored_files: usize,
    /// Lines with code in the files that count.
    pub code_lines: usize,
    /// Lines with code in those that have a counterpart.
    pub mirrored_lines: usize,
    /// The crates that mirror something of it.
    pub crates: Vec<&'a Crate>,
    /// How many symbols of it are named by a crate.
    pub symbols: usize,
    /// How many functions and methods the files that count have.
    pub functions: usize,
    /// Why the other files are left out.
    pub omissions: Vec<&'a Omission>,
    /// The verdict.
    pub status: Status,
}

/// The sums below the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files that count.
    pub files: usize,
    /// Of them with a counterpart.
    pub mirrored_files: usize,
    /// Lines with code.
    pub code_lines: usize,
    /// Of them in files with a counterpart.
    pub mirrored_lines: usize,
    /// Symbols named by a crate.
    pub symbols: usize,
    /// Functions and methods.
    pub functions: usize,
    /// Directories by status: mirrored, partly, to come, left out.
    pub directories: [usize; 4],
}

/// What is done with a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// `01-minimal`.
    pub recording: String,
    /// What it waits for; nothing when it is played.
    pub waits_for: Option<String>,
    /// Calls in it.
    pub calls: usize,
    /// Known differences.
    pub differences: usize,
}

impl Map {
    /// The crates that name this file, or a symbol of it.
    pub fn mirrors<'a>(&'a self, file: &str) -> Vec<&'a Crate> {
        self.crates
            .iter()
            .filter(|krate| {
                krate.go.iter().any(|claim| claim == file) || krate.symbols.iter().any(|s| s.path() == file)
            })
            .collect()
    }

    /// Every directory of the kubelet that has files that count, by path.
    pub fn parity(&self) -> Vec<DirectoryParity<'_>> {
        let mut directories: BTreeMap<&str, Vec<&GoFile>> = BTreeMap::new();
        for file in self.go.files().filter(|file| file.in_kubelet && file.exempt.is_none()) {
            directories.entry(file.directory()).or_default().push(file);
        }
        directories.into_iter().map(|(directory, files)| self.directory(directory, &files)).collect()
    }

    fn directory<'a>(&'a self, directory: &'a str, files: &[&'a GoFile]) -> DirectoryParity<'a> {
        let mirrored: Vec<&GoFile> =
            files.iter().copied().filter(|file| !self.mirrors(&file.path).is_empty()).collect();
        let mut omissions: Vec<&Omission> = Vec::new();
        for file in files.iter().filter(|file| self.mirrors(&file.path).is_empty()) {
            if let Some(omission) = self.left_out.of(file)
                && !omissions.contains(&omission)
            {
                omissions.push(omission);
            }
        }
        let here = |path: &str| path.ends_with(".go") && go_index::parent(path) == directory;
        let crates = self.crates.iter().filter(|krate| {
            krate.go.iter().any(|claim| claim == directory || here(claim))
                || krate.symbols.iter().any(|symbol| here(symbol.path()))
        });
        let symbols: BTreeSet<&str> = self
            .crates
            .iter()
            .flat_map(|krate| &krate.symbols)
            .filter(|counterpart| counterpart.symbol().is_some() && here(counterpart.path()))
            .map(|counterpart| counterpart.go.as_str())
            .collect();
        let status = match mirrored.len() {
            0 if omissions.iter().any(|omission| omission.comes_with.is_some()) => Status::ToCome,
            0 => Status::LeftOut,
            some if some == files.len() => Status::Mirrored,
            _ => Status::Partly,
        };
        DirectoryParity {
            directory,
            files: files.len(),
            mirrored_files: mirrored.len(),
            code_lines: files.iter().map(|file| file.code_lines).sum(),
            mirrored_lines: mirrored.iter().map(|file| file.code_lines).sum(),
            crates: crates.collect(),
            symbols: symbols.len(),
            functions: files.iter().map(|file| self.go.functions(&file.path)).sum(),
            omissions,
            status,
        }
    }

    /// What the recordings prove: `recordings/played.txt`, which the tests that play them read, too.
    ///
    /// # Errors
    /// The list, the differences or a recording that cannot be read.
    pub fn played(&self) -> Result<Vec<Played>, MapError> {
        let folder = self.root.join("recordings");
        let list = read(&folder.join("played.txt"))?;
        let differences = read(&folder.join("differences.txt"))?;
        let entries = list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut played = Vec::new();
        for entry in entries {
            let (recording, how) = entry.split_once(char::is_whitespace).unwrap_or((entry, "played"));
            let calls = read(&folder.join(format!("{recording}.cri.jsonl")))?;
            let prefix = format!("{recording}: ");
            played.push(Played {
                recording: recording.to_owned(),
                waits_for: how.trim().strip_prefix("waits for ").map(str::to_owned),
                calls: calls.lines().filter(|line| line.contains("\"call\"")).count(),
                differences: differences.lines().filter(|line| line.starts_with(&prefix)).count(),
            });
        }
        Ok(played)
    }
}

impl Totals {
    /// Adds the rows up.
    pub fn of(rows: &[DirectoryParity<'_>]) -> Self {
        let mut totals = Self::default();
        for row in rows {
            totals.files += row.files;
            totals.mirrored_files += row.mirrored_files;
            totals.code_lines += row.code_lines;
            totals.mirrored_lines += row.mirrored_lines;
            totals.symbols += row.symbols;
            totals.functions += row.functions;
            totals.directories[row.status as usize] += 1;
        }
        totals
    }
}
