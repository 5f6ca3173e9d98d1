fn keep_or_replace(
    pod: &Pod,
    container: &Container,
    index: usize,
    status: &PodStatus,
    actions: &mut PodActions,
) -> bool {
    let known = status.container(&container.name);
    let Some(running) = known.filter(|k| k.state == ContainerState::Running) else {
        let changed = known.is_some_and(|k| k.hash != container_hash(container));
        if changed || should_start(pod, container, status) {
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
