//! What a pod looks like to the outside.
//!
//! The first half of a bigger crate: so far it says the one word that the agent itself needs, the [`PodPhase`], by which a
//! pod worker learns that its pod is over.
//!
//! | here | Go |
//! |---|---|
//! | [`pod_phase`] | `kubelet_pods.go: getPhase` |
//!
//! # Left out
//!
//! Until the chapters that need them:
//! - container statuses and conditions;
//! - everything about telling the API server.

mod phase;

pub use phase::{PodPhase, pod_phase};
