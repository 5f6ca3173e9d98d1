//! `labs/snapshots.lock`: what a lab's check asks and what it must answer, so that neither is changed by accident.
//!
//! A line is a sha256 and a path from `labs/`, as `sha256sum` writes and reads them. Locked are each lab's `check.rs`, its
//! cases, its hidden cases and its snapshots.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::lab::Lab;

/// The lock's file, from the root of the workspace.
pub const FILE: &str = "labs/snapshots.lock";

const HEADER: &str =
    "# What the labs ask and must be answered. Written by `cargo xtask lab lock`; `sha256sum -c` reads it.\n";

/// What is locked: the digest of each file, by its path from `labs/` with slashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock(BTreeMap<String, String>);

/// How a file differs from the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file, from the root of the workspace.
    pub path: String,
    /// What is different.
    pub what: What,
}

/// What is different about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It has another text.
    Edited,
    /// It is not there.
    Missing,
    /// It is there, and not in the lock.
    Added,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, what } = self;
        match what {
            What::Edited => write!(f, "{path} was edited; `git checkout -- {path}` restores it"),
            What::Missing => write!(f, "{path} is missing; `git checkout -- {path}` restores it"),
            What::Added => write!(f, "{path} does not belong there; take it away"),
        }
    }
}

/// Why the lock, or what it locks, could not be read.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The lock is not there.
    #[error("{FILE} is missing; `git checkout -- {FILE}` restores it")]
    Missing,
    /// A line is none of a lock's.
    #[error("{FILE}:{line}: not a sha256, two spaces and a path; `git checkout -- {FILE}` restores it")]
    Line {
        /// The line, from 1.
        line: usize,
    },
}

impl Lock {
    /// The lock of the workspace at `root`.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be read.
    pub fn load(root: &Path) -> Result<Self, LockError> {
        let path = root.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(LockError::Missing),
            Err(source) => Err(LockError::Read { path, source }),
        }
    }

    /// The lock that these labs have now.
    ///
    /// # Errors
    ///
    /// When one of their files cannot be read.
    pub fn of(labs: &[Lab]) -> Result<Self, LockError> {
        let mut digests = BTreeMap::new();
        for lab in labs {
            digests.append(&mut digests_of(lab)?);
        }
        Ok(Self(digests))
    }

    fn parse(text: &str) -> Result<Self, LockError> {
        let mut digests = BTreeMap::new();
        for (at, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (digest, path) = line.split_once("  ").ok_or(LockError::Line { line: at + 1 })?;
            if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(LockError::Line { line: at + 1 });
            }
            digests.insert(path.to_owned(), digest.to_owned());
        }
        Ok(Self(digests))
    }

    /// The lock's file.
    pub fn text(&self) -> String {
        let mut text = HEADER.to_owned();
        for (path, digest) in &self.0 {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{digest}  {path}");
        }
        text
    }

    /// How a lab's files differ from what is locked, by path.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    pub fn differences(&self, lab: &Lab) -> Result<Vec<Difference>, LockError> {
        let now = digests_of(lab)?;
        let folder = format!("{}/", lab.name);
        let locked = self.0.iter().filter(|(path, _)| path.starts_with(&folder));
        let mut differences: Vec<Difference> = locked
            .filter_map(|(path, digest)| match now.get(path) {
                None => Some(difference(path, What::Missing)),
                Some(now) if now != digest => Some(difference(path, What::Edited)),
                Some(_) => None,
            })
            .collect();
        let added = now.keys().filter(|path| !self.0.contains_key(*path));
        differences.extend(added.map(|path| difference(path, What::Added)));
        differences.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(differences)
    }

    /// Folders that are locked and are none of these labs'.
    pub fn strangers(&self, labs: &[Lab]) -> Vec<String> {
        let mut folders: Vec<String> = self
            .0
            .keys()
            .filter_map(|path| path.split_once('/').map(|(folder, _)| folder.to_owned()))
            .filter(|folder| labs.iter().all(|lab| lab.name != *folder))
            .collect();
        folders.dedup();
        folders
    }
}

fn difference(path: &str, what: What) -> Difference {
    Difference { path: format!("labs/{path}"), what }
}

