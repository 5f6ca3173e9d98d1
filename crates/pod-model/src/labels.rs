//! What the agent writes onto sandboxes and containers, and reads back after a restart.
//!
//! The agent keeps no database: these labels and annotations are all that it will know of a pod whose manifest went
//! away while it was down. Mirrors `kuberuntime/labels.go` and `staging/src/k8s.io/kubelet/pkg/types/labels.go`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod};

use crate::{PodRef, PodUid, container_hash, go_json, paths};

/// Labels or annotations.
pub type Map = BTreeMap<String, String>;

/// The pod's name, on sandboxes and containers.
pub const POD_NAME: &str = "io.kubernetes.pod.name";
/// The pod's namespace, on sandboxes and containers.
pub const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// The pod's UID, on sandboxes and containers.
pub const POD_UID: &str = "io.kubernetes.pod.uid";
/// The container's name.
pub const CONTAINER_NAME: &str = "io.kubernetes.container.name";
/// The [container hash](container_hash), in hexadecimal.
pub const CONTAINER_HASH: &str = "io.kubernetes.container.hash";
/// How often the container was started before.
pub const RESTART_COUNT: &str = "io.kubernetes.container.restartCount";
/// Where the container writes its last words.
pub const TERMINATION_MESSAGE_PATH: &str = "io.kubernetes.container.terminationMessagePath";
/// Whether its log may serve instead.
pub const TERMINATION_MESSAGE_POLICY: &str = "io.kubernetes.container.terminationMessagePolicy";
/// The preStop hook, as JSON.
pub const PRE_STOP_HANDLER: &str = "io.kubernetes.container.preStopHandler";
/// The container's ports, as JSON.
pub const CONTAINER_PORTS: &str = "io.kubernetes.container.ports";
/// The grace period that the deletion asked for, in seconds.
pub const DELETION_GRACE_PERIOD: &str = "io.kubernetes.pod.deletionGracePeriod";
/// The grace period that the pod's spec asks for, in seconds.
pub const TERMINATION_GRACE_PERIOD: &str = "io.kubernetes.pod.terminationGracePeriod";

/// Labels of a sandbox: the pod's own, and its three names. Mirrors `newPodLabels`.
pub fn sandbox_labels(pod: &Pod) -> Map {
    let mut labels = pod.metadata.labels.clone().unwrap_or_default();
    labels.extend(pod_names(pod));
    labels
}

/// Annotations of a sandbox: the pod's own. Mirrors `newPodAnnotations`.
pub fn sandbox_annotations(pod: &Pod) -> Map {
    pod.metadata.annotations.clone().unwrap_or_default()
}

/// Labels of a container. Mirrors `newContainerLabels`.
pub fn container_labels(pod: &Pod, container: &Container) -> Map {
    let mut labels = Map::from_iter(pod_names(pod));
    labels.insert(CONTAINER_NAME.into(), container.name.clone());
    labels
}

/// Annotations of a container: what a later agent needs in order to judge and to end it.
/// Mirrors `newContainerAnnotations`.
pub fn container_annotations(pod: &Pod, container: &Container, restart_count: u32) -> Map {
    let mut notes = Map::new();
    let mut note = |key: &str, value: String| notes.insert(key.to_owned(), value);
    note(CONTAINER_HASH, format!("{:x}", container_hash(container)));
    note(RESTART_COUNT, restart_count.to_string());
    note(TERMINATION_MESSAGE_PATH, container.termination_message_path.clone().unwrap_or_default());
    note(TERMINATION_MESSAGE_POLICY, container.termination_message_policy.clone().unwrap_or_default());
    if let Some(grace) = pod.metadata.deletion_grace_period_seconds {
        note(DELETION_GRACE_PERIOD, grace.to_string());
    }
    if let Some(grace) = pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds) {
        note(TERMINATION_GRACE_PERIOD, grace.to_string());
    }
    if let Some(hook) = container.lifecycle.as_ref().and_then(|l| l.pre_stop.as_ref()) {
        note(PRE_STOP_HANDLER, go_json::handler(hook));
    }
    if let Some(ports) = container.ports.as_ref().filter(|p| !p.is_empty()) {
        note(CONTAINER_PORTS, go_json::ports(ports));
    }
    notes
}

// ANCHOR: pod_of
/// The pod that a sandbox or container belongs to; `None` when somebody else made it, or when its names could lead out of
/// the directories that are named after them. Mirrors `getPodSandboxInfoFromLabels`.
pub fn pod_of(labels: &Map) -> Option<PodRef> {
    let uid = PodUid::checked(labels.get(POD_UID)?).ok()?;
    let name = |key: &str| labels.get(key).cloned().unwrap_or_default();
    let (namespace, name) = (name(POD_NAMESPACE), name(POD_NAME));
    let harmless = [&namespace, &name].iter().all(|part| part.is_empty() || paths::is_component(part));
    harmless.then_some(PodRef { namespace, name, uid })
}
// ANCHOR_END: pod_of

fn pod_names(pod: &Pod) -> [(String, String); 3] {
    let names = PodRef::of(pod);
    [
        (POD_NAME.to_owned(), names.name),
        (POD_NAMESPACE.to_owned(), names.namespace),
        (POD_UID.to_owned(), names.uid.as_str().to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": {
                "name": "web-node1", "namespace": "default", "uid": "u1",
                "labels": {"app": "web", "io.kubernetes.pod.name": "forged"},
                "annotations": {"note": "a b"},
            },
            "spec": {"terminationGracePeriodSeconds": 5, "containers": [{
                "name": "main", "image": "busybox", "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File", "ports": [{"containerPort": 80, "protocol": "TCP"}],
                "lifecycle": {"preStop": {"sleep": {"seconds": 3}}},
            }]},
        }))
        .expect("a pod")
    }

    #[test]
    fn a_pod_is_found_again_by_its_labels_and_cannot_forge_another_name() {
        let labels = sandbox_labels(&pod());
        assert_eq!(labels["app"], "web");
        assert_eq!(pod_of(&labels), Some(PodRef::of(&pod())));
        assert_eq!(
            pod_of(&container_labels(&pod(), &pod().spec.expect("spec").containers[0])),
            Some(PodRef::of(&pod()))
        );
        assert_eq!(pod_of(&Map::new()), None);
        for (key, value) in
            [(POD_UID, "../../etc"), (POD_UID, ""), (POD_NAME, "a/../../b"), (POD_NAMESPACE, "..")]
        {
            let mut forged = labels.clone();
            forged.insert(key.into(), value.into());
            assert_eq!(pod_of(&forged), None, "{key}={value}");
        }
    }

    #[test]
    fn container_annotations_hold_what_a_later_agent_needs() {
        let container = &pod().spec.expect("spec").containers[0];
        let notes: Vec<String> = container_annotations(&pod(), container, 2)
            .into_iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        assert_eq!(
            notes,
            [
                format!("{CONTAINER_HASH}={:x}", container_hash(container)),
                r#"io.kubernetes.container.ports=[{"containerPort":80,"protocol":"TCP"}]"#.into(),
                r#"io.kubernetes.container.preStopHandler={"sleep":{"seconds":3}}"#.into(),
                "io.kubernetes.container.restartCount=2".into(),
                "io.kubernetes.container.terminationMessagePath=/dev/termination-log".into(),
                "io.kubernetes.container.terminationMessagePolicy=File".into(),
                "io.kubernetes.pod.terminationGracePeriod=5".into(),
            ]
        );
    }
}
