//! Where a pod's things lie on the node.
//!
//! ```text
//! <podLogsDir>/NAMESPACE_POD_UID/CONTAINER/N.log       N = restart count, written by the runtime
//! /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log   a link to it, for log collectors
//! <root>/pods/UID/etc-hosts, containers/CONTAINER/…    the agent's own
//! ```
//!
//! Mirrors `kuberuntime/helpers.go`, `kuberuntime/legacy.go` and `kubelet_getters.go`.

use std::path::{Path, PathBuf};

use crate::{PodRef, PodUid};

/// The longest name of a file, less what a link's name needs for id and suffix (`legacy.go: ext4MaxFileNameLen`).
const MAX_FILE_NAME: usize = 255;

/// Whether a name can be one component of a path and nothing else. Names of pods and containers come from the runtime's
/// labels, too, where nobody has checked them.
pub fn is_component(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

/// The folder of one pod's logs. Mirrors `BuildPodLogsDirectory`.
pub fn pod_log_dir(pod_logs: &Path, pod: &PodRef) -> PathBuf {
    pod_logs.join(format!("{}_{}_{}", pod.namespace, pod.name, pod.uid))
}

/// A container's log file, relative to its pod's folder. Mirrors `buildContainerLogsPath`.
pub fn container_log_path(container: &str, restart_count: u32) -> String {
    format!("{container}/{restart_count}.log")
}

/// The UID in the name of a pod's log folder. Mirrors `parsePodUIDFromLogsDirectory`.
pub fn uid_of_log_dir(name: &str) -> Option<PodUid> {
    PodUid::checked(name.rsplit('_').next()?).ok()
}

/// The name of the link by which log collectors find a container's log, at most 255 bytes.
/// Mirrors `legacy.go: legacyLogSymlink`.
pub fn log_link_name(pod: &PodRef, container: &str, container_id: &str) -> String {
    let suffix = format!("-{container_id}.log");
    let mut name = format!("{}_{}_{container}", pod.name, pod.namespace);
    let room = MAX_FILE_NAME.saturating_sub(suffix.len());
    while name.len() > room {
        name.pop();
    }
    name + &suffix
}

/// The container id in the name of such a link. Mirrors `legacy.go: getContainerIDFromLegacyLogSymlink`.
pub fn container_id_of_log_link(name: &str) -> Option<&str> {
    let id = name.strip_suffix(".log")?.rsplit('-').next()?;
    (!id.is_empty()).then_some(id)
}

/// The folder that holds a folder for each pod.
pub fn pods_dir(root: &Path) -> PathBuf {
    root.join("pods")
}

/// The agent's folder for one pod. Mirrors `kubelet_getters.go: getPodDir`.
pub fn pod_dir(root: &Path, uid: &PodUid) -> PathBuf {
    pods_dir(root).join(uid.as_str())
}

/// The file that is mounted as `/etc/hosts`. Mirrors `kubelet_pods.go: getEtcHostsPath`.
pub fn etc_hosts(root: &Path, uid: &PodUid) -> PathBuf {
    pod_dir(root, uid).join("etc-hosts")
}

/// The folder of one container's termination messages. Mirrors `kubelet_getters.go: getPodContainerDir`.
pub fn container_dir(root: &Path, uid: &PodUid, container: &str) -> PathBuf {
    pod_dir(root, uid).join("containers").join(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> PodRef {
        PodRef { namespace: "default".into(), name: "web-node1".into(), uid: PodUid::new("u1") }
    }

    #[test]
    fn log_paths() {
        assert_eq!(
            pod_log_dir(Path::new("/var/log/pods"), &pod()),
            Path::new("/var/log/pods/default_web-node1_u1")
        );
        assert_eq!(container_log_path("main", 3), "main/3.log");
        assert_eq!(uid_of_log_dir("default_web-node1_u1"), Some(PodUid::new("u1")));
        assert_eq!(uid_of_log_dir("default_web_.."), None);
    }

    #[test]
    fn what_leads_elsewhere_is_no_component() {
        assert!(is_component("web-node1") && is_component("..."));
        for elsewhere in ["", ".", "..", "a/b", "/", "a\0b"] {
            assert!(!is_component(elsewhere), "{elsewhere:?}");
        }
    }

    #[test]
    fn the_link_is_cut_to_what_a_file_name_may_hold_and_keeps_its_id() {
        assert_eq!(log_link_name(&pod(), "main", "3f2a"), "web-node1_default_main-3f2a.log");
        let long = PodRef { name: "n".repeat(253), ..pod() };
        let id = "a".repeat(64);
        let link = log_link_name(&long, "main", &id);
        assert_eq!(link.len(), 255);
        assert_eq!(container_id_of_log_link(&link), Some(id.as_str()));
        assert_eq!(container_id_of_log_link("README"), None);
    }
}
