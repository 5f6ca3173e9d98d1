/// A new sandbox is needed: everything starts over, unless the pod is done and a sandbox would be made for nothing.
fn plan_new_sandbox(pod: &Pod, status: &PodStatus, actions: &mut PodActions) {
    let has_run = spec(pod).containers.iter().any(|c| status.container(&c.name).is_some());
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
