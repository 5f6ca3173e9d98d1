//! The manifest directory on a real file system: which files it holds, and what is in them.
//!
//! Mirrors `config/file.go: listConfig`, `extractFromDir`, `extractFromFile`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use pod_manifest::{MAX_MANIFEST_BYTES, ManifestError};

use crate::problem::{FileError, ManifestProblem};
use crate::source::{Content, Listing, ManifestSource};
use crate::watch::Watch;

/// The manifests in a directory, or the one manifest that is a file.
#[derive(Debug)]
pub struct ManifestDirectory {
    path: PathBuf,
    known: BTreeMap<PathBuf, Known>,
    watch: Watch,
}

/// What was read of a file, and what it looked like then.
#[derive(Debug)]
struct Known {
    looks: Looks,
    bytes: Arc<[u8]>,
}

/// What tells from outside that a file was changed. The kernel moves `ctime` at every change, but only with each tick
/// of its clock, so a file that was just reported is read whatever it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looks {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl ManifestDirectory {
    /// The manifests at `path`: `staticPodPath` of the `KubeletConfiguration`. Nothing has to be there yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // Without the slash at its end, if it has one.
        let path: PathBuf = absolute.components().collect();
        Self { watch: Watch::new(path.clone()), path, known: BTreeMap::new() }
    }

    fn problem(&self, error: &io::Error) -> ManifestProblem {
        ManifestProblem { path: self.path.clone(), error: FileError::Unreadable(error.to_string()) }
    }

    /// The paths that may be manifests. Mirrors `config/file.go: listConfig`, `extractFromDir`.
    fn paths(&self) -> io::Result<BTreeSet<PathBuf>> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(error),
            Ok(metadata) if metadata.is_dir() => {
                let entries = match fs::read_dir(&self.path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
                    entries => entries?,
                };
                let mut paths = BTreeSet::new();
                for entry in entries {
                    let name = entry?.file_name();
                    if !name.as_encoded_bytes().starts_with(b".") {
                        paths.insert(self.path.join(name));
                    }
                }
                Ok(paths)
            }
            Ok(_) => Ok(BTreeSet::from([self.path.clone()])),
        }
    }

    /// What a path holds; `None` if it went away meanwhile.
    fn content(&mut self, path: &Path, reported: bool) -> Option<Content> {
        let known = self.known.remove(path);
        let read = fs::metadata(path).and_then(|metadata| {
            let looks = Looks::of(&metadata);
            match known {
                Some(known) if known.looks == looks && !reported => Ok(Ok(known)),
                _ => read(path, &metadata),
            }
        });
        match read {
            Ok(Ok(known)) => {
                let bytes = Arc::clone(&known.bytes);
                self.known.insert(path.to_owned(), known);
                Some(Ok(bytes))
            }
            Ok(Err(error)) => Some(Err(error)),
            // A link that leads nowhere is there all the same, and somebody should hear of it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
                None
            }
            Err(error) => Some(Err(FileError::Unreadable(error.to_string()))),
        }
    }
}

#[async_trait]
impl ManifestSource for ManifestDirectory {
    /// Small local files are read without leaving the thread.
    async fn list(&mut self) -> Result<Listing, ManifestProblem> {
        // First what was reported so far, then the watch, then the look: what happens from now on is reported again.
        let reported = self.watch.take_reported();
        self.watch.keep_up(reported.ground);
        let paths = self.paths().map_err(|error| self.problem(&error))?;
        self.known.retain(|path, _| paths.contains(path));
        let mut listing = Listing::new();
        for path in paths {
            if let Some(content) = self.content(&path, reported.covers(&path)) {
                listing.insert(path, content);
            }
        }
        Ok(listing)
    }

    async fn changed(&mut self) {
        self.watch.burst().await;
    }
}

impl Looks {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Reads a regular file up to the limit. Links are followed, as the kubelet does: who may write into the directory may
/// run anything on the node. But a pipe must not make the node wait for its writer, nor a device be touched.
fn read(path: &Path, metadata: &Metadata) -> io::Result<Result<Known, FileError>> {
    if let Some(kind) = other_than_file(metadata) {
        return Ok(Err(FileError::NotAFile(kind)));
    }
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    // What was opened need not be what was looked at a moment ago.
    let metadata = file.metadata()?;
    if let Some(kind) = other_than_file(&metadata) {
        return Ok(Err(FileError::NotAFile(kind)));
    }
    let mut bytes = Vec::new();
    file.take(MAX_MANIFEST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_MANIFEST_BYTES {
        return Ok(Err(ManifestError::TooLarge.into()));
    }
    Ok(Ok(Known { looks: Looks::of(&metadata), bytes: bytes.into() }))
}

fn other_than_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    let kinds = [
        (kind.is_dir(), "a directory"),
        (kind.is_fifo(), "a pipe"),
        (kind.is_socket(), "a socket"),
        (!kind.is_file(), "a device"),
    ];
    kinds.into_iter().find_map(|(is, name)| is.then_some(name))
}
