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
    actions
}

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
