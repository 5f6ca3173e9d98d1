//! What a pod asks for and this version does not do, where the pod runs all the same.
//!
//! A pod with volumes is held back, since it might write where it should not. A probe or a hook that nobody runs does no
//! harm, but its author should hear of it.

use pod_model::Pod;
use pod_model::identity::{init_containers, spec};

/// Each thing by container and field: `container app: livenessProbe`.
pub(crate) fn not_acted_on(pod: &Pod) -> Vec<String> {
    let mut found = Vec::new();
    for container in init_containers(pod).iter().chain(&spec(pod).containers) {
        let lifecycle = container.lifecycle.as_ref();
        let fields = [
            ("livenessProbe", container.liveness_probe.is_some()),
            ("readinessProbe", container.readiness_probe.is_some()),
            ("startupProbe", container.startup_probe.is_some()),
            ("lifecycle.postStart", lifecycle.is_some_and(|l| l.post_start.is_some())),
            ("lifecycle.preStop", lifecycle.is_some_and(|l| l.pre_stop.is_some())),
        ];
        let given = fields.into_iter().filter(|(_, given)| *given);
        found.extend(given.map(|(field, _)| format!("container {}: {field}", container.name)));
    }
    if spec(pod).active_deadline_seconds.is_some() {
        found.push("activeDeadlineSeconds".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_named_with_its_container() {
        let pod: Pod = serde_json::from_value(serde_json::json!({"spec": {
            "activeDeadlineSeconds": 5,
            "containers": [
                {"name": "plain"},
                {"name": "app", "livenessProbe": {}, "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}},
            ],
        }}))
        .expect("a pod");
        assert_eq!(
            not_acted_on(&pod),
            ["container app: livenessProbe", "container app: lifecycle.preStop", "activeDeadlineSeconds"]
        );
    }
}
