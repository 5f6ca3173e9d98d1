//! Does the pod need a new sandbox?
//!
//! Mirrors `kuberuntime/util/util.go: PodSandboxChanged`.

use cri_client::v1;
use pod_model::{Pod, PodStatus, identity};

/// What is to happen with the pod's sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxVerdict {
    /// A new one is needed, and everything in the old one has to end.
    pub changed: bool,
    /// The attempt of the sandbox to use: the present one's, or the next one's.
    pub attempt: u32,
    /// The present sandbox, if there is one worth naming.
    pub id: Option<String>,
}

/// Compares a pod with its sandboxes, newest first. A new one is needed when there is none, when more than one is ready
/// (somebody, perhaps an earlier agent, made two), when the newest is not ready, when the pod moved into or out of the
/// host's network, and when the newest has no address.
pub fn sandbox_changed(pod: &Pod, status: &PodStatus) -> SandboxVerdict {
    let Some(newest) = status.sandboxes.first() else {
        return SandboxVerdict { changed: true, attempt: 0, id: None };
    };
    let attempt = newest.metadata.as_ref().map_or(0, |m| m.attempt);
    let next = |id: Option<&String>| SandboxVerdict { changed: true, attempt: attempt + 1, id: id.cloned() };

    let ready = status.sandboxes.iter().filter(|s| s.state() == v1::PodSandboxState::SandboxReady).count();
    if ready > 1 || newest.state() != v1::PodSandboxState::SandboxReady {
        return next(Some(&newest.id));
    }
    if network_of(newest) != container_config::network_mode(pod) {
        return next(None);
    }
    let without_address = newest.network.as_ref().is_some_and(|n| n.ip.is_empty());
    if !identity::is_host_network(pod) && without_address {
        return next(Some(&newest.id));
    }
    SandboxVerdict { changed: false, attempt, id: Some(newest.id.clone()) }
}

fn network_of(sandbox: &v1::PodSandboxStatus) -> v1::NamespaceMode {
    let options = sandbox.linux.as_ref().and_then(|l| l.namespaces.as_ref()).and_then(|n| n.options.as_ref());
    // An absent message reads as its zero value, as in Go.
    options.map_or(v1::NamespaceMode::Pod, v1::NamespaceOption::network)
}
