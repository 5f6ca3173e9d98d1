//! Decides what a pod needs next, and carries it out through the CRI.
//!
//! This is the only crate that creates, starts, stops or removes anything in the runtime. It remembers nothing about a
//! pod but its crash-loop delays: each time, it compares the pod's spec with what the runtime has of it.
//!
//! ```text
//!   Pod ───────┐
//!              ├─▶ compute_pod_actions (pure) ─▶ PodActions ─▶ KubeRuntime::sync_pod
//!   PodStatus ─┘                                               end what must not be: kill
//!                                                              make a sandbox
//!                                                              start: back-off? image? create, start, link the log
//!   PodStatus ───▶ plan_gc (pure) ─▶ GcPlan ─▶ KubeRuntime::collect_garbage
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`compute_pod_actions`] | `kuberuntime_manager.go: computePodActions` |
//! | [`sandbox_changed`] | `kuberuntime/util/util.go: PodSandboxChanged` |
//! | `init_containers` | `kuberuntime_container.go: computeInitContainerActions` |
//! | [`KubeRuntime::sync_pod`] | `kuberuntime_manager.go: SyncPod`, `kuberuntime_sandbox.go: createPodSandbox`, `container/sync_result.go` |
//! | `start` | `kuberuntime_container.go: startContainer`, `kuberuntime_manager.go: doBackOff` |
//! | [`KubeRuntime::kill_pod`], [`grace_period`] | `killPodWithSyncResult`, `killContainer`, `setTerminationGracePeriod` |
//! | [`stillborn`] | none: a kubelet that polls hardly needs it |
//! | [`prerequisites`] | `kuberuntime_termination_order.go` |
//! | [`plan_gc`] | `kuberuntime_gc.go`, `pod_container_deletor.go` |
//! | `pod_files`, `log_files` | `kubelet_pods.go: makeHostsMount`, `legacy.go` |
//!
//! # Left out
//!
//! Each until the chapter that needs it:
//! - ephemeral containers, hooks, and the results of probes: with probes and ordering;
//! - in-place resize: with allocation;
//! - volumes: a pod that has some is refused by the sync above this crate;
//! - `RestartAllContainers`: with restart rules;
//! - RuntimeClass handlers: with the API server.
//!
//! # Other than the kubelet
//!
//! Beyond the original:
//! - a running container beside a newer one of the same name is ended ([`KillReason::Duplicate`]). It appears when an
//!   agent is killed while the runtime starts a container, and the real kubelet leaves it running for ever;
//! - a container that the runtime lost track of is ended with its pod like one that runs;
//! - a runtime that is away is no failure of a container or sandbox: nothing is told, and the next try waits for it;
//! - only so many pods start at a time ([`Settings::parallel_starts`]);
//! - a container that was only created does not count as the dead one that is kept ([`plan_gc`]), and a sandbox stays
//!   while one of its containers could not be removed.
//!
//! As in the original, a pod with `restartPolicy: Never` that loses its sandbox before all of its containers have run is
//! left as it is: it gets no second sandbox, and no end.

mod actions;
mod collect;
mod gc;
mod init_containers;
mod kill;
mod log_files;
#[cfg(test)]
mod notation;
mod pod_files;
mod runtime;
mod sandbox_changed;
mod start;
mod start_place;
mod stillborn;
mod surroundings;
mod sync_result;
mod termination_order;

pub use actions::{ContainerToKill, KillReason, PodActions, compute_pod_actions};
pub use gc::{GcPlan, MAX_PER_POD_CONTAINER, plan_gc};
pub use kill::{MINIMUM_GRACE_SECONDS, grace_period, remaining_grace};
pub use log_files::{links_dir, restart_count_by_log_dir};
pub use pod_files::make_pod_dir;
pub use runtime::{KUBE_RUNTIME_API_VERSION, KubeRuntime, Settings};
pub use sandbox_changed::{SandboxVerdict, sandbox_changed};
pub use stillborn::stillborn;
pub use surroundings::Surroundings;
pub use sync_result::{PodSyncResult, Waiting};
pub use termination_order::prerequisites;
