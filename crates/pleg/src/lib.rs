//! The pod lifecycle event generator: what changed in the runtime since the last look?
//!
//! Containers end when they like, and somebody may stop a sandbox behind the agent's back. This crate notices: it keeps
//! the [`pod_model::PodCache`] true and says which pods changed, so that their workers wake up. It never acts.
//!
//! ```text
//!   runtime's events ─┐  which pod?                       ┌─▶ PodCache (status in full)
//!   a worker acted  ──┼──▶ look at that pod ──▶ compare ──┤
//!   the period ends ──┘    or at all           with the   └─▶ PodChange to the sync loop
//!                                              last look
//! ```
//!
//! The real kubelet has two of these: the generic PLEG lists everything each second, and the evented one (alpha) believes
//! the runtime's events for five minutes. Here one task does both: an event only says *where* to look, and the answer
//! always comes from looking.
//!
//! | here | Go |
//! |---|---|
//! | [`compare`], [`PodLifecycleEvent`] | `pleg/generic.go: computeEvents, generateEvents`, `pleg/pleg.go` |
//! | [`Pleg`] | `pleg/generic.go: Relist, RequestRelist`, `pleg/evented.go: watchEventsChannel` |
//! | [`group_by_pod`] | `kuberuntime_manager.go: GetPods` |
//! | `inspect` | `kuberuntime_manager.go: GetPodStatus` |
//!
//! # Left out
//!
//! - the statuses inside the events: they save a call and can be older than the cache, and a look costs a millisecond;
//! - giving up on events after five broken streams: a stream that breaks is opened again with the next look, and without
//!   one the period is the generic PLEG's;
//! - metrics, until the server has an endpoint for them.
//!
//! # Other than the kubelet
//!
//! - only what has a pod's labels is a pod's, sandboxes and containers alike. The real kubelet reads a sandbox's pod from
//!   its metadata, so one that `crictl runp` made without labels is ended as an orphan there, and left alone here.

mod inspect;
mod lifecycle;
mod relist;

pub use lifecycle::{PodLifecycleEvent, PodRecord, Seen, compare, group_by_pod};
pub use relist::{Periods, Pleg, PlegHandle, PodChange, RuntimeReach};