/// The digests of a lab's locked files.
fn digests_of(lab: &Lab) -> Result<BTreeMap<String, String>, LockError> {
    let mut digests = BTreeMap::new();
    let check = lab.dir.join("check.rs");
    if check.exists() {
        digests.insert(format!("{}/check.rs", lab.name), digest(&check)?);
    }
    for folder in ["cases", "hidden", "snapshots"] {
        let path = lab.dir.join(folder);
        if !path.exists() {
            continue;
        }
        let read = |source| LockError::Read { path: path.clone(), source };
        for entry in std::fs::read_dir(&path).map_err(read)? {
            let entry = entry.map_err(read)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_file() {
                digests.insert(format!("{}/{folder}/{name}", lab.name), digest(&entry.path())?);
            }
        }
    }
    Ok(digests)
}

/// The digest of a file. Line ends do not matter: git may have changed them.
fn digest(path: &Path) -> Result<String, LockError> {
    let bytes = std::fs::read(path).map_err(|source| LockError::Read { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    Ok(Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace with one tour, which needs the fewest lines.
    fn workspace() -> (tempfile::TempDir, Lab) {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("labs/00-tour");
        for folder in ["cases", "snapshots"] {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
        }
        for (file, text) in [
            ("lab.toml", "id = \"00\"\ntitle = \"Look\"\nkind = \"tour\"\nminutes = 30\n"),
            ("check.rs", "fn main() {}"),
            ("cases/a.yaml", "[]"),
            ("snapshots/one.snap", "---\n---\n1"),
        ] {
            std::fs::write(dir.join(file), text).unwrap();
        }
        let lab = Lab::read(&dir).unwrap();
        (root, lab)
    }

    #[test]
    fn a_lock_is_read_as_it_was_written() {
        let (root, lab) = workspace();
        let lock = Lock::of(std::slice::from_ref(&lab)).unwrap();
        assert_eq!(
            lock.0.keys().collect::<Vec<_>>(),
            ["00-tour/cases/a.yaml", "00-tour/check.rs", "00-tour/snapshots/one.snap"]
        );
        let missing = Lock::load(root.path()).unwrap_err().to_string();
        assert!(missing.contains("git checkout -- labs/snapshots.lock"), "{missing}");
        std::fs::write(root.path().join(FILE), lock.text()).unwrap();
        assert_eq!(Lock::load(root.path()).unwrap(), lock);
        assert_eq!(lock.differences(&lab).unwrap(), []);
        assert_eq!(lock.strangers(&[]), ["00-tour"]);
        assert_eq!(lock.strangers(&[lab]), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_named_with_what_to_do() {
        let (_root, lab) = workspace();
        let lock = Lock::of(std::slice::from_ref(&lab)).unwrap();
        std::fs::write(lab.dir.join("check.rs"), "fn main() { }").unwrap();
        std::fs::remove_file(lab.dir.join("snapshots/one.snap")).unwrap();
        std::fs::write(lab.dir.join("cases/b.yaml"), "[]").unwrap();
        let said: Vec<String> = lock.differences(&lab).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "labs/00-tour/cases/b.yaml does not belong there; take it away",
                "labs/00-tour/check.rs was edited; `git checkout -- labs/00-tour/check.rs` restores it",
                "labs/00-tour/snapshots/one.snap is missing; `git checkout -- labs/00-tour/snapshots/one.snap` restores it",
            ]
        );
    }

    #[test]
    fn line_ends_do_not_matter() {
        let (_root, lab) = workspace();
        std::fs::write(lab.dir.join("check.rs"), "fn main() {\n}\n").unwrap();
        let lock = Lock::of(std::slice::from_ref(&lab)).unwrap();
        std::fs::write(lab.dir.join("check.rs"), "fn main() {\r\n}\r\n").unwrap();
        assert_eq!(lock.differences(&lab).unwrap(), []);
    }

    #[test]
    fn a_broken_lock_says_where() {
        let broken = Lock::parse("# fine\n0123  00-tour/check.rs\n").unwrap_err().to_string();
        assert!(broken.starts_with("labs/snapshots.lock:2: not a sha256"), "{broken}");
    }
}
