/// The UID of a static pod: 32 hexadecimal digits, the same for the same pod from the same file on the same node.
///
/// The form is the kubelet's (FNV-1a, 128 bits); the value cannot be, since Go hashes a dump of its own in-memory
/// object. Here the pod's canonical JSON is hashed, before defaulting, so that a new default in a later version does
/// not make every static pod a new one. Mirrors `config/common.go: applyDefaults`.
pub fn pod_uid(pod: &Pod, node_name: &str, path: &str) -> PodUid {
    let mut bytes = serde_json::to_vec(&pod.spec).unwrap_or_default();
    let (name, namespace) = (&pod.metadata.name, &pod.metadata.namespace);
    bytes.extend_from_slice(format!("{namespace:?}/{name:?}").as_bytes());
    bytes.extend_from_slice(format!("host:{node_name}file:{path}").as_bytes());
    PodUid::new(format!("{:032x}", fnv1a_128(&bytes)))
}
