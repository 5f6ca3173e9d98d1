//! What came of a sync: what runs is for the cache to show, what waits is said here.
//!
//! Mirrors `container/sync_result.go: PodSyncResult, SyncResult`.

use cri_client::RuntimeError;
use jiff::Timestamp;

/// Why a container of the pod does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which container; empty when it is about the sandbox.
    pub container: String,
    /// `CrashLoopBackOff`, `ErrImagePull`, `CreateContainerError`…
    pub reason: &'static str,
    /// The sentence beside it.
    pub message: String,
    /// When the next try is lawful.
    pub until: Option<Timestamp>,
    /// The runtime is away: the next try is due as soon as it is back.
    pub runtime_is_away: bool,
}

/// What a sync of a pod did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSyncResult {
    /// It asked the runtime to change something, or tried to, so the cache is out of date.
    pub acted: bool,
    /// Why some containers do not run; empty when all is as it should be.
    pub waiting: Vec<Waiting>,
}

pub(crate) fn away_or(reason: &'static str, container: String, error: &RuntimeError) -> Waiting {
    Waiting {
        container,
        reason,
        message: error.message(),
        until: None,
        runtime_is_away: error.is_unavailable(),
    }
}
