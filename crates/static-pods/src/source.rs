//! Where manifests come from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use pod_manifest::{MAX_MANIFEST_BYTES, ManifestError};
use tokio::sync::Notify;

use crate::problem::{FileError, ManifestProblem};

/// What a file holds, or why it cannot be read.
pub type Content = Result<Arc<[u8]>, FileError>;

/// Every manifest there is, by path. A file that is absent here is gone.
pub type Listing = BTreeMap<PathBuf, Content>;

/// A place that holds manifests: a directory, or a test's memory.
///
/// The simulation swaps this one out, so that no file system is in the way of a repeatable run.
#[async_trait]
pub trait ManifestSource: Send + 'static {
    /// All manifests as they are now. A place that does not exist (yet) holds none.
    ///
    /// # Errors
    /// The place is there and cannot be looked into, so that nothing can be said about what it holds.
    async fn list(&mut self) -> Result<Listing, ManifestProblem>;

    /// Returns when something may have changed since the last [`list`](Self::list) began; too often rather than too
    /// seldom. May be dropped and called again at any time.
    async fn changed(&mut self);
}

/// Manifests in memory. All clones show the same ones, so a test keeps one and gives another away.
#[derive(Clone, Debug, Default)]
pub struct InMemoryManifests(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    files: Mutex<Listing>,
    changed: Notify,
}

impl InMemoryManifests {
    /// No manifests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a file, or writes it anew.
    pub fn insert(&self, path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) {
        let bytes: Vec<u8> = bytes.into();
        let content = if bytes.len() > MAX_MANIFEST_BYTES {
            Err(ManifestError::TooLarge.into())
        } else {
            Ok(bytes.into())
        };
        self.change(|files| files.insert(path.into(), content));
    }

    /// Makes a file unreadable, for the reason given.
    pub fn insert_unreadable(&self, path: impl Into<PathBuf>, reason: impl Into<String>) {
        let content = Err(FileError::Unreadable(reason.into()));
        self.change(|files| files.insert(path.into(), content));
    }

    /// Removes a file; nothing happens if there is none.
    pub fn remove(&self, path: impl AsRef<Path>) {
        self.change(|files| files.remove(path.as_ref()));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Listing) -> T) {
        change(&mut self.files());
        self.0.changed.notify_one();
    }

    fn files(&self) -> MutexGuard<'_, Listing> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ManifestSource for InMemoryManifests {
    async fn list(&mut self) -> Result<Listing, ManifestProblem> {
        Ok(self.files().clone())
    }

    async fn changed(&mut self) {
        self.0.changed.notified().await;
    }
}
