//! Init containers: one after the other, before anything else; sidecars among them keep running.
//!
//! Mirrors `kuberuntime_container.go: computeInitContainerActions`. The list is walked from its end: records of finished
//! init containers may be gone from the runtime, so the last one that has left a trace says how far the pod has come.

use pod_model::identity::{init_containers, is_restartable_init, spec};
use pod_model::{
    Container, ContainerState, ContainerStatus, Pod, PodStatus, container_hash, restarts_on_failure,
    should_start,
};

use crate::actions::{ContainerToKill, KillReason, PodActions, lost_track, to_kill};

/// Names the init containers to start or end; whether the pod is initialized, so that regular containers may start.
/// Sets `kill_pod` when initialization failed for good.
pub(crate) fn compute_init_container_actions(
    pod: &Pod,
    status: &PodStatus,
    actions: &mut PodActions,
) -> bool {
    let containers = init_containers(pod);
    if containers.is_empty() {
        return true;
    }
    let mut initialized = any_regular_is_alive(pod, status);
    // Whether the init container under the pen is known to have been passed already.
    let mut passed = initialized;
    let mut to_start = Vec::new();
    for (index, container) in containers.iter().enumerate().rev() {
        let sidecar = is_restartable_init(container);
        let Some(known) = status.container(&container.name) else {
            if passed && sidecar {
                to_start.push(index);
            }
            continue;
        };
        if passed && !sidecar {
            continue;
        }
        let step = next_step(pod, container, known, status);
        if matches!(step, Step::Passed | Step::Renew(_)) {
            if index + 1 == containers.len() {
                initialized = true;
            } else if !passed {
                to_start.push(index + 1);
            }
        }
        match step {
            Step::Wait | Step::Passed => {}
            Step::Start => to_start.push(index),
            Step::Replace(kill) | Step::Renew(kill) => {
                actions.containers_to_kill.push(kill);
                to_start.push(index);
            }
            Step::GiveUp => {
                actions.kill_pod = true;
                return false;
            }
        }
        passed = true;
    }
    if !passed {
        to_start.push(0);
    }
    to_start.reverse();
    actions.init_containers_to_start = to_start;
    initialized
}

/// What one init container with a trace needs.
enum Step {
    /// It runs, and has to finish first.
    Wait,
    /// Start it, or start it again.
    Start,
    /// End it and start it again.
    Replace(ContainerToKill),
    /// It is done, or it is a sidecar that is up: the next one may start.
    Passed,
    /// A sidecar that is up, but made from another definition: the next one may start, and it is started again itself.
    Renew(ContainerToKill),
    /// It failed and may not be repeated: the pod is over.
    GiveUp,
}

fn next_step(pod: &Pod, container: &Container, known: &ContainerStatus, status: &PodStatus) -> Step {
    let sidecar = is_restartable_init(container);
    match known.state {
        ContainerState::Created => Step::Start,
        ContainerState::Running if !sidecar => Step::Wait,
        ContainerState::Running if known.hash != container_hash(container) => {
            let message = format!("Init container {} definition changed", container.name);
            Step::Renew(to_kill(known, message, KillReason::Ordinary))
        }
        ContainerState::Running => Step::Passed,
        ContainerState::Exited if sidecar => Step::Start,
        ContainerState::Exited if !has_failed(known) => Step::Passed,
        ContainerState::Exited if should_start(pod, container, status) => Step::Start,
        ContainerState::Exited => Step::GiveUp,
        ContainerState::Unknown if sidecar || may_repeat(pod, container) => {
            Step::Replace(lost_track("Init container", known))
        }
        ContainerState::Unknown => Step::GiveUp,
    }
}

/// A regular container that was made in this sandbox proves that initialization was done. One that has ended does not:
/// it may be from before a reboot. Mirrors the first loop of `computeInitContainerActions`.
fn any_regular_is_alive(pod: &Pod, status: &PodStatus) -> bool {
    let alive = |state| matches!(state, ContainerState::Created | ContainerState::Running);
    spec(pod).containers.iter().any(|c| status.container(&c.name).is_some_and(|known| alive(known.state)))
}

/// An init container that ran out of memory has failed whatever its code. Mirrors `isInitContainerFailed`.
fn has_failed(known: &ContainerStatus) -> bool {
    known.exit_code != 0 || known.reason == "OOMKilled"
}

/// By policy alone: without an exit code no rule can be asked.
fn may_repeat(pod: &Pod, container: &Container) -> bool {
    match container.restart_policy.as_deref() {
        Some(own) => own != "Never",
        None => restarts_on_failure(pod),
    }
}

#[cfg(test)]
mod tests;
