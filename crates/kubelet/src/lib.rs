//! The kubelet: everything below it, wired together, and the loop in the middle.
//!
//! ```text
//!   manifests ─ StaticPods ─▶ PodConfig ─ PodUpdate ─▶ SyncLoop ─ Update ─▶ PodWorkers ─▶ Syncer ─▶ KubeRuntime ─▶ CRI
//!                                                        ▲  │                    ▲
//!                                        PodChange ──────┘  └─▶ Housekeeping     │ statuses
//!                            Pleg ─ looks at the runtime ──────▶ PodCache ───────┘
//! ```
//!
//! Left of `PodWorkers` every arrow is a channel, and what comes back goes through the cache: tasks do not call each other.
//! Right of it are plain calls, made while a worker's sync lasts. The loop says *that* something is to be looked at, a
//! worker decides *whether* and *when*, and `kuberuntime` decides *what* is to be done. Two small boards are read from all
//! sides: `SourcesReady` (has every source spoken?) and `StageBoard` (how far is each pod in its life?).
//!
//! | here | Go |
//! |---|---|
//! | [`Kubelet::start`] | `kubelet.go: NewMainKubelet, Run, setupDataDirs` |
//! | [`KubeletHost`] | `kubelet.go: SyncLoopHealthCheck` |
//! | `sync_loop` | `kubelet.go: syncLoopIteration`, `pod/pod_manager.go` |
//! | `syncer` | `kubelet.go: SyncPod, SyncTerminatingPod, SyncTerminatedPod`, `errors.go` |
//! | `pod_dirs` | `kubelet_pods.go: makePodDataDirs`, `kubelet_volumes.go: cleanupOrphanedPodDirs` |
//! | `housekeeping` | `kubelet_pods.go: HandlePodCleanups`, `kubelet.go: StartGarbageCollection`, `pod_container_deletor.go` |
//! | `runtime_state` | `kubelet.go: updateRuntimeUp`, `runtime.go` |
//! | [`read_node_facts`] | `cadvisor/cadvisor_linux.go: MachineInfo`, `util/util_linux.go`, `kuberuntime_container_linux.go: checkSwapControllerAvailability` |
//! | [`ForeignPods`] | none: the real kubelet takes over whatever it finds |
//!
//! # Left out
//!
//! Each until its chapter:
//! - the API server as a source of pods, and statuses sent to it;
//! - probes, hooks and admission;
//! - volumes: a pod that has some waits with `FailedMount`;
//! - cgroups of pods, and eviction;
//! - the HTTP API.
//!
//! # Other than the kubelet
//!
//! - there is no two-second housekeeping poll. What it looks for (pods that nobody wants, dead containers) is noticed when
//!   `pleg` reports a change; a full round a minute makes up for what was missed;
//! - it does not take over the pods of another kubelet without being told to ([`ForeignPods`]).

mod adoption;
mod housekeeping;
mod kubelet;
mod node_facts;
mod pod_dirs;
mod runtime_state;
mod sync_loop;
mod syncer;
mod unsupported;

pub use adoption::{ForeignPods, foreign_pods};
pub use container_config::NodeFacts;
pub use kubelet::{Dependencies, Kubelet, KubeletHost, Settings, StartError};
pub use kuberuntime::{Settings as RuntimeSettings, Surroundings};
pub use node_facts::read_node_facts;
pub use pod_environment::{DnsSettings, EnvFacts};
