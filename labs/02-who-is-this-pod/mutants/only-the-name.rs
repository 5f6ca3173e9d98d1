/// The UID of a static pod: 32 hexadecimal digits, the same for the same pod from the same file on the same node.
///
/// The form is the kubelet's (FNV-1a, 128 bits); the value cannot be, since Go hashes a dump of its own in-memory
/// object. Here the pod's canonical JSON is hashed, before defaulting, so that a new default in a later version does
/// not make every static pod a new one. Mirrors `config/common.go: applyDefaults`.
pub fn pod_uid(pod: &Pod, node_name: &str, path: &str) -> PodUid {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let named = format!("{namespace}/{name}host:{node_name}file:{path}");
    PodUid::new(format!("{:032x}", fnv1a_128(named.as_bytes())))
}
