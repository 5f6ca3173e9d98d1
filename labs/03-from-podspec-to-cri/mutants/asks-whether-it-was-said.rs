/// Whose processes a container sees: its own unless it asks for more. Mirrors `PidNamespaceForPod`.
fn pid_mode(pod: &Pod) -> NamespaceMode {
    let spec = spec(pod);
    if spec.host_pid.is_some_and(|host| host) {
        NamespaceMode::Node
    } else if spec.share_process_namespace.is_some() {
        NamespaceMode::Pod
    } else {
        NamespaceMode::Container
    }
}
