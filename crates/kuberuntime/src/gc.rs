//! What is left of the dead, and when it goes.
//!
//! A dead container is worth keeping for a while: its log and exit code explain the restart. Pure: the plan is made from
//! the cache and costs the runtime nothing.
//!
//! Mirrors `kuberuntime_gc.go` and `pod_container_deletor.go`.

use std::collections::{BTreeMap, BTreeSet};

use cri_client::v1;
use pod_model::{ContainerState, ContainerStatus, PodStatus};

/// How many dead containers of one name a pod that still exists keeps (`--maximum-dead-containers-per-container`).
pub const MAX_PER_POD_CONTAINER: usize = 1;

/// What is to be removed, containers before sandboxes, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GcPlan {
    /// Containers, by id and name.
    pub containers: Vec<(String, String)>,
    /// Sandboxes that are empty once those containers are gone.
    pub sandboxes: Vec<String>,
}

impl GcPlan {
    /// Nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.containers.is_empty() && self.sandboxes.is_empty()
    }
}

/// Plans the removals of one pod, the oldest first. `gone`: the pod is not wanted any more, so nothing of it is kept.
///
/// A running container is never touched. Of each name the newest dead ones are kept, as many as [`MAX_PER_POD_CONTAINER`].
/// The newest of its name that never ran is neither removed nor counted: its start may be under way or have failed, and it
/// must not push out the one that ran before it, whose log and exit code are what people ask for (the kubelet's minute
/// round does count it, `podContainerDeletor` does not count one that was only created).
/// A sandbox goes when it is not ready, holds no container, and a newer one exists or the pod is gone.
pub fn plan_gc(status: &PodStatus, gone: bool) -> GcPlan {
    let keep = if gone { 0 } else { MAX_PER_POD_CONTAINER };
    let mut seen = BTreeSet::new();
    let mut dead: BTreeMap<&str, usize> = BTreeMap::new();
    let mut doomed: Vec<&ContainerStatus> = Vec::new();
    for container in &status.containers {
        let is_newest = seen.insert(container.name.as_str());
        let is_doomed = match container.state {
            ContainerState::Running => false,
            _ if container.never_ran() => gone || !is_newest,
            ContainerState::Created => gone,
            ContainerState::Exited | ContainerState::Unknown => {
                let so_far = dead.entry(&container.name).or_default();
                *so_far += 1;
                *so_far > keep
            }
        };
        if is_doomed {
            doomed.push(container);
        }
    }
    let doomed_ids: BTreeSet<&str> = doomed.iter().map(|c| c.id.as_str()).collect();
    let occupied: BTreeSet<&str> = status
        .containers
        .iter()
        .filter(|c| !doomed_ids.contains(c.id.as_str()))
        .map(|c| c.sandbox_id.as_str())
        .collect();
    let older_first = status.sandboxes.iter().skip(usize::from(!gone)).rev();
    let is_idle = |s: &&v1::PodSandboxStatus| {
        s.state() != v1::PodSandboxState::SandboxReady && !occupied.contains(s.id.as_str())
    };
    GcPlan {
        containers: doomed.iter().rev().map(|c| (c.id.clone(), c.name.clone())).collect(),
        sandboxes: older_first.filter(is_idle).map(|s| s.id.clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
