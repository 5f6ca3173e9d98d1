//! Where in the cgroup tree a pod belongs.
//!
//! Mirrors `cm/pod_container_manager_linux.go: GetPodContainerName` and `cm/cgroup_manager_linux.go: CgroupName`.
//! Only names here: the `cgroups` crate, which comes later, makes and limits what they name.

use k8s_openapi::api::core::v1::Pod;

use crate::{QosClass, identity, qos_class};

/// The cgroup of a pod under the cgroupfs driver, as a path: `/kubepods/burstable/podUID`.
///
/// Guaranteed pods stand directly under `kubepods`. `cgroup_root` is the configuration's (`/` when it is not set); two
/// agents on one machine need two, or each would take the other's pods for leftovers.
pub fn pod_cgroup_parent(pod: &Pod, cgroup_root: &str) -> String {
    let root = cgroup_root.trim_end_matches('/');
    let class = match qos_class(pod) {
        QosClass::Guaranteed => "",
        QosClass::Burstable => "/burstable",
        QosClass::BestEffort => "/besteffort",
    };
    format!("{root}/kubepods{class}/pod{}", identity::uid(pod))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_place() {
        let pod = |resources: serde_json::Value| -> Pod {
            serde_json::from_value(serde_json::json!({
                "metadata": {"uid": "u1"}, "spec": {"containers": [{"name": "a", "resources": resources}]},
            }))
            .expect("a pod")
        };
        let full = serde_json::json!({"cpu": "1", "memory": "1Gi"});
        for (resources, root, name) in [
            (serde_json::json!({}), "", "/kubepods/besteffort/podu1"),
            (serde_json::json!({"requests": {"cpu": "1"}}), "/", "/kubepods/burstable/podu1"),
            (serde_json::json!({"requests": full, "limits": full}), "/lab", "/lab/kubepods/podu1"),
        ] {
            assert_eq!(pod_cgroup_parent(&pod(resources), root), name);
        }
    }
}
