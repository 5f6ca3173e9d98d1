//! What the messages depend on besides the pod.

use std::path::PathBuf;
use std::time::Duration;

/// Facts of the machine and settings of the kubelet that show in the messages. They stay the same while the agent runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// The machine's memory in bytes; the measure of OOM scores.
    pub memory_capacity: i64,
    /// Sizes of huge pages as the runtime spells them (`2MB`, `1GB`), in the order in which they are sent.
    pub hugepage_sizes: Vec<String>,
    /// Whether cpu limits are enforced (`cpuCFSQuota`).
    pub cpu_cfs_quota: bool,
    /// The time over which a cpu limit is measured (`cpuCFSQuotaPeriod`).
    pub cpu_cfs_quota_period: Duration,
    /// A pod that asks for no seccomp profile gets the runtime's instead of none (`seccompDefault`).
    pub seccomp_default: bool,
    /// Where profiles of type `Localhost` lie: the folder `seccomp` in the kubelet's root directory.
    pub seccomp_profile_root: PathBuf,
    /// Which cgroup interface the machine has.
    pub cgroup: CgroupVersion,
    /// When memory runs out, the kernel kills one process instead of the whole container (`singleProcessOOMKill`).
    /// Only version 2 can do otherwise.
    pub single_process_oom_kill: bool,
    /// What containers may do with swap.
    pub swap: Swap,
    /// Those of `/sys/devices/system/cpu/cpuN/thermal_throttle` that exist. They tell a container about its
    /// neighbours' load, and are masked like the paths of `/proc` that do.
    pub thermal_throttle_paths: Vec<String>,
}

impl NodeFacts {
    /// The settings of a kubelet that was told nothing, on a machine with this much memory in bytes, cgroup version 1
    /// and neither swap nor huge pages.
    pub fn new(memory_capacity: i64) -> Self {
        Self {
            memory_capacity,
            hugepage_sizes: Vec::new(),
            cpu_cfs_quota: true,
            cpu_cfs_quota_period: Duration::from_millis(100),
            seccomp_default: false,
            seccomp_profile_root: PathBuf::from("/var/lib/kubelet/seccomp"),
            cgroup: CgroupVersion::V1,
            single_process_oom_kill: true,
            swap: Swap::NoController,
            thermal_throttle_paths: Vec::new(),
        }
    }
}

/// The two interfaces to control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupVersion {
    /// One tree for each controller.
    V1,
    /// One tree for all; also called unified.
    V2,
}

/// What containers may do with swap (`memorySwap.swapBehavior`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The kernel does not count swap for cgroups, so there is nothing to set.
    NoController,
    /// No container may swap.
    NoSwap,
    /// Burstable containers may swap, in proportion to the memory that they request. Only with cgroup version 2.
    Limited {
        /// The machine's swap in bytes.
        capacity: i64,
    },
}
