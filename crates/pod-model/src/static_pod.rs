//! What makes a pod *static*: it lives on this node because a file says so, with or without an API server.
//!
//! Its name ends in the node's name, so that the same file on two nodes gives two pods; its UID follows from the file
//! and the pod, so that an edited file is another pod and an unchanged one is the same pod after a restart.

use k8s_openapi::api::core::v1::Pod;

use crate::PodUid;
use crate::hash::fnv1a_128;

/// Where a pod came from: `file` or `api`. Mirrors `types/pod_update.go: ConfigSourceAnnotationKey`.
pub const CONFIG_SOURCE: &str = "kubernetes.io/config.source";
/// The static pod's UID, by which its mirror is recognised. Mirrors `ConfigHashAnnotationKey`.
pub const CONFIG_HASH: &str = "kubernetes.io/config.hash";
/// When the agent saw the pod first; not part of the pod's identity. Mirrors `ConfigFirstSeenAnnotationKey`.
pub const CONFIG_SEEN: &str = "kubernetes.io/config.seen";
/// On a mirror pod: the hash of the static pod that it shows. Mirrors `ConfigMirrorAnnotationKey`.
pub const CONFIG_MIRROR: &str = "kubernetes.io/config.mirror";

/// The name that a static pod gets on this node. Mirrors `config/common.go: generatePodName`.
pub fn pod_name(manifest_name: &str, node_name: &str) -> String {
    format!("{manifest_name}-{}", node_name.to_lowercase())
}

// ANCHOR: lab02_uid
/// The UID of a static pod: 32 hexadecimal digits, the same for the same pod from the same file on the same node.
///
/// The form is the kubelet's (FNV-1a, 128 bits); the value cannot be, since Go hashes a dump of its own in-memory
/// object. Here the pod's canonical JSON is hashed, before defaulting, so that a new default in a later version does
/// not make every static pod a new one. Mirrors `config/common.go: applyDefaults`.
pub fn pod_uid(pod: &Pod, node_name: &str, path: &str) -> PodUid {
    let mut bytes = serde_json::to_vec(pod).unwrap_or_default();
    bytes.extend_from_slice(format!("host:{node_name}file:{path}").as_bytes());
    PodUid::new(format!("{:032x}", fnv1a_128(&bytes)))
}
// ANCHOR_END: lab02_uid

/// The pod came from a file on this node. Mirrors `types/pod_update.go: IsStaticPod`.
pub fn is_static(pod: &Pod) -> bool {
    annotation(pod, CONFIG_SOURCE).is_some_and(|source| source != "api")
}

/// The pod is the API server's picture of a static pod. Mirrors `types/pod_update.go: IsMirrorPod`.
pub fn is_mirror(pod: &Pod) -> bool {
    annotation(pod, CONFIG_MIRROR).is_some()
}

fn annotation<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str) -> Pod {
        let mut pod = Pod::default();
        pod.metadata.name = Some(name.into());
        pod
    }

    #[test]
    fn the_uid_is_stable_and_tells_pods_files_and_nodes_apart() {
        let uid = pod_uid(&pod("a"), "node1", "/m/a.yaml");
        assert_eq!(uid, pod_uid(&pod("a"), "node1", "/m/a.yaml"));
        assert_eq!(uid.as_str().len(), 32);
        assert!(PodUid::checked(uid.as_str()).is_ok());
        for other in [
            pod_uid(&pod("b"), "node1", "/m/a.yaml"),
            pod_uid(&pod("a"), "node2", "/m/a.yaml"),
            pod_uid(&pod("a"), "node1", "/m/b.yaml"),
        ] {
            assert_ne!(uid, other);
        }
    }

    #[test]
    fn the_name_carries_the_node_in_lower_case() {
        assert_eq!(pod_name("etcd", "Node1"), "etcd-node1");
    }
}
