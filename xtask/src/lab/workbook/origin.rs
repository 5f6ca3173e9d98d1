//! Which files of the clone a workbook was made from, so that a later change of the clone is noticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use course::region::digest;

/// The record's name in the workbook.
const FILE: &str = ".made-from";

/// The digest of each file of the clone, as it was copied.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Origin(BTreeMap<PathBuf, String>);

impl Origin {
    /// Notes a file, by its path in the clone.
    pub fn note(&mut self, path: &Path, bytes: &[u8]) {
        self.0.insert(path.to_owned(), digest_of(bytes));
    }

    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The files that were copied.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Whether this file was copied.
    pub fn knows(&self, path: &Path) -> bool {
        self.0.contains_key(path)
    }

    /// Whether this file was copied with these bytes.
    pub fn has(&self, path: &Path, bytes: &[u8]) -> bool {
        self.0.get(path).is_some_and(|noted| *noted == digest_of(bytes))
    }

    /// Reads the record of a workbook; empty when there is none.
    pub fn read(dir: &Path) -> Self {
        let text = std::fs::read_to_string(dir.join(FILE)).unwrap_or_default();
        Self(
            text.lines()
                .filter_map(|line| line.split_once("  "))
                .map(|(digest, path)| (PathBuf::from(path), digest.to_owned()))
                .collect(),
        )
    }

    /// Writes the record.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, dir: &Path) -> Result<()> {
        let lines: String =
            self.0.iter().map(|(path, digest)| format!("{digest}  {}\n", path.display())).collect();
        std::fs::write(dir.join(FILE), lines).with_context(|| dir.join(FILE).display().to_string())
    }

    /// Whether this file of the workbook is still the one that was copied.
    pub fn is_untouched(&self, dir: &Path, path: &Path) -> bool {
        let present = std::fs::read(dir.join(path)).map(|bytes| digest_of(&bytes));
        self.0.get(path).is_some_and(|noted| present.is_ok_and(|present| present == *noted))
    }

    /// The files that the clone has otherwise now, or not any more.
    pub fn changed_in(&self, clone: &Path) -> Vec<&Path> {
        self.0
            .iter()
            .filter(|(path, noted)| {
                std::fs::read(clone.join(path)).map_or(true, |bytes| digest_of(&bytes) != **noted)
            })
            .map(|(path, _)| path.as_path())
            .collect()
    }
}

fn digest_of(bytes: &[u8]) -> String {
    digest(&String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_and_a_removed_file_of_the_clone_are_noticed() {
        let (clone, book) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
        let mut origin = Origin::default();
        for name in ["a", "b", "c d"] {
            std::fs::write(clone.path().join(name), name).expect("written");
            std::fs::write(book.path().join(name), name).expect("written");
            origin.note(Path::new(name), name.as_bytes());
        }
        origin.write(book.path()).expect("written");
        let origin = Origin::read(book.path());
        assert_eq!(origin.changed_in(clone.path()), Vec::<&Path>::new());
        std::fs::write(clone.path().join("a"), "another").expect("written");
        std::fs::remove_file(clone.path().join("c d")).expect("removed");
        assert_eq!(origin.changed_in(clone.path()), [Path::new("a"), Path::new("c d")]);

        assert!(origin.is_untouched(book.path(), Path::new("b")));
        std::fs::write(book.path().join("b"), "mine").expect("written");
        assert!(!origin.is_untouched(book.path(), Path::new("b")));
        assert!(!origin.is_untouched(book.path(), Path::new("x")), "it was never copied");
    }
}
