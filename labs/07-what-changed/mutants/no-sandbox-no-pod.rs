pub fn group_by_pod(
    sandboxes: &[v1::PodSandbox],
    containers: &[v1::Container],
) -> BTreeMap<PodUid, PodRecord> {
    let mut pods: BTreeMap<PodUid, PodRecord> = BTreeMap::new();
    for sandbox in sandboxes {
        let Some(pod) = labels::pod_of(&sandbox.labels) else { continue };
        let state = match sandbox.state() {
            v1::PodSandboxState::SandboxReady => ContainerState::Running,
            v1::PodSandboxState::SandboxNotready => ContainerState::Exited,
        };
        let record = pods.entry(pod.uid.clone()).or_insert_with(|| PodRecord::new(pod));
        record.members.insert(sandbox.id.clone(), Seen { state, is_sandbox: true });
    }
    for container in containers {
        let Some(pod) = labels::pod_of(&container.labels) else { continue };
        let Some(record) = pods.get_mut(&pod.uid) else { continue };
        record
            .members
            .insert(container.id.clone(), Seen { state: container.state().into(), is_sandbox: false });
        record.sandbox_of.insert(container.id.clone(), container.pod_sandbox_id.clone());
    }
    pods
}
