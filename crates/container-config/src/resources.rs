//! How much of the machine a container, or a pod's sandbox, may use.
//!
//! ```text
//!   requests.cpu ──▶ cpu_shares   who gets more when all want cpu       (1 cpu = 1024, at least 2)
//!   limits.cpu ────▶ cpu_quota    microseconds of cpu in each cpu_period (absent: no limit)
//!   limits.memory ─▶ memory_limit_in_bytes                              (absent: no limit)
//!   requests.memory▶ oom_score_adj   who is killed first when memory runs out
//! ```
//!
//! Mirrors `kuberuntime_container_linux.go`, `kuberuntime_sandbox_linux.go` and `cm/helpers_linux.go`.

use cri_client::v1::LinuxContainerResources;
use pod_model::identity::spec;
use pod_model::quantity::{Amount, amount_of};
use pod_model::{Container, Pod};

use crate::hugepages::hugepage_limits;
use crate::oom_score::oom_score_adj;
use crate::pod_totals::{List, container_amount, pod_amount, pod_level_amount};
use crate::swap::limit_swap;
use crate::{CgroupVersion, NodeFacts};

/// The least that the kernel takes for cpu shares.
pub const MIN_SHARES: i64 = 2;
/// The most that the kernel takes for cpu shares.
pub const MAX_SHARES: i64 = 262_144;
const SHARES_PER_CPU: i128 = 1024;
const MILLI_PER_CPU: i128 = 1000;
/// The kernel refuses a quota below one millisecond.
const MIN_QUOTA_MICROS: i64 = 1000;

// ANCHOR: lab03_cpu
/// Thousandths of a cpu as cpu shares. Mirrors `cm/helpers_linux.go: MilliCPUToShares`.
pub fn cpu_shares(milli_cpu: i64) -> i64 {
    let shares = i128::from(milli_cpu) * SHARES_PER_CPU / MILLI_PER_CPU;
    clamp_to_i64(shares).clamp(MIN_SHARES, MAX_SHARES)
}

/// Thousandths of a cpu as microseconds of cpu time in each period of that many microseconds; 0 is no limit.
/// Mirrors `cm/helpers_linux.go: MilliCPUToQuota`.
pub fn cpu_quota(milli_cpu: i64, period_micros: i64) -> i64 {
    if milli_cpu == 0 {
        return 0;
    }
    let quota = i128::from(milli_cpu) * i128::from(period_micros) / MILLI_PER_CPU;
    clamp_to_i64(quota).max(MIN_QUOTA_MICROS)
}
// ANCHOR_END: lab03_cpu

fn clamp_to_i64(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide > 0 { i64::MAX } else { i64::MIN })
}

// ANCHOR: bounds
/// What bounds a cgroup, before the node's settings are applied.
struct Bounds {
    /// `None` when nothing was requested, which is not the same as a request for nothing.
    cpu_request: Option<Amount>,
    cpu_limit: Amount,
    memory_limit: Amount,
}
// ANCHOR_END: bounds

// ANCHOR: lab03_resources
/// The part of the resources that containers and sandboxes have in common. Mirrors `calculateLinuxResources`.
///
/// A limit without a request counts as request. The API server fills that in as well; manifests have no API server.
fn linux_resources(bounds: &Bounds, node: &NodeFacts) -> LinuxContainerResources {
    let mut resources = LinuxContainerResources {
        cpu_shares: cpu_shares(bounds.cpu_request.unwrap_or(bounds.cpu_limit).milli_value()),
        memory_limit_in_bytes: bounds.memory_limit.value(),
        ..Default::default()
    };
    if node.cpu_cfs_quota {
        resources.cpu_period = i64::try_from(node.cpu_cfs_quota_period.as_micros()).unwrap_or(i64::MAX);
        resources.cpu_quota = cpu_quota(bounds.cpu_limit.milli_value(), resources.cpu_period);
    }
    if node.cgroup == CgroupVersion::V2 && !node.single_process_oom_kill {
        // Ends the whole container: half a container that goes on is worse than one that is started anew.
        resources.unified.insert("memory.oom.group".into(), "1".into());
    }
    resources
}
// ANCHOR_END: lab03_resources

/// The resources of one container. Mirrors `generateLinuxContainerResources`.
pub fn container_resources(pod: &Pod, container: &Container, node: &NodeFacts) -> LinuxContainerResources {
    let bounds = Bounds {
        cpu_request: container_amount(container, List::Requests, "cpu"),
        cpu_limit: effective_limit(pod, container, "cpu"),
        memory_limit: effective_limit(pod, container, "memory"),
    };
    let mut resources = linux_resources(&bounds, node);
    resources.oom_score_adj = oom_score_adj(pod, container, node.memory_capacity);
    resources.hugepage_limits = hugepage_limits(pod, container, &node.hugepage_sizes);
    limit_swap(&mut resources, pod, container, node);
    resources
}

/// The container's limit, or that of its pod, or none (zero). Mirrors `getCPULimit, getMemoryLimit`.
fn effective_limit(pod: &Pod, container: &Container, resource: &str) -> Amount {
    let own = container_amount(container, List::Limits, resource).filter(|limit| !limit.is_zero());
    own.or_else(|| pod_level_amount(pod, List::Limits, resource)).unwrap_or_default()
}

/// The resources of a whole pod, told to the runtime with its sandbox. A runtime that makes a virtual machine for
/// each pod sizes it by them. Mirrors `calculateSandboxResources`.
pub fn sandbox_resources(pod: &Pod, node: &NodeFacts) -> LinuxContainerResources {
    let limit = |resource| pod_amount(pod, List::Limits, resource).unwrap_or_default();
    let bounds = Bounds {
        cpu_request: pod_amount(pod, List::Requests, "cpu"),
        cpu_limit: limit("cpu"),
        memory_limit: limit("memory"),
    };
    linux_resources(&bounds, node)
}

/// What the pod costs beside its containers: nothing at all unless its runtime class says so.
/// Mirrors `convertOverheadToLinuxResources`.
pub fn sandbox_overhead(pod: &Pod, node: &NodeFacts) -> LinuxContainerResources {
    let Some(overhead) = &spec(pod).overhead else {
        return LinuxContainerResources::default();
    };
    let amount = |resource| amount_of(Some(overhead), resource).unwrap_or_default();
    let bounds = Bounds { cpu_request: None, cpu_limit: amount("cpu"), memory_limit: amount("memory") };
    linux_resources(&bounds, node)
}

#[cfg(test)]
mod tests;
