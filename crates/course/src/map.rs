//! The map between the Go source and this one: which Go file and symbol is mirrored by which item of which crate, what is
//! left out and why.
//!
//! ```text
//!   kubelet-map/{index,symbols,more}.tsv ─ GoIndex ──┐
//!   kubelet-map/left-out.toml ─ LeftOut ─────────────┤          ┌─ check   what does not hold
//!   crates/*/Cargo.toml: [package.metadata.kubelet] ─┼─▶ Map ───┼─ find    a file, a symbol or a crate, both ways
//!   crates/*/src, the top of lib.rs ─ RustItem ──────┤          ├─ parity  how much of each directory
//!   labs/*/lab.toml, book/src/crates/*.md ───────────┘          └─ render  tables for the book
//! ```
//!
//! The tables are facts about Kubernetes; the metadata is what our crates claim; [`Map::check`] holds the two together.

use std::path::{Path, PathBuf};

use crate::lab::Lab;

pub mod render;

mod check;
mod crates;
mod find;
mod go_index;
mod left_out;
mod mentions;
mod parity;
mod prose;
mod rust_items;

#[cfg(test)]
mod tests;

pub use check::Problem;
pub use crates::{Counterpart, Crate, Floor};
pub use find::{Answer, Pair};
pub use go_index::{Exemption, GoFile, GoIndex, GoSymbol};
pub use left_out::{LeftOut, Omission};
pub use parity::{DirectoryParity, Played, Status, Totals};
pub use rust_items::RustItem;

/// Everything that the map is drawn from.
#[derive(Debug, Clone)]
pub struct Map {
    /// The root of the workspace.
    pub root: PathBuf,
    /// The Kubernetes version that the tables describe: `v1.36.2`.
    pub version: String,
    /// The Go source.
    pub go: GoIndex,
    /// Our crates, floor by floor.
    pub crates: Vec<Crate>,
    /// What no crate mirrors.
    pub left_out: LeftOut,
    /// The labs, in the order of their ids.
    pub labs: Vec<Lab>,
    /// Labs that could not be read.
    unreadable_labs: Vec<Problem>,
}

/// Why there is no map.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// A file or folder could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A row of a table has too few columns, or a size or line that is no number.
    #[error("{}:{line}: not a row of this table; the first line says which columns there are", path.display())]
    Row {
        /// The table.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
    },
    /// A file is not the TOML that it should be.
    #[error("{}: {text}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// What is wrong, with the line.
        text: String,
    },
    /// A source of ours does not parse.
    #[error("{}:{line}: {text}", path.display())]
    Rust {
        /// Which.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What `syn` says.
        text: String,
    },
}

impl Map {
    /// Draws the map of the workspace at `root`.
    ///
    /// A lab that cannot be read is one of the [`Problem`]s of [`Map::check`], and no reason to have no map.
    ///
    /// # Errors
    /// A table, a manifest or a source that cannot be read.
    pub fn load(root: &Path) -> Result<Self, MapError> {
        let folder = root.join("kubelet-map");
        let mut labs = Vec::new();
        let mut unreadable_labs = Vec::new();
        for manifest in manifests(&root.join("labs"), "lab.toml")? {
            match Lab::read(manifest.parent().unwrap_or(&manifest)) {
                Ok(lab) => labs.push(lab),
                Err(e) => unreadable_labs.push(Problem::new("labs", e.to_string())),
            }
        }
        Ok(Self {
            root: root.to_owned(),
            version: kubernetes_version(root)?,
            go: GoIndex::load(&folder)?,
            crates: crates::load(root)?,
            left_out: LeftOut::load(&folder.join("left-out.toml"))?,
            labs,
            unreadable_labs,
        })
    }

    /// The crate of that name.
    pub fn krate(&self, name: &str) -> Option<&Crate> {
        self.crates.iter().find(|krate| krate.name == name || krate.folder_name() == name)
    }

    /// The labs of a crate.
    pub fn labs_of<'a>(&'a self, krate: &'a Crate) -> impl Iterator<Item = &'a Lab> {
        self.labs.iter().filter(|lab| lab.crate_name.as_deref() == Some(krate.name.as_str()))
    }

    /// The lab in which a counterpart is written, or which names its Go symbol.
    pub fn lab_of<'a>(&'a self, pair: &Pair<'a>) -> Option<&'a Lab> {
        let rust = &pair.counterpart.rust;
        let written = |lab: &Lab| {
            let mut functions = lab.regions.iter().flat_map(|region| &region.functions);
            functions
                .any(|function| pair.item.is_some_and(|item| item.is_called(function)) || function == rust)
        };
        let named = |lab: &Lab| {
            lab.go.iter().any(|go| match go.split_once('#') {
                Some((path, name)) => {
                    path == pair.path && pair.symbol.is_some_and(|symbol| symbol.is_called(name))
                }
                None => go == pair.path,
            })
        };
        self.labs_of(pair.krate)
            .find(|lab| written(lab))
            .or_else(|| self.labs_of(pair.krate).find(|lab| named(lab)))
    }

    /// The chapter of a crate, from the root; nothing while there is none.
    pub fn chapter_of(&self, krate: &Crate) -> Option<String> {
        let chapter = format!("book/src/crates/{}.md", krate.folder_name());
        self.root.join(&chapter).is_file().then_some(chapter)
    }

    /// The item that a counterpart names.
    pub fn item_of<'a>(&self, krate: &'a Crate, counterpart: &'a Counterpart) -> Option<&'a RustItem> {
        krate.items_called(&counterpart.rust).next()
    }
}

/// `versions.toml` is the one place where the version of Kubernetes stands.
fn kubernetes_version(root: &Path) -> Result<String, MapError> {
    let path = root.join("versions.toml");
    let table: toml::Table = read(&path)?
        .parse()
        .map_err(|e: toml::de::Error| MapError::Toml { path: path.clone(), text: e.to_string() })?;
    let version = table.get("kubernetes").and_then(|kubernetes| kubernetes.get("version")?.as_str());
    version
        .map(str::to_owned)
        .ok_or_else(|| MapError::Toml { path, text: "it has no [kubernetes] version".to_owned() })
}

fn read(path: &Path) -> Result<String, MapError> {
    std::fs::read_to_string(path).map_err(|source| MapError::Read { path: path.to_owned(), source })
}

/// `FOLDER/*/NAME`, in a stable order; nothing when there is no folder.
fn manifests(folder: &Path, name: &str) -> Result<Vec<PathBuf>, MapError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(MapError::Read { path: folder.to_owned(), source }),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| MapError::Read { path: folder.to_owned(), source })?;
        let manifest = entry.path().join(name);
        if manifest.is_file() {
            found.push(manifest);
        }
    }
    found.sort();
    Ok(found)
}
