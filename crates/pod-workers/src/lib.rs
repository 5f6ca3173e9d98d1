//! One worker a pod: who decides what happens to a pod next, and makes sure that only one thing happens at a time.
//!
//! Many things want something of a pod: its manifest changed, its container died, it has to make room, it is time to look
//! again. They all tell its worker; the worker has one sync under way at most, never acts on a picture from before its
//! last action, and once a pod has begun to end, lets nothing bring it back.
//!
//! ```text
//!   sync loop ──Update──▶ PodWorkers ── observe ──▶ Worker (pure) ──▶ Work ─▶ PodSyncer (implemented by `kubelet`)
//!                              ▲                                                 │
//!                              └──────────── completed(Outcome) ◀────────────────┘
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`Worker::observe`] | `pod_workers.go: UpdatePod` |
//! | [`Worker::completed`] | `pod_workers.go: podWorkerLoop, completeWork` |
//! | [`PodWorkers`] | `pod_workers.go: podWorkers`, `util/queue/work_queue.go` |
//! | [`PodSyncer`] | `pod_workers.go: podSyncer` |
//! | [`StageBoard`] | `pod_workers.go: PodWorkers` |
//!
//! # Left out
//!
//! - a goroutine for each pod: here a pod costs a task only while something is done for it, and one timer serves all;
//! - jitter on the end of a back-off: the earliest lawful moment is the right one;
//! - the channel that tells an evicting caller about completion, until there is eviction;
//! - pods whose API status is terminal at first sight, until there is an API source.
//!
//! # Other than the kubelet
//!
//! - a finished pod of which something comes up again is ended again ([`Update::Orphaned`]). The real kubelet sees to
//!   that only after the worker is forgotten;
//! - a kill or a change that shortens nothing does not make an ending pod's worker work again. The real kubelet looks once
//!   more after the work under way; here that work ends the pod anyway, and a failed one is repeated after its pause;
//! - a change of an ending pod that is wanted again is about its next life only. In the real kubelet a deletion hurries the
//!   life that ends, too.

mod worker;
mod workers;

pub use worker::{After, Outcome, Pauses, Reaction, Retry, Stage, Update, Work, Worker};
pub use workers::{Parts, PodSyncer, PodWorkers, PodWorkersHandle, StageBoard, Standing, Synced};
