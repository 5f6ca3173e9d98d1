//! How many pods may be starting at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pod's place among those that may be starting. Taken with the first heavy call of a sync and kept until the sync is
/// over, so that a pod that has begun is finished before another one begins; given up while an image is fetched.
pub(crate) struct StartPlace {
    starts: Arc<Semaphore>,
    held: tokio::sync::Mutex<Option<OwnedSemaphorePermit>>,
}

impl StartPlace {
    pub fn new(starts: &Arc<Semaphore>) -> Self {
        Self { starts: starts.clone(), held: tokio::sync::Mutex::new(None) }
    }

    /// Waits for a place, unless there is one already.
    pub async fn take(&self) {
        let mut held = self.held.lock().await;
        if held.is_none() {
            // The semaphore is never closed.
            *held = self.starts.clone().acquire_owned().await.ok();
        }
    }

    /// Gives the place up for others.
    pub async fn give_up(&self) {
        self.held.lock().await.take();
    }
}
