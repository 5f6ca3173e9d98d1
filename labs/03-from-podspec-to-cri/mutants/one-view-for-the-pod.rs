/// Whose processes a container sees: its own unless it asks for more. Mirrors `PidNamespaceForPod`.
fn pid_mode(pod: &Pod) -> NamespaceMode {
    let spec = spec(pod);
    if spec.host_pid == Some(true) {
        NamespaceMode::Node
    } else {
        NamespaceMode::Pod
    }
}
