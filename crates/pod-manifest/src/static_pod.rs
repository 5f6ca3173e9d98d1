//! What makes the pod of a file a static pod of this node.
//!
//! Mirrors `config/common.go: applyDefaults`.

use std::path::Path;

use k8s_openapi::api::core::v1::{Pod, PodStatus, Toleration};
use pod_model::static_pod;

/// Gives the pod its UID, name, namespace, node and hash, and the toleration that keeps it here through every trouble
/// of the node.
///
/// The UID is taken over what the file says, before any default, so that a default of a later version does not make
/// every static pod a new one.
// ANCHOR: settle
pub(crate) fn settle_on_node(pod: &mut Pod, path: &Path, node_name: &str) {
    if pod.metadata.uid.as_deref().unwrap_or_default().is_empty() {
        pod.metadata.uid = Some(static_pod::pod_uid(pod, node_name, &path.to_string_lossy()).to_string());
    }
    let metadata = &mut pod.metadata;
    if let Some(name) = metadata.name.as_mut().filter(|name| !name.is_empty()) {
        *name = static_pod::pod_name(name, node_name);
    }
    if metadata.namespace.as_deref().unwrap_or_default().is_empty() {
        metadata.namespace = Some("default".to_owned());
    }
    let hash = metadata.uid.clone().unwrap_or_default();
    metadata.annotations.get_or_insert_default().insert(static_pod::CONFIG_HASH.to_owned(), hash);
    let spec = pod.spec.get_or_insert_default();
    spec.node_name = Some(node_name.to_owned());
    tolerate_everything(spec.tolerations.get_or_insert_default());
    pod.status.get_or_insert_with(PodStatus::default).phase = Some("Pending".to_owned());
}
// ANCHOR_END: settle

/// No taint may evict what nobody could bring back.
fn tolerate_everything(tolerations: &mut Vec<Toleration>) {
    let stays = Toleration {
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        ..Toleration::default()
    };
    // One that says the same save for its duration is replaced.
    let same = |other: &&mut Toleration| {
        let empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
        other.operator == stays.operator
            && other.effect == stays.effect
            && empty(&other.key)
            && empty(&other.value)
    };
    match tolerations.iter_mut().find(same) {
        Some(other) => *other = stays,
        None => tolerations.push(stays),
    }
}
