//! What no crate mirrors: `kubelet-map/left-out.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{GoFile, MapError, go_index, read};

/// The whole list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Crates that are still to come, and what they will hold.
    #[serde(default)]
    pub planned: BTreeMap<String, String>,
    /// The entries, in the order of the file.
    #[serde(default, rename = "left-out")]
    pub omissions: Vec<Omission>,
}

/// One file, or one directory, or (`…/...`) a directory with all below it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Omission {
    /// `pkg/kubelet/errors.go`, `pkg/kubelet/oom`, or `pkg/kubelet/winstats/...`.
    pub path: String,
    /// Why it has no counterpart, or what it is that is still to come.
    pub reason: String,
    /// The crate that it comes with; nothing when it stays out.
    pub comes_with: Option<String>,
}

impl Omission {
    /// Whether the entry is about this file. The longer the match, the more it says: 0 is no match.
    fn weight(&self, file: &GoFile) -> usize {
        let path = self.path.as_str();
        if let Some(directory) = path.strip_suffix("/...") {
            let inside = go_index::is_below(&file.path, directory);
            return if inside { directory.len() } else { 0 };
        }
        if path == file.path || path == file.directory() { path.len() } else { 0 }
    }

    /// Whether it names a file and no directory.
    pub fn is_file(&self) -> bool {
        self.path.ends_with(".go")
    }

    /// The path without `/...`.
    pub fn place(&self) -> &str {
        self.path.strip_suffix("/...").unwrap_or(&self.path)
    }
}

impl LeftOut {
    /// Reads the list.
    ///
    /// # Errors
    /// A file that cannot be read or is not such a list.
    pub fn load(path: &Path) -> Result<Self, MapError> {
        toml::from_str(&read(path)?)
            .map_err(|e| MapError::Toml { path: path.to_owned(), text: e.to_string() })
    }

    /// The entry that says most exactly why this file is left out.
    pub fn of(&self, file: &GoFile) -> Option<&Omission> {
        let heaviest = self.omissions.iter().max_by_key(|omission| omission.weight(file))?;
        (heaviest.weight(file) > 0).then_some(heaviest)
    }
}
