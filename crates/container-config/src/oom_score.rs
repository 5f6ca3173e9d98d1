//! Whose processes the kernel kills first when the node has no memory left.
//!
//! The kernel scores a process by its share of the memory, in thousandths, and adds what is written here, from −1000
//! to 1000. So −997 makes a process all but safe, 1000 makes it the first, and what lies between is chosen so that a
//! burstable container that uses no more than it requested scores below 1000, and one that uses more scores above.
//!
//! Mirrors `qos/policy.go` and `qos/helpers.go`.

use pod_model::identity::{init_containers, is_restartable_init, spec};
use pod_model::{Container, Pod, QosClass, qos_class, static_pod};

use crate::pod_totals::{List, container_amount, containers_total, pod_level_amount};

/// The kubelet's own score, which it sets for itself.
pub const KUBELET: i64 = -999;
/// A guaranteed container, or one that the node depends on.
pub const GUARANTEED: i64 = -997;
/// A container that asked for nothing.
pub const BEST_EFFORT: i64 = 1000;

/// Priorities from here up belong to the system (`apis/scheduling/types.go: SystemCriticalPriority`).
const SYSTEM_CRITICAL_PRIORITY: i32 = 2_000_000_000;
const SYSTEM_NODE_CRITICAL: &str = "system-node-critical";

// ANCHOR: lab03_oom
/// The OOM score adjustment of one container, −997 to 1000; a burstable one's lies within 3 and 999.
/// `memory_capacity` is the machine's, in bytes. Mirrors `GetContainerOOMScoreAdjust`.
///
/// A sidecar is worth at least as much as the regular container with the smallest request: killing it first would take
/// from that container what it needs.
pub fn oom_score_adj(pod: &Pod, container: &Container, memory_capacity: i64) -> i64 {
    if is_critical(pod) && spec(pod).priority_class_name.as_deref() == Some(SYSTEM_NODE_CRITICAL) {
        return GUARANTEED;
    }
    match qos_class(pod) {
        QosClass::Guaranteed => return GUARANTEED,
        QosClass::BestEffort => return BEST_EFFORT,
        QosClass::Burstable => {}
    }
    let mut request = memory_request(container);
    if is_sidecar(pod, container) {
        request = request.max(smallest_regular_request(pod));
    }
    let request = i128::from(request) + i128::from(unassigned_request(pod));
    let score = 1000 - 1000 * request / i128::from(memory_capacity.max(1));
    i64::try_from(score.clamp(3, 999)).unwrap_or(3)
}
// ANCHOR_END: lab03_oom

/// A pod that is not to be sacrificed: from a file, a mirror of such a one, or of a system priority.
/// Mirrors `types/pod_update.go: IsCriticalPod`.
pub(crate) fn is_critical(pod: &Pod) -> bool {
    let priority = spec(pod).priority.unwrap_or(0);
    static_pod::is_static(pod) || static_pod::is_mirror(pod) || priority >= SYSTEM_CRITICAL_PRIORITY
}

fn memory_request(container: &Container) -> i64 {
    container_amount(container, List::Requests, "memory").unwrap_or_default().value()
}

/// Mirrors `isSidecarContainer`.
fn is_sidecar(pod: &Pod, container: &Container) -> bool {
    is_restartable_init(container) && init_containers(pod).iter().any(|c| c.name == container.name)
}

/// Mirrors `minRegularContainerMemory`.
fn smallest_regular_request(pod: &Pod) -> i64 {
    spec(pod).containers.iter().map(memory_request).min().unwrap_or(0)
}

/// What the pod itself requests beyond the sum of its containers, in equal parts for each of them.
/// Mirrors `remainingPodMemReqPerContainer`.
fn unassigned_request(pod: &Pod) -> i64 {
    let of_pod = pod_level_amount(pod, List::Requests, "memory").unwrap_or_default().value();
    let containers = spec(pod).containers.len() + init_containers(pod).len();
    if of_pod == 0 || containers == 0 {
        return 0;
    }
    let of_containers = containers_total(pod, List::Requests, "memory").unwrap_or_default().value();
    of_pod.saturating_sub(of_containers) / i64::try_from(containers).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
