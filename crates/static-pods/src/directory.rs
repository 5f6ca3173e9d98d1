//! The manifest directory on a real file system: what it holds, and word when that changes.
//!
//! The directory may be absent, appear later, be replaced or renamed away. So it is watched together with its nearest
//! ancestor that exists, and what is watched is looked after before each listing. A watch is only a hint: whatever it
//! misses, the next scan finds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::manifest::{MAX_MANIFEST_BYTES, ManifestError, ManifestProblem};
use crate::source::{Content, Listing, ManifestSource};

/// A burst of events is over when nothing has come for this long: an editor's write, rename and clean-up are one change.
const QUIET: Duration = Duration::from_millis(8);
/// A burst that does not end is cut off after this long.
const BURST: Duration = Duration::from_millis(30);

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
        ManifestProblem { path: self.path.clone(), error: ManifestError::Unreadable(error.to_string()) }
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
            Err(error) => Some(Err(ManifestError::Unreadable(error.to_string()))),
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
        let word = &self.watch.shared.word;
        word.notified().await;
        let cut_off = Instant::now() + BURST;
        while Instant::now() < cut_off && timeout(QUIET, word.notified()).await.is_ok() {}
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
fn read(path: &Path, metadata: &Metadata) -> io::Result<Result<Known, ManifestError>> {
    if let Some(kind) = other_than_file(metadata) {
        return Ok(Err(ManifestError::NotAFile(kind)));
    }
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    // What was opened need not be what was looked at a moment ago.
    let metadata = file.metadata()?;
    if let Some(kind) = other_than_file(&metadata) {
        return Ok(Err(ManifestError::NotAFile(kind)));
    }
    let bytes = read_at_most(file, MAX_MANIFEST_BYTES)?;
    Ok(bytes.map(|bytes| Known { looks: Looks::of(&metadata), bytes: bytes.into() }))
}

fn read_at_most(file: File, most: usize) -> io::Result<Result<Vec<u8>, ManifestError>> {
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > most { Err(ManifestError::TooLarge) } else { Ok(bytes) })
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

/// The watch over one path, and over whatever of its ancestors exists.
#[derive(Debug)]
struct Watch {
    path: PathBuf,
    shared: Arc<Shared>,
    watcher: Option<RecommendedWatcher>,
    /// What is watched, and which directory that was.
    watched: BTreeMap<PathBuf, (u64, u64)>,
    complaint: Option<String>,
}

/// Between the watcher's own thread and the task.
#[derive(Debug, Default)]
struct Shared {
    reported: Mutex<Reported>,
    word: Notify,
}

/// Which files were changed.
#[derive(Debug, Default)]
struct Reported {
    /// Events were lost, so any file may have been.
    all: bool,
    files: BTreeSet<PathBuf>,
    /// The path itself or an ancestor was: the watch may be on a directory that is gone, even if the new one carries
    /// the same number.
    ground: bool,
}

impl Reported {
    fn covers(&self, path: &Path) -> bool {
        self.all || self.files.contains(path)
    }
}

impl Watch {
    fn new(path: PathBuf) -> Self {
        Self { path, shared: Arc::default(), watcher: None, watched: BTreeMap::new(), complaint: None }
    }

    fn take_reported(&self) -> Reported {
        std::mem::take(&mut *self.shared.reported.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Watches what should be watched now. Without a watch (the system's limit is reached) the scans must do.
    fn keep_up(&mut self, anew: bool) {
        let complaint = self.try_keep_up(anew).err().map(|error| error.to_string());
        if let Some(error) = complaint.as_ref().filter(|_| self.complaint != complaint) {
            tracing::warn!(path = %self.path.display(), error, "unable to watch config path; it is scanned instead");
        }
        self.complaint = complaint;
    }

    fn try_keep_up(&mut self, anew: bool) -> notify::Result<()> {
        let watcher = match &mut self.watcher {
            Some(watcher) => watcher,
            none => {
                let (path, shared) = (self.path.clone(), Arc::clone(&self.shared));
                none.insert(notify::recommended_watcher(move |event| shared.take(&path, event))?)
            }
        };
        if anew {
            for path in std::mem::take(&mut self.watched).into_keys() {
                let _ = watcher.unwatch(&path);
            }
        }
        // Directories may appear while we look; what is watched in the end must be what exists in the end.
        for _ in 0..16 {
            let wanted = to_watch(&self.path);
            if wanted == self.watched {
                return Ok(());
            }
            let stale = self.watched.iter().filter(|(path, directory)| wanted.get(*path) != Some(*directory));
            for path in stale.map(|(path, _)| path.clone()).collect::<Vec<_>>() {
                // The kernel has ended the watch of a directory that is gone: no error is news here.
                let _ = watcher.unwatch(&path);
                self.watched.remove(&path);
            }
            for (path, directory) in wanted {
                if self.watched.get(&path) == Some(&directory) {
                    continue;
                }
                match watcher.watch(&path, RecursiveMode::NonRecursive) {
                    Ok(()) => drop(self.watched.insert(path, directory)),
                    // Gone again: the next round looks anew.
                    Err(notify::Error { kind: notify::ErrorKind::PathNotFound, .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}

/// The path itself, if it is a directory, and the nearest ancestor that exists, with the identity of each.
fn to_watch(path: &Path) -> BTreeMap<PathBuf, (u64, u64)> {
    let directory = |path: &Path| {
        let metadata = fs::metadata(path).ok().filter(Metadata::is_dir)?;
        Some((path.to_owned(), (metadata.dev(), metadata.ino())))
    };
    let ancestor = path.ancestors().skip(1).find_map(directory);
    directory(path).into_iter().chain(ancestor).collect()
}

impl Shared {
    /// Called by the watcher's thread.
    fn take(&self, path: &Path, event: notify::Result<Event>) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(event) if event.need_rescan() => reported.all = true,
            Ok(event) if is_change(&event.kind) => {
                // Of an ancestor's many children only the one that leads to the manifests counts.
                let ours = |changed: &PathBuf| changed.starts_with(path) || path.starts_with(changed);
                let changed: Vec<PathBuf> = event.paths.into_iter().filter(ours).collect();
                if changed.is_empty() {
                    return;
                }
                reported.ground |= changed.iter().any(|changed| path.starts_with(changed));
                reported.files.extend(changed);
            }
            Ok(_) => return,
            Err(_) => reported.all = true,
        }
        drop(reported);
        self.word.notify_one();
    }
}

/// Opening and reading are events as well, our own included.
fn is_change(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Access(access) if *access != AccessKind::Close(AccessMode::Write))
}
