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
        }
        let lost = known.filter(|k| k.state == ContainerState::Unknown);
        actions.containers_to_kill.extend(lost.map(|k| lost_track("Container", k)));
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
