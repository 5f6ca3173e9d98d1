//! May a container that ended be started again?
//!
//! Mirrors `pkg/api/v1/pod/util.go: ContainerShouldRestart` and `container/helpers.go: ShouldContainerBeRestarted`.

use k8s_openapi::api::core::v1::{Container, ContainerRestartRule, Pod};

use crate::identity::spec;
use crate::{ContainerState, PodStatus};

// ANCHOR: restarts_after
/// Whether a container that ended with `exit_code` is to be started again: by the first of its own rules that fits,
/// else by its own policy, else by the pod's. A pod without a policy restarts always, as the API defaults it.
pub fn restarts_after(pod: &Pod, container: &Container, exit_code: i32) -> bool {
    let Some(own) = container.restart_policy.as_deref() else {
        return by_policy(spec(pod).restart_policy.as_deref(), exit_code);
    };
    let rules = container.restart_policy_rules.as_deref().unwrap_or_default();
    match rules.iter().find(|rule| fits(rule, exit_code)) {
        // `Restart` and `RestartAllContainers` are the only actions: both start it again.
        Some(_) => true,
        None => by_policy(Some(own), exit_code),
    }
}
// ANCHOR_END: restarts_after

fn by_policy(policy: Option<&str>, exit_code: i32) -> bool {
    match policy {
        Some("Never") => false,
        Some("OnFailure") => exit_code != 0,
        _ => true,
    }
}

fn fits(rule: &ContainerRestartRule, exit_code: i32) -> bool {
    let Some(codes) = &rule.exit_codes else { return false };
    let listed = codes.values.as_deref().unwrap_or_default().contains(&exit_code);
    match codes.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        _ => false,
    }
}

/// Whether the pod's policy restarts a container that was ended while it ran, for instance by a failed probe.
/// Mirrors `kuberuntime_manager.go: shouldRestartOnFailure`.
pub fn restarts_on_failure(pod: &Pod) -> bool {
    spec(pod).restart_policy.as_deref() != Some("Never")
}

/// Whether a container is to be started, given what the runtime has of it: yes if it never ran, was only created or was
/// lost track of, no while it runs, and by policy once it has ended. Nothing starts in a pod that is being deleted.
pub fn should_start(pod: &Pod, container: &Container, status: &PodStatus) -> bool {
    if pod.metadata.deletion_timestamp.is_some() {
        return false;
    }
    match status.container(&container.name) {
        None => true,
        Some(known) => match known.state {
            ContainerState::Running => false,
            ContainerState::Created | ContainerState::Unknown => true,
            ContainerState::Exited => restarts_after(pod, container, known.exit_code),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(policy: &str, container: serde_json::Value) -> (Pod, Container) {
        let pod: Pod = serde_json::from_value(serde_json::json!({
            "spec": {"restartPolicy": policy, "containers": [container]},
        }))
        .expect("a pod");
        let container = pod.spec.clone().expect("a spec").containers.remove(0);
        (pod, container)
    }

    #[test]
    fn the_containers_own_rules_come_first_then_its_policy_then_the_pods() {
        let plain = serde_json::json!({"name": "a"});
        let own = serde_json::json!({"name": "a", "restartPolicy": "OnFailure"});
        let ruled = serde_json::json!({"name": "a", "restartPolicy": "Never", "restartPolicyRules": [
            {"action": "Restart", "exitCodes": {"operator": "In", "values": [42, 43]}},
        ]});
        let spared = serde_json::json!({"name": "a", "restartPolicy": "Never", "restartPolicyRules": [
            {"action": "Restart", "exitCodes": {"operator": "NotIn", "values": [0]}},
        ]});
        for (policy, container, exit_code, restarts) in [
            ("Always", &plain, 0, true),
            ("Always", &plain, 1, true),
            ("OnFailure", &plain, 0, false),
            ("OnFailure", &plain, 1, true),
            ("Never", &plain, 1, false),
            ("Never", &own, 1, true),
            ("Always", &own, 0, false),
            ("Always", &ruled, 42, true),
            ("Always", &ruled, 1, false),
            ("Never", &spared, 7, true),
            ("Never", &spared, 0, false),
        ] {
            let (pod, container) = pod(policy, container.clone());
            assert_eq!(
                restarts_after(&pod, &container, exit_code),
                restarts,
                "{policy} {container:?} {exit_code}"
            );
        }
    }
}
