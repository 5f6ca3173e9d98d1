fn keep_or_replace(
    pod: &Pod,
    container: &Container,
    index: usize,
    status: &PodStatus,
    actions: &mut PodActions,
) -> bool {
    let known = status.container(&container.name);
    let Some(_running) = known.filter(|k| k.state == ContainerState::Running) else {
        if should_start(pod, container, status) {
            actions.containers_to_start.push(index);
            // It may live after all, and two of it must not: end it before the next one starts.
            actions.containers_to_kill.extend(
                known.filter(|k| k.state == ContainerState::Unknown).map(|k| lost_track("Container", k)),
            );
        }
        return false;
    };
    true
}
