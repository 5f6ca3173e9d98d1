//! Many sources of pods, one stream of changes.
//!
//! A source (the manifest directory, the API server) says again and again *which pods there are*: a whole set, never a
//! change. The rest of the node wants to know *what became different*, pod by pod, once. This crate stands between
//! them: it remembers the last set of each source and says what separates it from the new one.
//!
//! ```text
//!   file: set of pods ─┐   ┌ PodConfig::run ┐            ┌ diff ┐
//!                      ├─▶ │ one set at a   ├─ old, new ▶│ pure ├─▶ REMOVE, ADD, UPDATE, DELETE, RECONCILE ─▶ kubelet
//!   api:  set of pods ─┘   │ time           │            └──────┘
//!                          └───────┬────────┘
//!                                  └─▶ SourcesReady: may what nobody configured be killed yet?
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`PodConfig`] | `pkg/kubelet/config/config.go: PodConfig, podStorage.Merge`, `mux.go` |
//! | [`diff`], [`Changes`] | `config.go: podStorage.merge`, `checkAndUpdatePod` |
//! | [`PodUpdate`], [`Op`], [`Source`] | `pkg/kubelet/types/pod_update.go` |
//! | [`SourcesReady`] | `config/sources.go`, `config.go: SeenAllSources` |
//!
//! # Other than the kubelet
//!
//! - a name that is taken twice is reported when it appears, not with every set;
//! - of two pods with one UID in one set the first counts. The kubelet would add both;
//! - within one update the pods stand in the order of the source's set, removed ones by UID. The kubelet's order is
//!   that of a Go map.
//!
//! # Left out
//!
//! - the `http` source, with the URL manifests that it carries;
//! - the API source itself (`apiserver.go`): it comes with the crate that talks to the API server, and waits for the
//!   node lister there;
//! - the observer of start-up times (`podStartupSLIObserver`): a metric, not a decision.

mod diff;
mod pod_config;
mod sources;
mod update;

pub use diff::{Changes, Known, diff};
pub use pod_config::{FAILED_VALIDATION, PodConfig};
pub use sources::SourcesReady;
pub use update::{Op, PodUpdate, Source};
