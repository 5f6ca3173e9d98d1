//! What a pod is on a node.
//!
//! The API has its own idea of a pod (`k8s_openapi`'s types, used as they are), and the runtime has another: sandboxes
//! and containers with labels. This crate is where the two meet. Everything above it speaks of a pod by the
//! [`PodRef`], compares the spec with a [`PodStatus`], and reads that status from one [`PodCache`].
//!
//! ```text
//!   API types ──▶ identity, labels, hash, paths ──▶ what is written onto sandboxes and containers
//!   CRI types ──▶ status ──▶ cache ──▶ (pod workers wait here for a picture newer than their last action)
//!                 backoff: when again?        event: what people are told
//! ```
//!
//! | here | Go |
//! |---|---|
//! | [`identity`], [`static_pod`] | `pkg/kubelet/types/pod_update.go`, `config/common.go`, `util/format/pod.go` |
//! | [`labels`] | `kuberuntime/labels.go`, `staging/src/k8s.io/kubelet/pkg/types/labels.go` |
//! | [`container_hash`] | `container/helpers.go: HashContainer`, `pkg/util/hash/hash.go: DeepHashObject` |
//! | [`QosClass`], [`quantity`] | `pkg/apis/core/v1/helper/qos`, `apimachinery/pkg/api/resource` |
//! | [`paths`], [`cgroup_name`] | `kuberuntime/helpers.go`, `legacy.go`, `kubelet_getters.go`, `cm` |
//! | [`PodStatus`], [`ContainerStatus`] | `container/runtime.go`, `kuberuntime_container.go: toKubeContainerStatus` |
//! | [`PodCache`] | `container/cache.go` |
//! | [`should_start`], [`restarts_after`] | `container/helpers.go`, `pkg/api/v1/pod/util.go` |
//! | [`Backoff`] | `client-go/util/flowcontrol/backoff.go` |
//! | [`Event`], [`EventSink`] | `pkg/kubelet/events`, `container/ref.go: fieldPath`, `client-go/tools/record` |
//!
//! # Left out
//!
//! - the Go dump behind static pod UIDs: it prints Go's own memory layout, so the value differs while form and
//!   stability do not ([`static_pod::pod_uid`]);
//! - the systemd form of cgroup names, until the `cgroups` crate has that driver;
//! - Windows fields of statuses.

mod backoff;
mod cache;
pub mod cgroup_name;
mod event;
mod go_json;
mod hash;
pub mod identity;
pub mod labels;
pub mod paths;
mod qos;
pub mod quantity;
mod restart;
pub mod static_pod;
mod status;

pub use backoff::{Backoff, FORGIVEN_AFTER, INITIAL, MAX};
pub use cache::{Known, Moment, PodCache};
pub use event::{Event, EventSink, EventType, RecordedEvents, field_path, reason};
pub use hash::{container_hash, fnv1a_32};
pub use identity::{PodRef, PodUid};
pub use k8s_openapi::api::core::v1::{Container, Pod};
pub use qos::{QosClass, qos_class};
pub use restart::{restarts_after, restarts_on_failure, should_start};
pub use status::{ContainerState, ContainerStatus, PodStatus, sandbox_ips};
