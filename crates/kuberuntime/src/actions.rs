//! The heart of the kubelet: given a pod and what the runtime has of it, what is to be done?
//!
//! Pure. Whatever happened before (the agent was killed, somebody stopped a sandbox, a container ended twice while
//! nobody looked) has already become a [`PodStatus`]; this compares it with the spec and names the difference.
//!
//! Mirrors `kuberuntime_manager.go: computePodActions`.

use std::collections::BTreeSet;

use pod_model::identity::{init_containers, spec};
use pod_model::{
    Container, ContainerState, ContainerStatus, Pod, PodStatus, container_hash, restarts_on_failure,
    should_start,
};

use crate::init_containers::compute_init_container_actions;
use crate::sandbox_changed::sandbox_changed;

/// Why a container is being ended; it decides the grace period. Mirrors `containerKillReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillReason {
    /// Its pod goes, or its definition changed.
    Ordinary,
    /// The runtime lost track of it: it may still live.
    Unknown,
    /// A newer container of the same name lives: an earlier agent was killed while it started one.
    Duplicate,
}

/// A container to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerToKill {
    /// The runtime's id.
    pub id: String,
    /// Its name in the pod.
    pub name: String,
    /// What the event will say.
    pub message: String,
    /// Why.
    pub reason: KillReason,
}

/// What a pod needs next. Indices are places in the spec's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodActions {
    /// End everything that the pod has.
    pub kill_pod: bool,
    /// Then make a new sandbox.
    pub create_sandbox: bool,
    /// The present sandbox.
    pub sandbox_id: Option<String>,
    /// The attempt of the sandbox that is used or made.
    pub attempt: u32,
    /// Init containers to start, in this order.
    pub init_containers_to_start: Vec<usize>,
    /// Containers to start, in this order.
    pub containers_to_start: Vec<usize>,
    /// Containers to end first. Empty when the whole pod is ended.
    pub containers_to_kill: Vec<ContainerToKill>,
}

impl PodActions {
    /// Nothing is to be done: the pod is as it should be.
    pub fn is_empty(&self) -> bool {
        !self.kill_pod
            && !self.create_sandbox
            && self.init_containers_to_start.is_empty()
            && self.containers_to_start.is_empty()
            && self.containers_to_kill.is_empty()
    }
}

// ANCHOR: lab04_actions
/// Compares a pod with its status.
pub fn compute_pod_actions(pod: &Pod, status: &PodStatus) -> PodActions {
    let verdict = sandbox_changed(pod, status);
    let mut actions = PodActions {
        kill_pod: verdict.changed,
        create_sandbox: verdict.changed,
        sandbox_id: verdict.id,
        attempt: verdict.attempt,
        ..PodActions::default()
    };
    if verdict.changed {
        plan_new_sandbox(pod, status, &mut actions);
        return actions;
    }
    kill_duplicates(status, &mut actions);
    let initialized = compute_init_container_actions(pod, status, &mut actions);
    if initialized && !actions.kill_pod {
        compute_regular_container_actions(pod, status, &mut actions);
    }
    if actions.kill_pod {
        // Each container is ended with the pod.
        actions.containers_to_kill.clear();
    }
    actions
}

/// Keeps, starts or replaces the regular containers of an initialized pod; with none of them left the pod is over.
fn compute_regular_container_actions(pod: &Pod, status: &PodStatus, actions: &mut PodActions) {
    let mut kept = 0;
    for (index, container) in spec(pod).containers.iter().enumerate() {
        kept += usize::from(keep_or_replace(pod, container, index, status, actions));
    }
    if kept == 0 && actions.containers_to_start.is_empty() {
        // All regular containers are done. Sidecars must not keep the pod alive.
        actions.kill_pod = true;
        actions.init_containers_to_start.clear();
    }
}
// ANCHOR_END: lab04_actions

// ANCHOR: lab04_new_sandbox
/// A new sandbox is needed: everything starts over, unless the pod is done and a sandbox would be made for nothing.
fn plan_new_sandbox(pod: &Pod, status: &PodStatus, actions: &mut PodActions) {
    let has_run = !status.containers.is_empty();
    if !restarts_on_failure(pod) && actions.attempt != 0 && has_run {
        actions.create_sandbox = false;
        return;
    }
    let containers = &spec(pod).containers;
    let to_start: Vec<usize> =
        (0..containers.len()).filter(|index| !is_done(pod, &containers[*index], status)).collect();
    let any_was_created = containers.iter().any(|c| status.container(&c.name).is_some());
    if to_start.is_empty() && any_was_created {
        actions.create_sandbox = false;
        return;
    }
    if init_containers(pod).is_empty() {
        actions.containers_to_start = to_start;
    } else {
        actions.init_containers_to_start = vec![0];
    }
}

/// A container that is to run until it succeeds, and has. Mirrors `containerSucceeded`.
fn is_done(pod: &Pod, container: &Container, status: &PodStatus) -> bool {
    let policy = container.restart_policy.as_deref().or(spec(pod).restart_policy.as_deref());
    let succeeded = |known: &ContainerStatus| known.state == ContainerState::Exited && known.exit_code == 0;
    policy == Some("OnFailure") && status.container(&container.name).is_some_and(succeeded)
}
// ANCHOR_END: lab04_new_sandbox

// ANCHOR: lab04_container
/// Decides about one regular container; whether it is kept as it is.
fn keep_or_replace(
    pod: &Pod,
    container: &Container,
    index: usize,
    status: &PodStatus,
    actions: &mut PodActions,
) -> bool {
    let known = status.container(&container.name);
    let Some(running) = known.filter(|k| k.state == ContainerState::Running) else {
        if should_start(pod, container, status) {
            actions.containers_to_start.push(index);
            // It may live after all, and two of it must not: end it before the next one starts.
            actions.containers_to_kill.extend(
                known.filter(|k| k.state == ContainerState::Unknown).map(|k| lost_track("Container", k)),
            );
        }
        return false;
    };
    if running.hash == container_hash(container) {
        return true;
    }
    // Restarted whatever the policy says, since it is the spec that changed.
    let message = format!("Container {} definition changed, will be restarted", container.name);
    actions.containers_to_start.push(index);
    actions.containers_to_kill.push(to_kill(running, message, KillReason::Ordinary));
    false
}
// ANCHOR_END: lab04_container

/// Ends what lives beside a newer container of the same name. The real kubelet leaves it running.
fn kill_duplicates(status: &PodStatus, actions: &mut PodActions) {
    let mut seen = BTreeSet::new();
    for container in &status.containers {
        let newest = seen.insert(container.name.as_str());
        if !newest && container.state == ContainerState::Running {
            let message = format!("Container {} is a leftover beside a newer one", container.name);
            actions.containers_to_kill.push(to_kill(container, message, KillReason::Duplicate));
        }
    }
}

/// `kind` is what the message calls it: `Container` or `Init container`.
pub(crate) fn lost_track(kind: &str, known: &ContainerStatus) -> ContainerToKill {
    let message = format!("{kind} is in {:?} state, try killing it before restart", known.state.to_string());
    to_kill(known, message, KillReason::Unknown)
}

pub(crate) fn to_kill(known: &ContainerStatus, message: String, reason: KillReason) -> ContainerToKill {
    ContainerToKill { id: known.id.clone(), name: known.name.clone(), message, reason }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
