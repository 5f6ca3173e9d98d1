//! Which namespaces a pod shares, and with whom.
//!
//! A namespace decides what a process can see: network devices, processes, shared memory. `POD` means one for all
//! containers of the pod, `CONTAINER` one for each, `NODE` the host's own.
//!
//! Mirrors `kuberuntime/util/util.go` and `userns/userns_manager.go: GetOrCreateUserNamespaceMappings`.

use cri_client::v1::{NamespaceMode, NamespaceOption, UserNamespace};
use pod_model::identity::{is_host_network, spec};
use pod_model::{Pod, PodRef};

use crate::ConfigError;

/// Where the pod's network is. A sandbox whose mode differs has to be made anew.
/// Mirrors `NetworkNamespaceForPod`.
pub fn network_mode(pod: &Pod) -> NamespaceMode {
    if is_host_network(pod) { NamespaceMode::Node } else { NamespaceMode::Pod }
}

/// With whom the pod shares System V and POSIX shared memory. Mirrors `IpcNamespaceForPod`.
fn ipc_mode(pod: &Pod) -> NamespaceMode {
    if spec(pod).host_ipc == Some(true) { NamespaceMode::Node } else { NamespaceMode::Pod }
}

// ANCHOR: lab03_pid
/// Whose processes a container sees: its own unless it asks for more. Mirrors `PidNamespaceForPod`.
fn pid_mode(pod: &Pod) -> NamespaceMode {
    let spec = spec(pod);
    if spec.host_pid == Some(true) {
        NamespaceMode::Node
    } else if spec.share_process_namespace == Some(true) {
        NamespaceMode::Pod
    } else {
        NamespaceMode::Container
    }
}
// ANCHOR_END: lab03_pid

/// The namespaces of a pod's sandbox, and of a container that has no target. Mirrors `NamespacesForPod`.
///
/// The user namespace is always the host's, and the kubelet says so instead of leaving it open.
///
/// # Errors
/// [`ConfigError::UserNamespace`] for `hostUsers: false`.
pub(crate) fn namespaces(pod: &Pod) -> Result<NamespaceOption, ConfigError> {
    if spec(pod).host_users == Some(false) {
        return Err(ConfigError::UserNamespace { pod: PodRef::of(pod) });
    }
    let host_users = UserNamespace { mode: NamespaceMode::Node.into(), uids: Vec::new(), gids: Vec::new() };
    Ok(NamespaceOption {
        network: network_mode(pod).into(),
        pid: pid_mode(pod).into(),
        ipc: ipc_mode(pod).into(),
        target_id: String::new(),
        userns_options: Some(host_users),
    })
}

// ANCHOR: lab03_target
/// The namespaces of a container; with a target, it sees that container's processes instead of its own.
///
/// A target changes nothing in a pod whose containers already see each other.
/// Mirrors `kuberuntime_container_linux.go: generateLinuxContainerConfig`.
///
/// # Errors
/// As [`namespaces`].
pub(crate) fn container_namespaces(
    pod: &Pod,
    target_id: Option<&str>,
) -> Result<NamespaceOption, ConfigError> {
    let mut options = namespaces(pod)?;
    if let Some(target) = target_id
        && options.pid() == NamespaceMode::Container
    {
        options.set_pid(NamespaceMode::Target);
        options.target_id = target.to_owned();
    }
    Ok(options)
}
// ANCHOR_END: lab03_target
