//! Word when the manifest directory changes.
//!
//! The directory may be absent, appear later, be replaced or renamed away. So it is watched together with its nearest
//! ancestor that exists, and what is watched is looked after before each listing. A watch is only a hint: whatever it
//! misses, the next scan finds.
//!
//! Mirrors `config/file_linux.go: startWatch`, `doWatch`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// A burst of events is over when nothing has come for this long: an editor's write, rename and clean-up are one change.
const QUIET: Duration = Duration::from_millis(8);
/// A burst that does not end is cut off after this long.
const BURST: Duration = Duration::from_millis(30);

/// The watch over one path, and over whatever of its ancestors exists.
#[derive(Debug)]
pub(crate) struct Watch {
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
pub(crate) struct Reported {
    /// Events were lost, so any file may have been.
    all: bool,
    files: BTreeSet<PathBuf>,
    /// The path itself or an ancestor was: the watch may be on a directory that is gone, even if the new one carries
    /// the same number.
    pub(crate) ground: bool,
}

impl Reported {
    pub(crate) fn covers(&self, path: &Path) -> bool {
        self.all || self.files.contains(path)
    }
}

impl Watch {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, shared: Arc::default(), watcher: None, watched: BTreeMap::new(), complaint: None }
    }

    pub(crate) fn take_reported(&self) -> Reported {
        std::mem::take(&mut *self.shared.reported.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Watches what should be watched now. Without a watch (the system's limit is reached) the scans must do.
    pub(crate) fn keep_up(&mut self, anew: bool) {
        let complaint = self.try_keep_up(anew).err().map(|error| error.to_string());
        if let Some(error) = complaint.as_ref().filter(|_| self.complaint != complaint) {
            tracing::warn!(path = %self.path.display(), error, "unable to watch config path; it is scanned instead");
        }
        self.complaint = complaint;
    }

    // ANCHOR: burst
    /// Returns at the end of the next burst of events, or of one that is past and has not been waited for.
    pub(crate) async fn burst(&self) {
        let word = &self.shared.word;
        word.notified().await;
        let cut_off = Instant::now() + BURST;
        while Instant::now() < cut_off && timeout(QUIET, word.notified()).await.is_ok() {}
    }
    // ANCHOR_END: burst

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
